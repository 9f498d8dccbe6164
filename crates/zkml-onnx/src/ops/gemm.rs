//! Matrix products of every kind, as tract's einsum.
//! <https://onnx.ai/onnx/operators/onnx__Gemm.html>, <https://onnx.ai/onnx/operators/onnx__MatMul.html>

use tract_onnx::tract_core::axes::Axis as EinAxis;
use tract_onnx::tract_core::ops::einsum::EinSum;
use zkml_graph::Map;
use zkml_graph::map::Axis;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Contraction, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("Gemm", "alpha, beta, transA, transB; bias inside the product"),
    op("MatMul", "constant weights or two computed operands, any number of axes"),
    op("Einsum", "two operands, each axis at most once per operand"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let einsum = is::<EinSum>(node)?;
    Some(product(l, node, einsum))
}

/// Where an axis of the einsum lies.
struct Letter {
    a: Option<usize>,
    b: Option<usize>,
    y: Option<usize>,
    size: usize,
}

fn product(l: &mut Lowering<'_>, node: &TractNode, einsum: &EinSum) -> Result<Operand, Reason> {
    if einsum.q_params.is_some() || node.inputs.len() != 2 {
        return Err("only products of two float tensors; a single operand by Transpose and ReduceSum".into());
    }
    let (mut a, mut b) = (l.input(node, 0)?, l.input(node, 1)?);
    let swap = l.net.constant(&a).is_some();
    if swap {
        std::mem::swap(&mut a, &mut b);
    }
    let letters =
        einsum.axes.iter_all_axes().map(|axis| letter(axis, swap, &a, &b)).collect::<Result<Vec<_>, _>>()?;
    let pick = |want: fn(&Letter) -> bool| -> Vec<&Letter> { letters.iter().filter(|l| want(l)).collect() };
    let batch = pick(|l| l.a.is_some() && l.b.is_some() && l.y.is_some());
    let m = pick(|l| l.b.is_none() && l.y.is_some());
    let n = pick(|l| l.a.is_none() && l.b.is_some() && l.y.is_some());
    let k = pick(|l| l.y.is_none());
    let walk = |map: &Operand, groups: [&[&Letter]; 3], at: fn(&Letter) -> Option<usize>| {
        let order: Vec<&Letter> = groups.iter().flat_map(|g| g.iter().copied()).collect();
        viewed(&map.map.shape, &order, at)
    };
    let a_map = walk(&a, [&batch, &m, &k], |l| l.a);
    let b_map = walk(&b, [&batch, &k, &n], |l| l.b);
    let shape = l.output_shape(node)?;
    let order: Vec<&Letter> = [&batch, &m, &n].into_iter().flat_map(|g| g.iter().copied()).collect();
    let y = viewed(&shape, &order, |l| l.y);
    let ranks = [batch.len(), m.len(), k.len(), n.len()];
    let a = l.net.view(&node.name, &a, &a_map);
    let b = l.net.weights(&format!("{}.weights", node.name), &b, &b_map);
    Ok(l.net.contract(&node.name, Contraction { a, b, addend: None, ranks, y }))
}

fn letter(axis: &EinAxis, swap: bool, a: &Operand, b: &Operand) -> Result<Letter, Reason> {
    let once = |positions: &[usize]| match positions {
        [] => Ok(None),
        [p] => Ok(Some(*p)),
        _ => Err(format!("axis `{}` occurs twice in one operand", axis.repr)),
    };
    let [left, right] = if swap { [1, 0] } else { [0, 1] };
    let (at_a, at_b, y) = (once(&axis.inputs[left])?, once(&axis.inputs[right])?, once(&axis.outputs[0])?);
    let in_a = at_a.map(|p| a.map.shape[p]);
    let in_b = at_b.map(|p| b.map.shape[p]);
    Ok(Letter { a: at_a, b: at_b, y, size: in_a.max(in_b).unwrap_or(1) })
}

/// The view of a tensor along a list of axes; one it does not have repeats it, one of size one does too.
fn viewed(source: &[usize], order: &[&Letter], at: fn(&Letter) -> Option<usize>) -> Map {
    let axes = (0..source.len())
        .map(|d| {
            let steps = order.iter().map(|l| i64::from(at(l) == Some(d) && source[d] > 1)).collect();
            Axis { offset: 0, steps }
        })
        .collect();
    Map { source: source.to_vec(), shape: order.iter().map(|l| l.size).collect(), axes, pad: None }
}
