//! Entries of the support table.

use serde::Serialize;

/// A supported ONNX operator, for the support table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OpSupport {
    /// Name of the operator.
    pub onnx_name: &'static str,
    /// The way in which it is proven, and the parts of it that are not supported.
    pub notes: &'static str,
}

/// An entry.
pub(crate) const fn op(onnx_name: &'static str, notes: &'static str) -> OpSupport {
    OpSupport { onnx_name, notes }
}
