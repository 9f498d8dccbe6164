//! `zkml-chain simulate`: the verdict of the EVM, before anybody pays gas.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::steps::simulate::{self, batch};

/// Deploy the verifier in a local EVM, send it the proof, and break the gas down; or send several as one batch
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The proof file; several, each with the flag of its own, are one batch [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Vec<PathBuf>,
    /// Also try changed proofs and statements, which must be refused
    #[arg(long)]
    tamper: bool,
    /// The chain id of the local EVM [default: 31337, a test chain]
    #[arg(long, value_name = "ID")]
    chain_id: Option<u64>,
}

/// Runs the command.
///
/// # Errors
/// As [`simulate::run`] and [`batch::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let Args { folder, proof, tamper, chain_id } = args;
    let (tamper, chain_id) = (*tamper, *chain_id);
    let artifacts = folder.open()?;
    if proof.len() > 1 {
        let request = batch::Request { proofs: proof, tamper, chain_id };
        return ui.result(&batch::run(ui, &artifacts, &request)?);
    }
    let proof = proof.first().map(PathBuf::as_path);
    ui.result(&simulate::run(ui, &artifacts, &simulate::Request { proof, tamper, chain_id })?)
}
