//! Activations.
//! <https://onnx.ai/onnx/operators/onnx__Elu.html> and its neighbours

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::logic;
use tract_onnx::tract_core::ops::{binary::TypedBinOp, math};

use super::{Own, Smooth, Wiring, same};
use crate::net::Function;

pub(super) const OWN: &[Own] = &[
    same("Softplus", "interpolated table on the calibrated range", |w| smooth(w, Function::Softplus)),
    same("Softsign", "interpolated table on the calibrated range", |w| smooth(w, Function::Softsign)),
    same("Mish", "interpolated table on the calibrated range", |w| smooth(w, Function::Mish)),
    same("Elu", "as max(x, 0) + alpha·(exp(min(x, 0)) − 1)", |w| {
        let (x, alpha) = (w.input(0)?, w.float("alpha", 1.0).into());
        Ok(tvec!(exponential(w, x, alpha, 1.0)?))
    }),
    same("Selu", "as gamma·(max(x, 0) + alpha·(exp(min(x, 0)) − 1))", |w| {
        let alpha = w.float("alpha", 1.673_263_2).into();
        let gamma = w.float("gamma", 1.050_701).into();
        let x = w.input(0)?;
        Ok(tvec!(exponential(w, x, alpha, gamma)?))
    }),
    same("ThresholdedRelu", "zero up to alpha, which quantized values are compared with", |w| {
        let (x, alpha) = (w.input(0)?, w.float("alpha", 1.0).into());
        Ok(tvec!(thresholded(w, x, alpha)?))
    }),
    same("Shrink", "quantized values are compared with lambd", shrunk),
    same("PRelu", "as max(x, 0) − slope·max(−x, 0)", sloped),
];

fn smooth(w: &mut Wiring<'_>, function: Function) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    Ok(tvec!(w.apply(Smooth(function), &[x])?))
}

/// `gamma · (max(x, 0) + alpha · (exp(min(x, 0)) − 1))`.
pub(super) fn exponential(w: &mut Wiring<'_>, x: OutletId, alpha: f64, gamma: f64) -> TractResult<OutletId> {
    let low = w.at_most(x, 0.0)?;
    let power = w.apply(math::exp(), &[low])?;
    let left = w.times(power, alpha * gamma)?;
    let left = w.plus(left, -alpha * gamma)?;
    let high = w.at_least(x, 0.0)?;
    let right = w.times(high, gamma)?;
    w.binary(math::Add, left, right)
}

/// `x` where it is above `alpha`, else zero.
pub(super) fn thresholded(w: &mut Wiring<'_>, x: OutletId, alpha: f64) -> TractResult<OutletId> {
    let (alpha, zero) = (w.number(x, alpha)?, w.number(x, 0.0)?);
    let above = w.apply(TypedBinOp(logic::comp_gt(), None), &[x, alpha])?;
    w.apply(logic::Iff, &[above, x, zero])
}

/// `x + bias` below `−lambd`, `x − bias` above `lambd`, zero between.
fn shrunk(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let (bias, lambd): (f64, f64) = (w.float("bias", 0.0).into(), w.float("lambd", 0.5).into());
    let (low, high, zero) = (w.number(x, -lambd)?, w.number(x, lambd)?, w.number(x, 0.0)?);
    let below = w.apply(TypedBinOp(logic::comp_lt(), None), &[x, low])?;
    let above = w.apply(TypedBinOp(logic::comp_gt(), None), &[x, high])?;
    let (left, right) = (w.plus(x, bias)?, w.plus(x, -bias)?);
    let rest = w.apply(logic::Iff, &[above, right, zero])?;
    Ok(tvec!(w.apply(logic::Iff, &[below, left, rest])?))
}

/// `max(x, 0) − slope · max(−x, 0)`.
fn sloped(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let (x, slope) = (w.input(0)?, w.input(1)?);
    let minus = w.times(x, -1.0)?;
    let (right, left) = (w.at_least(x, 0.0)?, w.at_least(minus, 0.0)?);
    let left = w.binary(math::Mul, left, slope)?;
    Ok(tvec!(w.binary(math::Sub, right, left)?))
}
