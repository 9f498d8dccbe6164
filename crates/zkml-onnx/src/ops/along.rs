//! Linear maps along one axis: sums so far, interpolation, borders.
//! <https://onnx.ai/onnx/operators/onnx__CumSum.html>, <https://onnx.ai/onnx/operators/onnx__Resize.html>

use zkml_graph::Map;

use super::reduce::grouped;
use super::wiring::MOST;
use super::{Lowered, Lowering, OpSupport, TractNode, is};
use crate::error::Reason;
use crate::net::{Contraction, Numbers, Operand};
use crate::own::Along;

pub(super) const ONNX: &[OpSupport] = &[];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let along = is::<Along>(node)?;
    Some(mapped(l, node, along))
}

fn mapped(l: &mut Lowering<'_>, node: &TractNode, along: &Along) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    if along.rows.iter().all(|row| matches!(row.as_slice(), [] | [(_, 1.0)])) {
        return picked(l, node, along, &x);
    }
    let rank = x.map.shape.len();
    let (rows, kept) = grouped(l, &node.name, &x, &[along.axis]);
    let y = contracted(l, node, along, rows, kept);
    // The axis goes from the end to its place.
    let mut order: Vec<usize> = (0..kept).collect();
    order.insert(along.axis, rank - 1);
    let back = Map::permuted(&y.map.shape, &order);
    Ok(l.net.view(&node.name, &y, &back))
}

/// Rows of a map that picks, in a row: from where on, how many, and from which column on with which step; or all of them constants.
struct Run {
    start: usize,
    len: usize,
    columns: Option<(usize, i64)>,
}

fn runs(along: &Along) -> Vec<Run> {
    let column = |row: usize| along.rows[row].first().map(|(c, _)| *c);
    let mut runs: Vec<Run> = Vec::new();
    for row in 0..along.rows.len() {
        let here = column(row);
        if let Some(run) = runs.last_mut() {
            let joins = match (run.columns, here) {
                (None, None) => along.constants[row] == along.constants[run.start],
                (Some((first, _)), Some(c)) if run.len == 1 => {
                    run.columns = Some((first, c as i64 - first as i64));
                    true
                }
                (Some((first, step)), Some(c)) => first as i64 + step * run.len as i64 == c as i64,
                _ => false,
            };
            if joins {
                run.len += 1;
                continue;
            }
        }
        runs.push(Run { start: row, len: 1, columns: here.map(|c| (c, 0)) });
    }
    runs
}

/// Slices along the axis, and constants, side by side.
fn picked(l: &mut Lowering<'_>, node: &TractNode, along: &Along, x: &Operand) -> Result<Operand, Reason> {
    let axis = along.axis;
    let runs = runs(along);
    if runs.len() > MOST {
        return Err(format!("more than {MOST} pieces of tensors would be wired one by one").into());
    }
    let mut parts = Vec::with_capacity(runs.len());
    for run in runs {
        let mut map = Map::identity(&x.map.shape);
        map.shape[axis] = run.len;
        parts.push(match run.columns {
            Some((first, step)) => {
                map.axes[axis].offset = first as i64;
                map.axes[axis].steps[axis] = step;
                l.net.view(&node.name, x, &map)
            }
            None => {
                let values = vec![along.constants[run.start]; map.shape.iter().product()];
                l.net.push_const(&format!("{}.border", node.name), Numbers::public(values), &map.shape)
            }
        });
    }
    Ok(if parts.len() == 1 { parts.swap_remove(0) } else { l.net.concat(&node.name, parts, axis) })
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
