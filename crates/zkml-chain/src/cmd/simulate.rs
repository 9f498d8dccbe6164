//! `zkml-chain simulate`: the verdict of the EVM, before anybody pays gas.

use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::steps::simulate;

/// Deploy the verifier in a local EVM, send it the proof, and break the gas down
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The proof file [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
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
/// As [`simulate::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let request =
        simulate::Request { proof: args.proof.as_deref(), tamper: args.tamper, chain_id: args.chain_id };
    ui.result(&simulate::run(ui, &args.folder.open()?, &request)?)
}
