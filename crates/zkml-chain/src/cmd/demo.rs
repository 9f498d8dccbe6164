//! `zkml-chain demo`: from an ONNX file to a verdict inside the EVM in one go.

use crate::{error::Result, folder::Folder, output::Ui, pipeline::demo};
use std::path::PathBuf;

/// Go all the way: prove a decision of a model and let its contracts judge it in a local EVM
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ONNX file [default: a built-in credit risk model]
    model: Option<PathBuf>,
    #[command(flatten)]
    folder: Folder,
    /// Sample data to calibrate with [default: random numbers, with a warning]
    #[arg(long, value_name = "FILE", requires = "model")]
    data: Option<PathBuf>,
    /// The input to prove [default: from the sample data]
    #[arg(long, short, value_name = "FILE", requires = "model")]
    input: Option<PathBuf>,
    /// Which applicant of the built-in model, or which sample of the input
    #[arg(long, default_value_t = 0, value_name = "N")]
    index: usize,
    #[command(flatten)]
    goal: super::Goal,
}

/// Runs the command.
///
/// # Errors
/// As [`demo::run`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let optimize = args.goal.optimize();
    let model = args.model.map(|model| (model, args.data, args.input));
    ui.result(&demo::run(ui, &args.folder, &demo::Request { model, index: args.index, optimize })?)
}
