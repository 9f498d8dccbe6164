//! GELU, as one node or as the products, cubes and hyperbolic tangents that exporters make of its approximation.
//! <https://onnx.ai/onnx/operators/onnx__Gelu.html>

use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::net::{Function, Net, NetOp, Numbers, Operand, Side};

pub(super) const ONNX: &[OpSupport] =
    &[op("Gelu", "interpolated table, exact and approximate form, as one node or several")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let function = match is::<ElementWiseOp>(node)?.0.name().as_str() {
        "GeluExact" | "Gelu" => Function::Gelu,
        "GeluApproximate" => Function::GeluTanh,
        _ => return None,
    };
    Some(l.input(node, 0).map(|x| l.net.apply(&node.name, function, x)))
}

/// Arguments at which a chain of nodes is compared with the approximation.
const TRIED: [f64; 9] = [-6.0, -3.1, -1.7, -0.9, -0.2, 0.3, 1.1, 2.3, 4.9];
/// Relative difference that the rounding of a model's constants may make.
const SAME: f64 = 1e-5;
/// Nodes that a chain may have.
const DEEP: usize = 12;

/// The product of two values as one table, when it is the approximation of GELU, or twice that, of a third one. It is
/// found by its values, since there are many ways to write it.
pub(super) fn approximated(
    l: &mut Lowering<'_>,
    node: &TractNode,
    a: &Operand,
    b: &Operand,
) -> Option<Operand> {
    let x = [(a, b), (b, a)].into_iter().find_map(|(x, gate)| {
        argument(&l.net, gate, DEEP)?;
        Some(scaled(&l.net, x))
    })?;
    let product = |at: f64| Some(value(&l.net, a, &x, at, DEEP)? * value(&l.net, b, &x, at, DEEP)?);
    let factor = if product(1.0)? > 1.5 * Function::GeluTanh.at(1.0) { 2.0 } else { 1.0 };
    for at in TRIED {
        let (found, wanted) = (product(at)?, factor * Function::GeluTanh.at(at));
        if (found - wanted).abs() > SAME * wanted.abs().max(1.0) {
            return None;
        }
    }
    let y = l.net.apply(&format!("{}.gelu", node.name), Function::GeluTanh, x);
    let [scale, shift] = [factor, 0.0].map(|v| Numbers::public(vec![v; y.map.len()]));
    Some(if factor == 1.0 { y } else { l.net.affine(&node.name, y, false, scale, shift) })
}

/// The hyperbolic tangent below scales and shifts.
fn argument<'a>(net: &'a Net, o: &Operand, deep: usize) -> Option<&'a Operand> {
    match &net.nodes[o.value].op {
        NetOp::Apply { function: Function::Tanh, x } => Some(x),
        NetOp::Affine { x, .. } if deep > 0 => argument(net, x, deep - 1),
        _ => None,
    }
}

/// What an operand is a multiple of.
fn scaled(net: &Net, o: &Operand) -> Operand {
    match &net.nodes[o.value].op {
        NetOp::Affine { x, scale, shift }
            if plain(net, o) && shift.is_zero() && scale.uniform().is_some() =>
        {
            x.clone()
        }
        _ => o.clone(),
    }
}

/// Returns true if an operand shows its value as it is.
fn plain(net: &Net, o: &Operand) -> bool {
    o.map.pad.is_none() && o.map.is_identity() && o.map.shape == net.nodes[o.value].shape
}

/// An operand where `x` is `at`, when nothing but `x` decides it, element by element.
fn value(net: &Net, o: &Operand, x: &Operand, at: f64, deep: usize) -> Option<f64> {
    if o.value == x.value && o.map == x.map {
        return Some(at);
    }
    if deep == 0 || !plain(net, o) {
        return None;
    }
    let of = |o: &Operand| value(net, o, x, at, deep - 1);
    match &net.nodes[o.value].op {
        NetOp::Const(numbers) => numbers.uniform(),
        NetOp::Affine { x, scale, shift } => Some(of(x)? * scale.uniform()? + shift.uniform()?),
        NetOp::Sum { terms, constant } => {
            terms.iter().try_fold(*constant, |sum, (factor, o)| Some(sum + factor * of(o)?))
        }
        NetOp::Product { a, b } => Some(of(a)? * of(b)?),
        NetOp::Max { a, b: Side::Constant(c) } => Some(of(a)?.max(*c)),
        NetOp::Apply { function, x } => Some(function.at(of(x)?)),
        _ => None,
    }
}
