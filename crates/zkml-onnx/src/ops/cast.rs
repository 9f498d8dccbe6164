//! Changes of type that keep the number, and nodes that do nothing.
//! <https://onnx.ai/onnx/operators/onnx__Cast.html>

use tract_onnx::prelude::DatumType;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::identity::Identity;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};

pub(super) const ONNX: &[OpSupport] =
    &[op("Cast", "between numbers, when neither a fraction nor a range is lost"), op("Identity", "")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if is::<Identity>(node).is_some() {
        return Some(l.input(node, 0));
    }
    let cast = is::<Cast>(node)?;
    let from = l.model.outlet_fact(node.inputs[0]).map(|f| f.datum_type).unwrap_or(DatumType::Bool);
    Some(if cast.to.is_float() || keeps(from, cast.to) {
        l.input(node, 0)
    } else {
        Err(format!("from {from:?} to {:?}", cast.to).into())
    })
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
