//! Flags of a calibration, shared by `calibrate` and `run`.

use crate::error::Result;
use zkml_onnx::{Dims, Settings};

/// Visibilities and scales.
#[derive(Debug, Clone, clap::Args)]
pub struct SettingsArgs {
    /// Size of an open batch dimension
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = super::batch)]
    batch: usize,
    /// Sizes of symbolic dimensions of the inputs, as in seq=16; those of the model are shown by `inspect`
    #[arg(long, value_name = "NAME=N,…")]
    dim: Vec<Dims>,
    #[command(flatten)]
    sight: super::sight::Sight,
    /// Largest output error to aim at, as a share of the output's range
    #[arg(long, value_name = "ERROR", visible_alias = "target-error")]
    tolerance: Option<f64>,
    /// Factor by which calibrated ranges are widened
    #[arg(long, value_name = "FACTOR")]
    margin: Option<f64>,
    /// Fraction bits of values between layers [default: chosen]
    #[arg(long, value_name = "BITS")]
    activation_scale: Option<u32>,
    /// Fraction bits of weights [default: chosen]
    #[arg(long, value_name = "BITS")]
    weight_scale: Option<u32>,
}

impl SettingsArgs {
    /// The usual settings with what the flags say.
    ///
    /// # Errors
    /// As [`Settings::check`].
    pub fn settings(&self) -> Result<Settings> {
        let mut settings =
            self.sight.of(&Settings { batch: self.batch, dims: joined(&self.dim), ..Settings::default() });
        settings.tolerance = self.tolerance.unwrap_or(settings.tolerance);
        settings.margin = self.margin.unwrap_or(settings.margin);
        settings.activation_scale = self.activation_scale.or(settings.activation_scale);
        settings.weight_scale = self.weight_scale.or(settings.weight_scale);
        settings.check()?;
        Ok(settings)
    }
}

/// The sizes of all flags.
pub(super) fn joined(flags: &[Dims]) -> Dims {
    flags.iter().fold(Dims::default(), Dims::with)
}
