//! `zkml-chain init`: a project of one's own.

use crate::{error::Result, project::init, show::Ui};
use std::path::PathBuf;

/// Write a project of your own: a model to replace, zkml.toml, contracts with a test, CI
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The project's folder; its name is the project's. It must be empty or not there
    #[arg(value_name = "NAME")]
    dir: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// As [`init::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    ui.result(&init::run(&args.dir)?)
}
