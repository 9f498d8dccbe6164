//! Convolution in any number of spatial dimensions, as a contraction over a windowed view.
//! <https://onnx.ai/onnx/operators/onnx__Conv.html>

use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, PoolSpec};
use zkml_graph::Map;
use zkml_graph::map::Axis;

use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Contraction, Numbers, Operand};

pub(super) const ONNX: &[OpSupport] =
    &[op("Conv", "1-D, 2-D, 3-D; stride, padding, auto_pad, dilation, groups; constant kernel")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let conv = is::<Conv>(node)?;
    Some(convolution(l, node, conv))
}

/// Windows over the spatial dimensions of an image.
pub(super) struct Windows {
    /// Position of the batch dimension, if there is one.
    pub(super) n: Option<usize>,
    /// Position of the channel dimension.
    pub(super) c: usize,
    /// Position of the first spatial dimension.
    pub(super) hw: usize,
    /// Number of windows along each spatial dimension.
    pub(super) out: Vec<usize>,
    /// Size of a window.
    pub(super) kernel: Vec<usize>,
    /// Step between windows.
    pub(super) stride: Vec<usize>,
    /// Step inside a window.
    pub(super) dilation: Vec<usize>,
    /// Size of the image along each spatial dimension.
    pub(super) sizes: Vec<usize>,
    /// Elements added in front.
    pub(super) before: Vec<usize>,
    /// Elements added behind. With `ceil_mode` windows may reach further.
    pub(super) after: Vec<usize>,
    /// Whether some window leaves the image.
    pub(super) padded: bool,
}

impl Windows {
    /// The windows of a tract description over an image of shape `input`.
    pub(super) fn new(spec: &PoolSpec, input: &[usize]) -> Result<Self, Reason> {
        let shape = spec.data_format.shape(input)?;
        let (n, c, hw) = (shape.n_axis(), shape.c_axis(), shape.h_axis());
        let sizes = shape.hw_dims().to_vec();
        let computed = spec.computed_padding(&sizes);
        let out: Vec<usize> = computed.iter().map(|d| d.convoluted).collect();
        let before: Vec<usize> = computed.iter().map(|d| d.pad_before).collect();
        let after: Vec<usize> = computed.iter().map(|d| d.pad_after).collect();
        let (stride, dilation) = (spec.strides().to_vec(), spec.dilations().to_vec());
        let kernel = spec.kernel_shape.to_vec();
        let leaves = |d: usize| {
            let last = (out[d].max(1) - 1) * stride[d] + (kernel[d] - 1) * dilation[d];
            before[d] > 0 || last >= sizes[d]
        };
        let padded = (0..sizes.len()).any(leaves);
        let channels = shape.c() * shape.n().copied().unwrap_or(1);
        let seen = out.iter().chain(&kernel).try_fold(channels, |a, d| a.checked_mul(*d));
        if seen.is_none_or(|s| s > super::MOST_ELEMENTS) {
            return Err(format!("{out:?} windows of {kernel:?} elements are too many").into());
        }
        Ok(Self { n, c, hw, out, kernel, stride, dilation, sizes, before, after, padded })
    }

    /// The coordinate along spatial dimension `d` for a view with `rank` dimensions, in which dimension
    /// `at_out` walks windows and `at_kernel` walks a window.
    pub(super) fn axis(&self, d: usize, rank: usize, at_out: usize, at_kernel: usize) -> Axis {
        let mut steps = vec![0; rank];
        steps[at_out] = self.stride[d] as i64;
        steps[at_kernel] = self.dilation[d] as i64;
        Axis { offset: -(self.before[d] as i64), steps }
    }
}

fn convolution(l: &mut Lowering<'_>, node: &TractNode, conv: &Conv) -> Result<Operand, Reason> {
    if conv.q_params.is_some() {
        return Err("quantized convolution".into());
    }
    let (x, kernel) = (l.input(node, 0)?, l.input(node, 1)?);
    let shape = l.output_shape(node)?;
    let w = Windows::new(&conv.pool_spec, &x.map.shape)?;
    let groups = Groups {
        count: conv.group,
        out: conv.pool_spec.output_channels,
        inside: conv.pool_spec.input_channels,
    };
    let images = w.n.map_or(1, |n| x.map.shape[n]);
    let a_map = image_view(&x.map.shape, &w, &groups, images);
    let b_map = kernel_view(&kernel.map.shape, &w, &groups, conv.kernel_fmt)?;
    let y = output_view(&shape, &w, &groups, images);
    let spatial = w.out.len();
    let ranks = [1, 1 + spatial, 1 + spatial, 1];
    let bias = l.input(node, 2)?;
    let bias = l.net.constant(&bias).ok_or("the bias is not constant")?;
    let a = l.net.view(&node.name, &x, &a_map);
    let b = l.net.view(&format!("{}.weights", node.name), &kernel, &b_map);
    let addend = groups.addend(&bias, images * w.out.iter().product::<usize>());
    Ok(l.net.contract(&node.name, Contraction { a, b, addend, ranks, y }))
}

