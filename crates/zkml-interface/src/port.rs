//! What a model takes and gives.

use serde::{Deserialize, Serialize};

/// An input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The model's own name for it.
    pub name: String,
    /// Its shape, batch included.
    pub shape: Vec<usize>,
    /// Its element type in the ONNX model.
    pub kind: String,
}

impl Port {
    /// Number of elements; `usize::MAX` where a shape read from a file has more than that.
    pub fn len(&self) -> usize {
        if self.shape.contains(&0) {
            return 0;
        }
        self.shape.iter().fold(1, |len: usize, d| len.saturating_mul(*d))
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the elements are integers in the ONNX model.
    pub fn is_integer(&self) -> bool {
        self.kind.starts_with('i') || self.kind.starts_with('u')
    }
}
