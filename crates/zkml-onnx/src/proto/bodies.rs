//! Bodies of control-flow nodes: graphs within the graph, which read its values by their names.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::{Tensor, Value as Type};

use super::{node_name, standard};

/// The bodies of a node.
pub(crate) fn bodies(node: &pb::NodeProto) -> impl Iterator<Item = &pb::GraphProto> {
    node.attribute.iter().flat_map(|a| a.g.iter().chain(&a.graphs))
}

fn bodies_mut(node: &mut pb::NodeProto) -> impl Iterator<Item = &mut pb::GraphProto> {
    node.attribute.iter_mut().flat_map(|a| a.g.iter_mut().chain(&mut a.graphs))
}

/// Number of inputs that a control-flow node has by itself; what its bodies read of the graph around them comes after these.
pub(crate) fn own_inputs(node: &pb::NodeProto) -> usize {
    match node.op_type.as_str() {
        "If" => 1,
        _ => bodies(node).next().map_or(node.input.len(), |body| body.input.len()),
    }
}

/// Makes bodies say openly what they read: weights in them become weights of the graph, and values of the graph become inputs of the
/// node. Whatever looks at the graph then sees all of it.
pub(crate) fn open(graph: &mut pb::GraphProto) {
    let mut names = taken(graph);
    let mut nodes = Vec::with_capacity(graph.node.len());
    for mut node in std::mem::take(&mut graph.node) {
        if bodies(&node).next().is_some() {
            let at = node_name(&node).to_owned();
            for body in bodies_mut(&mut node) {
                open(body);
                let lifted = lift(body, &at, &mut names);
                graph.initializer.extend(lifted.weights);
                nodes.extend(lifted.constants);
                forget_shapes(body);
            }
            capture(&mut node);
        }
        nodes.push(node);
    }
    graph.node = nodes;
}

/// All names of values.
fn taken(graph: &pb::GraphProto) -> HashSet<String> {
    let inputs = graph.input.iter().map(|i| &i.name).chain(graph.initializer.iter().map(|t| &t.name));
    let own = inputs.chain(graph.node.iter().flat_map(|n| &n.output)).cloned();
    own.chain(graph.node.iter().flat_map(bodies).flat_map(taken)).collect()
}

/// What was in a body and is the same for every run of it.
struct Lifted {
    weights: Vec<pb::TensorProto>,
    constants: Vec<pb::NodeProto>,
}

/// Takes weights and constants out of a body, under names that nothing else has.
fn lift(body: &mut pb::GraphProto, at: &str, names: &mut HashSet<String>) -> Lifted {
    let mut renamed: HashMap<String, String> = HashMap::new();
    let mut fresh = |old: &str| {
        let mut new = format!("{at}.{old}");
        while !names.insert(new.clone()) {
            new.push('_');
        }
        renamed.insert(old.to_owned(), new.clone());
        new
    };
    let mut weights = std::mem::take(&mut body.initializer);
    weights.iter_mut().for_each(|t| t.name = fresh(&t.name));
    let (mut constants, rest): (Vec<_>, Vec<_>) =
        std::mem::take(&mut body.node).into_iter().partition(|n| n.op_type == "Constant");
    for node in &mut constants {
        node.output.iter_mut().for_each(|o| *o = fresh(o));
        node.name = node.output.first().cloned().unwrap_or_default();
    }
    body.node = rest;
    rename(body, &renamed);
    Lifted { weights, constants }
}

