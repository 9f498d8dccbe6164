//! What calibration and lowering may choose; recorded in the artifact, so that the model can be rebuilt.

use serde::{Deserialize, Serialize};
use zkml_graph::graph::Visibility;

use crate::{Dims, Error, LoadOptions, Visibilities};

/// Settings of calibration. The default looks for the smallest scales that meet the tolerance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Fraction bits of values between layers, 4 to 20; nothing lets calibration choose.
    pub activation_scale: Option<u32>,
    /// Fraction bits of weights, 4 to 24; nothing lets calibration choose.
    pub weight_scale: Option<u32>,
    /// Most bits of a value between layers, sign included; its scale gives way.
    pub activation_bits: u32,
    /// Most bits of a weight, sign included; its scale gives way.
    pub weight_bits: u32,
    /// Binary logarithm of the most rows of a function table.
    pub table_bits: u32,
    /// Largest error that calibration aims at in an output, as a share of the range that it was seen in. Tolerated is that much in a
    /// probability, and five times as much in others, relative to their magnitude where that exceeds one.
    pub tolerance: f64,
    /// Factor by which calibrated ranges are widened before they are rounded up to a power of two.
    pub margin: f64,
    /// Size of an open first dimension of the inputs that `dims` does not name.
    pub batch: usize,
    /// Sizes of symbolic dimensions of the inputs.
    #[serde(skip_serializing_if = "Dims::is_empty")]
    pub dims: Dims,
    /// Who sees which input; committed where nothing is said.
    pub inputs: Visibilities,
    /// Who sees the weights.
    pub weights: Visibility,
    /// Who sees which output; public where nothing is said.
    pub outputs: Visibilities,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            activation_scale: None,
            weight_scale: None,
            activation_bits: 24,
            weight_bits: 26,
            table_bits: 10,
            tolerance: 2e-4,
            margin: 1.5,
            batch: 1,
            dims: Dims::default(),
            inputs: Visibility::Committed.into(),
            weights: Visibility::Public,
            outputs: Visibility::Public.into(),
        }
    }
}

impl Settings {
    /// How to load the model that these settings are for.
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions { batch: self.batch, dims: self.dims.clone(), weights: self.weights }
    }

    /// Who sees an input.
    pub fn input(&self, name: &str) -> Visibility {
        self.inputs.of(name, Visibility::Committed)
    }

    /// Who sees an output.
    pub fn output(&self, name: &str) -> Visibility {
        self.outputs.of(name, Visibility::Public)
    }

    /// Refuses values that make no sense.
    ///
    /// # Errors
    /// Names the setting, its value and its range.
    pub fn check(&self) -> Result<(), Error> {
        let range = |name: &'static str, value: f64, lo: f64, hi: f64| {
            let bad = Error::Setting { name, value: value.to_string(), lo, hi };
            if (lo..=hi).contains(&value) { Ok(()) } else { Err(bad) }
        };
        range("activation_scale", self.activation_scale.unwrap_or(12).into(), 4.0, 20.0)?;
        range("weight_scale", self.weight_scale.unwrap_or(12).into(), 4.0, 24.0)?;
        range("activation_bits", self.activation_bits.into(), 8.0, 40.0)?;
        range("weight_bits", self.weight_bits.into(), 4.0, 40.0)?;
        range("table_bits", self.table_bits.into(), 4.0, 16.0)?;
        range("tolerance", self.tolerance, 1e-9, 1e9)?;
        range("margin", self.margin, 1.1, 1024.0)?;
        range("batch", self.batch as f64, 1.0, 65536.0)
    }
}
