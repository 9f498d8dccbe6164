//! ONNX operators that nothing here knows, found before the analysis starts.

use std::collections::HashSet;

use tract_onnx::pb;

use super::{bodies, node_name};
use crate::error::UnsupportedNode;
use crate::forest::CORE;
use crate::operator::OpSupport;

/// Domains whose operators are known by their plain names.
const DOMAINS: [&str; 4] = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];

/// Operators that disappear when they are computed from constants only.
const FOLDED: [&str; 12] = [
    "And",
    "Ceil",
    "CastLike",
    "ConstantOfShape",
    "Equal",
    "Floor",
    "Less",
    "Mod",
    "Not",
    "Round",
    "Tile",
    "Where",
];

/// Every node whose operator is not in the support table.
pub(crate) fn unknown_operators(
    graph: &pb::GraphProto,
    supported: &[OpSupport],
    shape_of: &dyn Fn(&str) -> Option<String>,
) -> Vec<UnsupportedNode> {
    let known: HashSet<&str> = supported.iter().map(|o| o.onnx_name).chain(FOLDED).chain([CORE]).collect();
    let unknown =
        |n: &&pb::NodeProto| !known.contains(n.op_type.as_str()) || !DOMAINS.contains(&n.domain.as_str());
    let describe = |n: &pb::NodeProto| {
        let foreign = !DOMAINS.contains(&n.domain.as_str());
        let shapes: Vec<String> =
            n.input.iter().filter(|i| !i.is_empty()).filter_map(|i| shape_of(i)).collect();
        UnsupportedNode {
            name: node_name(n).to_owned(),
            op: if foreign { format!("{}.{}", n.domain, n.op_type) } else { n.op_type.clone() },
            shape: if shapes.is_empty() { "an unknown shape".into() } else { shapes.join(" × ") },
            reason: "no such operator here".into(),
        }
    };
    let inner = graph.node.iter().flat_map(bodies);
    let inner = inner.flat_map(|body| unknown_operators(body, supported, shape_of));
    graph.node.iter().filter(unknown).map(describe).chain(inner).collect()
}
