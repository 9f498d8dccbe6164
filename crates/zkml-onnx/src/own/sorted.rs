//! The largest elements, one after the other.
//! <https://onnx.ai/onnx/operators/onnx__TopK.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::array::TypedConcat;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_core::ops::{binary::TypedBinOp, logic, math};

use super::{Own, Wiring, other};

pub(super) const OWN: &[Own] = &[other(
    "TopK",
    "constant k up to 64; a search for each, of quantized values, the first of equal ones first",
    top,
)];

/// Most searches.
const MOST: i64 = 64;

/// Each round finds the largest element, and puts it below the smallest for the next one.
fn top(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let axis = w.axis(w.int("axis", -1), shape.len())?;
    let k = match w.optional(1) {
        Some(_) => w.integers(1, "k")?.first().copied().unwrap_or(0),
        None => w.int("k", 1),
    };
    ensure!(
        (1..=MOST).contains(&k) && k as usize <= shape[axis],
        "k is {k} of {} elements; up to {MOST} are supported",
        shape[axis]
    );
    let sign = if w.int("largest", 1) == 0 { -1.0 } else { 1.0 };
    let kind = w.kind(x)?;
    let real = w.cast(x, if kind.is_float() { kind } else { DatumType::F64 })?;
    let mut left = if sign < 0.0 { w.times(real, -1.0)? } else { real };
    let smallest = w.apply(Reduce::new(tvec![axis], Reducer::Min), &[left])?;
    let mut line = vec![1; shape.len()];
    line[axis] = shape[axis];
    let numbers: Vec<f64> = (0..shape[axis]).map(|i| i as f64).collect();
    let (mut values, mut indices) = (tvec!(), tvec!());
    for round in 0..k {
        let index = w.apply(Reduce::new(tvec![axis], Reducer::ArgMax(false)), &[left])?;
        let value = w.apply(Reduce::new(tvec![axis], Reducer::Max), &[left])?;
        indices.push(index);
        values.push(value);
        if round + 1 < k {
            let places = w.numbers(index, &numbers, &line)?;
            let hit = w.apply(TypedBinOp(logic::comp_eq(), None), &[index, places])?;
            let real = w.kind(left)?;
            let hit = w.cast(hit, real)?;
            let above = w.binary(math::Sub, value, smallest)?;
            let far = w.plus(above, 1.0)?;
            let fall = w.binary(math::Mul, hit, far)?;
            left = w.binary(math::Sub, left, fall)?;
        }
    }
    let mut y = w.apply(TypedConcat::new(axis), &values)?;
    if sign < 0.0 {
        y = w.times(y, -1.0)?;
    }
    let y = w.cast(y, kind)?;
    Ok(tvec!(y, w.apply(TypedConcat::new(axis), &indices)?))
}
