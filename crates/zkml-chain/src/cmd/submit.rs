//! `zkml-chain submit`: one proof to a consumer on a chain.

use super::chain_args::{
    ChainArgs, ConsumerArgs, FeeArgs, InputArgs, KeyArgs, PasswordArgs, TermArgs, block_on,
};
use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_workspace::{
    artifacts::Artifacts,
    context_file::ContextFile,
    steps::{prove, submit},
};

/// Prove for a consumer's next nonce, send it, and wait until that is final
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
    /// A proof that is there already; its context says for what
    #[arg(long, value_name = "FILE", requires = "context_file", conflicts_with_all = ["input", "action", "action_text", "deadline", "out"])]
    proof: Option<PathBuf>,
    /// What that proof is bound to: a file of `context --out`, or of an earlier `submit`
    #[arg(long, value_name = "FILE", requires = "proof")]
    context_file: Option<PathBuf>,
    /// Where to put the proof [default: in the artifact folder, by chain, consumer, subject and nonce]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
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
/// As [`submit::run`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let Args { input, out, proof, context_file, terms, .. } = args;
    let InputArgs { input, index, salt_file } = input;
    let context = context_file.as_deref().map(ContextFile::read).transpose()?;
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let (consumer, _) = args.consumer.find(&chain, artifacts.model())?;
    let request = submit::Request {
        consumer,
        action: terms.action(),
        deadline: terms.deadline,
        valid_for: terms.valid_for,
        ready: proof.zip(context),
        prove: prove::Request { input, index, context: None, out, salt_file },
        provenance: terms.provenance.to_vec(),
        limits: args.fees.limits(&chain),
        dry_run: args.dry_run,
        chain,
    };
    hand_in(ui, artifacts, request, &args.key, &args.password)
}

/// Proves and hands in, with this key.
///
/// # Errors
/// As [`submit::run`].
pub(super) fn hand_in(
    ui: &Ui,
    mut artifacts: Artifacts,
    request: submit::Request,
    key: &KeyArgs,
    password: &PasswordArgs,
) -> Result<()> {
    let report = block_on(async {
        let (account, rpc) = key.connected(password, &request.chain).await?;
        Ok(submit::run(ui, &mut artifacts, &rpc, &account, request).await?)
    })?;
    ui.result(&report)
}
