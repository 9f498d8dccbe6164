//! Logarithms of Softmax as one operator, however the model spells them.
//!
//! The analysis makes `Log(Softmax(x))` of LogSoftmax. Computed like that, the shares of what is far below the largest
//! element are zero, and their logarithms are lost: `x − max − ln Σ exp(x − max)` keeps them.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::Downsample;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, Slice};
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};

use crate::ops::TractNode;

/// Puts LogSoftmax in place of each logarithm of a Softmax; what only moves elements in between comes after it.
pub(crate) fn join(model: &mut TypedModel) -> TractResult<()> {
    for id in model.eval_order()? {
        let Some((softmax, between)) = below(model, model.node(id)) else { continue };
        let mut patch = TypedModelPatch::default();
        let (name, source) = (model.node(id).name.clone(), model.node(softmax));
        let Some(plain) = source.op_as::<Softmax>() else { continue };
        let mut wire = patch.tap_model(model, source.inputs[0])?;
        let joined = Softmax { kind: SoftmaxKind::LogSoftmax, ..plain.clone() };
        wire = patch.wire_node(format!("{name}.log_softmax"), joined, &[wire])?[0];
        for (i, view) in between.iter().rev().enumerate() {
            wire = patch.wire_node(format!("{name}.{i}"), model.node(*view).op.clone(), &[wire])?[0];
        }
        patch.shunt_outside(model, id.into(), wire)?;
        patch.apply(model)?;
    }
    model.compact()
}

/// The Softmax whose logarithm a node takes, and the nodes between both, from the logarithm down.
fn below(model: &TypedModel, node: &TractNode) -> Option<(usize, Vec<usize>)> {
    node.op_as::<ElementWiseOp>().filter(|op| op.0.name() == "Ln")?;
    let mut between = Vec::new();
    let mut at = *node.inputs.first()?;
    loop {
        let node = model.node(at.node);
        if let Some(softmax) = node.op_as::<Softmax>() {
            return (softmax.kind == SoftmaxKind::Softmax).then_some((at.node, between));
        }
        if !moves(node) || at.slot != 0 {
            return None;
        }
        between.push(at.node);
        at = node.inputs[0];
    }
}

/// Whether a node shows elements of its one input, and nothing else: then a function may be applied before it.
fn moves(node: &TractNode) -> bool {
    let only = node.op_is::<AxisOp>() || node.op_is::<Slice>() || node.op_is::<Downsample>();
    node.inputs.len() == 1 && (only || node.op_is::<MultiBroadcastTo>() || node.op_is::<Identity>())
}
