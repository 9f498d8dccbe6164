//! Activations of recurrent layers, with their attributes.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::{math, nn};

use super::super::{Smooth, Wiring, activations};
use super::Kind;
use crate::net::Function;

/// An activation, and the numbers that it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Activation {
    Relu,
    Tanh,
    Sigmoid,
    Softsign,
    Softplus,
    Affine(f64, f64),
    LeakyRelu(f64),
    ThresholdedRelu(f64),
    ScaledTanh(f64, f64),
    HardSigmoid(f64, f64),
    Elu(f64),
}

/// Activations of all directions, one after the other. Each takes the next numbers of the lists, as far as there are any.
pub(super) fn read(w: &Wiring<'_>, kind: Kind, directions: usize) -> TractResult<Vec<Activation>> {
    let own = kind.activations();
    let given = crate::node::attribute(w.node, "activations");
    let names: Vec<String> = match given {
        Some(a) => a.strings.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect(),
        None => own.repeat(directions).into_iter().map(str::to_owned).collect(),
    };
    let due = own.len() * directions;
    ensure!(names.len() == due, "{} activations {names:?} instead of {due}", names.len());
    let numbers =
        |name: &str| crate::node::attribute(w.node, name).map(|a| a.floats.clone()).unwrap_or_default();
    let (alphas, betas) = (numbers("activation_alpha"), numbers("activation_beta"));
    let (mut alphas, mut betas) = (alphas.into_iter().map(f64::from), betas.into_iter().map(f64::from));
    names.iter().map(|name| named(name, &mut alphas, &mut betas)).collect()
}

/// Takes the numbers of one activation.
fn named(
    name: &str,
    alphas: &mut dyn Iterator<Item = f64>,
    betas: &mut dyn Iterator<Item = f64>,
) -> TractResult<Activation> {
    let given = |number: Option<f64>, attribute: &str| {
        number.with_context(|| format!("the activation {name} has no {attribute}, and ONNX knows no other"))
    };
    let activation = match name.to_ascii_lowercase().as_str() {
        "relu" => Activation::Relu,
        "tanh" => Activation::Tanh,
        "sigmoid" => Activation::Sigmoid,
        "softsign" => Activation::Softsign,
        "softplus" => Activation::Softplus,
        "affine" => Activation::Affine(
            given(alphas.next(), "activation_alpha")?,
            given(betas.next(), "activation_beta")?,
        ),
        "scaledtanh" => Activation::ScaledTanh(
            given(alphas.next(), "activation_alpha")?,
            given(betas.next(), "activation_beta")?,
        ),
        "leakyrelu" => Activation::LeakyRelu(alphas.next().unwrap_or(0.01)),
        "thresholdedrelu" => Activation::ThresholdedRelu(alphas.next().unwrap_or(1.0)),
        "hardsigmoid" => Activation::HardSigmoid(alphas.next().unwrap_or(0.2), betas.next().unwrap_or(0.5)),
        "elu" => Activation::Elu(alphas.next().unwrap_or(1.0)),
        _ => bail!("the activation {name}"),
    };
    Ok(activation)
}

impl Activation {
    /// Applies the activation.
    pub(super) fn wire(self, w: &mut Wiring<'_>, x: OutletId) -> TractResult<OutletId> {
        match self {
            Self::Relu => w.at_least(x, 0.0),
            Self::Tanh => w.apply(math::tanh(), &[x]),
            Self::Sigmoid => w.apply(nn::sigmoid(), &[x]),
            Self::Softsign => w.apply(Smooth(Function::Softsign), &[x]),
            Self::Softplus => w.apply(Smooth(Function::Softplus), &[x]),
            Self::Affine(alpha, beta) => {
                let scaled = w.times(x, alpha)?;
                w.plus(scaled, beta)
            }
            Self::LeakyRelu(alpha) => w.apply(nn::leaky_relu(alpha as f32), &[x]),
            Self::ThresholdedRelu(alpha) => activations::thresholded(w, x, alpha),
            Self::ScaledTanh(alpha, beta) => {
                let inner = w.times(x, beta)?;
                let tanh = w.apply(math::tanh(), &[inner])?;
                w.times(tanh, alpha)
            }
            Self::HardSigmoid(alpha, beta) => {
                let scaled = w.times(x, alpha)?;
                let line = w.plus(scaled, beta)?;
                let low = w.at_least(line, 0.0)?;
                w.at_most(low, 1.0)
            }
            Self::Elu(alpha) => activations::exponential(w, x, alpha, 1.0),
        }
    }
}
