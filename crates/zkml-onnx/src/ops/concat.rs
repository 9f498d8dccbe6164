//! Tensors side by side.
//! <https://onnx.ai/onnx/operators/onnx__Concat.html>

use tract_onnx::tract_core::ops::array::TypedConcat;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::Operand;

pub(super) const ONNX: &[OpSupport] = &[op("Concat", "free wiring")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let concat = is::<TypedConcat>(node)?;
    Some(joined(l, node, concat.axis))
}

fn joined(l: &mut Lowering<'_>, node: &TractNode, axis: usize) -> Result<Operand, Reason> {
    let parts = (0..node.inputs.len()).map(|i| l.input(node, i)).collect::<Result<Vec<_>, _>>()?;
    Ok(l.net.concat(&node.name, parts, axis))
}
