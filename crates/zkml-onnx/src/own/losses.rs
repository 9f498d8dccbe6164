//! Losses with constant labels, as they end models that are exported with their evaluation.
//! <https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html>, <https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind};

use super::{Own, Wiring, other};
use crate::proto::attribute;

pub(super) const OWN: &[Own] = &[
    other("NegativeLogLikelihoodLoss", "constant labels and weights", |w| {
        let x = w.input(0)?;
        Ok(tvec!(loss(w, x)?))
    }),
    other("SoftmaxCrossEntropyLoss", "constant labels and weights", |w| {
        let x = w.input(0)?;
        let kind = SoftmaxKind::LogSoftmax;
        let logarithms = w.apply(Softmax { axes: tvec![1], quant_output_dt: None, kind }, &[x])?;
        let loss = loss(w, logarithms)?;
        let both = w.node.output.get(1).is_some_and(|o| !o.is_empty());
        Ok(if both { tvec!(loss, logarithms) } else { tvec!(loss) })
    }),
];

/// `−Σ weight·x` at the labels: a product with constants, and a sum over the classes.
fn loss(w: &mut Wiring<'_>, x: OutletId) -> TractResult<OutletId> {
    let shape = w.shape(x)?;
    ensure!(shape.len() >= 2, "an input of shape {shape:?} has no classes");
    let labels = w.reals(1, "the tensor of labels")?;
    let weights = match w.optional(2) {
        Some(_) => w.reals(2, "the tensor of weights")?,
        None => vec![1.0; shape[1]],
    };
    ensure!(weights.len() == shape[1], "{} weights for {} classes", weights.len(), shape[1]);
    let ignored = attribute(w.node, "ignore_index").map(|a| a.i as f64);
    let inner: usize = shape[2..].iter().product();
    ensure!(labels.len() == shape[0] * inner, "{} labels for {:?}", labels.len(), shape);
    let mut factors = vec![0.0; shape.iter().product()];
    let mut total = 0.0;
    for (place, label) in labels.iter().enumerate().filter(|(_, l)| Some(**l) != ignored) {
        ensure!(*label >= 0.0 && *label < shape[1] as f64, "the label {label} of {} classes", shape[1]);
        let class = *label as usize;
        factors[(place / inner * shape[1] + class) * inner + place % inner] = -weights[class];
        total += weights[class];
    }
    let mean = w.text("reduction", "mean");
    if mean == "mean" {
        ensure!(total != 0.0, "no label counts, so there is no mean");
        factors.iter_mut().for_each(|f| *f /= total);
    }
    let factors = w.numbers(x, &factors, &shape)?;
    let product = w.binary(math::Mul, x, factors)?;
    let axes: TVec<usize> = if mean == "none" { tvec![1] } else { (0..shape.len()).collect() };
    let mut y = w.apply(Reduce::new(axes.clone(), Reducer::Sum), &[product])?;
    for d in axes.into_iter().rev() {
        y = w.apply(AxisOp::Rm(d), &[y])?;
    }
    Ok(y)
}
