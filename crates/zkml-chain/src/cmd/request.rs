//! `zkml-chain request`: ask a contract for an inference that somebody else proves.

use super::chain_args::{
    ChainArgs, ConsumerArgs, FeeArgs, InputArgs, KeyArgs, PasswordArgs, TermArgs, block_on,
};
use super::folder::Folder;
use crate::{error::Result, show::Ui};
use std::{path::PathBuf, time::Duration};
use zkml_deploy::Address;
use zkml_workspace::{
    steps::{paying::Offer, request},
    value,
};

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
    #[command(flatten)]
    reward: RewardArgs,
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

/// The reward of the request, for whoever proves it.
#[derive(Debug, Clone, clap::Args)]
struct RewardArgs {
    /// Pay whoever proves it so much, in the chain's currency or --token; what nobody has earned by the deadline comes back by `zkml-chain rewards --reclaim`
    #[arg(long, value_name = "AMOUNT")]
    reward: Option<String>,
    /// Pay in this token (ERC-20): what your deposit lacks is approved and paid in before
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, requires = "reward")]
    token: Option<[u8; 20]>,
    /// Take coins out of your deposit, instead of sending them along
    #[arg(long, requires = "reward", conflicts_with = "token")]
    from_deposit: bool,
    /// Pay out of this account's deposit, within the limit that it has set for you
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, requires = "reward")]
    payer: Option<[u8; 20]>,
    /// Gas that the contract may use up to act on the output
    #[arg(long, value_name = "N", default_value_t = CALLBACK_GAS)]
    callback_gas: u64,
    /// Blocks that have to pass before the request can be fulfilled
    #[arg(long, value_name = "N", default_value_t = 0)]
    reward_confirmations: u32,
}

/// Gas that a generated contract takes to act on an output, and as much again.
const CALLBACK_GAS: u64 = 100_000;

impl RewardArgs {
    fn offer(self) -> Option<Offer> {
        let address = |bytes: Option<[u8; 20]>| bytes.map(Address::from);
        Some(Offer {
            amount: self.reward?,
            token: address(self.token),
            payer: address(self.payer),
            from_deposit: self.from_deposit,
            callback_gas: self.callback_gas,
            confirmations: self.reward_confirmations,
        })
    }
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
        reward: args.reward.offer(),
        share: args.share,
        limits: args.fees.limits(&chain),
        wait: args.wait.map(Duration::from_secs),
        dry_run: args.dry_run,
        chain,
    };
    let report = block_on(async {
        let (account, rpc) = args.key.connected(&args.password, &request.chain).await?;
        Ok(request::run(ui, &artifacts, &rpc, &account, request).await?)
    })?;
    ui.result(&report)
}
