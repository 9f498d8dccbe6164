//! `zkml-chain check-deployment`: is on the chain what should be there?

use super::chain_args::{ChainArgs, RecordArgs, block_on, connect};
use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::steps::deploy::{Records, check};

/// Check code, digests, route, registry and consumer on a chain, and try a good and two bad proofs there
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    /// The proof to try [default: proofs/proof.json in the artifact folder]
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    records: RecordArgs,
}

/// Runs the command.
///
/// # Errors
/// As [`check::run`], and [`Failed`](crate::error::Error::Failed) when something is not as it should be.
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let records = Records::of(&args.records.deployments, chain.id, artifacts.model());
    let report = block_on(async {
        Ok(check::run(&artifacts, &chain, connect(&chain), &records, args.proof.as_deref()).await?)
    })?;
    ui.judged(&report)
}
