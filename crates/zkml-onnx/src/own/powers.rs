//! Powers: of constant integers by products, others by exponentials of logarithms.
//! <https://onnx.ai/onnx/operators/onnx__Pow.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::{logic, math};

use super::{Own, Wiring, other};

pub(super) const OWN: &[Own] = &[other(
    "Pow",
    "integer exponents up to 16 by products, others by the exponential of a logarithm, of a base that is positive",
    raised,
)];

/// Largest exponent that is computed by products.
const MOST: f64 = 16.0;

fn raised(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let (base, exponent) = (w.input(0)?, w.input(1)?);
    let kind = w.kind(base)?;
    // Products of integers stay integers, whatever type holds them.
    let base = w.cast(base, if kind.is_float() { kind } else { DatumType::F64 })?;
    let konst = w.model.outlet_fact(exponent)?.konst.clone();
    let y = match konst {
        Some(konst) => {
            let exponents = w.reals(1, "the exponent")?;
            let whole = exponents.iter().all(|e| e.fract() == 0.0 && e.abs() <= MOST);
            if whole && (kind.is_float() || exponents.iter().all(|e| *e >= 0.0)) {
                by_products(w, base, &exponents, konst.shape())?
            } else {
                by_logarithm(w, base, exponent, &exponents)?
            }
        }
        None => by_logarithm(w, base, exponent, &[])?,
    };
    Ok(tvec!(w.cast(y, kind)?))
}

/// The power of each exponent that occurs, and of these the right one everywhere.
fn by_products(w: &mut Wiring<'_>, x: OutletId, exponents: &[f64], shape: &[usize]) -> TractResult<OutletId> {
    let mut distinct = exponents.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let mut y: Option<OutletId> = None;
    for e in distinct {
        let power = power(w, x, e)?;
        let Some(rest) = y else {
            y = Some(power);
            continue;
        };
        let here: Vec<bool> = exponents.iter().map(|other| *other == e).collect();
        let name = w.name();
        let here = w.model.add_const(name, tensor1(&here).into_shape(shape)?)?;
        y = Some(w.apply(logic::Iff, &[here, power, rest])?);
    }
    let y = y.with_context(|| "there is no exponent")?;
    // The exponents may have more dimensions than the base.
    let zeros = w.numbers(x, &vec![0.0; exponents.len()], shape)?;
    if shape.len() <= w.shape(x)?.len() && exponents.len() == 1 {
        Ok(y)
    } else {
        w.binary(math::Add, y, zeros)
    }
}

/// Square and multiply.
fn power(w: &mut Wiring<'_>, x: OutletId, exponent: f64) -> TractResult<OutletId> {
    let mut left = exponent.abs() as u32;
    if left == 0 {
        let zero = w.times(x, 0.0)?;
        return w.plus(zero, 1.0);
    }
    let (mut square, mut y) = (x, None);
    while left > 0 {
        if left % 2 == 1 {
            y = Some(match y {
                Some(y) => w.binary(math::Mul, y, square)?,
                None => square,
            });
        }
        left /= 2;
        if left > 0 {
            square = w.binary(math::Mul, square, square)?;
        }
    }
    let y = y.with_context(|| "there is no exponent")?;
    if exponent < 0.0 { w.apply(math::recip(), &[y]) } else { Ok(y) }
}

/// `e^(exponent · ln base)`, and roots where they are meant.
fn by_logarithm(
    w: &mut Wiring<'_>,
    base: OutletId,
    exponent: OutletId,
    known: &[f64],
) -> TractResult<OutletId> {
    match known {
        [0.5] => return w.apply(math::sqrt(), &[base]),
        [-0.5] => return w.apply(math::rsqrt(), &[base]),
        _ => {}
    }
    let kind = w.kind(base)?;
    let exponent = w.cast(exponent, kind)?;
    let logarithm = w.apply(math::ln(), &[base])?;
    let product = w.binary(math::Mul, logarithm, exponent)?;
    w.apply(math::exp(), &[product])
}
