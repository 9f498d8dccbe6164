//! Rounding to integers, of quantized values and exactly.
//! <https://onnx.ai/onnx/operators/onnx__Round.html>, <https://onnx.ai/onnx/operators/onnx__Floor.html>

use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::net::{NetOp, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("Floor", "of quantized values"),
    op("Ceil", "of quantized values"),
    op("Round", "of quantized values, halves to the even neighbour"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let op = is::<ElementWiseOp>(node)?;
    let name = op.0.name();
    if !["Floor", "Ceil", "RoundHalfToEven"].contains(&name.as_str()) {
        return None;
    }
    Some(l.input(node, 0).map(|x| match name.as_str() {
        "Floor" => floor(l, &node.name, x),
        "Ceil" => ceiling(l, &node.name, x),
        _ => half_to_even(l, &node.name, x),
    }))
}

/// `⌊x⌋`.
pub(super) fn floor(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let shape = x.map.shape.clone();
    l.net.push(name, NetOp::Floor { x }, &shape)
}

/// `⌈x⌉ = −⌊−x⌋`.
fn ceiling(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let minus = l.net.negated(&format!("{name}.minus"), x);
    let below = floor(l, &format!("{name}.floor"), minus);
    l.net.negated(name, below)
}

/// The nearest integer; of two that are equally near, the even one. Factors and sums in front of it are applied at once, so that nothing
/// is rounded twice.
fn half_to_even(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let x = l.net.gathered(&format!("{name}.steps"), &x);
    let shape = x.map.shape.clone();
    l.net.push(name, NetOp::Round { x }, &shape)
}
