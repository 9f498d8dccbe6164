//! Normalisations by neighbours and by norms.
//! <https://onnx.ai/onnx/operators/onnx__LRN.html>, <https://onnx.ai/onnx/operators/onnx__LpNormalization.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};

use super::{Along, Own, Wiring, other, same};

pub(super) const OWN: &[Own] = &[
    same("LRN", "as x·exp(−beta·ln(bias + alpha/size·Σx²))", local),
    same("MeanVarianceNormalization", "", mean_variance),
    other("Mean", "one operand or more", mean),
];

fn local(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    ensure!(shape.len() >= 2, "an input of shape {shape:?} has no channels");
    let size = w.int("size", 1);
    ensure!((1..=1 << 16).contains(&size), "a size of {size}");
    let (alpha, beta, bias): (f64, f64, f64) =
        (w.float("alpha", 1e-4).into(), w.float("beta", 0.75).into(), w.float("bias", 1.0).into());
    let (before, after, channels) = ((size - 1) / 2, size / 2, shape[1] as i64);
    let row = |c: i64| (c - before).max(0)..=(c + after).min(channels - 1);
    let factor = alpha / size as f64;
    let rows = (0..channels).map(|c| row(c).map(|k| (k as usize, factor)).collect()).collect();
    let square = w.apply(math::square(), &[x])?;
    let sum = w.apply(Along { axis: 1, rows, constants: vec![bias; shape[1]] }, &[square])?;
    let logarithm = w.apply(math::ln(), &[sum])?;
    let exponent = w.times(logarithm, -beta)?;
    let power = w.apply(math::exp(), &[exponent])?;
    Ok(tvec!(w.binary(math::Mul, x, power)?))
}

/// `(x − mean) / √variance`, with a last bit to divide by, as ONNX defines it.
fn mean_variance(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let axes = w.ints("axes").unwrap_or_else(|| vec![0, 2, 3]);
    let axes = axes.into_iter().map(|a| w.axis(a, shape.len())).collect::<TractResult<TVec<usize>>>()?;
    let count: usize = axes.iter().map(|d| shape[*d]).product();
    let average = |w: &mut Wiring<'_>, x: OutletId| -> TractResult<OutletId> {
        let sum = w.apply(Reduce::new(axes.clone(), Reducer::Sum), &[x])?;
        w.times(sum, 1.0 / count as f64)
    };
    let mean = average(w, x)?;
    let centred = w.binary(math::Sub, x, mean)?;
    let square = w.apply(math::square(), &[centred])?;
    let variance = average(w, square)?;
    let root = w.apply(math::sqrt(), &[variance])?;
    let root = w.plus(root, 1e-9)?;
    Ok(tvec!(w.binary(math::Div, centred, root)?))
}

fn mean(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let mut sum = w.input(0)?;
    let count = w.inputs.len();
    for slot in 1..count {
        let next = w.input(slot)?;
        sum = w.binary(math::Add, sum, next)?;
    }
    Ok(tvec!(w.times(sum, 1.0 / count as f64)?))
}
