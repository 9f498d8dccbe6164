//! Elements chosen by constants.
//! <https://onnx.ai/onnx/operators/onnx__Compress.html>, <https://onnx.ai/onnx/operators/onnx__Hardmax.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::array::{GatherElements, GatherNd};
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::logic;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_core::ops::{binary::TypedBinOp, math};

use super::{Along, Own, Wiring, other, same};

pub(super) const OWN: &[Own] = &[
    other("Compress", "constant condition; free wiring", compressed),
    other("GatherND", "constant indices; free wiring", gathered),
    same("ReverseSequence", "constant lengths; free wiring", reversed),
    same("Hardmax", "one at the first of the largest elements", hardmax),
    other("OneHot", "constant depth and values", one_hot),
];

fn compressed(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let mut x = w.input(0)?;
    let shape = w.shape(x)?;
    let axis = match w.node.attribute.iter().find(|a| a.name == "axis") {
        Some(a) => w.axis(a.i, shape.len())?,
        None => {
            x = w.reshaped(x, &[shape.iter().product()])?;
            0
        }
    };
    let condition = w.reals(1, "the condition")?;
    ensure!(condition.len() <= w.shape(x)?[axis], "{} conditions for {shape:?}", condition.len());
    let picks: Vec<Option<usize>> = (0..condition.len()).filter(|i| condition[*i] != 0.0).map(Some).collect();
    ensure!(!picks.is_empty(), "the condition leaves nothing");
    Ok(tvec!(w.apply(Along::picked(axis, &picks, 0.0), &[x])?))
}

/// Indices that are counted from the end are counted from the start.
fn gathered(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let batch = usize::try_from(w.int("batch_dims", 0)).unwrap_or(usize::MAX);
    let own = w.constant(1, "the tensor of indices")?.shape().to_vec();
    let last = own.last().copied().unwrap_or(0);
    ensure!(
        last > 0 && batch.checked_add(last).is_some_and(|d| d <= shape.len()),
        "indices {own:?} into {shape:?}"
    );
    let mut indices = w.integers(1, "the tensor of indices")?;
    for (i, index) in indices.iter_mut().enumerate() {
        let size = shape[batch + i % last] as i64;
        ensure!((-size..size).contains(index), "index {index} on an axis of {size}");
        *index = index.rem_euclid(size);
    }
    let name = w.name();
    let indices = w.model.add_const(name, tensor1(&indices).into_shape(&own)?)?;
    // The ranks of both are their own.
    let name = w.name();
    w.model.wire_node(name, GatherNd { batch_dims: batch }, &[x, indices])
}

fn reversed(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let (time, batch) =
        (w.axis(w.int("time_axis", 0), shape.len())?, w.axis(w.int("batch_axis", 1), shape.len())?);
    let lengths = w.integers(1, "the list of lengths")?;
    let fits = |l: &i64| *l >= 0 && *l as usize <= shape[time];
    ensure!(
        lengths.len() == shape[batch] && lengths.iter().all(fits),
        "the lengths {lengths:?} of {shape:?}"
    );
    let row = crate::net::strides(&shape);
    let index = |i: usize, d: usize| (i as i64 / row[d]) % shape[d] as i64;
    let at = |i: usize| {
        let (t, len) = (index(i, time), lengths[index(i, batch) as usize]);
        if t < len { len - 1 - t } else { t }
    };
    let indices: Vec<i64> = (0..shape.iter().product()).map(at).collect();
    let name = w.name();
    let indices = w.model.add_const(name, tensor1(&indices).into_shape(&shape)?)?;
    Ok(tvec!(w.apply(GatherElements { axis: time }, &[x, indices])?))
}

/// Index, and comparison with all indices. Up to operator set 12 the dimensions from the axis on are one.
fn hardmax(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let axis = w.axis(w.int("axis", if w.opset < 13 { 1 } else { -1 }), shape.len())?;
    let flat = if w.opset < 13 {
        vec![shape[..axis].iter().product(), shape[axis..].iter().product()]
    } else {
        shape.clone()
    };
    let axis = if w.opset < 13 { 1 } else { axis };
    let flattened = w.reshaped(x, &flat)?;
    let index = w.apply(Reduce::new(tvec![axis], Reducer::ArgMax(false)), &[flattened])?;
    let mut line = vec![1; flat.len()];
    line[axis] = flat[axis];
    let numbers: Vec<f64> = (0..flat[axis]).map(|i| i as f64).collect();
    let numbers = w.numbers(index, &numbers, &line)?;
    let hit = w.apply(TypedBinOp(logic::comp_eq(), None), &[index, numbers])?;
    let kind = w.kind(x)?;
    let y = w.apply(cast(kind), &[hit])?;
    Ok(tvec!(w.reshaped(y, &shape)?))
}

/// `off + (on − off)·[index = i]`; indices may be counted from the end.
fn one_hot(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let mut x = w.input(0)?;
    let depth = w.integers(1, "the depth")?.first().copied().unwrap_or(0);
    ensure!((1..=1 << 20).contains(&depth), "a depth of {depth}");
    let values = w.reals(2, "the pair of values")?;
    let [off, on] = values[..] else { bail!("{} values instead of two", values.len()) };
    let kind = w.kind(w.input(2)?)?;
    let rank = w.shape(x)?.len() + 1;
    let axis = w.axis(w.int("axis", -1), rank)?;
    x = w.apply(tract_onnx::tract_core::ops::change_axes::AxisOp::Add(axis), &[x])?;
    let mut line = vec![1; rank];
    line[axis] = depth as usize;
    let mut hits = Vec::new();
    for shift in [0, depth] {
        let numbers: Vec<f64> = (0..depth).map(|i| (i - shift) as f64).collect();
        let numbers = w.numbers(x, &numbers, &line)?;
        let hit = w.apply(TypedBinOp(logic::comp_eq(), None), &[x, numbers])?;
        hits.push(w.apply(cast(kind), &[hit])?);
    }
    let hit = w.binary(math::Add, hits[0], hits[1])?;
    let scaled = w.times(hit, on - off)?;
    Ok(tvec!(w.plus(scaled, off)?))
}
