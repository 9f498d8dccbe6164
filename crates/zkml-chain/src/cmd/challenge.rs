//! `zkml-chain challenge`: the proof of a result is demanded, or its bond claimed.

use super::accept::LookingArgs;
use super::chain_args::{ChainArgs, ConsumerArgs, FeeArgs, InputArgs, KeyArgs, PasswordArgs, block_on};
use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::path::Path;
use zkml_protocol::Word;
use zkml_workspace::{
    steps::{
        acceptance::{RESULTS, challenge},
        deploy::RECORDS,
    },
    value,
};

/// Demand the proof of a posted result, and claim its bond if none comes
///
/// Before anything is spent, it is seen whether the result exists and its proof can still be demanded. Name the result's input, if you know it: then it is
/// seen whether the model gives the posted output, and the challenge of a right result, which would lose the deposit, is refused. With
/// --consumer and without --input no artifact folder is needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The result's id
    #[arg(value_name = "ID", value_parser = value::word)]
    id: Word,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    /// The most that you set aside, and lose if the proof comes, in the currency of the result's policy
    #[arg(long, value_name = "AMOUNT", required_unless_present = "claim")]
    deposit: Option<String>,
    /// Take it out of your deposit in the contract, instead of sending it along
    #[arg(long, conflicts_with = "claim")]
    from_deposit: bool,
    /// Take the bond: the proof was due and has not come
    #[arg(long, conflicts_with_all = ["deposit", "input", "even_if_right"])]
    claim: bool,
    /// Demand the proof although the result is right: the deposit will be its poster's
    #[arg(long, requires = "input")]
    even_if_right: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    looking: LookingArgs,
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
/// As [`challenge::run`].
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let InputArgs { input, index, salt_file } = args.input;
    let artifacts =
        if args.consumer.is_named() && input.is_none() { None } else { Some(args.folder.open()?) };
    let model = artifacts.as_ref().map_or("", |artifacts| artifacts.model());
    let (consumer, deployed) = args.consumer.find(&chain, model)?;
    let folder = artifacts
        .as_ref()
        .map_or_else(|| Path::new(RECORDS).join(RESULTS), |artifacts| artifacts.path(RESULTS));
    let request = challenge::Request {
        consumer,
        id: args.id,
        claim: args.claim,
        most: args.deposit,
        from_deposit: args.from_deposit,
        input,
        index,
        salt_file,
        even_if_right: args.even_if_right,
        from_block: args.looking.from_block.or(deployed).unwrap_or_default(),
        range: args.looking.range,
        folder,
        limits: args.fees.limits(&chain),
        dry_run: args.dry_run,
        chain,
    };
    let report = block_on(async {
        let (account, rpc) = args.key.connected(&args.password, &request.chain).await?;
        Ok(challenge::run(ui, artifacts.as_ref(), &rpc, &account, request).await?)
    })?;
    ui.result(&report)
}
