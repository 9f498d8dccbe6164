//! Normalised exponentials.
//! <https://onnx.ai/onnx/operators/onnx__Softmax.html>

use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};
use zkml_graph::Map;

use super::reduce::{largest_along, weighted_sum};
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::net::{Function, NetOp, Operand};

pub(super) const ONNX: &[OpSupport] =
    &[op("Softmax", "exponentials below the largest element, divided by their sum")];

/// Differences to the largest element below this count as this: their share is less than 2^-17.
const FLOOR: f64 = -12.0;

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let softmax = is::<Softmax>(node)?;
    if softmax.kind != SoftmaxKind::Softmax {
        return Some(Err("the logarithm of Softmax".into()));
    }
    Some(normalised(l, node, &softmax.axes))
}

fn normalised(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize]) -> Result<Operand, String> {
    let x = l.input(node, 0)?;
    let shape = x.map.shape.clone();
    let name = |part: &str| format!("{}.{part}", node.name);
    let broadcast =
        |o: &Operand| Map::broadcast(&o.map.shape, &shape).ok_or("a shape that does not broadcast");
    let best = largest_along(l, node, &x, axes);
    let best = l.net.view(&name("largest"), &best, &broadcast(&best)?);
    let below = l.net.sum(&name("below"), vec![(1.0, x), (-1.0, best)], 0.0);
    l.net.nodes[below.value].never_positive = true;
    let below = l.net.at_least(&name("floor"), below, FLOOR);
    l.net.nodes[below.value].never_positive = true;
    let powers = l.net.apply(&name("exp"), Function::Exp, below);
    let total = weighted_sum(l, node, &powers, axes, 1.0, &name("total"))?;
    let total = l.net.view(&name("total"), &total, &broadcast(&total)?);
    Ok(l.net.push(&node.name, NetOp::Divide { a: powers, b: total }, &shape))
}
