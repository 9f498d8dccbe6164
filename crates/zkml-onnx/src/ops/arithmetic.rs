//! Sums, differences, products and quotients, element by element with broadcasting.
//! <https://onnx.ai/onnx/operators/onnx__Add.html> and its neighbours

use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::PowConst;

use super::gelu::approximated;
use super::mask::{covered, split};
use super::normalise::by_root;
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Function, NetOp, Numbers, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("Add", "constants are folded into the neighbouring weights"),
    op("Sub", "constants are folded into the neighbouring weights"),
    op("Mul", "by constants (folded where possible) or by another value"),
    op("Div", "by a constant other than zero, or by a value that is always positive"),
    op("Neg", ""),
    op("Sum", "two or more operands"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if let Some(op) = is::<ElementWiseOp>(node) {
        return match op.0.name().as_str() {
            "Neg" => Some(negated(l, node)),
            "Square" => Some(squared(l, node)),
            "PowConst" => Some(raised(l, node, op.0.downcast_ref::<PowConst>()?.exponent)),
            _ => None,
        };
    }
    let binary = is::<TypedBinOp>(node)?;
    match binary.0.name() {
        "Add" => Some(sum(l, node, 1.0, 1.0)),
        "Sub" => Some(sum(l, node, 1.0, -1.0)),
        "SubF" => Some(sum(l, node, -1.0, 1.0)),
        "Mul" => Some(product(l, node)),
        "Div" => Some(quotient(l, node)),
        "Pow" => Some(power(l, node)),
        _ => None,
    }
}

fn negated(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    let len = l.output_shape(node)?.iter().product();
    l.affine(node, 0, Numbers::public(vec![-1.0; len]), Numbers::public(vec![0.0; len]))
}

fn squared(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    let (a, shape) = (l.spread(node, 0)?, l.output_shape(node)?);
    Ok(l.net.push(&node.name, NetOp::Product { a: a.clone(), b: a }, &shape))
}

/// Powers that the analysis keeps: squares and square roots are operators of their own.
fn raised(l: &mut Lowering<'_>, node: &TractNode, exponent: f32) -> Result<Operand, Reason> {
    let (a, shape) = (l.spread(node, 0)?, l.output_shape(node)?);
    if exponent == -0.5 {
        return Ok(l.net.apply(&node.name, Function::Rsqrt, a));
    }
    if exponent != 3.0 {
        return Err(format!("exponent {exponent}; only -0.5, 0.5, 2 and 3").into());
    }
    let square = NetOp::Product { a: a.clone(), b: a.clone() };
    let square = l.net.push(&format!("{}.square", node.name), square, &shape);
    Ok(l.net.push(&node.name, NetOp::Product { a, b: square }, &shape))
}

/// Which input is constant, with its values broadcast to the result: `(slot of the other, values)`.
fn constant_side(l: &mut Lowering<'_>, node: &TractNode) -> Result<Option<(usize, Numbers)>, Reason> {
    for slot in [1, 0] {
        let o = l.input(node, slot)?;
        if l.net.constant(&o).is_some() {
            let spread = l.spread(node, slot)?;
            return Ok(l.net.constant(&spread).map(|v| (1 - slot, v)));
        }
    }
    Ok(None)
}

fn sum(l: &mut Lowering<'_>, node: &TractNode, left: f64, right: f64) -> Result<Operand, Reason> {
    let signs = [left, right];
    if let Some((slot, values)) = constant_side(l, node)? {
        let scale = Numbers::public(vec![signs[slot]; values.len()]);
        if let (1.0, Some((values, masked))) = (left.min(right), split(&values)) {
            let x = l.affine(node, slot, scale, values)?;
            let covered = covered(l, &node.name, &x, &masked);
            return covered.ok_or_else(|| "a mask that changes too often".into());
        }
        return l.affine(node, slot, scale, values.each(|v| v * signs[1 - slot]));
    }
    let (a, b) = (l.spread(node, 0)?, l.spread(node, 1)?);
    Ok(l.net.sum(&node.name, vec![(left, a), (right, b)], 0.0))
}

fn product(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    if let Some((slot, values)) = constant_side(l, node)? {
        let shift = Numbers::public(vec![0.0; values.len()]);
        return l.affine(node, slot, values, shift);
    }
    let (a, b, shape) = (l.spread(node, 0)?, l.spread(node, 1)?, l.output_shape(node)?);
    if let Some(gelu) = approximated(l, node, &a, &b) {
        return Ok(gelu);
    }
    Ok(l.net.push(&node.name, NetOp::Product { a, b }, &shape))
}

fn quotient(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    if let Some((0, values)) = constant_side(l, node)? {
        if let Some(i) = values.values().iter().position(|v| *v == 0.0) {
            return Err(format!("element {i} of the constant divisor is zero").into());
        }
        let shift = Numbers::public(vec![0.0; values.len()]);
        return l.affine(node, 0, values.each(|v| 1.0 / v), shift);
    }
    let (a, b, shape) = (l.spread(node, 0)?, l.spread(node, 1)?, l.output_shape(node)?);
    if let Some(product) = by_root(l, node, &a, &b) {
        return Ok(product);
    }
    Ok(l.net.push(&node.name, NetOp::Divide { a, b }, &shape))
}

fn power(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    match constant_side(l, node)? {
        Some((0, values)) if values.uniform() == Some(2.0) => squared(l, node),
        _ => Err("only the exponents -0.5, 0.5, 2 and 3 everywhere".into()),
    }
}
