//! `zkml-chain inspect`: what is in a model.

use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_onnx::{Dims, Settings};
use zkml_workspace::{artifacts::Artifacts, steps::inspect};

/// Show a model's inputs, outputs and operators, what would be proven, and who would see what
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ONNX file
    #[arg(required_unless_present = "dir")]
    model: Option<PathBuf>,
    /// Show a compiled model: its artifact folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "batch", "dim", "inputs", "weights", "outputs"])]
    dir: Option<PathBuf>,
    /// List every relation with how the circuit takes care of it: laid out, substituted or implied
    #[arg(long, requires = "dir")]
    relations: bool,
    /// Size of an open batch dimension
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = super::batch)]
    batch: usize,
    /// Sizes of symbolic dimensions of the inputs, as in seq=16
    #[arg(long, value_name = "NAME=N,…")]
    dim: Vec<Dims>,
    #[command(flatten)]
    sight: super::sight::Sight,
}

/// Runs the command.
///
/// # Errors
/// As [`inspect::run`] or [`inspect::folder`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    if let Some(dir) = &args.dir {
        return ui.result(&inspect::folder(&Artifacts::open(dir)?, args.relations)?);
    }
    let settings = args.sight.of(&Settings {
        batch: args.batch,
        dims: super::settings::joined(&args.dim),
        ..Settings::default()
    });
    let model = args.model.as_deref().unwrap_or(std::path::Path::new(""));
    ui.result(&inspect::run(model, &settings)?)
}
