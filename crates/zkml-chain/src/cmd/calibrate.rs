//! `zkml-chain calibrate`: scales from data.

use crate::{
    error::{Error, Result},
    folder::Folder,
    output::Ui,
    pipeline::calibrate,
};
use std::path::PathBuf;
use zkml_onnx::Settings;

/// Choose integer scales from sample data, report errors and expected costs
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ONNX file
    model: PathBuf,
    #[command(flatten)]
    folder: Folder,
    /// Sample data: {"samples": [{"name": [numbers]}, …]} [default: random numbers, with a warning]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Samples with reference outputs to measure the error on
    #[arg(long, value_name = "FILE")]
    evaluate: Option<PathBuf>,
    /// Write a report with plots: one self-contained page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Size of an open batch dimension
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = super::batch)]
    batch: usize,
    #[command(flatten)]
    sight: super::sight::Sight,
    /// Largest output error to aim at
    #[arg(long, value_name = "ERROR")]
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
    #[command(flatten)]
    accuracy: super::Accuracy,
}

/// Runs the command.
///
/// # Errors
/// As [`calibrate::run`], and [`Error::Inaccurate`] when the error exceeds the tolerance: the files are written nevertheless.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let mut settings = args.sight.of(&Settings { batch: args.batch, ..Settings::default() });
    settings.tolerance = args.tolerance.unwrap_or(settings.tolerance);
    settings.margin = args.margin.unwrap_or(settings.margin);
    settings.activation_scale = args.activation_scale.or(settings.activation_scale);
    settings.weight_scale = args.weight_scale.or(settings.weight_scale);
    settings.check()?;
    let Args { model, data, evaluate, html, folder, accuracy, .. } = args;
    let request = calibrate::Request { model, data, evaluate, settings, html };
    let report = calibrate::run(ui, &folder, &request)?;
    let verdict = calibrate::judge(ui, report.alarm.clone(), &report.dir, accuracy.allow_inaccurate);
    if verdict.is_ok() || !ui.json {
        ui.result(&report)?;
    }
    verdict.map_err(|e| match e {
        Error::Inaccurate { alarm, dir, .. } => {
            Error::Inaccurate { alarm, dir, report: Some(Box::new(report)) }
        }
        other => other,
    })
}
