//! `zkml-chain submit`: one proof to a consumer on a chain.

use super::chain_args::{ChainArgs, FeeArgs, KeyArgs, PasswordArgs, block_on, connect};
use crate::{
    context_file::ContextFile,
    error::Result,
    folder::Folder,
    output::Ui,
    pipeline::{
        deploy::{RECORDS, Records},
        prove, submit,
    },
    value,
};
use std::path::PathBuf;
use zkml_deploy::Address;
use zkml_protocol::{Word, keccak256};

/// Prove for a consumer's next nonce, send it, and wait until that is final
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    /// The contract that takes the proof [default: the one that `deploy` recorded]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    consumer: Option<[u8; 20]>,
    /// Folder of records
    #[arg(long, value_name = "DIR", default_value = RECORDS)]
    deployments: PathBuf,
    /// What the consumer is asked to do, as it hashes it [default: zero]
    #[arg(long, value_name = "HEX", value_parser = value::word)]
    action: Option<Word>,
    /// The same as text: the action is the Keccak-256 of its UTF-8 bytes
    #[arg(long, value_name = "TEXT", conflicts_with = "action")]
    action_text: Option<String>,
    /// Last acceptable block time, in seconds since 1970
    #[arg(long, value_name = "N")]
    deadline: Option<u64>,
    /// The same as seconds from the last block's time
    #[arg(long, value_name = "SECONDS", default_value_t = 1_800, conflicts_with = "deadline")]
    valid_for: u64,
    /// The input: {"inputs": {"name": [numbers]}}, or a file of samples [default: the first calibration sample]
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Which sample of a file of samples
    #[arg(long, default_value_t = 0, value_name = "N")]
    index: usize,
    /// Private file with the salts of committed inputs [default: beside the input, as NAME.private.json]
    #[arg(long, value_name = "FILE")]
    salt_file: Option<PathBuf>,
    /// A proof that is there already; its context says for what
    #[arg(long, value_name = "FILE", requires = "context_file", conflicts_with_all = ["input", "action", "action_text", "deadline", "out"])]
    proof: Option<PathBuf>,
    /// What that proof is bound to: a file of `context --out`, or of an earlier `submit`
    #[arg(long, value_name = "FILE", requires = "proof")]
    context_file: Option<PathBuf>,
    /// Why the input is to be believed, as the consumer wants it
    #[arg(long, value_name = "HEX", value_parser = value::bytes, default_value = "0x")]
    provenance: Bytes,
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

// clap would take a bare vector for a flag that may be repeated.
type Bytes = std::sync::Arc<[u8]>;

/// Runs the command.
///
/// # Errors
/// As [`submit::run`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let Args { input, index, salt_file, out, proof, context_file, .. } = args;
    let context = context_file.as_deref().map(ContextFile::read).transpose()?;
    let chain = args.chain.chain()?;
    let mut artifacts = args.folder.open()?;
    let text = args.action_text.as_ref().map(|text| keccak256([text.as_bytes()]));
    let consumer = match args.consumer {
        Some(address) => Address::from(address),
        None => {
            Records::of(&args.deployments, chain.id, artifacts.model()).require()?.contracts.consumer.address
        }
    };
    let request = submit::Request {
        consumer,
        action: args.action.or(text).unwrap_or_default(),
        deadline: args.deadline,
        valid_for: args.valid_for,
        ready: proof.zip(context),
        prove: prove::Request { input, index, context: None, out, salt_file },
        provenance: args.provenance.to_vec(),
        limits: args.fees.limits(&chain),
        dry_run: args.dry_run,
        chain,
    };
    let report = block_on(async {
        let account = args.key.account(&args.password, &request.chain).await?;
        let rpc = connect(&request.chain).await?;
        submit::run(ui, &mut artifacts, &rpc, &account, request).await
    })?;
    ui.result(&report)
}
