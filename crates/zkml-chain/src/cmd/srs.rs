//! `zkml-chain srs`: trusted setups.

use crate::{error::Result, output::Ui, pipeline::srs};
use clap::Subcommand;
use std::path::PathBuf;

/// Trusted setups
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the insecure development setup: for trying out, without a download
    Dev {
        /// Binary logarithm of the number of powers; `compile` says how many a model needs
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=24))]
        k: u32,
        /// Where to put it [default: the cache, where `setup` looks]
        #[arg(long, value_name = "FILE")]
        srs: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// As [`srs::make_dev`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    match &args.command {
        Command::Dev { k, srs: path } => {
            srs::notice(ui);
            ui.result(&srs::make_dev(ui, *k, path.as_deref())?)
        }
    }
}
