//! Products of quantized tensors: sums of integers, which are exact, and one factor behind them.
//! <https://onnx.ai/onnx/operators/onnx__QLinearConv.html> and its neighbours

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_hir::internal::Expansion;
use tract_onnx::tract_hir::ops::matmul::MatMulInference;

use super::quantize::rounded;
use super::{Own, Wiring, other};

pub(super) const OWN: &[Own] = &[
    other("MatMulInteger", "constant zero points", |w| {
        let y = matrix(w, [0, 2], [1, 3])?;
        Ok(tvec!(w.cast(y, DatumType::I32)?))
    }),
    other("QLinearMatMul", "8 bits; constant scales and zero points", |w| {
        let sums = matrix(w, [0, 2], [3, 5])?;
        let y = scaled(w, sums, [1, 4], &[])?;
        let kind = w.kind(w.input(7)?)?;
        Ok(tvec!(rounded(w, y, [6, 7], kind)?))
    }),
    other("ConvInteger", "constant weights and zero points", |w| {
        let y = image(w, [0, 2], [1, 3], None)?;
        Ok(tvec!(w.cast(y, DatumType::I32)?))
    }),
    other("QLinearConv", "8 bits; constant weights, scales and zero points, one for each channel too", |w| {
        let sums = image(w, [0, 2], [3, 5], Some(8))?;
        let channels = vec![1; w.shape(sums)?.len() - 2];
        let y = scaled(w, sums, [1, 4], &channels)?;
        let kind = w.kind(w.input(7)?)?;
        Ok(tvec!(rounded(w, y, [6, 7], kind)?))
    }),
];

/// A tensor less its zero point. One zero point for each index of the first dimension, or for all; for matrices as it broadcasts.
fn centred(w: &mut Wiring<'_>, [x, zero]: [usize; 2], first: bool) -> TractResult<OutletId> {
    let x = w.input(x)?;
    let rank = w.shape(x)?.len();
    let x = w.cast(x, DatumType::F32)?;
    if w.optional(zero).is_none() {
        return Ok(x);
    }
    let (values, own) =
        (w.reals(zero, "the zero point")?, w.constant(zero, "the zero point")?.shape().to_vec());
    let shape = match (values.len(), first) {
        (1, _) => Vec::new(),
        (n, true) => [&[n][..], &vec![1; rank - 1]].concat(),
        (_, false) => own,
    };
    let zero = w.floats(&values, &shape)?;
    w.binary(math::Sub, x, zero)
}

fn matrix(w: &mut Wiring<'_>, a: [usize; 2], b: [usize; 2]) -> TractResult<OutletId> {
    let (a, b) = (centred(w, a, false)?, centred(w, b, false)?);
    let name = w.name();
    Ok(MatMulInference::default().wire(&name, w.model, &[a, b])?[0])
}

/// Times the product of both scales; `tail` are dimensions of size one behind the channels.
fn scaled(w: &mut Wiring<'_>, x: OutletId, [a, b]: [usize; 2], tail: &[usize]) -> TractResult<OutletId> {
    let (a, b) = (w.reals(a, "the first scale")?, w.reals(b, "the second scale")?);
    // Integers by their type: factors of channels stay behind the sums.
    let x = w.cast(x, DatumType::I32)?;
    let x = w.cast(x, DatumType::F32)?;
    ensure!(a.len() == 1 || b.len() == 1, "{} scales for rows and {} for columns", a.len(), b.len());
    let product: Vec<f64> = a.iter().flat_map(|a| b.iter().map(move |b| a * b)).collect();
    let shape = if product.len() == 1 { Vec::new() } else { [&[product.len()][..], tail].concat() };
    let product = w.floats(&product, &shape)?;
    // A channel is the dimension after the batch; a column of a matrix is its last one.
    w.binary(math::Mul, x, product)
}

fn image(
    w: &mut Wiring<'_>,
    x: [usize; 2],
    kernel: [usize; 2],
    bias: Option<usize>,
) -> TractResult<OutletId> {
    let (x, weights) = (centred(w, x, false)?, centred(w, kernel, true)?);
    let (shape, own) = (w.shape(x)?, w.shape(weights)?);
    let group = usize::try_from(w.int("group", 1)).unwrap_or(0);
    ensure!(shape.len() >= 3 && own.len() == shape.len(), "weights {own:?} for {shape:?}");
    ensure!(
        group > 0 && own[1] * group == shape[1] && own[0].is_multiple_of(group),
        "{group} groups of {shape:?}"
    );
    let rank = shape.len() - 2;
    let values = match bias.filter(|slot| w.optional(*slot).is_some()) {
        Some(slot) => w.reals(slot, "the bias")?,
        None => vec![0.0; own[0]],
    };
    ensure!(values.len() == own[0], "{} biases for {} channels", values.len(), own[0]);
    let bias = w.floats(&values, &[own[0]])?;
    let sizes = |name: &str| -> TractResult<Option<TVec<usize>>> {
        let Some(given) = w.ints(name) else { return Ok(None) };
        ensure!(given.len() == rank && given.iter().all(|v| *v > 0), "the attribute `{name}` is {given:?}");
        Ok(Some(given.into_iter().map(|v| v as usize).collect()))
    };
    let (strides, dilations) = (sizes("strides")?, sizes("dilations")?);
    let padding = padding(w, rank)?;
    let pool_spec = PoolSpec {
        data_format: DataFormat::NCHW,
        kernel_shape: own[2..].iter().copied().collect(),
        padding,
        dilations,
        strides,
        input_channels: shape[1],
        output_channels: own[0],
    };
    let name = w.name();
    let op = Conv { pool_spec, kernel_fmt: KernelFormat::OIHW, group, q_params: None };
    Ok(w.model.wire_node(name, op, &[x, weights, bias])?[0])
}

/// The padding of a window, as the attributes say.
pub(super) fn padding(w: &Wiring<'_>, rank: usize) -> TractResult<PaddingSpec> {
    Ok(match w.text("auto_pad", "NOTSET").as_str() {
        "NOTSET" | "" => {
            let pads = w.ints("pads").unwrap_or_else(|| vec![0; 2 * rank]);
            ensure!(
                pads.len() == 2 * rank && pads.iter().all(|p| *p >= 0),
                "the attribute `pads` is {pads:?}"
            );
            let side = |p: &[i64]| p.iter().map(|v| *v as usize).collect();
            PaddingSpec::Explicit(side(&pads[..rank]), side(&pads[rank..]))
        }
        "VALID" => PaddingSpec::Valid,
        "SAME_UPPER" => PaddingSpec::SameUpper,
        "SAME_LOWER" => PaddingSpec::SameLower,
        other => bail!("the auto_pad {other}"),
    })
}
