//! `zkml-chain completions`: shell completions.

use crate::{cli::Cli, error::Result, show::raw};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// When stdout cannot be written to.
pub fn run(args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zkml-chain", &mut script);
    raw(&script)
}
