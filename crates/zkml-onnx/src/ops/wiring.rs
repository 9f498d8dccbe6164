//! Operators that move elements without computing anything, in whatever order.
//!
//! The analysis knows what they do, so it is asked: the operator runs on the numbers of the elements instead of the elements, and
//! the result says where each of its elements comes from.
//! <https://onnx.ai/onnx/operators/onnx__GatherElements.html> and its neighbours

use tract_onnx::prelude::{Tensor, tensor1, tvec};
use tract_onnx::tract_core::internal::{EvalContext, IntoTValue, IntoTensor, TValue, TVec};
use tract_onnx::tract_core::ops::array::{
    GatherElements, GatherNd, Pad, PadMode, ScatterElements, ScatterNd, ScatterReduction, StridedSlice, Tile,
    Trilu,
};

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::guard::quietly;
use crate::net::{Numbers, Operand, Source};

pub(super) const ONNX: &[OpSupport] = &[
    op("GatherElements", "constant indices; free wiring"),
    op("ScatterElements", "constant indices, no reduction; free wiring"),
    op("ScatterND", "constant indices, no reduction; free wiring"),
    op("Scatter", "as ScatterElements"),
    op("Tile", "constant repeats; free wiring"),
    op("Trilu", "constant k; free wiring"),
];

/// Most pieces of a tensor that are wired one by one.
pub(super) const MOST: usize = 4096;

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let data: &[usize] = if let Some(scatter) = is::<ScatterElements>(node) {
        if scatter.reduction != ScatterReduction::None {
            return Some(Err(format!("the reduction {}", scatter.reduction.as_str()).into()));
        }
        &[0, 2]
    } else if let Some(scatter) = is::<ScatterNd>(node) {
        if scatter.reduction != ScatterReduction::None {
            return Some(Err(format!("the reduction {}", scatter.reduction.as_str()).into()));
        }
        &[0, 2]
    } else if is::<Tile>(node).is_some()
        || is::<GatherElements>(node).is_some()
        || is::<GatherNd>(node).is_some()
        || is::<Trilu>(node).is_some()
        || is::<StridedSlice>(node).is_some()
        || is::<Pad>(node).is_some_and(|p| !matches!(p.mode, PadMode::Constant(_)))
    {
        &[0]
    } else {
        return None;
    };
    Some(moved(l, node, data))
}

/// Wires the result of a node that only moves the elements of the inputs `data`; the others must be constant.
fn moved(l: &mut Lowering<'_>, node: &TractNode, data: &[usize]) -> Result<Operand, Reason> {
    let shape = l.output_shape(node)?;
    let mut operands =
        vec![l.net.push_const(&format!("{}.zero", node.name), Numbers::public(vec![0.0]), &[1])];
    // Element 0 is the zero that some operators fill up with.
    let (mut inputs, mut owners): (TVec<TValue>, Vec<Source>) = (tvec!(), vec![(0, 0)]);
    for (slot, outlet) in node.inputs.iter().enumerate() {
        let fact = l.model.outlet_fact(*outlet)?;
        if !data.contains(&slot) {
            let konst = fact.konst.clone().ok_or_else(|| format!("input {slot} is not constant"))?;
            inputs.push(konst.into_tvalue());
            continue;
        }
        let operand = l.input(node, slot)?;
        let count: usize = operand.map.shape.iter().product();
        let numbers: Vec<i64> = (owners.len() as i64..).take(count).collect();
        owners.extend((0..count).map(|i| (operands.len(), i)));
        let tensor: Tensor = tensor1(&numbers).into_shape(&operand.map.shape)?;
        inputs.push(tensor.into_tvalue());
        operands.push(operand);
    }
    let run = quietly(|| node.op.eval(&EvalContext::out_of_plan(), inputs));
    let out = run.map_err(|panic| format!("its constant inputs do not fit: {panic}"))??;
    let numbers = out.into_iter().next().ok_or("it has no result")?.into_tensor();
    let numbers = numbers.cast_to::<i64>()?;
    let numbers = numbers.to_plain_array_view::<i64>()?;
    let source = |n: &i64| usize::try_from(*n).ok().and_then(|n| owners.get(n)).copied();
    let sources: Vec<Source> =
        numbers.iter().map(source).collect::<Option<_>>().ok_or("it computes something")?;
    let picked = l.net.picked(&node.name, &operands, &sources, &shape, MOST);
    picked.ok_or_else(|| format!("more than {MOST} pieces of tensors would be wired one by one").into())
}
