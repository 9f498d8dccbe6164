//! Wiring: reshape, transpose, slice, concatenate, pad, broadcast. Costs nothing in a proof.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::map::Marks;
use crate::tensor::elements;
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, Relation, RelationBuilder, Tensor, View};

/// `y` is assembled from parts: part `i` copies the view `from` of input `i` to the view `to` of the output.
/// Parts cover every output element exactly once. Inputs share one scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reindex {
    /// Shape of the result.
    pub shape: Vec<usize>,
    /// `(from, to)` per input; `to.source` is `shape`.
    pub parts: Vec<(Map, Map)>,
}

impl Reindex {
    /// Refuses parts that leave an output element out or write one twice.
    fn check_cover(&self, node: &str) -> Result<(), GraphError> {
        let Some(len) = elements(&self.shape) else {
            return operand::misfit(node, format!("shape {:?} is out of limits", self.shape));
        };
        let parts = || self.parts.iter().map(|(_, to)| to);
        let valid = |to: &Map| to.source == self.shape && to.is_valid() && to.stays_inside();
        if !parts().all(valid) || parts().map(Map::len).sum::<usize>() != len {
            return operand::misfit(node, format!("its parts do not add up to {:?}", self.shape));
        }
        let mut marks = Marks::new(len);
        let once = parts().flat_map(Map::iter).flatten().all(|i| marks.mark(i));
        if once && marks.is_full() {
            return Ok(());
        }
        operand::misfit(node, "its parts overlap")
    }
}

impl OpSpec for Reindex {
    fn kind(&self) -> &'static str {
        "Reindex"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, self.parts.len())?;
        let mut bounds: Option<Bounds> = None;
        for ((from, to), tensor) in self.parts.iter().zip(inputs) {
            let part = operand::bounds(node, tensor, from)?;
            operand::same_shape(node, &from.shape, &to.shape)?;
            operand::same_scale(node, inputs[0], tensor)?;
            bounds = Some(bounds.map_or(part, |b| b.union(part)));
        }
        self.check_cover(node)?;
        match bounds {
            Some(bounds) => Ok(Fact { shape: self.shape.clone(), scale: inputs[0].scale, bounds }),
            None => operand::misfit(node, "it has no parts"),
        }
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let mut out = vec![0; output.len()];
        for ((from, to), value) in self.parts.iter().zip(values) {
            let pad = from.pad.unwrap_or(0);
            let places = to.iter().flatten().zip(from.iter());
            places.for_each(|(to, from)| out[to] = from.map_or(pad, |i| value[i]));
        }
        Ok(Evaluated { output: out, aux: Vec::new() })
    }

    fn loose_bits(&self, bits: &[u32]) -> Option<u32> {
        self.parts.iter().zip(bits).map(|((from, _), &bits)| operand::seen_bits(bits, from)).max()
    }

    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        for ((from, to), (_, v)) in self.parts.iter().zip(inputs) {
            let (from, to) = (operand::through(v, from), operand::through(&output.1, to));
            b.state(Relation::Copy { from, to });
        }
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, fixed, given};
    let wire = |shape: &[usize], parts| Reindex { shape: shape.to_vec(), parts };
    let x = given(&[2, 3], (-9, 9), &[1, 2, 3, 4, 5, 6]);
    let turned = wire(&[3, 2], vec![(Map::permuted(&[2, 3], &[1, 0]), Map::identity(&[3, 2]))]);
    let repeated =
        Map::broadcast(&[2, 1], &[2, 2]).into_iter().map(|m| (m, Map::identity(&[2, 2]))).collect();
    // Two columns of the input and a constant side by side.
    let left = (Map::slice(&[2, 3], &[0, 1], &[2, 2]), Map::slice(&[2, 3], &[0, 0], &[2, 2]));
    let joined = wire(&[2, 3], vec![left, (Map::identity(&[2, 1]), Map::slice(&[2, 3], &[0, 2], &[2, 1]))]);
    let padded = Map {
        shape: vec![5],
        axes: vec![crate::map::Axis { offset: -1, steps: vec![1] }],
        pad: Some(7),
        ..Map::identity(&[3])
    };
    let reversed = Map { axes: vec![crate::map::Axis { offset: 2, steps: vec![-1] }], ..Map::identity(&[3]) };
    let line = given(&[3], (-9, 9), &[-1, 0, 9]);
    vec![
        case("Reindex: transpose", turned, [x.clone()], &[1, 4, 2, 5, 3, 6]),
        case(
            "Reindex: broadcast",
            wire(&[2, 2], repeated),
            &[given(&[2, 1], (0, 9), &[8, 9])],
            &[8, 8, 9, 9],
        ),
        case(
            "Reindex: slice and concatenate",
            joined,
            &[x, fixed(&[2, 1], &[-7, 70])],
            &[2, 3, -7, 5, 6, 70],
        ),
        case(
            "Reindex: pad",
            wire(&[5], vec![(padded, Map::identity(&[5]))]),
            [line.clone()],
            &[7, -1, 0, 9, 7],
        ),
        case("Reindex: reverse", wire(&[3], vec![(reversed, Map::identity(&[3]))]), &[line], &[9, 0, -1]),
    ]
}
