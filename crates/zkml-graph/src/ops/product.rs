//! Element-wise product of two tensors.

use serde::{Deserialize, Serialize};

use crate::Map;

/// `y = a · b`, element-wise over views of one shape; scales add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// View of the first input.
    pub a: Map,
    /// View of the second input.
    pub b: Map,
}
