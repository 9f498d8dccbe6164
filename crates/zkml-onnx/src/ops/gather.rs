//! Chosen elements along an axis.
//! <https://onnx.ai/onnx/operators/onnx__Gather.html>

use std::sync::Arc;

use tract_onnx::tract_core::ops::array::Gather;
use zkml_graph::Map;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Contraction, NetOp, Numbers, Operand};

pub(super) const ONNX: &[OpSupport] = &[op(
    "Gather",
    "constant indices: free wiring; computed ones: a table for each column of a constant, else a product with rows of zeros and a one; \
     indices out of range are refused",
)];

/// Most indices that are wired one by one.
const MOST: usize = 4096;
/// Longest axis that computed indices choose from, and most numbers of the tables that they are looked up in.
const MOST_ROWS: usize = 1 << 12;
const MOST_NUMBERS: usize = 1 << 14;

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let gather = is::<Gather>(node)?;
    Some(chosen(l, node, gather.axis))
}

fn chosen(l: &mut Lowering<'_>, node: &TractNode, axis: usize) -> Result<Operand, Reason> {
    let (x, index, shape) = (l.input(node, 0)?, l.input(node, 1)?, l.output_shape(node)?);
    let Some(numbers) = l.net.constant(&index) else { return computed(l, node, axis) };
    if numbers.len() == 0 || numbers.len() > MOST {
        return Err(format!("{} indices", numbers.len()).into());
    }
    let len = x.map.shape[axis] as i64;
    let mut parts = Vec::with_capacity(numbers.len());
    for i in numbers.values() {
        let i = *i as i64;
        let i = if i < 0 { i + len } else { i };
        if !(0..len).contains(&i) {
            return Err(format!("index {i} on an axis of {len}").into());
        }
        let mut map = Map::identity(&x.map.shape);
        map.shape[axis] = 1;
        map.axes[axis].offset = i;
        parts.push(l.net.view(&node.name, &x, &map));
    }
    let all = if parts.len() == 1 { parts.swap_remove(0) } else { l.net.concat(&node.name, parts, axis) };
    Ok(l.net.view(&node.name, &all, &Map::identity(&shape)))
}

/// Elements at indices that the model computes: for each index a row of `outer · inner` numbers.
fn computed(l: &mut Lowering<'_>, node: &TractNode, axis: usize) -> Result<Operand, Reason> {
    let (x, index, shape) = (l.input(node, 0)?, l.input(node, 1)?, l.output_shape(node)?);
    if !l.net.is_integer(&index) {
        return Err("indices that are no integers by construction: cast them".into());
    }
    let (outer, inner) = (&x.map.shape[..axis], &x.map.shape[axis + 1..]);
    let (rows, count) = (x.map.shape[axis], index.map.shape.iter().product::<usize>());
    if rows > MOST_ROWS {
        let detail = format!("computed indices on an axis of {rows}, more than {MOST_ROWS}");
        return Err(format!("{detail}: choose before, and make what was chosen an input").into());
    }
    let columns: usize = outer.iter().chain(inner).product();
    let index = Choice { index: l.net.view(&node.name, &index, &Map::identity(&[count])), rows, count };
    let by_row = {
        let mut order: Vec<usize> = (0..x.map.shape.len()).collect();
        order.remove(axis);
        order.insert(0, axis);
        let map = Map::permuted(&x.map.shape, &order);
        let moved = l.net.view(&node.name, &x, &map);
        l.net.view(&node.name, &moved, &Map::identity(&[rows, columns]))
    };
    let chosen = match l.net.constant(&by_row) {
        Some(numbers) if !numbers.is_private() && rows * columns <= MOST_NUMBERS => {
            index.looked_up(l, &node.name, numbers.values(), columns)
        }
        _ => index.multiplied(l, &node.name, by_row, columns),
    };
    // `[index, outer, inner]` to `[outer, index, inner]`.
    let split = [outer, inner].map(|dims| dims.iter().product::<usize>());
    let whole = l.net.view(&node.name, &chosen, &Map::identity(&[count, split[0], split[1]]));
    let turned = Map::permuted(&[count, split[0], split[1]], &[1, 0, 2]);
    let turned = l.net.view(&node.name, &whole, &turned);
    Ok(l.net.view(&node.name, &turned, &Map::identity(&shape)))
}

/// Indices in a row, into a number of rows. They may be counted from the end.
struct Choice {
    index: Operand,
    rows: usize,
    count: usize,
}

impl Choice {
    /// True if no index is negative, by construction.
    fn counts_forward(&self, l: &Lowering<'_>) -> bool {
        let node = &l.net.nodes[self.index.value];
        let padded = self.index.map.pad.is_some_and(|p| p < 0);
        (matches!(node.op, NetOp::ArgMax { .. }) || node.span.is_some_and(|(lo, _)| lo >= 0)) && !padded
    }

    /// Each column is a table of its numbers.
    fn looked_up(&self, l: &mut Lowering<'_>, name: &str, numbers: &[f64], columns: usize) -> Operand {
        let times = if self.counts_forward(l) { 1 } else { 2 };
        let first = -((times - 1) * self.rows as i64);
        let mut parts = Vec::with_capacity(columns);
        for column in 0..columns {
            let rows = (0..times).flat_map(|_| numbers.iter().skip(column).step_by(columns)).copied();
            let values = Arc::new(rows.collect());
            let table = NetOp::Table { x: self.index.clone(), first, values };
            let part = l.net.push(name, table, &[self.count]);
            parts.push(l.net.view(name, &part, &Map::identity(&[self.count, 1])));
        }
        if parts.len() == 1 { parts.swap_remove(0) } else { l.net.concat(name, parts, 1) }
    }

    /// A product with rows of zeros and a one, which a table of distances tells: out of range there is none.
    fn multiplied(&self, l: &mut Lowering<'_>, name: &str, data: Operand, columns: usize) -> Operand {
        let (rows, count) = (self.rows, self.count);
        let spread = Map::broadcast(&[count, 1], &[count, rows]);
        let column = l.net.view(name, &self.index, &Map::identity(&[count, 1]));
        let index = l.net.view(name, &column, &spread.unwrap_or_else(|| Map::identity(&[count, rows])));
        let scale = Numbers::public(vec![1.0; count * rows]);
        let shift = (0..count * rows).map(|i| -((i % rows) as f64)).collect();
        let part = |p: &str| format!("{name}.{p}");
        let away = l.net.affine(&part("distance"), index, false, scale, Numbers::public(shift));
        let (most, end) = (rows as i64 - 1, if self.counts_forward(l) { 0 } else { rows as i64 });
        let hit = |d: i64| f64::from(u8::from(d == 0 || (end > 0 && d == -end)));
        let first = -most - end;
        let values = Arc::new((first..=most).map(hit).collect());
        let one_hot = l.net.push(&part("one_hot"), NetOp::Table { x: away, first, values }, &[count, rows]);
        let y = Map::identity(&[count, columns]);
        let c = Contraction { a: one_hot, b: data, addend: None, ranks: [0, 1, 1, 1], y };
        l.net.contract(name, c)
    }
}
