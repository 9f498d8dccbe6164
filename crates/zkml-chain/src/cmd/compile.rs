//! `zkml-chain compile`: the integer graph and its plan.

use crate::{error::Result, folder::Folder, output::Ui, pipeline::compile};

/// Compile a calibrated model and plan its circuit
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    goal: super::Goal,
}

/// Runs the command.
///
/// # Errors
/// As [`compile::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let mut artifacts = args.folder.open_for_writing()?;
    ui.result(&compile::run(ui, &mut artifacts, args.goal.optimize())?)
}
