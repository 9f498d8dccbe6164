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
        "one axis, the first of equal elements or the last; at the end of a classifier with scores it is cut, with a notice",
    ),
    op("ArgMin", "one axis, the first of equal elements or the last"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let reduce = is::<Reduce>(node)?;
    match reduce.reducer {
        Reducer::ArgMax(last) => Some(index(l, node, &reduce.axes, false, last)),
        Reducer::ArgMin(last) => Some(index(l, node, &reduce.axes, true, last)),
        _ => None,
    }
}

/// The index of the largest element, or of the smallest; of equal ones the first, or the last.
fn index(
    l: &mut Lowering<'_>,
    node: &TractNode,
    axes: &[usize],
    smallest: bool,
    last: bool,
) -> Result<Operand, Reason> {
    let [axis] = axes else { return Err("more than one axis".into()) };
    let mut x = l.input(node, 0)?;
    if smallest {
        x = l.net.negated(&format!("{}.negated", node.name), x);
    }
    let mut shape = x.map.shape.clone();
    let end = shape[*axis] as f64 - 1.0;
    if last {
        let mut backwards = Map::identity(&shape);
        backwards.axes[*axis].offset = end as i64;
        backwards.axes[*axis].steps[*axis] = -1;
        x = l.net.view(&node.name, &x, &backwards);
    }
    shape[*axis] = 1;
    let (x, kept) = grouped(l, &node.name, &x, &[*axis]);
    let outer = x.map.shape[..kept].to_vec();
    let mut found = l.net.push(&node.name, NetOp::ArgMax { x }, &outer);
    if last {
        found = l.net.sum(&format!("{}.last", node.name), vec![(-1.0, found)], end);
    }
    Ok(l.net.view(&node.name, &found, &Map::identity(&shape)))
}
