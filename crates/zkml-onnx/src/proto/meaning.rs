//! Nodes of supported operators that the analysis would take for something else.

use tract_onnx::pb;

use super::{attribute, bodies, node_name};
use crate::error::UnsupportedNode;

/// Nodes whose attributes or constants change what they compute in a way that is not supported, with the reason.
pub(crate) fn misread(graph: &pb::GraphProto) -> Vec<UnsupportedNode> {
    let refused = |node: &pb::NodeProto| {
        let reason = match node.op_type.as_str() {
            "BatchNormalization" => training(node),
            _ => None,
        }?;
        let (name, op, shape) = (node_name(node).to_owned(), node.op_type.clone(), "?".into());
        Some(UnsupportedNode { name, op, shape, reason })
    };
    let inner = graph.node.iter().flat_map(bodies).flat_map(misread);
    graph.node.iter().filter_map(refused).chain(inner).collect()
}

/// In training mode the statistics are those of the batch.
fn training(node: &pb::NodeProto) -> Option<String> {
    let asked = attribute(node, "training_mode").is_some_and(|a| a.i != 0);
    let updated = node.output.iter().skip(1).any(|o| !o.is_empty());
    (asked || updated).then(|| "training mode; export the model for inference".into())
}
