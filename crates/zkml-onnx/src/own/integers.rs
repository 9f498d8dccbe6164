//! Bits of integers, where no single bit has to be looked at.
//! <https://onnx.ai/onnx/operators/onnx__BitShift.html>, <https://onnx.ai/onnx/operators/onnx__BitwiseNot.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::math;

use super::{Own, Wiring, same};

pub(super) const OWN: &[Own] = &[
    same("BitShift", "by constants; bits that are lost on the left are refused when it is proven", shifted),
    same("BitwiseNot", "as −1 − x, or as the largest number less x", inverted),
];

/// Up to this many bits, integers and their powers of two are exact as floats.
const MOST: f64 = 52.0;

fn shifted(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let (x, by) = (w.input(0)?, w.reals(1, "the number of bits")?);
    let shape = w.constant(1, "the number of bits")?.shape().to_vec();
    ensure!(by.iter().all(|b| (0.0..MOST).contains(b)), "a shift by {by:?} bits");
    let kind = w.kind(x)?;
    let left = w.text("direction", "") == "LEFT";
    let factors: Vec<f64> = by.iter().map(|b| (if left { *b } else { -*b }).exp2()).collect();
    let real = w.apply(cast(DatumType::F64), &[x])?;
    let factors = w.numbers(real, &factors, &shape)?;
    let mut y = w.binary(math::Mul, real, factors)?;
    if !left {
        y = w.apply(math::floor(), &[y])?;
    }
    Ok(tvec!(w.apply(cast(kind), &[y])?))
}

fn inverted(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let kind = w.kind(x)?;
    let most = match kind {
        _ if kind.is_signed() => -1.0,
        DatumType::U8 => 255.0,
        DatumType::U16 => 65535.0,
        DatumType::U32 => f64::from(u32::MAX),
        other => bail!("numbers of type {other:?}"),
    };
    let real = w.apply(cast(DatumType::F64), &[x])?;
    let minus = w.times(real, -1.0)?;
    let y = w.plus(minus, most)?;
    Ok(tvec!(w.apply(cast(kind), &[y])?))
}
