//! `zkml-chain inspect`: what is in a model.

use crate::{error::Result, output::Ui, pipeline::inspect};
use std::path::PathBuf;

/// Show a model's inputs, outputs and operators, and what would be proven
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ONNX file
    model: PathBuf,
    /// Size of an open batch dimension
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = super::batch)]
    batch: usize,
}

/// Runs the command.
///
/// # Errors
/// As [`inspect::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    ui.result(&inspect::run(&args.model, args.batch)?)
}
