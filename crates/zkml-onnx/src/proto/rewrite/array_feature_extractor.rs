//! ArrayFeatureExtractor of ai.onnx.ml.

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{int_attribute, node_name, standard};

/// The operator.
pub(super) const ONNX: OpSupport = op(
    "ArrayFeatureExtractor",
    "ai.onnx.ml; constant indices; at the end of a label tail it is cut, with a notice",
);

/// Chosen columns, as a standard Gather.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let (x, y) = (ctx.input()?, ctx.output(0)?);
    let index = ctx.node.input.get(1).map(String::as_str).unwrap_or_default();
    let Some(indices) = ctx.graph.initializer.iter().find(|t| t.name == index) else {
        return Err("indices that are not constant".into());
    };
    let mut flat = indices.clone();
    // Whatever the shape of the indices, they choose columns: a number alone does not take the dimension away.
    if indices.dims.len() != 1 {
        flat.name = format!("{}.indices", node_name(ctx.node));
        flat.dims = vec![indices.dims.iter().product()];
    }
    let mut node = standard("Gather", node_name(ctx.node), &[x, &flat.name], y);
    node.attribute.push(int_attribute("axis", -1));
    if flat.name != index {
        ctx.weights.push(flat);
    }
    Ok(vec![node])
}
