//! Normalizer of ai.onnx.ml.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{node_name, producers, standard, text_attribute};

/// The operator.
pub(super) const ONNX: OpSupport =
    op("Normalizer", "ai.onnx.ml; L1 on probabilities, which sum to one already or are divided by their sum");

/// Probabilities that sum to one already stay as they are.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let (x, y) = (ctx.input()?, ctx.output(0)?);
    let made = producers(ctx.graph).get(x).map(|&i| &ctx.graph.node[i]);
    let softmax = made.is_some_and(|n| {
        n.op_type == "Softmax"
            || n.op_type == "LinearClassifier" && text_attribute(n, "post_transform", "NONE") == "SOFTMAX"
    });
    match text_attribute(ctx.node, "norm", "MAX").as_str() {
        "L1" if softmax => Ok(vec![standard("Identity", node_name(ctx.node), &[x], y)]),
        "L1" => Ok(vec![ctx.node.clone()]),
        other => Err(format!("the norm {other}")),
    }
}
