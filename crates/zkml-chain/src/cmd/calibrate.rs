//! `zkml-chain calibrate`: scales from data.

use crate::{
    error::{Error, Result},
    folder::Folder,
    output::Ui,
    pipeline::calibrate,
};
use std::path::PathBuf;

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
    #[command(flatten)]
    settings: super::settings::SettingsArgs,
    #[command(flatten)]
    accuracy: super::Accuracy,
}

/// Runs the command.
///
/// # Errors
/// As [`calibrate::run`], and [`Error::Inaccurate`] when the error exceeds the tolerance: the files are written nevertheless.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let settings = args.settings.settings()?;
    let Args { model, folder, data, evaluate, html, accuracy, .. } = args;
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
