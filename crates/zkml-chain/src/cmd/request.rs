//! `zkml-chain request`: ask a contract for an inference that somebody else proves.

use super::chain_args::{
    ChainArgs, ConsumerArgs, FeeArgs, InputArgs, KeyArgs, PasswordArgs, TermArgs, block_on, connect,
};
use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::{path::PathBuf, time::Duration};
use zkml_workspace::steps::request;

/// Ask a contract for an inference that a service proves, and wait for it if you like
///
/// The contract is one that takes requests (`deploy --consumer requests`), the service `zkml-chain watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    #[command(flatten)]
    terms: TermArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Put the input and its salts where the service looks for them: the folder of its `watch --inputs`
    #[arg(long, value_name = "DIR")]
    share: Option<PathBuf>,
    /// Wait so long for the proof
    #[arg(long, value_name = "SECONDS", conflicts_with = "dry_run")]
    wait: Option<u64>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    fees: FeeArgs,
    /// Try it on the last block, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// As [`request::run`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let (consumer, _) = args.consumer.find(&chain, artifacts.model())?;
    let InputArgs { input, index, salt_file } = args.input;
    let request = request::Request {
        consumer,
        action: args.terms.action(),
        deadline: args.terms.deadline,
        valid_for: args.terms.valid_for,
        input,
        index,
        salt_file,
        provenance: args.terms.provenance.to_vec(),
        share: args.share,
        limits: args.fees.limits(&chain),
        wait: args.wait.map(Duration::from_secs),
        dry_run: args.dry_run,
        chain,
    };
    let report = block_on(async {
        let account = args.key.account(&args.password, &request.chain).await?;
        let rpc = connect(&request.chain).await?;
        Ok(request::run(ui, &artifacts, &rpc, &account, request).await?)
    })?;
    ui.result(&report)
}
