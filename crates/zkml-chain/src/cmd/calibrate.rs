//! `zkml-chain calibrate`: scales from data.

use super::folder::Folder;
use crate::{
    error::Result,
    show::{Ui, html},
};
use std::path::PathBuf;
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
    /// Sample data: {"samples": [{"name": [numbers]}, …]} as JSON, a row for each sample as .csv, an array for each input as .npz or
    /// .npy [default: random numbers, with a warning]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Samples with reference outputs to measure the error on, as JSON: {"samples": [{"input": [numbers]}, …], "outputs": [{"output":
    /// [numbers]}, …]}
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
/// As [`calibrate::run`], and [`Failed`](crate::error::Error::Failed) when the error exceeds the tolerance: the files are written nevertheless.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let settings = args.settings.settings()?;
    let Args { model, data, evaluate, html, folder, accuracy, .. } = args;
    let dir = folder.for_model(&model_name(&model));
    let report = calibrate::run(ui, &calibrate::Request { model, data, evaluate, settings, dir })?;
    if let Some(path) = &html {
        write_whole(path, html::calibration(&report).as_bytes())?;
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
