//! Scaler of ai.onnx.ml: `(x − offset) · scale`.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{node_name, standard};

/// The operator.
pub(super) const ONNX: OpSupport = op("Scaler", "ai.onnx.ml; folded into the next weights");

/// `(x − offset) · scale`.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let (offset, scale) = (ctx.floats("offset"), ctx.floats("scale"));
    let offset = ctx.weight("offset", &[offset.len()], offset)?;
    let scale = ctx.weight("scale", &[scale.len()], scale)?;
    let (x, y, name) = (ctx.input()?, ctx.output(0)?, node_name(ctx.node));
    let centred = format!("{name}.centred");
    Ok(vec![
        standard("Sub", &centred, &[x, &offset], &centred),
        standard("Mul", name, &[&centred, &scale], y),
    ])
}
