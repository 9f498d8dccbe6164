//! `zkml-chain compile`: the integer graph and its plan.

use crate::{
    error::Result,
    folder::{Folder, model_name},
    output::Ui,
    pipeline::{compile, like},
};
use std::path::PathBuf;

/// Compile a calibrated model and plan its circuit
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
    #[arg(long, value_name = "DIR", requires = "model", conflicts_with_all = ["optimize", "inputs", "weights", "outputs"])]
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
/// As [`compile::run`] or [`like::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let allow_inaccurate = args.accuracy.allow_inaccurate;
    if let (Some(from), Some(model)) = (&args.like, &args.model) {
        let dir = args.folder.for_model(&model_name(model));
        return ui.result(&like::run(ui, &like::Request { from, model, dir: &dir, allow_inaccurate })?);
    }
    let mut artifacts = args.folder.open_for_writing()?;
    let change = |settings: &zkml_onnx::Settings| args.sight.of(settings);
    ui.result(&compile::with(ui, &mut artifacts, args.goal.optimize(), &change, allow_inaccurate)?)
}
