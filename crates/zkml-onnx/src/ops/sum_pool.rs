//! Sums and averages over windows.
//! <https://onnx.ai/onnx/operators/onnx__AveragePool.html>

use tract_onnx::tract_core::ops::cnn::SumPool;
use zkml_graph::Map;
use zkml_graph::map::Axis;

use super::conv::Windows;
use super::{Lowered, Lowering, OpSupport, TractNode, is, op};
use crate::error::Reason;
use crate::net::{Contraction, Numbers, Operand, strides};

pub(super) const ONNX: &[OpSupport] =
    &[op("AveragePool", "1-D, 2-D, 3-D; stride, padding, ceil_mode, count_include_pad both ways")];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    let pool = is::<SumPool>(node)?;
    Some(pooled(l, node, pool))
}

fn pooled(l: &mut Lowering<'_>, node: &TractNode, pool: &SumPool) -> Result<Operand, Reason> {
    let x = l.input(node, 0)?;
    let w = Windows::new(&pool.pool_spec, &x.map.shape)?;
    let spatial = w.out.len();
    let view = all_dimensions(&x.map.shape, &w);
    let kernel: usize = w.kernel.iter().product();
    let rank = x.map.shape.len();
    let shape = l.output_shape(node)?;
    let factor = if pool.normalize { 1.0 / kernel as f64 } else { 1.0 };
    let a = l.net.view(&node.name, &x, &view);
    let factors = Numbers::public(vec![factor; kernel]);
    let weights = l.net.push_const(&format!("{}.weight", node.name), factors, &w.kernel);
    let ranks = [0, rank, spatial, 0];
    let c = Contraction { a, b: weights, addend: None, ranks, y: Map::identity(&shape) };
    let y = l.net.contract(&node.name, c);
    if !pool.normalize {
        return Ok(y);
    }
    // What does not count is zero in the sum: correct the border by a constant factor.
    let counted = counted(&shape, &w, pool.count_include_pad);
    if counted.iter().all(|c| *c == kernel) {
        return Ok(y);
    }
    let scale: Vec<f64> = counted.iter().map(|c| kernel as f64 / *c as f64).collect();
    let (shift, scale) = (Numbers::public(vec![0.0; scale.len()]), Numbers::public(scale));
    Ok(l.net.affine(&format!("{}.border", node.name), y, false, scale, shift))
}

/// Number of elements that each result is the average of: those of its window inside the image, or inside the image
/// with its padding. With `ceil_mode` a window may reach beyond both.
fn counted(shape: &[usize], w: &Windows, with_padding: bool) -> Vec<usize> {
    let along = |d: usize| -> Vec<usize> {
        let (before, after) = if with_padding { (0, w.after[d]) } else { (w.before[d], 0) };
        let ends = before..w.before[d] + w.sizes[d] + after;
        let inside = |o: usize, k: usize| ends.contains(&(o * w.stride[d] + k * w.dilation[d]));
        (0..w.out[d]).map(|o| (0..w.kernel[d]).filter(|k| inside(o, *k)).count()).collect()
    };
    let spatial: Vec<Vec<usize>> = (0..w.out.len()).map(along).collect();
    let row = strides(shape);
    let at = |i: usize, d: usize| i / row[w.hw + d] as usize % shape[w.hw + d];
    let one = |i: usize| spatial.iter().enumerate().map(|(d, counts)| counts[at(i, d)]).product::<usize>();
    (0..shape.iter().product()).map(|i| one(i).max(1)).collect()
}

/// All dimensions of the result, then those of the window.
fn all_dimensions(source: &[usize], w: &Windows) -> Map {
    let (rank, spatial) = (source.len(), w.out.len());
    let mut shape = source.to_vec();
    shape[w.hw..w.hw + spatial].copy_from_slice(&w.out);
    shape.extend(&w.kernel);
    let axes = (0..rank).map(|s| {
        if (w.hw..w.hw + spatial).contains(&s) {
            return w.axis(s - w.hw, rank + spatial, s, rank + s - w.hw);
        }
        Axis { offset: 0, steps: (0..rank + spatial).map(|v| i64::from(v == s)).collect() }
    });
    Map { source: source.to_vec(), shape, axes: axes.collect(), pad: w.padded.then_some(0) }
}
