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

    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        let left = operand::through(&inputs[0].1, &self.a);
        let right = operand::through(&inputs[1].1, &self.b);
        b.product(&left, &right, &output.1);
    }
}
