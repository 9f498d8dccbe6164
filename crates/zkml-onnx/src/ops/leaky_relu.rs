//! Rectifiers with a slope on the left.
//! <https://onnx.ai/onnx/operators/onnx__LeakyRelu.html>

use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::nn::LeakyRelu;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::Operand;

pub(super) const ONNX: &[OpSupport] = &[op("LeakyRelu", "any slope, as alpha·x + (1 − alpha)·max(x, 0)")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let leaky = is::<ElementWiseOp>(node)?.0.downcast_ref::<LeakyRelu>()?;
    Some(rectified(l, node, f64::from(leaky.alpha)))
}

fn rectified(l: &mut Lowering<'_>, node: &TractNode, alpha: f64) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    let positive = l.net.at_least(&format!("{}.positive", node.name), x.clone(), 0.0);
    Ok(l.net.sum(&node.name, vec![(alpha, x), (1.0 - alpha, positive)], 0.0))
}
