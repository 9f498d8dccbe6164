//! ArrayFeatureExtractor of ai.onnx.ml.

use tract_onnx::pb;

use super::{OpSupport, Rewriter, Rewritten, op};
use crate::proto::{int_attribute, node_name, standard};

/// The operator.
pub(super) const ONNX: OpSupport = op(
    "ArrayFeatureExtractor",
    "ai.onnx.ml; constant or computed indices; at the end of a label tail it is cut, with a notice",
);

/// Chosen columns, as a standard Gather.
pub(super) fn rewrite(ctx: &mut Rewriter<'_>) -> Rewritten {
    let (x, y) = (ctx.input()?.to_owned(), ctx.output(0)?.to_owned());
    let index = ctx.node.input.get(1).map(String::as_str).unwrap_or_default();
    let Some(indices) = ctx.graph.initializer.iter().find(|t| t.name == index) else {
        return Ok(computed(ctx, &x, index, &y));
    };
    let mut flat = indices.clone();
    // Whatever the shape of the indices, they choose columns: a number alone does not take the dimension away.
    if indices.dims.len() != 1 {
        flat.name = format!("{}.indices", node_name(ctx.node));
        flat.dims = vec![indices.dims.iter().product()];
    }
    let mut node = standard("Gather", node_name(ctx.node), &[&x, &flat.name], &y);
    node.attribute.push(int_attribute("axis", -1));
    if flat.name != index {
        ctx.weights.push(flat);
    }
    Ok(vec![node])
}

/// The same with indices that the model computes, in a row.
fn computed(ctx: &mut Rewriter<'_>, x: &str, index: &str, y: &str) -> Vec<pb::NodeProto> {
    let name = node_name(ctx.node).to_owned();
    let row = format!("{name}.row");
    let shape = ctx.indices("shape", &[-1]);
    let mut node = standard("Gather", &name, &[x, &row], y);
    node.attribute.push(int_attribute("axis", -1));
    vec![standard("Reshape", &row, &[index, &shape], &row), node]
}
