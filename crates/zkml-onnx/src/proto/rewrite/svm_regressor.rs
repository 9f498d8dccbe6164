//! SVMRegressor of ai.onnx.ml.

use super::support_vectors::{decision, plain};
use super::{OpSupport, Rewriter, Rewritten, op};

/// The operator.
pub(super) const ONNX: OpSupport =
    op("SVMRegressor", "ai.onnx.ml; linear, polynomial, RBF and sigmoid kernels; not for one class");

/// The weighted sum of the kernels.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    plain(ctx)?;
    if ctx.int("one_class", 0) != 0 {
        return Err("a machine of one class, whose output is a sign".into());
    }
    let [rho] = ctx.floats("rho")[..] else { return Err("another number of `rho` than one".into()) };
    let (coefficients, y) = (ctx.floats("coefficients"), ctx.output(0)?.to_owned());
    decision(ctx, coefficients, rho, &y)
}
