//! Changes of type that keep the number, and nodes that do nothing.
//! <https://onnx.ai/onnx/operators/onnx__Cast.html>

use tract_onnx::prelude::DatumType;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::identity::Identity;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};

pub(super) const ONNX: &[OpSupport] =
    &[op("Cast", "between numbers, when no fraction is lost"), op("Identity", "")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if is::<Identity>(node).is_some() {
        return Some(l.input(node, 0));
    }
    let cast = is::<Cast>(node)?;
    let from = l.model.outlet_fact(node.inputs[0]).map(|f| f.datum_type).unwrap_or(DatumType::Bool);
    let whole = from.is_integer() && cast.to.is_integer();
    Some(if cast.to.is_float() || whole {
        l.input(node, 0)
    } else {
        Err(format!("from {from:?} to {:?}", cast.to))
    })
}
