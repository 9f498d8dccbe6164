//! Index of the largest element.
//! <https://onnx.ai/onnx/operators/onnx__ArgMax.html>

use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use zkml_graph::Map;

use super::reduce::grouped;
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{NetOp, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op(
        "ArgMax",
        "one axis, the first of equal elements; at the end of a classifier with scores it is cut, with a notice",
    ),
    op("ArgMin", "one axis, the first of equal elements"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let reduce = is::<Reduce>(node)?;
    match reduce.reducer {
        Reducer::ArgMax(false) => Some(index(l, node, &reduce.axes, false)),
        Reducer::ArgMin(false) => Some(index(l, node, &reduce.axes, true)),
        Reducer::ArgMax(true) | Reducer::ArgMin(true) => Some(Err("the last of equal elements".into())),
        _ => None,
    }
}

fn index(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize], smallest: bool) -> Result<Operand, Reason> {
    let [axis] = axes else { return Err("more than one axis".into()) };
    let mut x = l.input(node, 0)?;
    if smallest {
        x = l.net.negated(&format!("{}.negated", node.name), x);
    }
    let mut shape = x.map.shape.clone();
    shape[*axis] = 1;
    let (x, kept) = grouped(l, &node.name, &x, &[*axis]);
    let outer = x.map.shape[..kept].to_vec();
    let found = l.net.push(&node.name, NetOp::ArgMax { x }, &outer);
    Ok(l.net.view(&node.name, &found, &Map::identity(&shape)))
}
