//! `zkml-chain verify`: is a proof good?

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::steps::verify;

/// Check a proof with the Rust verifiers
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The proof file [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Ask halo2's own verifier as well: it reads the proving key, and takes as long as that is large
    #[arg(long)]
    halo2: bool,
}

/// Runs the command.
///
/// # Errors
/// As [`verify::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    ui.result(&verify::run(&args.folder.open()?, args.proof.as_deref(), args.halo2)?)
}
