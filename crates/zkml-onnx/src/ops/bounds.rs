//! Maxima and minima element by element: Relu, Clip, Max, Min, Abs.
//! <https://onnx.ai/onnx/operators/onnx__Clip.html>

use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{NetOp, Operand, Side};

pub(super) const ONNX: &[OpSupport] = &[
    op("Relu", "right after a product, it shares the product's rounding"),
    op("Clip", "constant ends, either or both"),
    op("Max", "two or more operands, or a constant"),
    op("Min", "two or more operands, or a constant"),
    op("Abs", ""),
    op("HardSigmoid", "as a clipped line"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    if let Some(op) = is::<ElementWiseOp>(node) {
        return (op.0.name() == "Abs").then(|| absolute(l, node));
    }
    match is::<TypedBinOp>(node)?.0.name() {
        "Max" => Some(extremum(l, node, true)),
        "Min" => Some(extremum(l, node, false)),
        _ => None,
    }
}

fn absolute(l: &mut Lowering<'_>, node: &TractNode) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    if always_positive(l, &x) {
        return Ok(x);
    }
    let minus = l.net.negated(&format!("{}.negated", node.name), x.clone());
    Ok(l.net.larger(&node.name, x, minus))
}

/// Whether a value is positive by construction, so that its magnitude is itself.
fn always_positive(l: &Lowering<'_>, x: &Operand) -> bool {
    use crate::net::Function::{Exp, Sigmoid, Sqrt};
    let padded = x.map.pad.is_some_and(|p| p < 0);
    !padded
        && match &l.net.nodes[x.value].op {
            NetOp::Apply { function, .. } => matches!(function, Sigmoid | Exp | Sqrt),
            NetOp::Max { b: Side::Constant(c), .. } => *c >= 0.0,
            NetOp::Join { parts } => parts.iter().all(|(o, _)| always_positive(l, o)),
            NetOp::Divide { a, b } => always_positive(l, a) && always_positive(l, b),
            _ => false,
        }
}

fn extremum(l: &mut Lowering<'_>, node: &TractNode, largest: bool) -> Result<Operand, Reason> {
    for slot in [1, 0] {
        let o = l.input(node, slot)?;
        if let Some(c) = l.net.constant(&o).and_then(|numbers| numbers.uniform()) {
            let x = l.spread(node, 1 - slot)?;
            return Ok(with_constant(l, node, x, c, largest));
        }
    }
    let (a, b) = (l.spread(node, 0)?, l.spread(node, 1)?);
    if largest {
        return Ok(l.net.larger(&node.name, a, b));
    }
    // min(a, b) = a + b − max(a, b)
    let top = l.net.larger(&format!("{}.largest", node.name), a.clone(), b.clone());
    Ok(l.net.sum(&node.name, vec![(1.0, a), (1.0, b), (-1.0, top)], 0.0))
}

fn with_constant(l: &mut Lowering<'_>, node: &TractNode, x: Operand, c: f64, largest: bool) -> Operand {
    // The ends that exporters write for an open interval.
    let open = c.abs() >= f64::from(f32::MAX) * 0.999;
    match (largest, open) {
        (true, true) if c < 0.0 => x,
        (false, true) if c > 0.0 => x,
        (true, _) => l.net.at_least(&node.name, x, c),
        (false, _) => l.net.at_most(&node.name, x, c),
    }
}
