//! `zkml-chain ops`: the support table.

use crate::{
    error::Result,
    show::{Ui, ops::markdown, raw},
};
use zkml_workspace::steps::ops;

/// List the supported ONNX operators
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As a Markdown table
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written to.
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let report = ops::run();
    if args.markdown { raw(markdown(&report).as_bytes()) } else { ui.result(&report) }
}
