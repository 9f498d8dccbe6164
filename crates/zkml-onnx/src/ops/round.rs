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

/// The nearest integer; of two that are equally near, the even one.
///
/// With `u = ⌊x + ½⌋` and `d = ⌈x − ½⌉` both are the nearest integer, unless `x` lies in the middle: then they differ by one. There
/// `u` is too large by one exactly when it is odd, so the result is `u − (u − d)·(u mod 2)`.
pub(super) fn half_to_even(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let part = |p: &str| format!("{name}.{p}");
    let raised = l.net.sum(&part("raised"), vec![(1.0, x.clone())], 0.5);
    let up = floor(l, &part("up"), raised);
    let lowered = l.net.sum(&part("lowered"), vec![(-1.0, x)], 0.5);
    let minus_down = floor(l, &part("down"), lowered);
    let tie = l.net.sum(&part("tie"), vec![(1.0, up.clone()), (1.0, minus_down)], 0.0);
    bit(l, &tie);
    let half = l.net.sum(&part("half"), vec![(0.5, up.clone())], 0.0);
    let half = floor(l, &part("pairs"), half);
    let odd = l.net.sum(&part("odd"), vec![(1.0, up.clone()), (-2.0, half)], 0.0);
    bit(l, &odd);
    let excess = l.net.product(&part("excess"), tie, odd);
    l.net.sum(name, vec![(1.0, up), (-1.0, excess)], 0.0)
}

/// Notes that a value is zero or one: no interval shows that.
fn bit(l: &mut Lowering<'_>, x: &Operand) {
    l.net.nodes[x.value].span = Some((0, 1));
}
