//! Reductions that need more care than their definition says.
//! <https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::change_axes::AxisOp;

use super::{LogSumExp, Own, Wiring, other};
use crate::proto::attribute;

pub(super) const OWN: &[Own] = &[other(
    "ReduceLogSumExp",
    "the largest element, and the logarithm of a sum of exponentials below it",
    logarithm,
)];

fn logarithm(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let rank = w.shape(x)?.len();
    let mut axes = reduced(w, rank)?;
    if axes.is_empty() && w.int("noop_with_empty_axes", 0) != 0 {
        return Ok(tvec!(x));
    }
    if axes.is_empty() {
        axes = (0..rank).collect();
    }
    let mut y = w.apply(LogSumExp(axes.clone()), &[x])?;
    if w.int("keepdims", 1) == 0 {
        for d in axes.into_iter().rev() {
            y = w.apply(AxisOp::Rm(d), &[y])?;
        }
    }
    Ok(tvec!(y))
}

/// The axes, in order; none where the node names none.
fn reduced(w: &Wiring<'_>, rank: usize) -> TractResult<Vec<usize>> {
    let given = match attribute(w.node, "axes") {
        Some(axes) => axes.ints.clone(),
        None if w.optional(1).is_some() => {
            w.reals(1, "the list of axes")?.iter().map(|v| *v as i64).collect()
        }
        None => Vec::new(),
    };
    let mut axes = given.into_iter().map(|a| w.axis(a, rank)).collect::<TractResult<Vec<_>>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}
