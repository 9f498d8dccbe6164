//! `zkml-chain rewards`: what is an account's in a contract that pays for proofs.

use super::chain_args::{ChainArgs, ConsumerArgs, FeeArgs, KeyArgs, PasswordArgs, block_on, connect};
use super::folder::Folder;
use crate::{
    error::{Error, Result},
    show::Ui,
};
use zkml_deploy::Address;
use zkml_workspace::{steps::rewards, value};

/// Show what is yours in a contract that pays for proofs; take back what nobody has earned, and take it out
///
/// Rewards that `watch` has earned and those that come back after a deadline lie in the contract until they are withdrawn. Nothing is
/// sent without --reclaim or --withdraw.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    /// Look for this token as well, besides coins and the tokens of your own requests
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    token: Vec<[u8; 20]>,
    /// Take back the rewards of your requests whose deadlines have passed: into what is yours in the contract
    #[arg(long)]
    reclaim: bool,
    /// Take out all that is yours; with --reclaim, what has come back as well
    #[arg(long)]
    withdraw: bool,
    /// The account that receives it [default: the account itself]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, requires = "withdraw")]
    to: Option<[u8; 20]>,
    /// The account whose money to look at, without a key
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, conflicts_with_all = ["reclaim", "withdraw"])]
    from: Option<[u8; 20]>,
    /// Block from which your own requests are looked for [default: the block of the recorded deployment, or the first one]
    #[arg(long, value_name = "N")]
    from_block: Option<u64>,
    /// Blocks that are read at once; halved while the endpoint refuses
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    range: u64,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    fees: FeeArgs,
}

/// Runs the command.
///
/// # Errors
/// As [`rewards::run`], and [`Error::NoKey`] when nobody was named.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let (consumer, deployed) = args.consumer.find(&chain, artifacts.model())?;
    let request = rewards::Request {
        consumer,
        tokens: args.token.into_iter().map(Address::from).collect(),
        reclaim: args.reclaim,
        withdraw: args.withdraw,
        to: args.to.map(Address::from),
        from_block: args.from_block.or(deployed).unwrap_or_default(),
        range: args.range,
        limits: args.fees.limits(&chain),
        chain: chain.clone(),
    };
    let report = block_on(async {
        let account = match args.from {
            Some(_) => None,
            None => Some(args.key.account(&args.password, &chain).await?),
        };
        let whose = args.from.map(Address::from).or(account.as_ref().map(|account| account.address()));
        let whose = whose.ok_or(Error::NoKey)?;
        let rpc = connect(&chain).await?;
        Ok(rewards::run(ui, &artifacts, &rpc, whose, account.as_ref(), request).await?)
    })?;
    ui.result(&report)
}
