//! `zkml-chain man`: manual pages.

use crate::{cli::Cli, error::Result, man, show::Ui};
use clap::CommandFactory;
use std::path::PathBuf;

/// Write manual pages, one for each command
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder, e.g. ~/.local/share/man/man1
    dir: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// As [`man::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    ui.result(&man::run(Cli::command(), &args.dir)?)
}
