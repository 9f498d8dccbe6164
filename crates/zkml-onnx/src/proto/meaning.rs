//! Nodes of supported operators that the analysis would take for something else.

use tract_onnx::pb;

use super::{attribute, node_name};
use crate::error::UnsupportedNode;

/// Nodes whose attributes or constants change what they compute in a way that is not supported, with the reason.
pub(crate) fn misread(graph: &pb::GraphProto) -> Vec<UnsupportedNode> {
    let refused = |node: &pb::NodeProto| {
        let reason = match node.op_type.as_str() {
            "BatchNormalization" => training(node),
            "Pad" => cropping(graph, node),
            _ => None,
        }?;
        let (name, op, shape) = (node_name(node).to_owned(), node.op_type.clone(), "?".into());
        Some(UnsupportedNode { name, op, shape, reason })
    };
    graph.node.iter().filter_map(refused).collect()
}

/// In training mode the statistics are those of the batch.
fn training(node: &pb::NodeProto) -> Option<String> {
    let asked = attribute(node, "training_mode").is_some_and(|a| a.i != 0);
    let updated = node.output.iter().skip(1).any(|o| !o.is_empty());
    (asked || updated).then(|| "training mode; export the model for inference".into())
}

/// A negative pad takes elements away.
fn cropping(graph: &pb::GraphProto, node: &pb::NodeProto) -> Option<String> {
    let from_attribute = attribute(node, "pads").map(|a| a.ints.clone());
    let pads = from_attribute.or_else(|| constant(graph, node.input.get(1)?))?;
    let negative = pads.iter().find(|p| **p < 0)?;
    Some(format!("the negative pad {negative}; use Slice to take elements away"))
}

/// The integers behind a name, when they are constant.
fn constant(graph: &pb::GraphProto, name: &str) -> Option<Vec<i64>> {
    let weight = graph.initializer.iter().find(|t| t.name == name).cloned();
    let tensor = weight.or_else(|| {
        let node = graph
            .node
            .iter()
            .find(|n| n.op_type == "Constant" && n.output.first().is_some_and(|o| o == name))?;
        attribute(node, "value")?.t.clone()
    })?;
    let raw = tensor.raw_data.chunks_exact(8).filter_map(|b| Some(i64::from_le_bytes(b.try_into().ok()?)));
    Some(if tensor.int64_data.is_empty() { raw.collect() } else { tensor.int64_data })
}
