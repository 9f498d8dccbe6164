//! Norms of windows.
//! <https://onnx.ai/onnx/operators/onnx__LpPool.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cnn::{PaddingSpec, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{DataFormat, Reduce, Reducer};

use super::integer_products::padding;
use super::{Own, Wiring, other};

pub(super) const OWN: &[Own] = &[
    other("LpPool", "p of 1, 2, 3 and 4", pooled),
    other("GlobalLpPool", "p of 1, 2, 3 and 4", |w| {
        let x = w.input(0)?;
        let (rank, p) = (w.shape(x)?.len(), w.int("p", 2));
        let power = powered(w, x, p)?;
        let sum = w.apply(Reduce::new((2..rank).collect(), Reducer::Sum), &[power])?;
        Ok(tvec!(root(w, sum, p)?))
    }),
];

fn pooled(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    ensure!(shape.len() >= 3, "an input of shape {shape:?} has no windows");
    let (rank, p) = (shape.len() - 2, w.int("p", 2));
    let sizes = |name: &str| -> TractResult<TVec<usize>> {
        let given = w.ints(name).unwrap_or_else(|| vec![1; rank]);
        ensure!(given.len() == rank && given.iter().all(|v| *v > 0), "the attribute `{name}` is {given:?}");
        Ok(given.into_iter().map(|v| v as usize).collect())
    };
    let padding = match padding(w, rank)? {
        PaddingSpec::Explicit(before, after) if w.int("ceil_mode", 0) != 0 => {
            PaddingSpec::ExplicitOnnxPool(before, after, true)
        }
        other => other,
    };
    let pool_spec = PoolSpec {
        data_format: DataFormat::NCHW,
        kernel_shape: sizes("kernel_shape")?,
        padding,
        dilations: Some(sizes("dilations")?),
        strides: Some(sizes("strides")?),
        input_channels: shape[1],
        output_channels: shape[1],
    };
    let power = powered(w, x, p)?;
    let pool = SumPool { pool_spec, count_include_pad: true, normalize: false };
    let sum = w.apply(pool, &[power])?;
    Ok(tvec!(root(w, sum, p)?))
}

/// `|x|^p`.
fn powered(w: &mut Wiring<'_>, x: OutletId, p: i64) -> TractResult<OutletId> {
    let square = |w: &mut Wiring<'_>, x| w.apply(math::square(), &[x]);
    match p {
        1 => w.apply(math::abs(), &[x]),
        2 => square(w, x),
        3 => {
            let (size, square) = (w.apply(math::abs(), &[x])?, square(w, x)?);
            w.binary(math::Mul, size, square)
        }
        4 => {
            let once = square(w, x)?;
            square(w, once)
        }
        other => bail!("the norm p of {other}; 1, 2, 3 and 4 are supported"),
    }
}

fn root(w: &mut Wiring<'_>, x: OutletId, p: i64) -> TractResult<OutletId> {
    match p {
        1 => Ok(x),
        2 => w.apply(math::sqrt(), &[x]),
        4 => {
            let once = w.apply(math::sqrt(), &[x])?;
            w.apply(math::sqrt(), &[once])
        }
        _ => {
            let logarithm = w.apply(math::ln(), &[x])?;
            let part = w.times(logarithm, 1.0 / p as f64)?;
            w.apply(math::exp(), &[part])
        }
    }
}
