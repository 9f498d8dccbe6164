//! From reals to the integers of quantized models, and back: bit for bit what ONNX defines, since the integers stay integers.
//! <https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html>, <https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html>

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::math;

use super::{Own, Wiring, other};

pub(super) const OWN: &[Own] = &[
    other(
        "QuantizeLinear",
        "8 and 16 bits; constant scale and zero point, per tensor, axis or block; halves to the even neighbour",
        quantized,
    ),
    other(
        "DequantizeLinear",
        "8, 16 and 32 bits; constant scale and zero point, per tensor, axis or block",
        real,
    ),
];

/// `saturate(round(x / scale) + zero_point)`.
fn quantized(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let kind = match (w.optional(2), w.int("output_dtype", 0)) {
        (Some(zero_point), _) => w.kind(zero_point)?,
        (None, 0) => DatumType::U8,
        (None, code) => integer_type(code)?,
    };
    Ok(tvec!(rounded(w, x, [1, 2], kind)?))
}

/// `saturate(round(x / scale) + zero_point)`, with scale and zero point in these slots.
pub(super) fn rounded(
    w: &mut Wiring<'_>,
    x: OutletId,
    [scale, zero_point]: [usize; 2],
    kind: DatumType,
) -> TractResult<OutletId> {
    let (lo, hi) = range(kind)?;
    let shape = w.shape(x)?;
    let x = w.cast(x, DatumType::F32)?;
    let scale = parameter(w, scale, "the scale", &shape)?.with_context(|| "the scale is missing")?;
    let mut y = w.binary(math::Div, x, scale)?;
    y = w.apply(math::round_half_to_even(), &[y])?;
    if let Some(zero_point) = parameter(w, zero_point, "the zero point", &shape)? {
        y = w.binary(math::Add, y, zero_point)?;
    }
    y = w.at_least(y, lo)?;
    y = w.at_most(y, hi)?;
    w.cast(y, kind)
}

/// A scale or zero point that broadcasts to a shape. One number for all of the tensor may come out of the model.
fn parameter(w: &mut Wiring<'_>, slot: usize, what: &str, shape: &[usize]) -> TractResult<Option<OutletId>> {
    let Some(outlet) = w.optional(slot) else { return Ok(None) };
    if w.model.outlet_fact(outlet)?.konst.is_none() && w.shape(outlet)?.iter().product::<usize>() == 1 {
        let one = w.reshaped(outlet, &[])?;
        return Ok(Some(w.cast(one, DatumType::F32)?));
    }
    let values = spread(w, slot, what, shape)?;
    let shape = if values.len() == 1 { &[] } else { shape };
    Ok(Some(w.floats(&values, shape)?))
}

/// `(x − zero_point) · scale`.
fn real(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let kind = w.kind(w.input(1)?)?;
    let mut y = w.cast(x, DatumType::F32)?;
    if let Some(zero_point) = parameter(w, 2, "the zero point", &shape)? {
        y = w.binary(math::Sub, y, zero_point)?;
    }
    let scale = parameter(w, 1, "the scale", &shape)?.with_context(|| "the scale is missing")?;
    y = w.binary(math::Mul, y, scale)?;
    Ok(tvec!(w.cast(y, kind)?))
}

fn integer_type(code: i64) -> TractResult<DatumType> {
    let known = i32::try_from(code).ok().and_then(|c| DataType::try_from(c).ok());
    Ok(match known {
        Some(DataType::Uint8) => DatumType::U8,
        Some(DataType::Int8) => DatumType::I8,
        Some(DataType::Uint16) => DatumType::U16,
        Some(DataType::Int16) => DatumType::I16,
        _ => bail!("the output_dtype {code}; 8 and 16 bits are supported"),
    })
}

fn range(kind: DatumType) -> TractResult<(f64, f64)> {
    Ok(match kind {
        DatumType::U8 => (0.0, 255.0),
        DatumType::I8 => (-128.0, 127.0),
        DatumType::U16 => (0.0, 65535.0),
        DatumType::I16 => (-32768.0, 32767.0),
        other => bail!("integers of type {other:?}; 8 and 16 bits are supported"),
    })
}

/// A scale or zero point for each element of a tensor, or one for all: there is one for the tensor, one for each index of an axis, or
/// one for each block along it.
fn spread(w: &Wiring<'_>, slot: usize, what: &str, shape: &[usize]) -> TractResult<Vec<f64>> {
    let (values, own) = (w.reals(slot, what)?, w.constant(slot, what)?.shape().to_vec());
    if let [one] = values.as_slice() {
        return Ok(vec![*one]);
    }
    let axis = w.axis(w.int("axis", 1), shape.len())?;
    let block = usize::try_from(w.int("block_size", 0)).unwrap_or(0);
    let row = crate::net::strides(shape);
    let index = |i: usize, d: usize| i / row[d] as usize % shape[d];
    let count: usize = shape.iter().product();
    if block == 0 {
        ensure!(
            own.len() == 1 && own[0] == shape[axis],
            "{what} of shape {own:?} for {} indices",
            shape[axis]
        );
        return Ok((0..count).map(|i| values[index(i, axis)]).collect());
    }
    let blocks: Vec<usize> =
        (0..shape.len()).map(|d| if d == axis { shape[d].div_ceil(block) } else { shape[d] }).collect();
    ensure!(own == blocks, "{what} of shape {own:?} for blocks {blocks:?}");
    let step = crate::net::strides(&blocks);
    let at = |i: usize| -> usize {
        let place = |d: usize| if d == axis { index(i, d) / block } else { index(i, d) };
        (0..shape.len()).map(|d| place(d) * step[d] as usize).sum()
    };
    Ok((0..count).map(|i| values[at(i)]).collect())
}
