//! Smooth functions of one variable, by interpolated tables.
//! <https://onnx.ai/onnx/operators/onnx__Sigmoid.html> and its neighbours

use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use zkml_graph::Map;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Function, NetOp, Operand};
use crate::own::Smooth;

pub(super) const ONNX: &[OpSupport] = &[
    op("Sigmoid", "interpolated table"),
    op("Tanh", "interpolated table"),
    op("Exp", "interpolated table on the calibrated range"),
    op("Log", "interpolated table on the calibrated range, which must be positive"),
    op("Erf", "interpolated table"),
    op("Sqrt", "integer square root"),
    op("Reciprocal", "interpolated table on the calibrated range, which must not touch zero"),
    op("HardSwish", "interpolated table"),
    op("Sin", "interpolated table on the calibrated range"),
    op("Cos", "interpolated table on the calibrated range"),
    op("Atan", "interpolated table on the calibrated range"),
    op("Sinh", "interpolated table on the calibrated range"),
    op("Cosh", "interpolated table on the calibrated range"),
    op("Asinh", "interpolated table on the calibrated range"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if let Some(Smooth(function)) = is::<Smooth>(node) {
        return Some(applied(l, node, *function));
    }
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
        "Sin" => Function::Sin,
        "Cos" => Function::Cos,
        "Atan" => Function::Atan,
        "Sinh" => Function::Sinh,
        "Cosh" => Function::Cosh,
        "Asinh" => Function::Asinh,
        _ => return None,
    };
    Some(applied(l, node, function))
}

fn applied(l: &mut Lowering<'_>, node: &TractNode, function: Function) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    if function == Function::Ln
        && let Some(difference) = log_of_quotient(l, node, &x)
    {
        return Ok(difference);
    }
    Ok(l.net.apply(&node.name, function, x))
}

/// `ln(e^a / b) = a − ln b`: the logarithm of small probabilities would need a table that is fine near zero.
fn log_of_quotient(l: &mut Lowering<'_>, node: &TractNode, x: &Operand) -> Option<Operand> {
    let NetOp::Divide { a, b } = l.net.nodes[x.value].op.clone() else { return None };
    let NetOp::Apply { function: Function::Exp, x: power } = l.net.nodes[a.value].op.clone() else {
        return None;
    };
    // An exponent that a Softmax has limited is not what its logarithm is.
    let limited = l.net.nodes[power.value].never_positive;
    if limited || !(x.map.is_identity() && a.map.is_identity() && x.map.pad.is_none()) {
        return None;
    }
    let whole = Operand { value: b.value, map: Map::identity(&l.net.nodes[b.value].shape) };
    let logarithm = l.net.apply(&format!("{}.ln", node.name), Function::Ln, whole);
    let logarithm = l.net.view(&node.name, &logarithm, &b.map);
    let power = l.net.view(&node.name, &power, &a.map);
    Some(l.net.sum(&node.name, vec![(1.0, power), (-1.0, logarithm)], 0.0))
}
