//! TreeEnsembleRegressor of ai.onnx.ml.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::forest::Forest;
use crate::proto::text_attribute;

/// The operator.
pub(super) const ONNX: OpSupport = op(
    "TreeEnsembleRegressor",
    "ai.onnx.ml; exact on the rounded features; SUM and AVERAGE, without post_transform; inputs are never missing",
);

/// The sum of its trees and its base values.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let post = text_attribute(ctx.node, "post_transform", "NONE");
    if post != "NONE" {
        return Err(format!("the post_transform {post}; put the operator behind the node instead"));
    }
    let targets = usize::try_from(ctx.int("n_targets", 1)).ok().filter(|n| (1..=1 << 16).contains(n));
    let targets = targets.ok_or_else(|| format!("{} targets", ctx.int("n_targets", 1)))?;
    let mut base = Forest::base_values(ctx.node)?;
    if base.is_empty() {
        base = vec![0.0; targets];
    }
    if base.len() != targets {
        return Err(format!("{} base_values for {targets} targets", base.len()));
    }
    let y = ctx.output(0)?.to_owned();
    Ok(vec![ctx.scores("target", &base, &y)?])
}