struct Groups {
    count: usize,
    out: usize,
    inside: usize,
}

impl Groups {
    fn out_each(&self) -> usize {
        self.out / self.count
    }

    fn in_each(&self) -> usize {
        self.inside / self.count
    }

    /// The bias once per window, in the order group, window, channel; nothing when it is zero.
    fn addend(&self, bias: &Numbers, windows: usize) -> Option<Numbers> {
        let each = self.out_each();
        let group = |g: usize| (0..windows).flat_map(move |_| (0..each).map(move |o| g * each + o));
        let at = |bias: &[f64], c: usize| if bias.len() == 1 { bias[0] } else { bias[c] };
        let spread = |bias: &[f64]| (0..self.count).flat_map(group).map(|c| at(bias, c)).collect();
        (!bias.is_zero()).then(|| bias.on(spread))
    }
}

/// `group, image, windows…, channel, window…`.
fn image_view(source: &[usize], w: &Windows, g: &Groups, images: usize) -> Map {
    let s = w.out.len();
    let mut shape = vec![g.count, images];
    shape.extend(&w.out);
    shape.push(g.in_each());
    shape.extend(&w.kernel);
    let rank = shape.len();
    let unit = |pairs: &[(usize, i64)]| {
        let mut steps = vec![0; rank];
        pairs.iter().for_each(|&(d, v)| steps[d] = v);
        Axis { offset: 0, steps }
    };
    let axes = (0..source.len())
        .map(|d| match d {
            _ if Some(d) == w.n => unit(&[(1, 1)]),
            _ if d == w.c => unit(&[(0, g.in_each() as i64), (2 + s, 1)]),
            _ => w.axis(d - w.hw, rank, 2 + d - w.hw, 3 + s + d - w.hw),
        })
        .collect();
    Map { source: source.to_vec(), shape, axes, pad: w.padded.then_some(0) }
}

/// `group, channel, window…, output channel`.
fn kernel_view(source: &[usize], w: &Windows, g: &Groups, format: KernelFormat) -> Result<Map, Reason> {
    let s = w.out.len();
    let (o, i, h) = match format {
        KernelFormat::OIHW => (0, 1, 2),
        KernelFormat::HWIO => (s + 1, s, 0),
        KernelFormat::OHWI => (0, s + 1, 1),
    };
    if source.len() != s + 2 || source[o] != g.out || source[i] != g.in_each() {
        return Err(format!(
            "a kernel of shape {source:?} for {} groups of {} channels",
            g.count,
            g.in_each()
        )
        .into());
    }
    let mut shape = vec![g.count, g.in_each()];
    shape.extend(&w.kernel);
    shape.push(g.out_each());
    let axes = (0..source.len())
        .map(|d| {
            let mut steps = vec![0; shape.len()];
            match d {
                _ if d == o => (steps[0], steps[s + 2]) = (g.out_each() as i64, 1),
                _ if d == i => steps[1] = 1,
                _ => steps[2 + d - h] = 1,
            }
            Axis { offset: 0, steps }
        })
        .collect();
    Ok(Map { source: source.to_vec(), shape, axes, pad: None })
}

/// `group, image, windows…, output channel`.
fn output_view(source: &[usize], w: &Windows, g: &Groups, images: usize) -> Map {
    let s = w.out.len();
    let mut shape = vec![g.count, images];
    shape.extend(&w.out);
    shape.push(g.out_each());
    let axes = (0..source.len())
        .map(|d| {
            let mut steps = vec![0; shape.len()];
            match d {
                _ if Some(d) == w.n => steps[1] = 1,
                _ if d == w.c => (steps[0], steps[s + 2]) = (g.out_each() as i64, 1),
                _ => steps[2 + d - w.hw] = 1,
            }
            Axis { offset: 0, steps }
        })
        .collect();
    Map { source: source.to_vec(), shape, axes, pad: None }
}
