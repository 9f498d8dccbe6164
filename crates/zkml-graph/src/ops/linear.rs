//! Weighted sum of tensors: Add, Sub, Neg, Sum, multiplication by an integer.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, RelationBuilder, Tensor, View};

/// `y = Σ coefficients[i] · input_i + constant`, element-wise over views of one shape.
///
/// The scales of `coefficient · input` must agree: `scale(input_i) + shifts…` is the caller's business, so
/// `scale` is that of the result and is taken as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// Integer weight and view (broadcasting, say) of each input.
    pub terms: Vec<(i64, Map)>,
    /// Added to the sum.
    pub constant: i64,
    /// Scale of the result.
    pub scale: i32,
}

impl OpSpec for Linear {
    fn kind(&self) -> &'static str {
        "Linear"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, self.terms.len())?;
        let Some((_, first)) = self.terms.first() else {
            return operand::misfit(node, "a sum of no operands");
        };
        let constant = i128::from(self.constant);
        let (mut bounds, mut magnitude) = (Bounds::point(constant), constant.abs());
        for ((c, map), tensor) in self.terms.iter().zip(inputs) {
            let term = operand::bounds(node, tensor, map)?.scale(i128::from(*c));
            operand::same_shape(node, &first.shape, &map.shape)?;
            bounds = bounds.add(term);
            magnitude = magnitude.saturating_add(term.magnitude());
        }
        operand::summable(node, magnitude)?;
        let scale = operand::scale(node, self.scale.into())?;
        Ok(Fact { shape: first.shape.clone(), scale, bounds: bounds.checked(node)? })
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let mut sums = vec![i128::from(self.constant); output.len()];
        for ((c, map), value) in self.terms.iter().zip(values) {
            let seen = map.gather(value);
            sums.iter_mut().zip(seen).for_each(|(s, v)| *s += i128::from(*c) * i128::from(v));
        }
        // The fact keeps sums of admissible operands within the safe range.
        let output = sums.into_iter().map(|s| s as i64).collect();
        Ok(Evaluated { output, aux: Vec::new() })
    }

    fn loose_bits(&self, bits: &[u32]) -> Option<u32> {
        let term =
            |((c, map), &bits): (&(i64, Map), &u32)| operand::bits_of(*c) + operand::seen_bits(bits, map);
        let largest = self.terms.iter().zip(bits).map(term).max().unwrap_or(0);
        let count = self.terms.len() + 1;
        Some(largest.max(operand::bits_of(self.constant)) + usize::BITS - count.leading_zeros())
    }

    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        let views: Vec<View> =
            self.terms.iter().zip(inputs).map(|((_, map), (_, v))| operand::through(v, map)).collect();
        let mut terms: Vec<(i64, &View)> = self.terms.iter().map(|(c, _)| *c).zip(&views).collect();
        terms.push((-1, &output.1));
        b.linear(&terms, self.constant);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, fixed, given};
    let whole = || Map::identity(&[2, 2]);
    let x = given(&[2, 2], (-100, 100), &[-100, 0, 3, 100]);
    let negated = Linear { terms: vec![(-1, whole())], constant: 0, scale: 0 };
    let row = Map { shape: vec![2, 2], axes: Map::permuted(&[2], &[0]).axes, ..Map::identity(&[2]) };
    let row = Map { axes: vec![crate::map::Axis { offset: 0, steps: vec![0, 1] }], ..row };
    let sum = Linear {
        terms: vec![(3, whole()), (-2, row), (1, Map::permuted(&[2, 2], &[1, 0]))],
        constant: 7,
        scale: 0,
    };
    vec![
        case("Linear: negation", negated, [x.clone()], &[100, 0, -3, -100]),
        case(
            "Linear: weighted sum of an input, a broadcast row and a transposed constant",
            sum,
            &[x, given(&[2], (0, 9), &[9, 1]), fixed(&[2, 2], &[1, 2, 3, 4])],
            &[-310, 8, 0, 309],
        ),
    ]
}
