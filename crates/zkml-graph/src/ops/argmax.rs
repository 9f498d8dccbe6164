//! Index of the first largest element along an axis.

use serde::{Deserialize, Serialize};

use crate::Map;

/// `y[i] = min { j : x[i, j] = max_j x[i, j] }`, at scale 0. The view of the input has shape `output ++ [len]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgMax {
    /// View of the input whose last dimension is searched.
    pub x: Map,
    /// Shape of the result; its product is that of the view without its last dimension.
    pub shape: Vec<usize>,
}
