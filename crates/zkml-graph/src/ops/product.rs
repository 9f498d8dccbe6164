//! Element-wise product of two tensors.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::{Evaluated, Fact, GraphError, Map, OpSpec, RelationBuilder, Tensor, View};

/// `y = a · b`, element-wise over views of one shape; scales add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// View of the first input.
    pub a: Map,
    /// View of the second input.
    pub b: Map,
}

impl OpSpec for Product {
    fn kind(&self) -> &'static str {
        "Product"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 2)?;
        let a = operand::bounds(node, inputs[0], &self.a)?;
        let b = operand::bounds(node, inputs[1], &self.b)?;
        operand::same_shape(node, &self.a.shape, &self.b.shape)?;
        let scale = operand::scale(node, i64::from(inputs[0].scale) + i64::from(inputs[1].scale))?;
        Ok(Fact { shape: self.a.shape.clone(), scale, bounds: a.mul(b).checked(node)? })
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        _output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let (a, b) = (self.a.gather(values[0]), self.b.gather(values[1]));
        Ok(Evaluated { output: a.iter().zip(&b).map(|(a, b)| a * b).collect(), aux: Vec::new() })
    }

    fn loose_bits(&self, bits: &[u32]) -> Option<u32> {
        Some(operand::seen_bits(bits[0], &self.a) + operand::seen_bits(bits[1], &self.b))
    }

    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        let left = operand::through(&inputs[0].1, &self.a);
        let right = operand::through(&inputs[1].1, &self.b);
        b.product(&left, &right, &output.1);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, fixed, given};
    let pair = |b| Product { a: Map::identity(&[4]), b };
    let axes = vec![crate::map::Axis { offset: 0, steps: vec![0] }];
    let scalar = Map { source: vec![1], shape: vec![4], axes, pad: None };
    let x = given(&[4], (-8, 7), &[-8, 0, 7, 3]).at_scale(3);
    vec![
        case(
            "Product: of two",
            pair(Map::identity(&[4])),
            &[x.clone(), given(&[4], (-8, 7), &[-8, 5, -8, 7])],
            &[64, 0, -56, 21],
        ),
        case(
            "Product: with itself",
            pair(Map::permuted(&[4], &[0])),
            &[x.clone(), x.clone()],
            &[64, 0, 49, 9],
        ),
        case("Product: by a constant", pair(scalar), &[x, fixed(&[1], &[-3])], &[24, 0, -21, -9]),
    ]
}
