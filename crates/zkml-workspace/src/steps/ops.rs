//! The support table, from the registry of the front end.

use serde::Serialize;
use zkml_onnx::OpSupport;

/// All supported ONNX operators, by name.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct OpsReport(pub Vec<&'static OpSupport>);

/// The support table, by name.
#[must_use]
pub fn run() -> OpsReport {
    let mut ops: Vec<_> = zkml_onnx::supported_ops().iter().collect();
    ops.sort_by_key(|op| op.onnx_name);
    OpsReport(ops)
}
