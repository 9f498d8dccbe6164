//! Quantization by a range that is found while the model runs.
//! <https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};

use super::{Own, Wiring, other};

pub(super) const OWN: &[Own] = &[other(
    "DynamicQuantizeLinear",
    "the range is that of the values; halves to the even neighbour",
    quantized,
)];

fn quantized(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let axes: TVec<usize> = (0..w.shape(x)?.len()).collect();
    let end = |w: &mut Wiring<'_>, reducer: Reducer| -> TractResult<OutletId> {
        let mut y = w.apply(Reduce::new(axes.clone(), reducer), &[x])?;
        for d in axes.iter().rev() {
            y = w.without(y, *d)?;
        }
        Ok(y)
    };
    let (high, low) = (end(w, Reducer::Max)?, end(w, Reducer::Min)?);
    let (high, low) = (w.at_least(high, 0.0)?, w.at_most(low, 0.0)?);
    let width = w.binary(math::Sub, high, low)?;
    let scale = w.times(width, 1.0 / 255.0)?;
    let below = w.times(low, -255.0)?;
    let zero = w.binary(math::Div, below, width)?;
    let zero = w.apply(math::round_half_to_even(), &[zero])?;
    let zero = saturated(w, zero)?;
    let steps = w.times(x, 255.0)?;
    let steps = w.binary(math::Div, steps, width)?;
    let steps = w.apply(math::round_half_to_even(), &[steps])?;
    let y = w.binary(math::Add, steps, zero)?;
    let y = saturated(w, y)?;
    Ok(tvec!(w.cast(y, DatumType::U8)?, scale, w.cast(zero, DatumType::U8)?))
}

fn saturated(w: &mut Wiring<'_>, x: OutletId) -> TractResult<OutletId> {
    let x = w.at_least(x, 0.0)?;
    w.at_most(x, 255.0)
}
