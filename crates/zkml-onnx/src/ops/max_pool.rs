//! Maxima over windows.
//! <https://onnx.ai/onnx/operators/onnx__MaxPool.html>

use tract_onnx::tract_core::ops::cnn::MaxPool;
use zkml_graph::Map;
use zkml_graph::map::Axis;

use super::conv::Windows;
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{LOWEST, NetOp, Operand, Side};

pub(super) const ONNX: &[OpSupport] = &[op(
    "MaxPool",
    "1-D, 2-D, 3-D; stride, padding, dilation, ceil_mode; without indices; before the rounding and the Relu of a product",
)];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let pool = is::<MaxPool>(node)?;
    Some(pooled(l, node, pool))
}

fn pooled(l: &mut Lowering<'_>, node: &TractNode, pool: &MaxPool) -> Result<Operand, Reason> {
    if pool.with_index_outputs.is_some() {
        return Err("the second output, indices of the maxima".into());
    }
    let x = l.input(node, 0)?;
    // A maximum commutes with the monotone Relu: pooling first leaves fewer values to round and to rectify.
    let relu = match &l.net.nodes[x.value].op {
        NetOp::Max { a, b: Side::Constant(c) } if l.exclusive(node, 0) => Some((a.clone(), *c)),
        _ => None,
    };
    let Some((before, c)) = relu else { return windows(l, node, pool, &x) };
    let inner = l.net.view(&node.name, &before, &x.map);
    let best = windows(l, node, pool, &inner)?;
    Ok(l.net.at_least(&format!("{}.relu", node.name), best, c))
}

/// One spatial dimension after the other: a window of `h × w` takes `h + w − 2` comparisons instead of `h·w − 1`.
fn windows(l: &mut Lowering<'_>, node: &TractNode, pool: &MaxPool, x: &Operand) -> Result<Operand, Reason> {
    let w = Windows::new(&pool.pool_spec, &x.map.shape)?;
    let mut current = x.clone();
    for d in (0..w.out.len()).rev() {
        if w.kernel[d] == 1 && w.stride[d] == 1 && w.before[d] == 0 {
            continue;
        }
        let outer = one_dimension(&current.map.shape, &w, d);
        let name = format!("{}.{d}", node.name);
        let seen = l.net.view(&name, &current, &outer);
        current = l.net.largest(&name, &seen);
    }
    Ok(current)
}

/// The view that adds a last dimension walking the window along spatial dimension `d`.
fn one_dimension(source: &[usize], w: &Windows, d: usize) -> Map {
    let at = w.hw + d;
    let mut shape = source.to_vec();
    shape[at] = w.out[d];
    shape.push(w.kernel[d]);
    let rank = shape.len();
    let axes = (0..source.len()).map(|s| {
        if s == at {
            return w.axis(d, rank, at, rank - 1);
        }
        Axis { offset: 0, steps: (0..rank).map(|v| i64::from(v == s)).collect() }
    });
    let last = (w.out[d].max(1) - 1) * w.stride[d] + (w.kernel[d] - 1) * w.dilation[d];
    let padded = w.before[d] > 0 || last >= source[at];
    Map { source: source.to_vec(), shape, axes: axes.collect(), pad: padded.then_some(LOWEST) }
}
