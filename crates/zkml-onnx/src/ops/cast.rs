//! Changes of type that keep the number, and nodes that do nothing.
//! <https://onnx.ai/onnx/operators/onnx__Cast.html>

use tract_onnx::prelude::DatumType;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::identity::Identity;

use super::compare::{equal, zeros};
use super::round::floor;
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::kinds::span;
use crate::net::Operand;

pub(super) const ONNX: &[OpSupport] = &[
    op(
        "Cast",
        "between numbers and truth values; fractions are cut off, a range that is lost is refused when it is proven",
    ),
    op("CastLike", "as Cast"),
    op("Identity", ""),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if is::<Identity>(node).is_some() {
        return Some(l.input(node, 0));
    }
    let cast = is::<Cast>(node)?;
    let from = l.model.outlet_fact(node.inputs[0]).map(|f| f.datum_type).unwrap_or(DatumType::Bool);
    Some(l.input(node, 0).and_then(|x| converted(l, node, x, from, cast.to)))
}

fn converted(
    l: &mut Lowering<'_>,
    node: &TractNode,
    x: Operand,
    from: DatumType,
    to: DatumType,
) -> Result<Operand, Reason> {
    if to.is_float() || from == DatumType::Bool || from == to || keeps(from, to) {
        return Ok(x);
    }
    if to == DatumType::Bool {
        let zero = zeros(l, &node.name, &x.map.shape);
        return Ok(equal(l, &node.name, x, zero, false));
    }
    if !(to.is_integer() || to == DatumType::TDim) {
        return Err(format!("from {from:?} to {to:?}").into());
    }
    let whole = if l.net.is_integer(&x) { x } else { truncated(l, &node.name, x) };
    // What does not fit the type is refused when it is proven: it would wrap.
    let Some(span) = span(to).or_else(|| unsigned(to)) else { return Ok(whole) };
    let kept = floor(l, &format!("{}.kept", node.name), whole);
    l.net.nodes[kept.value].span = Some(span);
    Ok(kept)
}

/// Numbers of the wide types that have no sign, as far as they are exact here.
fn unsigned(kind: DatumType) -> Option<(i64, i64)> {
    kind.is_unsigned().then(|| if kind == DatumType::U32 { (0, u32::MAX.into()) } else { (0, 1 << 60) })
}

/// The number without its fraction: `⌊max(x, 0)⌋ − ⌊max(−x, 0)⌋`.
fn truncated(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let minus = l.net.negated(&format!("{name}.minus"), x.clone());
    let sides = [(x, "above"), (minus, "below")].map(|(side, part)| {
        let side = l.net.at_least(&format!("{name}.{part}"), side, 0.0);
        floor(l, &format!("{name}.{part}.floor"), side)
    });
    let [above, below] = sides;
    l.net.sum(name, vec![(1.0, above), (-1.0, below)], 0.0)
}

/// Whether every integer of one type is the same number in another. 32 bits hold whatever integers a model has here, which are
/// indices and inputs of less than that.
fn keeps(from: DatumType, to: DatumType) -> bool {
    // Numbers that shapes and indices are made of.
    if to == DatumType::TDim {
        return from.is_integer();
    }
    // An unsigned number needs one more bit where there is a sign.
    let bits = |t: DatumType| t.size_of() * 8 + usize::from(t.is_unsigned() && to.is_signed());
    let sign = to.is_signed() || from.is_unsigned();
    from.is_integer() && to.is_integer() && sign && (bits(to) >= bits(from) || bits(to) >= 32)
}
