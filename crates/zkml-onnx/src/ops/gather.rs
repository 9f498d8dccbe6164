//! Chosen elements along an axis.
//! <https://onnx.ai/onnx/operators/onnx__Gather.html>

use tract_onnx::tract_core::ops::array::Gather;
use zkml_graph::Map;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::Operand;

pub(super) const ONNX: &[OpSupport] = &[op("Gather", "constant indices; free wiring")];

/// Most indices that are wired one by one.
const MOST: usize = 4096;

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let gather = is::<Gather>(node)?;
    Some(chosen(l, node, gather.axis))
}

fn chosen(l: &mut Lowering<'_>, node: &TractNode, axis: usize) -> Result<Operand, Reason> {
    let (x, index, shape) = (l.input(node, 0)?, l.input(node, 1)?, l.output_shape(node)?);
    let index = l.net.constant(&index).ok_or("indices that are not constant")?;
    if index.len() == 0 || index.len() > MOST {
        return Err(format!("{} indices", index.len()).into());
    }
    let len = x.map.shape[axis] as i64;
    let mut parts = Vec::with_capacity(index.len());
    for i in index.values() {
        let i = *i as i64;
        let i = if i < 0 { i + len } else { i };
        if !(0..len).contains(&i) {
            return Err(format!("index {i} on an axis of {len}").into());
        }
        let mut map = Map::identity(&x.map.shape);
        map.shape[axis] = 1;
        map.axes[axis].offset = i;
        parts.push(l.net.view(&node.name, &x, &map));
    }
    let all = if parts.len() == 1 { parts.swap_remove(0) } else { l.net.concat(&node.name, parts, axis) };
    Ok(l.net.view(&node.name, &all, &Map::identity(&shape)))
}
