//! Comparisons of quantized values: exact, so that what is equal after quantization is equal.
//! <https://onnx.ai/onnx/operators/onnx__Greater.html> and its neighbours

use std::sync::Arc;

use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{NetOp, Numbers, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("Equal", "of quantized values"),
    op("Greater", "of quantized values"),
    op("GreaterOrEqual", "of quantized values"),
    op("Less", "of quantized values"),
    op("LessOrEqual", "of quantized values"),
    op("Sign", "of quantized values"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if let Some(op) = is::<ElementWiseOp>(node) {
        return (op.0.name() == "Sign").then(|| sign(l, node));
    }
    let name = is::<TypedBinOp>(node)?.0.name();
    Some(match name {
        "GT" => sides(l, node).map(|(a, b)| greater(l, &node.name, a, b)),
        "LT" => sides(l, node).map(|(a, b)| greater(l, &node.name, b, a)),
        "GTE" => sides(l, node).map(|(a, b)| not_greater(l, &node.name, b, a)),
        "LTE" => sides(l, node).map(|(a, b)| not_greater(l, &node.name, a, b)),
        "Eq" | "NE" => sides(l, node).map(|(a, b)| equal(l, &node.name, a, b, name == "Eq")),
        _ => return None,
    })
}

fn sides(l: &mut Lowering<'_>, node: &TractNode) -> Result<(Operand, Operand), Reason> {
    Ok((l.spread(node, 0)?, l.spread(node, 1)?))
}

/// One where `a > b`, else zero: the index of the first largest of `b` and `a`.
pub(super) fn greater(l: &mut Lowering<'_>, name: &str, a: Operand, b: Operand) -> Operand {
    let shape = a.map.shape.clone();
    let last = shape.len();
    let column = |l: &mut Lowering<'_>, o: Operand| {
        let mut map = zkml_graph::Map::identity(&shape);
        map.shape.push(1);
        map.axes.iter_mut().for_each(|axis| axis.steps.push(0));
        l.net.view(name, &o, &map)
    };
    let both = [b, a].map(|o| column(l, o)).to_vec();
    let x = l.net.concat(&format!("{name}.sides"), both, last);
    l.net.push(name, NetOp::ArgMax { x }, &shape)
}

/// One where `a ≤ b`.
fn not_greater(l: &mut Lowering<'_>, name: &str, a: Operand, b: Operand) -> Operand {
    let greater = greater(l, &format!("{name}.greater"), a, b);
    l.net.sum(name, vec![(-1.0, greater)], 1.0)
}

/// Widest range of differences of integers that are looked up.
const MOST_DIFFERENCES: i64 = 1 << 12;

/// The same of an index, or of an integer of a narrow type, and public integers: a table of the differences.
fn equal_to_numbers(
    l: &mut Lowering<'_>,
    name: &str,
    x: &Operand,
    c: &Operand,
    same: bool,
) -> Option<Operand> {
    let numbers = l.net.constant(c).filter(Numbers::are_integers)?;
    let node = &l.net.nodes[x.value];
    let (lo, hi) = match &node.op {
        NetOp::ArgMax { x: inner } => (0, inner.map.shape.last().copied()? as i64 - 1),
        _ if node.integer => node.span?,
        _ => return None,
    };
    let padded = x.map.pad.is_some_and(|p| !(lo..=hi).contains(&p));
    let (least, most) =
        numbers.values().iter().fold((i64::MAX, i64::MIN), |(l, m), v| (l.min(*v as i64), m.max(*v as i64)));
    let (first, last) = (lo.checked_sub(most)?, hi.checked_sub(least)?);
    if padded || last.checked_sub(first)? >= MOST_DIFFERENCES {
        return None;
    }
    let ones = Numbers::public(vec![1.0; numbers.len()]);
    let away = l.net.affine(&format!("{name}.away"), x.clone(), false, ones, numbers.each(|v| -v));
    let shape = away.map.shape.clone();
    let values = Arc::new((first..=last).map(|d| f64::from(u8::from((d == 0) == same))).collect());
    Some(l.net.push(name, NetOp::Table { x: away, first, values }, &shape))
}

/// One where both are equal, or where they differ.
pub(super) fn equal(l: &mut Lowering<'_>, name: &str, a: Operand, b: Operand, same: bool) -> Operand {
    for (x, c) in [(&a, &b), (&b, &a)] {
        if let Some(told) = equal_to_numbers(l, name, x, c, same) {
            return told;
        }
    }
    let above = greater(l, &format!("{name}.above"), a.clone(), b.clone());
    let below = greater(l, &format!("{name}.below"), b, a);
    let (sign, constant) = if same { (-1.0, 1.0) } else { (1.0, 0.0) };
    l.net.sum(name, vec![(sign, above), (sign, below)], constant)
}

fn sign(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    let (zero, name) = (zeros(l, &node.name, &x.map.shape), &node.name);
    let above = greater(l, &format!("{name}.above"), x.clone(), zero.clone());
    let below = greater(l, &format!("{name}.below"), zero, x);
    Ok(l.net.sum(name, vec![(1.0, above), (-1.0, below)], 0.0))
}

/// A constant of zeros.
pub(super) fn zeros(l: &mut Lowering<'_>, name: &str, shape: &[usize]) -> Operand {
    let zeros = Numbers::public(vec![0.0; shape.iter().product()]);
    l.net.push_const(&format!("{name}.zero"), zeros, shape)
}
