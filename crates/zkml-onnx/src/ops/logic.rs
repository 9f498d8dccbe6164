//! Logic on bits, and choices by them.
//! <https://onnx.ai/onnx/operators/onnx__And.html> and its neighbours, <https://onnx.ai/onnx/operators/onnx__Where.html>

use tract_onnx::prelude::DatumType;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::logic::Iff;

use super::compare::zeros;
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Operand, Source};

pub(super) const ONNX: &[OpSupport] = &[
    op("And", ""),
    op("Or", ""),
    op("Xor", ""),
    op("Not", ""),
    op("Where", "free wiring where the condition is constant"),
    op("IsNaN", "always false: no number in a proof is NaN"),
    op("IsInf", "always false: no number in a proof is infinite"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if is::<Iff>(node).is_some() {
        return Some(chosen(l, node));
    }
    if let Some(op) = is::<ElementWiseOp>(node) {
        return match op.0.name().as_str() {
            "Not" => Some(l.input(node, 0).map(|x| l.net.sum(&node.name, vec![(-1.0, x)], 1.0))),
            "IsNan" | "IsInf" => Some(l.output_shape(node).map(|shape| zeros(l, &node.name, &shape))),
            _ => None,
        };
    }
    let name = is::<TypedBinOp>(node)?.0.name();
    let bits = |l: &Lowering<'_>| {
        node.inputs.iter().all(|i| l.model.outlet_fact(*i).is_ok_and(|f| f.datum_type == DatumType::Bool))
    };
    match name {
        "And" if bits(l) => Some(combined(l, node, 0.0, 1.0)),
        "Or" if bits(l) => Some(combined(l, node, 1.0, -1.0)),
        "Xor" if bits(l) => Some(combined(l, node, 1.0, -2.0)),
        _ => None,
    }
}

/// `single · (a + b) + both · a·b`.
fn combined(l: &mut Lowering<'_>, node: &TractNode, single: f64, both: f64) -> Result<Operand, Reason> {
    let (a, b) = (l.spread(node, 0)?, l.spread(node, 1)?);
    if single == 0.0 {
        return Ok(l.net.product(&node.name, a, b));
    }
    let product = l.net.product(&format!("{}.both", node.name), a.clone(), b.clone());
    Ok(l.net.sum(&node.name, vec![(single, a), (single, b), (both, product)], 0.0))
}

/// `b + c·(a − b)`, or wiring.
fn chosen(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    let (c, a, b) = (l.spread(node, 0)?, l.spread(node, 1)?, l.spread(node, 2)?);
    let shape = l.output_shape(node)?;
    if let Some(condition) = l.net.constant(&c).filter(|c| !c.is_private()) {
        let source = |(i, c): (usize, &f64)| -> Source { (usize::from(*c == 0.0), i) };
        let sources: Vec<Source> = condition.values().iter().enumerate().map(source).collect();
        let picked = l.net.picked(&node.name, &[a, b], &sources, &shape, super::wiring::MOST);
        return picked.ok_or_else(|| "its constant condition changes too often".into());
    }
    let difference = l.net.sum(&format!("{}.difference", node.name), vec![(1.0, a), (-1.0, b.clone())], 0.0);
    let part = l.net.product(&format!("{}.part", node.name), c, difference);
    Ok(l.net.sum(&node.name, vec![(1.0, part), (1.0, b)], 0.0))
}
