//! Division of integers, and remainders.
//! <https://onnx.ai/onnx/operators/onnx__Mod.html>

use tract_onnx::tract_core::ops::binary::TypedBinOp;

use super::compare::{greater, zeros};
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{NetOp, Operand};

pub(super) const ONNX: &[OpSupport] =
    &[op("Mod", "with or without fmod, of quantized values; divisors other than zero")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let name = is::<TypedBinOp>(node)?.0.name();
    let kind = l.model.outlet_fact(node.inputs[0]).ok()?.datum_type;
    match name {
        "Div" if kind.is_integer() => {
            Some(truncated(l, node, kind.is_unsigned()).map(|(quotient, _)| quotient))
        }
        "Rem" => Some(remainder(l, node, kind.is_unsigned())),
        _ => None,
    }
}

/// The quotient without its fraction, and the divisor.
fn truncated(l: &mut Lowering<'_>, node: &TractNode, unsigned: bool) -> Result<(Operand, Operand), Reason> {
    let (a, b, shape) = (l.spread(node, 0)?, l.spread(node, 1)?, l.output_shape(node)?);
    if let Some(i) = l.net.constant(&b).and_then(|c| c.values().iter().position(|v| *v == 0.0)) {
        return Err(format!("element {i} of the constant divisor is zero").into());
    }
    let name = |part: &str| format!("{}.{part}", node.name);
    if unsigned {
        let quotient = l.net.push(&name("quotient"), NetOp::Quotient { a, b: b.clone() }, &shape);
        return Ok((quotient, b));
    }
    let (sign_a, top) = sign_and_magnitude(l, &name("dividend"), a);
    let (sign_b, bottom) = sign_and_magnitude(l, &name("divisor"), b.clone());
    let quotient = l.net.push(&name("quotient"), NetOp::Quotient { a: top, b: bottom }, &shape);
    let sign = l.net.product(&name("sign"), sign_a, sign_b);
    Ok((l.net.product(&name("truncated"), quotient, sign), b))
}

/// `±1`, and the number without its sign.
fn sign_and_magnitude(l: &mut Lowering<'_>, name: &str, x: Operand) -> (Operand, Operand) {
    let zero = zeros(l, name, &x.map.shape);
    let negative = greater(l, &format!("{name}.negative"), zero, x.clone());
    let sign = l.net.sum(&format!("{name}.sign"), vec![(-2.0, negative)], 1.0);
    let minus = l.net.negated(&format!("{name}.minus"), x.clone());
    (sign, l.net.larger(&format!("{name}.magnitude"), x, minus))
}

/// `a − b · trunc(a / b)`.
fn remainder(l: &mut Lowering<'_>, node: &TractNode, unsigned: bool) -> Result<Operand, Reason> {
    let (quotient, b) = truncated(l, node, unsigned)?;
    let a = l.spread(node, 0)?;
    let product = l.net.product(&format!("{}.multiple", node.name), quotient, b);
    Ok(l.net.sum(&node.name, vec![(1.0, a), (-1.0, product)], 0.0))
}
