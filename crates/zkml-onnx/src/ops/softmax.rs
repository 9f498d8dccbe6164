//! Normalised exponentials and their logarithms.
//! <https://onnx.ai/onnx/operators/onnx__Softmax.html>, <https://onnx.ai/onnx/operators/onnx__LogSoftmax.html>

use std::sync::Arc;

use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};

use super::mask::masked;
use super::reduce::{largest_along, repeated, weighted_sum};
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Function, NetOp, Numbers, Operand};
use crate::own::LogSumExp;

pub(super) const ONNX: &[OpSupport] = &[
    op(
        "Softmax",
        "exponentials below the largest element, divided by their sum; constant masks, as of causal attention, are zeros",
    ),
    op(
        "LogSoftmax",
        "differences to the largest element, less the logarithm of the sum of their exponentials; also as Log of Softmax",
    ),
];

/// In the sum of exponentials, differences to the largest element below this count as this: the share of each is
/// less than 2^-17.
const FLOOR: f64 = -12.0;
/// Most elements that may count as more than they are before the floor is lowered for their sum.
const MANY: f64 = 16.0;

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if let Some(LogSumExp(axes)) = is::<LogSumExp>(node) {
        return Some(log_of_sum(l, node, axes));
    }
    let softmax = is::<Softmax>(node)?;
    Some(match softmax.kind {
        SoftmaxKind::Softmax => normalised(l, node, &softmax.axes),
        SoftmaxKind::LogSoftmax => logarithms(l, node, &softmax.axes),
    })
}

/// What they share.
struct Parts {
    /// The largest elements along the axes, which stay with size one.
    largest: Operand,
    /// Differences to the largest element: none is positive.
    below: Operand,
    /// Their exponentials.
    powers: Operand,
    /// The sum of these along the axes, which stay with size one. At least one, since the largest element takes part.
    total: Operand,
}

fn named(node: &TractNode, part: &str) -> String {
    format!("{}.{part}", node.name)
}

fn parts(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize], masks: bool) -> Result<Parts, Reason> {
    let mut x = l.input(node, 0)?;
    let mask = if masks { masked(l, node, &x, axes) } else { None };
    if let Some(mask) = &mask {
        x = mask.x.clone();
    }
    if mask.is_none()
        && let Some(codes) = codes(l, &x)
    {
        return of_codes(l, node, axes, &codes);
    }
    let shape = x.map.shape.clone();
    let largest = largest_along(l, node, &x, axes);
    let best = repeated(l, &named(node, "largest"), &largest, &shape)?;
    let below = l.net.sum(&named(node, "below"), vec![(1.0, x), (-1.0, best)], 0.0);
    l.net.nodes[below.value].never_positive = true;
    let count: usize = axes.iter().map(|&d| shape[d]).product();
    let floor = FLOOR - (count as f64 / MANY).max(1.0).ln();
    let floored = l.net.at_least(&named(node, "floor"), below.clone(), floor.floor());
    l.net.nodes[floored.value].never_positive = true;
    let mut powers = l.net.apply(&named(node, "exp"), Function::Exp, floored);
    if let Some(mask) = mask {
        let none = Numbers::public(vec![0.0; mask.visible.len()]);
        powers = l.net.affine(&named(node, "seen"), powers, false, mask.visible, none);
    }
    let total = weighted_sum(l, &powers, axes, 1.0, &named(node, "total"))?;
    l.net.nodes[total.value].least = Some(1.0);
    Ok(Parts { largest, below, powers, total })
}

/// Reals that integers of a narrow range stand for, as `factor · code + shift`.
struct Codes {
    code: Operand,
    factor: f64,
    shift: f64,
    /// Largest difference of two codes.
    width: i64,
}

/// Widest range of codes whose exponentials are a table.
const MOST_CODES: i64 = 1 << 10;

/// The integers behind a value, where it is one factor and one number away from them.
fn codes(l: &Lowering<'_>, x: &Operand) -> Option<Codes> {
    let NetOp::Affine { x: inner, scale, shift } = &l.net.nodes[x.value].op else { return None };
    let node = &l.net.nodes[inner.value];
    let (lo, hi) = node.span.filter(|_| node.integer)?;
    let (factor, shift) = (scale.uniform()?, shift.uniform()?);
    let plain = x.map.pad.is_none() && inner.map.pad.is_none() && inner.map.is_identity();
    let public = !scale.is_private() && factor > 0.0;
    let code = Operand { value: inner.value, map: x.map.clone() };
    let width = hi - lo;
    let same = inner.map.shape == node.shape && x.map.source == node.shape;
    (plain && public && same && width < MOST_CODES).then_some(Codes { code, factor, shift, width })
}

/// Exponentials of differences of codes are looked up: there are few of them, and none is rounded before.
fn of_codes(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize], x: &Codes) -> Result<Parts, Reason> {
    let shape = x.code.map.shape.clone();
    let best = largest_along(l, node, &x.code, axes);
    let spread = repeated(l, &named(node, "largest"), &best, &shape)?;
    let away = l.net.sum(&named(node, "away"), vec![(1.0, x.code.clone()), (-1.0, spread)], 0.0);
    let values = Arc::new((-x.width..=0).map(|d| Function::Exp.at(x.factor * d as f64)).collect());
    let table = NetOp::Table { x: away.clone(), first: -x.width, values };
    let powers = l.net.push(&named(node, "exp"), table, &shape);
    let total = weighted_sum(l, &powers, axes, 1.0, &named(node, "total"))?;
    l.net.nodes[total.value].least = Some(1.0);
    let below = l.net.sum(&named(node, "below"), vec![(x.factor, away)], 0.0);
    let largest = l.net.sum(&named(node, "most"), vec![(x.factor, best)], x.shift);
    Ok(Parts { largest, below, powers, total })
}

fn normalised(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize]) -> Result<Operand, Reason> {
    let Parts { powers, total, .. } = parts(l, node, axes, true)?;
    let shape = powers.map.shape.clone();
    let total = repeated(l, &named(node, "total"), &total, &shape)?;
    Ok(l.net.push(&node.name, NetOp::Divide { a: powers, b: total }, &shape))
}

/// `x − max − ln Σ exp(x − max)`. The differences themselves have no floor: there they are the result.
fn logarithms(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize]) -> Result<Operand, Reason> {
    let Parts { below, total, .. } = parts(l, node, axes, false)?;
    let shape = below.map.shape.clone();
    let logarithm = l.net.apply(&named(node, "ln"), Function::Ln, total);
    let logarithm = repeated(l, &named(node, "ln"), &logarithm, &shape)?;
    Ok(l.net.sum(&node.name, vec![(1.0, below), (-1.0, logarithm)], 0.0))
}

/// `max + ln Σ exp(x − max)`.
fn log_of_sum(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize]) -> Result<Operand, Reason> {
    let Parts { largest, total, .. } = parts(l, node, axes, true)?;
    let logarithm = l.net.apply(&named(node, "ln"), Function::Ln, total);
    Ok(l.net.sum(&node.name, vec![(1.0, largest), (1.0, logarithm)], 0.0))
}
