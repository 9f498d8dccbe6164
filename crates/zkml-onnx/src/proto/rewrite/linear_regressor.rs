//! LinearRegressor of ai.onnx.ml.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::text_attribute;

/// The operator.
pub(super) const ONNX: OpSupport = op("LinearRegressor", "ai.onnx.ml; post_transform NONE");

/// Rewrites a node.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    if text_attribute(ctx.node, "post_transform", "NONE") != "NONE" {
        return Err("a post_transform other than NONE".into());
    }
    let rows = ctx.int("targets", 1).max(1) as usize;
    let (w, b) = (ctx.floats("coefficients"), ctx.floats("intercepts"));
    let y = ctx.output(0)?.to_owned();
    Ok(vec![ctx.gemm(rows, w, b, &y)?])
}
