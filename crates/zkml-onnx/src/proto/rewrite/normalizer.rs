//! Normalizer of ai.onnx.ml.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{int_attribute, node_name, producers, standard, text_attribute};

/// The operator.
pub(super) const ONNX: OpSupport =
    op("Normalizer", "ai.onnx.ml; L1, L2 and MAX; probabilities that sum to one already stay as they are");

/// Each row divided by its norm; a norm that is not positive is refused when it is proven.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let (x, y) = (ctx.input()?.to_owned(), ctx.output(0)?.to_owned());
    let made = producers(ctx.graph).get(x.as_str()).map(|&i| &ctx.graph.node[i]);
    let softmax = made.is_some_and(|n| {
        n.op_type == "Softmax"
            || n.op_type == "LinearClassifier" && text_attribute(n, "post_transform", "NONE") == "SOFTMAX"
    });
    let name = node_name(ctx.node).to_owned();
    let norm = format!("{name}.norm");
    let reduce = match text_attribute(ctx.node, "norm", "MAX").as_str() {
        "L1" if softmax => return Ok(vec![standard("Identity", &name, &[&x], &y)]),
        "L1" => return Ok(vec![ctx.node.clone()]),
        "L2" => "ReduceL2",
        "MAX" => "ReduceMax",
        other => return Err(format!("the norm {other}")),
    };
    let mut reduced = standard(reduce, &norm, &[&x], &norm);
    reduced.attribute.push(int_attribute("keepdims", 1));
    let mut axes = int_attribute("axes", 0);
    axes.r#type = tract_onnx::pb::attribute_proto::AttributeType::Ints as i32;
    axes.ints = vec![1];
    reduced.attribute.push(axes);
    Ok(vec![reduced, standard("Div", &name, &[&x, &norm], &y)])
}
