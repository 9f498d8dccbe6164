//! Parts of a tensor along one axis.
//! <https://onnx.ai/onnx/operators/onnx__Slice.html>

use tract_onnx::prelude::ToDim;
use tract_onnx::tract_core::ops::Downsample;
use tract_onnx::tract_core::ops::array::Slice;
use zkml_graph::Map;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::Operand;

pub(super) const ONNX: &[OpSupport] =
    &[op("Slice", "free wiring; constant ends, positive steps"), op("Split", "free wiring")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if let Some(slice) = is::<Slice>(node) {
        let start = slice.start.to_dim().to_i64();
        return Some(
            start
                .map_err(|early| Reason::Analysis(early.into()))
                .and_then(|s| part(l, node, slice.axis, s, 1)),
        );
    }
    let sample = is::<Downsample>(node)?;
    Some(part(l, node, sample.axis, sample.modulo as i64, sample.stride as i64))
}

fn part(
    l: &mut Lowering<'_>,
    node: &TractNode,
    axis: usize,
    start: i64,
    step: i64,
) -> Result<Operand, Reason> {
    let (x, shape) = (l.input(node, 0)?, l.output_shape(node)?);
    let mut map = Map::identity(&x.map.shape);
    map.axes[axis].offset = if step < 0 { x.map.shape[axis] as i64 - 1 - start } else { start };
    map.axes[axis].steps[axis] = step;
    map.shape = shape;
    if !map.is_valid() {
        return Err(format!("start {start} and step {step} leave the tensor").into());
    }
    Ok(l.net.view(&node.name, &x, &map))
}
