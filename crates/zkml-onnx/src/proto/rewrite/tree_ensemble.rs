//! TreeEnsemble of ai.onnx.ml, since version 5.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::attribute;

/// The operator.
pub(super) const ONNX: OpSupport = op(
    "TreeEnsemble",
    "ai.onnx.ml, version 5; exact on the rounded features; SUM and AVERAGE, without post_transform; inputs are never missing",
);

/// The sum of its trees.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let targets = usize::try_from(ctx.int("n_targets", 1)).ok().filter(|n| (1..=1 << 16).contains(n));
    let targets = targets.ok_or_else(|| format!("{} targets", ctx.int("n_targets", 1)))?;
    let post = attribute(ctx.node, "post_transform").map_or(0, |a| a.i);
    if post != 0 {
        return Err(format!(
            "the post_transform {post}, which ONNX and onnxruntime take for different ones; put the operator behind the node instead"
        ));
    }
    let y = ctx.output(0)?.to_owned();
    Ok(vec![ctx.scores("leaf", &vec![0.0; targets], &y)?])
}
