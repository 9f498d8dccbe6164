//! `zkml-chain gen-verifier`: Solidity for one model.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::steps::solidity;

/// Generate the Solidity verifier and consumer of a model, and check them before writing
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The proof to check the contracts with [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As [`solidity::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let mut artifacts = args.folder.open_for_writing()?;
    ui.result(&solidity::run(ui, &mut artifacts, args.proof.as_deref())?)
}
