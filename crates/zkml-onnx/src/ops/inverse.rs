//! Functions that are steep at an end of their domain, or have poles: of roots, quotients and functions that have neither.
//! <https://onnx.ai/onnx/operators/onnx__Asin.html> and its neighbours

use std::f64::consts::FRAC_PI_2;

use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Function, NetOp, Operand};

pub(super) const ONNX: &[OpSupport] = &[
    op("Asin", "as 2·atan(x / (1 + √(1 − x²)))"),
    op("Acos", "as π/2 − asin(x)"),
    op("Acosh", "as ln(x + √(x² − 1))"),
    op("Atanh", "as ½·ln((1 + x) / (1 − x))"),
    op("Tan", "as sin(x)·cos(x) / cos²(x)"),
];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let name = is::<ElementWiseOp>(node)?.0.name();
    let build: fn(&mut Lowering<'_>, &str, Operand) -> Operand = match name.as_str() {
        "Asin" => arc_sine,
        "Acos" => arc_cosine,
        "Acosh" => area_cosine,
        "Atanh" => area_tangent,
        "Tan" => tangent,
        _ => return None,
    };
    Some(applied(l, node, build))
}

fn applied(
    l: &mut Lowering<'_>,
    node: &TractNode,
    build: fn(&mut Lowering<'_>, &str, Operand) -> Operand,
) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    Ok(build(l, &node.name, x))
}

/// `√(sign·x² + constant)`.
fn root(l: &mut Lowering<'_>, name: &str, x: &Operand, sign: f64, constant: f64) -> Operand {
    let shape = x.map.shape.clone();
    let square = NetOp::Product { a: x.clone(), b: x.clone() };
    let square = l.net.push(&format!("{name}.square"), square, &shape);
    let inside = l.net.sum(&format!("{name}.inside"), vec![(sign, square)], constant);
    // Rounding may bring it below zero at the end of the domain.
    let inside = l.net.at_least(&format!("{name}.positive"), inside, 0.0);
    l.net.apply(&format!("{name}.root"), Function::Sqrt, inside)
}

fn arc_sine(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let root = root(l, name, &x, -1.0, 1.0);
    let bottom = l.net.sum(&format!("{name}.bottom"), vec![(1.0, root)], 1.0);
    l.net.nodes[bottom.value].least = Some(1.0);
    let shape = x.map.shape.clone();
    let ratio = l.net.push(&format!("{name}.ratio"), NetOp::Divide { a: x, b: bottom }, &shape);
    let half = l.net.apply(&format!("{name}.half"), Function::Atan, ratio);
    l.net.sum(name, vec![(2.0, half)], 0.0)
}

fn arc_cosine(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let sine = arc_sine(l, &format!("{name}.sine"), x);
    l.net.sum(name, vec![(-1.0, sine)], FRAC_PI_2)
}

fn area_cosine(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let root = root(l, name, &x, 1.0, -1.0);
    let sum = l.net.sum(&format!("{name}.sum"), vec![(1.0, x), (1.0, root)], 0.0);
    l.net.apply(name, Function::Ln, sum)
}

fn area_tangent(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let top = l.net.sum(&format!("{name}.top"), vec![(1.0, x.clone())], 1.0);
    let bottom = l.net.sum(&format!("{name}.bottom"), vec![(-1.0, x)], 1.0);
    let logarithms = [(top, "ln_top"), (bottom, "ln_bottom")].map(|(o, part)| {
        let name = format!("{name}.{part}");
        l.net.apply(&name, Function::Ln, o)
    });
    let [top, bottom] = logarithms;
    l.net.sum(name, vec![(0.5, top), (-0.5, bottom)], 0.0)
}

/// The square is positive on both sides of a pole.
fn tangent(l: &mut Lowering<'_>, name: &str, x: Operand) -> Operand {
    let shape = x.map.shape.clone();
    let sine = l.net.apply(&format!("{name}.sine"), Function::Sin, x.clone());
    let cosine = l.net.apply(&format!("{name}.cosine"), Function::Cos, x);
    let top = NetOp::Product { a: sine, b: cosine.clone() };
    let top = l.net.push(&format!("{name}.top"), top, &shape);
    let bottom = NetOp::Product { a: cosine.clone(), b: cosine };
    let bottom = l.net.push(&format!("{name}.bottom"), bottom, &shape);
    l.net.push(name, NetOp::Divide { a: top, b: bottom }, &shape)
}
