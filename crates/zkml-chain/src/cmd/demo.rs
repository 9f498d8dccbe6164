//! `zkml-chain demo`: from an ONNX file to a verdict inside the EVM in one go.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::{folder::model_name, steps::demo};

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
    let wish = args.goal.wish();
    let name = args.model.as_deref().map_or_else(|| demo::BUILT_IN.to_owned(), model_name);
    let (dir, index) = (args.folder.for_model(&name), args.index);
    let model = args.model.map(|model| (model, args.data, args.input));
    ui.result(&demo::run(ui, &demo::Request { model, index, wish, dir })?)
}
