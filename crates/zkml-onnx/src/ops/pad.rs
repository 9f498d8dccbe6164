//! A constant border.
//! <https://onnx.ai/onnx/operators/onnx__Pad.html>

use tract_onnx::prelude::{DatumType, Tensor};
use tract_onnx::tract_core::ops::array::{Pad, PadMode};
use zkml_graph::Map;

use super::{Lowered, Lowering, OpSupport, TractNode, is};
use crate::error::Reason;
use crate::net::{Numbers, Operand};

pub(super) const ONNX: &[OpSupport] = &[];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let pad = is::<Pad>(node)?;
    let PadMode::Constant(value) = &pad.mode else { return None };
    Some(padded(l, node, pad, value))
}

fn padded(l: &mut Lowering<'_>, node: &TractNode, pad: &Pad, value: &Tensor) -> Result<Operand, Reason> {
    let value = value.cast_to_dt(DatumType::F64)?;
    let value = value.to_plain_array_view::<f64>()?.iter().next().copied().unwrap_or(0.0);
    let mut x = l.input(node, 0)?;
    if value != 0.0 {
        return Ok(bordered(l, node, x, &pad.pads, value));
    }
    let mut map = Map::identity(&x.map.shape);
    for (d, (before, after)) in pad.pads.iter().enumerate() {
        map.shape[d] += before + after;
        map.axes[d].offset = -(*before as i64);
    }
    map.pad = Some(0);
    if l.net.nodes[x.value].shape.is_empty() {
        x = l.net.copy(&node.name, &x);
    }
    Ok(l.net.view(&node.name, &x, &map))
}

/// Strips of another constant, one dimension after the other.
fn bordered(
    l: &mut Lowering<'_>,
    node: &TractNode,
    x: Operand,
    pads: &[(usize, usize)],
    value: f64,
) -> Operand {
    let mut current = x;
    for (d, &(before, after)) in pads.iter().enumerate() {
        let shape = current.map.shape.clone();
        let mut strip = |width: usize, side: &str| {
            let shape: Vec<usize> =
                shape.iter().enumerate().map(|(i, &n)| if i == d { width } else { n }).collect();
            let values = Numbers::public(vec![value; shape.iter().product()]);
            (width > 0).then(|| l.net.push_const(&format!("{}.{side}{d}", node.name), values, &shape))
        };
        let (front, back) = (strip(before, "front"), strip(after, "back"));
        let parts: Vec<Operand> = front.into_iter().chain([current.clone()]).chain(back).collect();
        if parts.len() > 1 {
            current = l.net.concat(&format!("{}.{d}", node.name), parts, d);
        }
    }
    current
}
