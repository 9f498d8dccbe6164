//! Smooth functions of one variable, by interpolated tables.
//! <https://onnx.ai/onnx/operators/onnx__Sigmoid.html> and its neighbours

use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::net::{Function, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("Sigmoid", "interpolated table"),
    op("Tanh", "interpolated table"),
    op("Exp", "interpolated table on the calibrated range"),
    op("Log", "interpolated table on the calibrated range, which must be positive"),
    op("Erf", "interpolated table"),
    op("Gelu", "interpolated table, exact and approximate form"),
    op("Sqrt", "interpolated table on the calibrated range"),
    op("Reciprocal", "interpolated table on the calibrated range, which must not touch zero"),
    op("HardSwish", "interpolated table"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let name = is::<ElementWiseOp>(node).map_or_else(|| node.op.name().to_string(), |e| e.0.name());
    let function = match name.as_str() {
        "Sigmoid" => Function::Sigmoid,
        "Tanh" => Function::Tanh,
        "Exp" => Function::Exp,
        "Ln" => Function::Ln,
        "Erf" => Function::Erf,
        "Sqrt" => Function::Sqrt,
        "Rsqrt" => Function::Rsqrt,
        "Recip" => Function::Recip,
        "HardSwish" => Function::HardSwish,
        "Silu" => Function::Silu,
        "GeluExact" | "Gelu" => Function::Gelu,
        "GeluApproximate" => Function::GeluTanh,
        _ => return None,
    };
    Some(applied(l, node, function))
}

fn applied(l: &mut Lowering<'_>, node: &TractNode, function: Function) -> Result<Operand, String> {
    let x = l.input(node, 0)?;
    Ok(l.net.apply(&node.name, function, x))
}
