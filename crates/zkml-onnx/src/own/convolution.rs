//! Convolutions of the other direction: each element is spread over a window of the result.
//! <https://onnx.ai/onnx/operators/onnx__ConvTranspose.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::{Along, Own, Wiring, other};

pub(super) const OWN: &[Own] = &[other(
    "ConvTranspose",
    "constant weights; as a convolution of the input with zeros between its elements",
    transposed,
)];

/// Attributes, one number for each dimension of the image.
struct Geometry {
    kernel: Vec<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    /// Elements of the full result that are cut off on both sides; negative where zeros are added.
    cuts: Vec<(i64, i64)>,
}

fn transposed(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let weights = w.constant(1, "the tensor of weights")?;
    let group = usize::try_from(w.int("group", 1)).unwrap_or(0);
    let own = weights.shape().to_vec();
    ensure!(
        shape.len() >= 3 && own.len() == shape.len() && own[0] == shape[1],
        "weights {own:?} for {shape:?}"
    );
    ensure!(group > 0 && own[0].is_multiple_of(group), "{group} groups of {} channels", own[0]);
    let g = geometry(w, &shape, &own)?;
    let mut y = x;
    for d in 0..g.kernel.len() {
        let span = (g.kernel[d] - 1) * g.dilations[d];
        let stuffed = (shape[2 + d] - 1) * g.strides[d] + 1;
        let (before, after) = (span as i64 - g.cuts[d].0, span as i64 - g.cuts[d].1);
        let total = stuffed as i64 + before + after;
        ensure!(total > 0 && total <= 1 << 24, "the pads leave {total} elements");
        let at = |i: i64| {
            let place = i - before;
            let inside = place >= 0 && place < stuffed as i64 && place % g.strides[d] as i64 == 0;
            inside.then(|| place as usize / g.strides[d])
        };
        let picks: Vec<Option<usize>> = (0..total).map(at).collect();
        y = w.apply(Along::picked(2 + d, &picks, 0.0), &[y])?;
    }
    let kernel = flipped(w, &weights, group)?;
    convolved(w, y, kernel, &g, [shape[1], own[1] * group, group])
}

fn geometry(w: &Wiring<'_>, shape: &[usize], own: &[usize]) -> TractResult<Geometry> {
    let rank = shape.len() - 2;
    let list = |name: &str, default: i64, count: usize| -> TractResult<Vec<i64>> {
        let given = w.ints(name).unwrap_or_else(|| vec![default; count]);
        ensure!(
            given.len() == count,
            "the attribute `{name}` has {} numbers instead of {count}",
            given.len()
        );
        Ok(given)
    };
    let positive = |name: &str| -> TractResult<Vec<usize>> {
        let given = list(name, 1, rank)?;
        ensure!(given.iter().all(|v| (1..=1 << 16).contains(v)), "the attribute `{name}` is {given:?}");
        Ok(given.into_iter().map(|v| v as usize).collect())
    };
    let (strides, dilations) = (positive("strides")?, positive("dilations")?);
    let (kernel, extra) = (own[2..].to_vec(), list("output_padding", 0, rank)?);
    let full = |d: usize| ((shape[2 + d] - 1) * strides[d] + (kernel[d] - 1) * dilations[d] + 1) as i64;
    let pads = list("pads", 0, 2 * rank)?;
    let wanted = w.ints("output_shape").map(|s| s[s.len().saturating_sub(rank)..].to_vec());
    let automatic = w.text("auto_pad", "NOTSET");
    let cut = |d: usize| -> TractResult<(i64, i64)> {
        let size = match (&wanted, automatic.as_str()) {
            (Some(sizes), _) => *sizes.get(d).context("the attribute `output_shape` is too short")?,
            (None, "SAME_UPPER" | "SAME_LOWER") => (shape[2 + d] * strides[d]) as i64,
            (None, "NOTSET" | "") => return Ok((pads[d], pads[rank + d] - extra[d])),
            (None, "VALID") => return Ok((0, -extra[d])),
            (None, other) => bail!("the auto_pad {other}"),
        };
        let total = full(d) + extra[d] - size;
        let first = if automatic == "SAME_UPPER" { total / 2 } else { total - total / 2 };
        let first = if automatic == "SAME_LOWER" || automatic == "SAME_UPPER" { first } else { total / 2 };
        Ok((first, total - first - extra[d]))
    };
    let cuts = (0..rank).map(cut).collect::<TractResult<Vec<_>>>()?;
    Ok(Geometry { kernel, strides, dilations, cuts })
}

/// Weights `[in, out/group, …]` as those of a convolution, `[out, in/group, …]`, back to front.
fn flipped(w: &mut Wiring<'_>, weights: &Tensor, group: usize) -> TractResult<OutletId> {
    let shape = weights.shape().to_vec();
    let (kind, inputs, outputs) = (weights.datum_type(), shape[0] / group, shape[1]);
    let cast = weights.cast_to::<f64>()?.into_owned();
    let values = cast.try_as_plain_ram()?.as_slice::<f64>()?.to_vec();
    let size: usize = shape[2..].iter().product();
    let mut out: Vec<f64> = Vec::with_capacity(values.len());
    for (g, o, i) in
        (0..group).flat_map(|g| (0..outputs).flat_map(move |o| (0..inputs).map(move |i| (g, o, i))))
    {
        let start = ((g * inputs + i) * outputs + o) * size;
        // Back to front in every dimension is back to front altogether.
        out.extend(values[start..start + size].iter().rev().copied());
    }
    let to: Vec<usize> = [&[group * outputs, inputs], &shape[2..]].concat();
    let tensor = tensor1(&out).into_shape(&to)?.cast_to_dt(kind)?.into_owned();
    let name = w.name();
    w.model.add_const(name, tensor)
}

fn convolved(
    w: &mut Wiring<'_>,
    x: OutletId,
    kernel: OutletId,
    g: &Geometry,
    [from, to, group]: [usize; 3],
) -> TractResult<TVec<OutletId>> {
    let kind = w.kind(x)?;
    let bias = match w.optional(2) {
        Some(_) => w.reals(2, "the bias")?,
        None => vec![0.0; to],
    };
    ensure!(bias.len() == to, "{} biases for {to} channels", bias.len());
    let bias = tensor1(&bias).cast_to_dt(kind)?.into_owned();
    let name = w.name();
    let bias = w.model.add_const(name, bias)?;
    let pool_spec = PoolSpec {
        data_format: DataFormat::NCHW,
        kernel_shape: g.kernel.iter().copied().collect(),
        padding: PaddingSpec::Valid,
        dilations: Some(g.dilations.iter().copied().collect()),
        strides: None,
        input_channels: from,
        output_channels: to,
    };
    let op = Conv { pool_spec, kernel_fmt: KernelFormat::OIHW, group, q_params: None };
    let name = w.name();
    w.model.wire_node(name, op, &[x, kernel, bias])
}