/// Reads values under their new names, in a body and in those within it. Results that the body does not make itself are copied in it.
fn rename(body: &mut pb::GraphProto, renamed: &HashMap<String, String>) {
    for node in &mut body.node {
        for input in &mut node.input {
            if let Some(new) = renamed.get(input.as_str()) {
                input.clone_from(new);
            }
        }
        bodies_mut(node).for_each(|inner| rename(inner, renamed));
    }
    let made: HashSet<String> =
        body.input.iter().map(|i| &i.name).chain(body.node.iter().flat_map(|n| &n.output)).cloned().collect();
    let mut copied = HashSet::new();
    let results: Vec<String> = body.output.iter().map(|o| o.name.clone()).collect();
    for name in results {
        if !made.contains(&name) && copied.insert(name.clone()) {
            let from = renamed.get(&name).unwrap_or(&name).clone();
            let to = format!("{name}.copy");
            body.node.push(standard("Identity", &to, &[&from], &to));
            body.output.iter_mut().filter(|o| o.name == name).for_each(|o| o.name.clone_from(&to));
        }
    }
}

/// Shapes that a body declares may be those of another run of it; and what its inputs are is known where it is run.
fn forget_shapes(body: &mut pb::GraphProto) {
    body.value_info.clear();
    for input in body.input.iter_mut().filter(|i| i.r#type.is_none()) {
        let tensor = Tensor { elem_type: DataType::Float as i32, shape: None };
        input.r#type = Some(pb::TypeProto { value: Some(Type::TensorType(tensor)), ..Default::default() });
    }
    for value in body.input.iter_mut().chain(&mut body.output) {
        if let Some(Type::TensorType(t)) = value.r#type.as_mut().and_then(|t| t.value.as_mut()) {
            t.shape = None;
        }
    }
}

/// Lists what the bodies of a node read of the graph around them, after its own inputs.
fn capture(node: &mut pb::NodeProto) {
    let mut captured: Vec<String> = Vec::new();
    for body in bodies(node) {
        let made: HashSet<&str> = body
            .input
            .iter()
            .map(|i| i.name.as_str())
            .chain(body.node.iter().flat_map(|n| n.output.iter().map(String::as_str)))
            .collect();
        let read = body.node.iter().flat_map(|n| &n.input);
        for name in read.filter(|n| !n.is_empty() && !made.contains(n.as_str())) {
            if !captured.contains(name) {
                captured.push(name.clone());
            }
        }
    }
    node.input.resize(own_inputs(node), String::new());
    node.input.extend(captured);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pb::attribute_proto::AttributeType as Kind;

    fn value(name: &str) -> pb::ValueInfoProto {
        pb::ValueInfoProto { name: name.into(), ..Default::default() }
    }

    fn with_body(node: pb::NodeProto, name: &str, body: pb::GraphProto) -> pb::NodeProto {
        let attribute = pb::AttributeProto {
            name: name.into(),
            r#type: Kind::Graph as i32,
            g: Some(body),
            ..Default::default()
        };
        let mut node = node;
        node.attribute.push(attribute);
        node
    }

    #[test]
    fn weights_and_captured_values_come_out_of_the_innermost_body() {
        let inner = pb::GraphProto {
            node: vec![standard("Add", "add", &["v", "w"], "z")],
            initializer: vec![super::super::floats("w", &[1], vec![2.0])],
            output: vec![value("z"), value("outer")],
            ..Default::default()
        };
        let body = pb::GraphProto {
            node: vec![with_body(standard("If", "choice", &["c"], "y"), "then_branch", inner)],
            initializer: vec![super::super::floats("w2", &[1], vec![3.0])],
            input: vec![value("i"), value("c"), value("v")],
            output: vec![value("c"), value("y"), value("w2")],
            ..Default::default()
        };
        let node = with_body(standard("Loop", "loop", &["m", ""], "r"), "body", body);
        let mut graph =
            pb::GraphProto { node: vec![node], input: vec![value("loop.choice.w")], ..Default::default() };
        open(&mut graph);
        let names: Vec<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["loop.w2", "loop.choice.w_"]);
        let captured = ["m", "", "", "loop.choice.w_", "outer", "loop.w2"];
        assert_eq!(graph.node[0].input, captured);
        let before = graph.clone();
        open(&mut graph);
        assert_eq!(graph, before, "nothing is left to open");
    }
}
