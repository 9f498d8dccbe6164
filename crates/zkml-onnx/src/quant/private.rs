//! What is private of a network, and what is not although its weights are.

use std::collections::HashSet;

use crate::inspection::PrivateTensor;
use crate::net::{Net, NetNode, NetOp, Numbers, Operand, Side, constant_view};

/// The private weights of the graph to come, in its order; empty when weights are public.
pub(crate) fn private_tensors(net: &Net) -> Vec<PrivateTensor> {
    let mut seen = HashSet::new();
    // Readers of one constant share it.
    let mut first = |value: Option<usize>| value.is_none_or(|v| seen.insert(v));
    let nodes = alive(net).flat_map(|node| tensors_of(net, node));
    let all = nodes.chain(net.outputs.iter().filter_map(|(_, o)| whole(net, o)));
    all.filter(|(value, _)| first(*value)).map(|(_, tensor)| tensor).collect()
}

/// A private tensor, and the constant of the network that it holds when it is one.
type Held = (Option<usize>, PrivateTensor);

/// Nodes that are computed and that an output depends on.
fn alive(net: &Net) -> impl Iterator<Item = &NetNode> {
    let computed = |n: &NetNode| !matches!(n.op, NetOp::Input | NetOp::Const(_));
    net.nodes.iter().zip(net.live()).filter_map(move |(n, live)| (live && computed(n)).then_some(n))
}

fn tensors_of(net: &Net, node: &NetNode) -> Vec<Held> {
    let part = |part: &str, numbers: &Numbers, shape: &[usize], added: bool| {
        let name = format!("{}.{part}", node.name);
        let values = || constant_view(numbers, shape).0.len();
        numbers.is_private().then(|| (None, PrivateTensor { name, values: values(), added }))
    };
    match &node.op {
        NetOp::Contract(c) => {
            let bias = c.addend.as_ref().and_then(|a| part("bias", a, &c.y.shape, true));
            whole(net, &c.b).into_iter().chain(bias).collect()
        }
        NetOp::Affine { x, scale, shift } => {
            let parts = [("scale", scale, false), ("shift", shift, true)];
            parts
                .into_iter()
                .filter_map(|(p, numbers, added)| part(p, numbers, &x.map.shape, added))
                .collect()
        }
        NetOp::Sum { terms, .. } => {
            terms.iter().filter(|(factor, _)| *factor != 0.0).filter_map(|(_, o)| whole(net, o)).collect()
        }
        op => op.operands().into_iter().filter_map(|o| whole(net, o)).collect(),
    }
}

/// A constant operand that becomes a tensor as it is.
fn whole(net: &Net, o: &Operand) -> Option<Held> {
    let node = &net.nodes[o.value];
    match &node.op {
        NetOp::Const(n) if n.is_private() => {
            Some((Some(o.value), PrivateTensor { name: node.name.clone(), values: n.len(), added: false }))
        }
        _ => None,
    }
}

/// What an observer of the verifier learns of a model whose weights are private: single numbers without dimension,
/// attributes of operators, functions. A line each; the architecture itself, the scales and the widths of the
/// weight tensors come on top.
pub(crate) fn visible(net: &Net) -> Vec<String> {
    alive(net)
        .flat_map(|node| seen_of(net, node).into_iter().map(|s| format!("`{}`: {s}", node.name)))
        .collect()
}

fn seen_of(net: &Net, node: &NetNode) -> Vec<String> {
    let public = |o: &Operand| match &net.nodes[o.value].op {
        NetOp::Const(n) if !n.is_private() => Some(n.clone()),
        _ => None,
    };
    let one = |what: &str, v: f64, trivial: &[f64]| (!trivial.contains(&v)).then(|| format!("{what} {v}"));
    let all = |what: &str, n: &Numbers, trivial: f64| match n.uniform() {
        Some(v) => one(what, v, &[trivial]),
        None => (!n.is_private()).then(|| format!("{} numbers as {what}", n.len())),
    };
    match &node.op {
        NetOp::Contract(c) => {
            let weights = public(&c.b).and_then(|n| all("factor", &n, 1.0));
            let bias = c.addend.as_ref().and_then(|n| all("addend", n, 0.0));
            weights.into_iter().chain(bias).collect()
        }
        NetOp::Affine { scale, shift, .. } => {
            all("factor", scale, 1.0).into_iter().chain(all("addend", shift, 0.0)).collect()
        }
        NetOp::Sum { terms, constant } => {
            let factors = terms.iter().filter_map(|(factor, _)| one("factor", *factor, &[1.0, -1.0]));
            factors.chain(one("addend", *constant, &[0.0])).collect()
        }
        NetOp::Max { b: Side::Constant(c), .. } => one("lower end", *c, &[0.0]).into_iter().collect(),
        NetOp::Apply { function, .. } => vec![format!("the function {}", function.name())],
        op => {
            let constants = op.operands().into_iter().filter_map(public);
            constants.filter_map(|n| all("constant", &n, f64::NAN)).collect()
        }
    }
}
