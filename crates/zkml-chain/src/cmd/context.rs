//! `zkml-chain context`: who may use a proof, where, when and what for.

use crate::{error::Result, show::Ui};
use std::path::PathBuf;
use zkml_protocol::{Word, binding::Context, keccak256};
use zkml_workspace::{steps::context, value};

/// Compute what a proof is bound to: chain, consumer, subject, nonce, deadline and action
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The chain, by number or name
    #[arg(long, value_name = "N|NAME", value_parser = value::chain)]
    chain_id: u64,
    /// The contract that will accept the proof
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    consumer: Address,
    /// Whom the inference is about; consumers expect the account that hands the proof in
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    subject: Address,
    /// The subject's next nonce at the consumer
    #[arg(long, default_value = "0", value_name = "N", value_parser = value::uint256)]
    nonce: Word,
    /// Last acceptable block time, in seconds since 1970
    #[arg(long, value_name = "N", value_parser = value::uint256)]
    deadline: Word,
    /// What the consumer is asked to do, as it hashes it
    #[arg(long, value_name = "HEX", value_parser = value::word, required_unless_present = "action_text")]
    action: Option<Word>,
    /// The same as text: the action is the Keccak-256 of its UTF-8 bytes
    #[arg(long, value_name = "TEXT", conflicts_with = "action")]
    action_text: Option<String>,
    /// Write a context file, which `prove --context-file` takes
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

type Address = [u8; 20];

/// Runs the command.
///
/// # Errors
/// As [`context::run`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let text = args.action_text.as_ref().map(|text| keccak256([text.as_bytes()]));
    let context = Context {
        chain_id: args.chain_id,
        consumer: args.consumer,
        subject: args.subject,
        nonce: args.nonce,
        deadline: args.deadline,
        action: args.action.or(text).unwrap_or_default(),
    };
    ui.result(&context::run(&context, args.out.as_deref())?)
}
