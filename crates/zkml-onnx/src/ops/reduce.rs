//! Sums, means and extrema along axes.
//! <https://onnx.ai/onnx/operators/onnx__ReduceSum.html> and its neighbours

use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use zkml_graph::Map;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Contraction, NetOp, Numbers, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("GlobalAveragePool", ""),
    op("GlobalMaxPool", ""),
    op("LpNormalization", "p of 1 and 2"),
    op("ReduceL1", ""),
    op("ReduceL2", ""),
    op("ReduceLogSum", "of positive sums"),
    op("ReduceProd", ""),
    op("ReduceMax", ""),
    op("ReduceMean", ""),
    op("ReduceMin", ""),
    op("ReduceSum", ""),
    op("ReduceSumSquare", ""),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let reduce = is::<Reduce>(node)?;
    match reduce.reducer {
        Reducer::Sum => Some(summed(l, node, &reduce.axes, 1.0)),
        Reducer::Prod => Some(product(l, node, &reduce.axes)),
        Reducer::Max => Some(extremum(l, node, &reduce.axes, 1.0)),
        Reducer::Min => Some(extremum(l, node, &reduce.axes, -1.0)),
        Reducer::MeanOfSquares => Some(squared_mean(l, node, &reduce.axes)),
        _ => None,
    }
}

/// The input with the kept dimensions first and the reduced ones last, and how many are kept.
pub(super) fn grouped(l: &mut Lowering<'_>, name: &str, x: &Operand, axes: &[usize]) -> (Operand, usize) {
    let rank = x.map.shape.len();
    let kept = (0..rank).filter(|d| !axes.contains(d));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let outer = Map::permuted(&x.map.shape, &order);
    (l.net.view(name, x, &outer), rank - axes.len())
}

/// An operand repeated to a shape.
pub(super) fn repeated(
    l: &mut Lowering<'_>,
    name: &str,
    o: &Operand,
    shape: &[usize],
) -> Result<Operand, Reason> {
    let map = Map::broadcast(&o.map.shape, shape).ok_or("a shape that does not broadcast")?;
    Ok(l.net.view(name, o, &map))
}

fn summed(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize], factor: f64) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    weighted_sum(l, &x, axes, factor, &node.name)
}

/// `factor · Σ x` along axes, which stay with size one.
pub(super) fn weighted_sum(
    l: &mut Lowering<'_>,
    x: &Operand,
    axes: &[usize],
    factor: f64,
    name: &str,
) -> Result<Operand, Reason> {
    let (a, kept) = grouped(l, name, x, axes);
    let reduced = a.map.shape[kept..].to_vec();
    let count = reduced.iter().product();
    let factors = Numbers::public(vec![factor; count]);
    let weights = l.net.push_const(&format!("{name}.weight"), factors, &reduced);
    let mut shape = x.map.shape.clone();
    axes.iter().for_each(|&d| shape[d] = 1);
    let outer = Map::identity(&a.map.shape[..kept]);
    let ranks = [0, kept, reduced.len(), 0];
    let flat = l.net.contract(name, Contraction { a, b: weights, addend: None, ranks, y: outer });
    Ok(l.net.view(name, &flat, &Map::identity(&shape)))
}

/// Products of halves, until one is left.
fn product(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize]) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    let (rows, kept) = grouped(l, &node.name, &x, axes);
    let outer = rows.map.shape[..kept].to_vec();
    let count: usize = rows.map.shape[kept..].iter().product();
    let mut left = l.net.view(&node.name, &rows, &Map::identity(&[&outer[..], &[count]].concat()));
    loop {
        let len = left.map.shape[kept];
        if len <= 1 {
            break;
        }
        let part = |l: &mut Lowering<'_>, start: usize, count: usize| {
            let (mut first, mut shape) = (vec![0; kept + 1], outer.clone());
            first[kept] = start;
            shape.push(count);
            l.net.view(&node.name, &left, &Map::slice(&left.map.shape, &first, &shape))
        };
        let (a, b) = (part(l, 0, len / 2), part(l, len / 2, len / 2));
        let shape = a.map.shape.clone();
        let product = l.net.push(&format!("{}.product{len}", node.name), NetOp::Product { a, b }, &shape);
        let odd = (len % 2 == 1).then(|| part(l, len - 1, 1));
        left = match odd {
            Some(rest) => l.net.concat(&format!("{}.rest{len}", node.name), vec![product, rest], kept),
            None => product,
        };
    }
    let mut shape = x.map.shape.clone();
    axes.iter().for_each(|&d| shape[d] = 1);
    Ok(l.net.view(&node.name, &left, &Map::identity(&shape)))
}

fn extremum(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize], sign: f64) -> Result<Operand, Reason> {
    let mut x = l.input(node, 0)?;
    if sign < 0.0 {
        x = l.net.negated(&format!("{}.negated", node.name), x);
    }
    let best = largest_along(l, node, &x, axes);
    Ok(if sign < 0.0 { l.net.negated(&node.name, best) } else { best })
}

/// `max x` along axes, which stay with size one.
pub(super) fn largest_along(l: &mut Lowering<'_>, node: &TractNode, x: &Operand, axes: &[usize]) -> Operand {
    let mut shape = x.map.shape.clone();
    let mut current = x.clone();
    for &d in axes {
        let (last, _) = grouped(l, &node.name, &current, &[d]);
        shape[d] = 1;
        let best = l.net.largest(&node.name, &last);
        current = l.net.view(&node.name, &best, &Map::identity(&shape));
    }
    current
}

/// The mean of squares along axes, which stay with size one. One contraction of the operand with itself, so that
/// no square takes a cell of its own.
pub(super) fn mean_of_squares(
    l: &mut Lowering<'_>,
    x: &Operand,
    axes: &[usize],
    name: &str,
) -> Result<Operand, Reason> {
    let (a, kept) = grouped(l, name, x, axes);
    let count: usize = a.map.shape[kept..].iter().product();
    let rows = a.map.shape[..kept].to_vec();
    let ranks = [kept, 0, axes.len(), 0];
    let y = Map::identity(&rows);
    let squares = Contraction { b: a.clone(), a, addend: None, ranks, y: y.clone() };
    let squares = l.net.contract(&format!("{name}.squares"), squares);
    let weight = Numbers::public(vec![1.0 / count.max(1) as f64]);
    let b = l.net.push_const(&format!("{name}.weight"), weight, &[1]);
    let a = l.net.view(name, &squares, &Map::identity(&[&rows[..], &[1]].concat()));
    let mean = l.net.contract(name, Contraction { a, b, addend: None, ranks: [0, kept, 1, 0], y });
    l.net.nodes[mean.value].least = Some(0.0);
    let mut shape = x.map.shape.clone();
    axes.iter().for_each(|&d| shape[d] = 1);
    Ok(l.net.view(name, &mean, &Map::identity(&shape)))
}

fn squared_mean(l: &mut Lowering<'_>, node: &TractNode, axes: &[usize]) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    mean_of_squares(l, &x, axes, &node.name)
}
