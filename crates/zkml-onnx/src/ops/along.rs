//! Linear maps along one axis: sums so far, interpolation, borders.
//! <https://onnx.ai/onnx/operators/onnx__CumSum.html>, <https://onnx.ai/onnx/operators/onnx__Resize.html>

use zkml_graph::Map;

use super::reduce::grouped;
use super::wiring::MOST;
use super::{Lowered, Lowering, OpSupport, TractNode, is};
use crate::error::Reason;
use crate::net::{Contraction, Numbers, Operand, Source};
use crate::own::Along;

pub(super) const ONNX: &[OpSupport] = &[];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let along = is::<Along>(node)?;
    Some(mapped(l, node, along))
}

fn mapped(l: &mut Lowering<'_>, node: &TractNode, along: &Along) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    let rank = x.map.shape.len();
    let (rows, kept) = grouped(l, &node.name, &x, &[along.axis]);
    let y = if along.rows.iter().all(|row| matches!(row.as_slice(), [] | [(_, 1.0)])) {
        picked(l, node, along, &rows)?
    } else {
        contracted(l, node, along, rows, kept)
    };
    // The axis goes from the end to its place.
    let mut order: Vec<usize> = (0..kept).collect();
    order.insert(along.axis, rank - 1);
    let back = Map::permuted(&y.map.shape, &order);
    Ok(l.net.view(&node.name, &y, &back))
}

/// Elements of the last axis, or constants.
fn picked(l: &mut Lowering<'_>, node: &TractNode, along: &Along, x: &Operand) -> Result<Operand, Reason> {
    let mut shape = x.map.shape.clone();
    let len = shape.pop().unwrap_or(1);
    let outer: usize = shape.iter().product();
    let count = along.constants.len();
    let constants = Numbers::public(along.constants.clone());
    let constants = l.net.push_const(&format!("{}.constant", node.name), constants, &[count]);
    let source = |k: usize| -> Source {
        let (place, row) = (k / count, k % count);
        along.rows[row].first().map_or((1, row), |(column, _)| (0, place * len + column))
    };
    let sources: Vec<Source> = (0..outer * count).map(source).collect();
    shape.push(count);
    let picked = l.net.picked(&node.name, &[x.clone(), constants], &sources, &shape, MOST);
    picked.ok_or_else(|| format!("more than {MOST} pieces of tensors would be wired one by one").into())
}

/// A contraction with the matrix over the last axis.
fn contracted(l: &mut Lowering<'_>, node: &TractNode, along: &Along, a: Operand, kept: usize) -> Operand {
    let (columns, count) = (a.map.shape[kept], along.rows.len());
    let mut matrix = vec![0.0; columns * count];
    for (row, factors) in along.rows.iter().enumerate() {
        factors.iter().for_each(|(column, factor)| matrix[column * count + row] += factor);
    }
    let mut shape = a.map.shape.clone();
    shape[kept] = count;
    let addend = along.constants.iter().any(|c| *c != 0.0).then(|| {
        let outer: usize = shape[..kept].iter().product();
        Numbers::public(along.constants.repeat(outer))
    });
    let b = l.net.push_const(&format!("{}.matrix", node.name), Numbers::public(matrix), &[columns, count]);
    let y = Map::identity(&shape);
    l.net.contract(&node.name, Contraction { a, b, addend, ranks: [0, kept, 1, 1], y })
}
