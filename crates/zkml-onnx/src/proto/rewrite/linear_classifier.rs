//! LinearClassifier of ai.onnx.ml.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{attribute, int_attribute, node_name, standard, text_attribute};

/// The operator.
pub(super) const ONNX: OpSupport =
    op("LinearClassifier", "ai.onnx.ml; scores or probabilities, the label is cut");

/// Rewrites a node.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let classes = ["classlabels_ints", "classlabels_strings"]
        .iter()
        .filter_map(|n| attribute(ctx.node, n))
        .map(|a| a.ints.len() + a.strings.len())
        .sum::<usize>();
    let (mut w, mut b) = (ctx.floats("coefficients"), ctx.floats("intercepts"));
    let mut rows = if b.is_empty() { classes } else { b.len() };
    let post = text_attribute(ctx.node, "post_transform", "NONE");
    if rows == 1 && classes == 2 {
        if ["NONE", "SOFTMAX"].contains(&post.as_str()) {
            return Err(format!(
                "one row of coefficients for two classes with the post_transform {post}: ONNX does not say what the \
                 score of the first class is; export probabilities, or a row for each class"
            ));
        }
        // One score stands for the second class, its opposite for the first.
        let negated = |v: &[f32]| v.iter().map(|x| -x).chain(v.iter().copied()).collect::<Vec<f32>>();
        (w, b, rows) = (negated(&w), negated(&b), 2);
    }
    let (name, y) = (node_name(ctx.node).to_owned(), ctx.output(1)?.to_owned());
    let raw = format!("{name}.scores");
    Ok(match post.as_str() {
        "NONE" => vec![ctx.gemm(rows, w, b, &y)?],
        "LOGISTIC" => {
            vec![ctx.gemm(rows, w, b, &raw)?, standard("Sigmoid", &format!("{name}.logistic"), &[&raw], &y)]
        }
        "SOFTMAX" => {
            let mut softmax = standard("Softmax", &format!("{name}.softmax"), &[&raw], &y);
            softmax.attribute.push(int_attribute("axis", 1));
            vec![ctx.gemm(rows, w, b, &raw)?, softmax]
        }
        other => return Err(format!("the post_transform {other}")),
    })
}
