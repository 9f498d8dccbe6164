//! `zkml-chain srs`: trusted setups.

use crate::{error::Result, show::Ui};
use clap::Subcommand;
use std::path::PathBuf;
use zkml_srs::{DEFAULT_K, MAX_K};
use zkml_workspace::{
    observer::{Observer, Warning},
    steps::srs,
};

/// Trusted setups
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Import a powers-of-tau file of snarkjs, after checking every point that is kept
    ///
    /// The files of the Perpetual Powers of Tau (powersOfTau28_hez_final_NN.ptau) are recognised; of any other file you trust
    /// whoever gave it to you. Files that were prepared for phase 2 import fastest.
    Import {
        /// The .ptau file
        #[arg(value_name = "FILE")]
        ptau: PathBuf,
        /// Binary logarithm of the number of powers to keep; `compile` says how many a model needs
        #[arg(long, help = format!(
            "Binary logarithm of the number of powers to keep [default: all of the file's, at most {DEFAULT_K}]"
        ), value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_K)))]
        k: Option<u32>,
        /// Where to put it [default: the cache, where `setup` looks]
        #[arg(long, value_name = "OUT")]
        srs: Option<PathBuf>,
    },
    /// Show a setup's size, digest, and where it comes from
    Info {
        /// The setup
        #[arg(value_name = "FILE")]
        srs: PathBuf,
    },
    /// Check every point of a setup, the pairing ratio, and the Lagrange basis
    Verify {
        /// The setup
        #[arg(value_name = "FILE")]
        srs: PathBuf,
    },
    /// Make the insecure development setup: for trying out, without a download
    Dev {
        /// Binary logarithm of the number of powers; `compile` says how many a model needs
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_K)))]
        k: u32,
        /// Where to put it [default: the cache, where `setup` looks]
        #[arg(long, value_name = "FILE")]
        srs: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// As the functions of [`srs`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    match &args.command {
        Command::Import { ptau, k, srs: path } => ui.result(&srs::import(ui, ptau, *k, path.as_deref())?),
        Command::Info { srs: path } => ui.result(&srs::info(path)?),
        Command::Verify { srs: path } => ui.result(&srs::verify(ui, path)?),
        Command::Dev { k, srs: path } => {
            ui.warned(&Warning::DevSetup);
            ui.result(&srs::make_dev(ui, *k, path.as_deref())?)
        }
    }
}
