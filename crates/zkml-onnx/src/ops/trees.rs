//! Scores of tree ensembles, which rewriting leaves of the operators of ai.onnx.ml.

use std::sync::Arc;

use zkml_graph::ops::Trees;

use super::{Lowered, Lowering, OpSupport, TractNode, is};
use crate::error::Reason;
use crate::forest::Scores;
use crate::net::{NetOp, Operand};

/// Most trees times scores.
const MOST_SUMMANDS: usize = 1 << 20;

/// The operators are in the registry of what is rewritten.
pub(super) const ONNX: &[OpSupport] = &[];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let Scores(forest) = is::<Scores>(node)?;
    Some(scores(l, node, forest))
}

fn scores(
    l: &mut Lowering<'_>,
    node: &TractNode,
    forest: &Arc<crate::forest::Forest>,
) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    let [_, features] = x.map.shape[..] else {
        return Err(format!("features of shape {:?} instead of rows", x.map.shape).into());
    };
    if features < forest.features {
        return Err(format!("it compares feature {} of {features}", forest.features - 1).into());
    }
    if features > Trees::MAX_FEATURES {
        let most = Trees::MAX_FEATURES;
        return Err(
            format!("{features} features, more than {most}; leave out those that no tree compares").into()
        );
    }
    let (trees, targets) = (forest.trees.len(), forest.targets());
    if trees.saturating_mul(targets) > MOST_SUMMANDS {
        return Err(format!("{trees} trees for {targets} scores, more than {MOST_SUMMANDS} together").into());
    }
    let shape = l.output_shape(node)?;
    Ok(l.net.push(&node.name, NetOp::Trees { x, forest: forest.clone() }, &shape))
}
