//! Celu. The analysis forgets the factor `alpha`, and lets the exponential grow with positive arguments.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{attribute, node_name, standard};

/// The operator.
pub(super) const ONNX: OpSupport =
    op("Celu", "any alpha other than zero, as max(x, 0) + alpha·exp(min(x, 0)/alpha) − alpha");

/// `max(x, 0) + alpha · exp(min(x, 0) / alpha) − alpha`.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let alpha = attribute(ctx.node, "alpha").map_or(1.0, |a| a.f);
    if !alpha.is_normal() {
        return Err(format!("the attribute `alpha` is {alpha}"));
    }
    let zero = ctx.weight("zero", &[], vec![0.0])?;
    let minus = ctx.weight("minus_alpha", &[], vec![-alpha])?;
    let alpha = ctx.weight("alpha", &[], vec![alpha])?;
    let (x, y, name) = (ctx.input()?, ctx.output(0)?, node_name(ctx.node));
    let part = |p: &str| format!("{name}.{p}");
    let [low, ratio, exp, scaled, left, right] = ["low", "ratio", "exp", "scaled", "left", "right"].map(part);
    Ok(vec![
        standard("Min", &low, &[x, &zero], &low),
        standard("Div", &ratio, &[&low, &alpha], &ratio),
        standard("Exp", &exp, &[&ratio], &exp),
        standard("Mul", &scaled, &[&exp, &alpha], &scaled),
        standard("Add", &left, &[&scaled, &minus], &left),
        standard("Relu", &right, &[x], &right),
        standard("Add", name, &[&left, &right], y),
    ])
}
