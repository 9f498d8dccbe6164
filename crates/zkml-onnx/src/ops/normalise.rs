//! Division by the root of a mean of squares: all of layer normalisation that is not plain arithmetic.
//! <https://onnx.ai/onnx/operators/onnx__LayerNormalization.html> and its neighbours
//!
//! Whatever a model calls it, and whether it is one node or eight, the analysis leaves differences to a mean, a mean of
//! squares, and either this operator or a sum, a root and a product or quotient, which other families lower to the same.

use tract_onnx::prelude::DatumType;
use tract_onnx::tract_core::ops::nn::RmsNorm;

use super::reduce::{mean_of_squares, repeated};
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Function, NetOp, Numbers, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("LayerNormalization", "any axis, as one node or as the nodes that exporters make of it"),
    op("RMSNormalization", "as one node or several"),
    op("SimplifiedLayerNormalization", "as RMSNormalization"),
    op("InstanceNormalization", "as LayerNormalization"),
    op("GroupNormalization", "as LayerNormalization"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let norm = is::<RmsNorm>(node)?;
    Some(normalised(l, node, norm))
}

/// `x / √(mean(x²) + ε)`.
fn normalised(l: &mut Lowering<'_>, node: &TractNode, norm: &RmsNorm) -> Result<Operand, Reason> {
    let epsilon = norm.eps.cast_to_dt(DatumType::F64)?;
    let epsilon = *epsilon.to_plain_array_view::<f64>()?.first().ok_or("an epsilon of no number")?;
    let x = l.input(node, 0)?;
    let mean = mean_of_squares(l, &x, &[norm.axis], &named(node, "mean"))?;
    let count = mean.map.len();
    let [one, shift] = [1.0, epsilon].map(|v| Numbers::public(vec![v; count]));
    let shifted = l.net.affine(&named(node, "mean"), mean, true, one, shift);
    let inverse = l.net.apply(&named(node, "inverse"), Function::Rsqrt, shifted);
    by_inverse(l, node, x, &inverse)
}

/// `x · inverse`, the second repeated to the shape of the first.
fn by_inverse(
    l: &mut Lowering<'_>,
    node: &TractNode,
    x: Operand,
    inverse: &Operand,
) -> Result<Operand, Reason> {
    let shape = x.map.shape.clone();
    let b = repeated(l, &named(node, "inverse"), inverse, &shape)?;
    Ok(l.net.push(&node.name, NetOp::Product { a: x, b }, &shape))
}

/// A quotient by a square root as the product with its reciprocal, which is computed once for all elements that share it;
/// nothing where the divisor is no root, or no two elements share it.
pub(super) fn by_root(l: &mut Lowering<'_>, node: &TractNode, a: &Operand, b: &Operand) -> Option<Operand> {
    let NetOp::Apply { function: Function::Sqrt, x } = l.net.nodes[b.value].op.clone() else { return None };
    if l.net.nodes[b.value].shape.iter().product::<usize>() >= b.map.len() {
        return None;
    }
    let inverse = l.net.apply(&named(node, "inverse"), Function::Rsqrt, x);
    let b = l.net.view(&named(node, "inverse"), &inverse, &b.map);
    Some(l.net.push(&node.name, NetOp::Product { a: a.clone(), b }, &a.map.shape.clone()))
}

fn named(node: &TractNode, part: &str) -> String {
    format!("{}.{part}", node.name)
}
