//! `zkml-chain calibrate`: scales from data.

use super::folder::Folder;
use crate::{
    error::Result,
    show::{Ui, html},
};
use std::path::PathBuf;
use zkml_onnx::Settings;
use zkml_workspace::{
    artifacts::write_whole,
    folder::model_name,
    observer::{Observer, Warning},
    steps::calibrate,
    verdict::{Failed, Judged},
};

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
/// As [`calibrate::run`], and [`Failed`](crate::error::Error::Failed) when the error exceeds the tolerance: the files are written nevertheless.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let mut settings = args.sight.of(&Settings { batch: args.batch, ..Settings::default() });
    settings.tolerance = args.tolerance.unwrap_or(settings.tolerance);
    settings.margin = args.margin.unwrap_or(settings.margin);
    settings.activation_scale = args.activation_scale.or(settings.activation_scale);
    settings.weight_scale = args.weight_scale.or(settings.weight_scale);
    settings.check()?;
    let Args { model, data, evaluate, html, folder, accuracy, .. } = args;
    let dir = folder.for_model(&model_name(&model));
    let report = calibrate::run(ui, &calibrate::Request { model, data, evaluate, settings, dir })?;
    if let Some(path) = &html {
        write_whole(path, html::page(&report).as_bytes())?;
        ui.say(format_args!("report with plots: {}", path.display()));
    }
    match report.verdict() {
        Err(Failed::Inaccurate(inaccurate)) if accuracy.allow_inaccurate => {
            ui.warned(&Warning::Inaccurate(inaccurate));
            ui.result(&report)
        }
        _ => ui.judged(&report),
    }
}
