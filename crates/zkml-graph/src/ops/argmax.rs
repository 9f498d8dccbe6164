//! Index of the first largest element along an axis.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::tensor::elements;
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, Relation, RelationBuilder, Tensor, View};

/// `y[i] = min { j : x[i, j] = max_j x[i, j] }`, at scale 0. The view of the input has shape `output ++ [len]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgMax {
    /// View of the input whose last dimension is searched.
    pub x: Map,
    /// Shape of the result; its product is that of the view without its last dimension.
    pub shape: Vec<usize>,
}

impl ArgMax {
    /// The dimensions that are kept, and the length of the one that is searched.
    fn split(&self) -> Option<(&[usize], usize)> {
        self.x.shape.split_last().map(|(n, outer)| (outer, *n))
    }
}

impl OpSpec for ArgMax {
    fn kind(&self) -> &'static str {
        "ArgMax"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 1)?;
        operand::bounds(node, inputs[0], &self.x)?;
        match self.split() {
            Some((outer, n)) if elements(&self.shape).is_some_and(|l| Some(l) == elements(outer)) => {
                Ok(Fact { shape: self.shape.clone(), scale: 0, bounds: Bounds::new(0, n as i128 - 1) })
            }
            _ => operand::misfit(
                node,
                format!("a search in {:?} does not give {:?}", self.x.shape, self.shape),
            ),
        }
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let n = self.split().map_or(1, |(_, n)| n);
        let x = self.x.gather(values[0]);
        let mut out = Vec::with_capacity(output.len());
        let mut aux: [Vec<i64>; 4] = Default::default();
        let [chosen, reached, max, slack] = &mut aux;
        for row in x.chunks(n) {
            let best = (1..row.len()).fold(0, |best, j| if row[j] > row[best] { j } else { best });
            out.push(best as i64);
            max.push(row[best]);
            for (j, x) in row.iter().enumerate() {
                let c = i64::from(j >= best);
                chosen.push(i64::from(j == best));
                reached.push(c);
                slack.push(row[best] - x - 1 + c);
            }
        }
        Ok(Evaluated { output: out, aux: aux.into() })
    }

    /// `chosen` is one bit per element, `reached` its running sum, which ends at one, so exactly one element is
    /// chosen. `max = Σ chosen·x`, `y = Σ chosen·j`, and `max − x − 1 + reached ≥ 0` makes every element before
    /// the chosen one smaller and none after it larger.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        let Some((outer, n)) = self.split() else { return };
        let x = operand::through(&inputs[0].1, &self.x);
        let y = operand::reshaped(&output.1, outer);
        let pad = self.x.pad.map(|p| Bounds::point(p.into()));
        let bounds = pad.map_or(inputs[0].0.bounds, |p| p.union(inputs[0].0.bounds));
        let width = bounds.hi - bounds.lo;
        let bit = Bounds::new(0, 1);
        let chosen = b.aux("chosen", &x.map.shape, bit);
        let reached = b.aux("reached", &x.map.shape, bit);
        let max = b.aux("max", outer, bounds);
        let slack = b.aux("slack", &x.map.shape, Bounds::new(0, width));
        b.product(&chosen, &chosen, &chosen);
        b.linear(&[(1, &part(&reached, 0, 1)), (-1, &part(&chosen, 0, 1))], 0);
        if n > 1 {
            let (now, before) = (part(&reached, 1, n - 1), part(&reached, 0, n - 1));
            b.linear(&[(1, &now), (-1, &before), (-1, &part(&chosen, 1, n - 1))], 0);
        }
        b.linear(&[(1, &part(&reached, n - 1, 1))], -1);
        let rank = outer.len();
        let dot = |a: &View, c: View, y: View, ranks| Relation::Contract {
            a: a.clone(),
            b: c,
            addend: None,
            y,
            ranks,
        };
        b.state(dot(&chosen, x.clone(), max.clone(), [rank, 0, 1, 0]));
        let index = b.constant("index", &[n], (0..n as i64).collect());
        b.state(dot(&chosen, index, y, [0, rank, 1, 0]));
        let max = spread(&max, outer, n);
        b.linear(&[(1, &max), (-1, &x), (1, &reached), (-1, &slack)], -1);
        b.at_least_zero(&slack, width);
    }
}

/// `len` elements of the last dimension from `start` on.
fn part(v: &View, start: usize, len: usize) -> View {
    let source = &v.map.shape;
    let (mut shape, mut first) = (source.clone(), vec![0; source.len()]);
    if let (Some(n), Some(s)) = (shape.last_mut(), first.last_mut()) {
        (*n, *s) = (len, start);
    }
    View { var: v.var, map: Map::slice(source, &first, &shape) }
}

/// The same value for every element of a new last dimension of length `n`.
fn spread(v: &View, outer: &[usize], n: usize) -> View {
    let mut map = Map::identity(outer);
    map.shape.push(n);
    map.axes.iter_mut().for_each(|a| a.steps.push(0));
    View { var: v.var, map }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, given};
    let all = |n: &[usize]| ArgMax { x: Map::identity(n), shape: vec![1] };
    let one = |name: &str, x: &[i64], y: i64| {
        case(&format!("ArgMax: {name}"), all(&[x.len()]), &[given(&[x.len()], (-100, 100), x)], &[y])
    };
    // Columns of a 3×2 matrix, searched downwards.
    let columns = ArgMax { x: Map::permuted(&[3, 2], &[1, 0]), shape: vec![2, 1] };
    vec![
        one("first", &[7, -3, 5, 6], 0),
        one("last", &[-7, -3, -5, -1], 3),
        one("tie goes to the first", &[1, 9, 9, 2, 9], 1),
        one("all equal", &[-4, -4, -4], 0),
        one("ends of the range", &[-100, 100, 99], 1),
        one("one element", &[5], 0),
        case("ArgMax: columns", columns, &[given(&[3, 2], (-9, 9), &[1, 9, 4, -2, 4, 9])], &[1, 0]),
    ]
}
