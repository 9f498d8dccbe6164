//! `zkml-chain compile`: the integer graph and its plan.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::{
    folder::model_name,
    steps::{compile, same_architecture},
};

/// Compile a calibrated model and plan its proofs
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    goal: super::Goal,
    #[command(flatten)]
    sight: super::sight::Sight,
    /// Compile --model for the verifier of this folder, whose weights are committed: same architecture, same
    /// scales, same keys, other weights
    #[arg(long, value_name = "DIR", requires = "model", conflicts_with_all = ["optimize", "backend", "inputs", "weights", "outputs"])]
    like: Option<PathBuf>,
    /// The ONNX file of another model of the architecture
    #[arg(long, value_name = "FILE", requires = "like")]
    model: Option<PathBuf>,
    #[command(flatten)]
    accuracy: super::Accuracy,
}

/// Runs the command.
///
/// # Errors
/// As [`compile::with`] or [`same_architecture::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let allow_inaccurate = args.accuracy.allow_inaccurate;
    if let (Some(from), Some(model)) = (&args.like, &args.model) {
        let dir = args.folder.for_model(&model_name(model));
        let request = same_architecture::Request { from, model, dir: &dir, allow_inaccurate };
        return ui.result(&same_architecture::run(ui, &request)?);
    }
    let mut artifacts = args.folder.open_for_writing()?;
    let change = |settings: &zkml_onnx::Settings| args.sight.of(settings);
    ui.result(&compile::with(ui, &mut artifacts, args.goal.wish(), &change, allow_inaccurate)?)
}
