//! Element-wise maximum: Relu, MaxPool, Clip (through negation), ReduceMax.

use serde::{Deserialize, Serialize};

use crate::Map;

/// `y = max(a, b)` over views of one shape, or `y = max(a, constant)` when there is one input. Operands have
/// the same scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Max {
    /// View of the first input.
    pub a: Map,
    /// View of the second input, or the constant.
    pub b: MaxOperand,
}

/// Right-hand side of a maximum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaxOperand {
    /// The second input, seen through a view.
    View(Map),
    /// The same integer everywhere.
    Constant(i64),
}
