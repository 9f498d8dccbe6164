//! Wiring that moves, adds, removes or regroups axes.
//! <https://onnx.ai/onnx/operators/onnx__Reshape.html> and its neighbours

use tract_onnx::tract_core::ops::array::MultiBroadcastTo;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use zkml_graph::Map;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::Operand;

pub(super) const ONNX: &[OpSupport] = &[
    op("DepthToSpace", "free wiring"),
    op("Expand", "free wiring"),
    op("Flatten", "free wiring"),
    op("Reshape", "free wiring; constant shape"),
    op("SpaceToDepth", "free wiring"),
    op("Squeeze", "free wiring"),
    op("Transpose", "free wiring"),
    op("Unsqueeze", "free wiring"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if let Some(change) = is::<AxisOp>(node) {
        return Some(changed(l, node, change));
    }
    is::<MultiBroadcastTo>(node).map(|_| l.spread(node, 0))
}

fn changed(l: &mut Lowering<'_>, node: &TractNode, change: &AxisOp) -> Result<Operand, Reason> {
    let (x, shape) = (l.input(node, 0)?, l.output_shape(node)?);
    let outer = match change {
        AxisOp::Move(from, to) => {
            let mut order: Vec<usize> = (0..shape.len()).collect();
            let axis = order.remove(*from);
            order.insert(*to, axis);
            Map::permuted(&x.map.shape, &order)
        }
        AxisOp::Add(at) => {
            let mut map = Map::identity(&x.map.shape);
            map.shape.insert(*at, 1);
            map.axes.iter_mut().for_each(|a| a.steps.insert(*at, 0));
            map
        }
        AxisOp::Rm(at) => {
            let mut map = Map::identity(&x.map.shape);
            map.shape.remove(*at);
            map.axes.iter_mut().for_each(|a| {
                a.steps.remove(*at);
            });
            map
        }
        AxisOp::Reshape(..) => Map::identity(&shape),
    };
    Ok(l.net.view(&node.name, &x, &outer))
}
