//! Wiring: reshape, transpose, slice, concatenate, pad, broadcast. Costs nothing in a proof.

use serde::{Deserialize, Serialize};

use crate::Map;

/// `y` is assembled from parts: part `i` copies the view `from` of input `i` to the view `to` of the output.
/// Parts cover every output element exactly once. Inputs share one scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reindex {
    /// Shape of the result.
    pub shape: Vec<usize>,
    /// `(from, to)` per input; `to.source` is `shape`.
    pub parts: Vec<(Map, Map)>,
}
