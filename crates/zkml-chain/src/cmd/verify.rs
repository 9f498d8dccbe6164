//! `zkml-chain verify`: is a proof good?

use crate::{error::Result, folder::Folder, output::Ui, pipeline::verify};
use std::path::PathBuf;

/// Check a proof with the Rust verifiers
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The proof file [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As [`verify::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    ui.result(&verify::run(&args.folder.open()?, args.proof.as_deref())?)
}
