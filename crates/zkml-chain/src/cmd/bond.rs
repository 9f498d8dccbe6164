//! `zkml-chain bond`: what has to be at stake.

use super::{chain_args::gwei, folder::Folder};
use crate::{
    error::{Error, Result},
    show::Ui,
};
use zkml_deploy::{U256, amount};
use zkml_workspace::steps::{
    bond::{self, DECIMALS, PROOF_OVERHEAD, Request},
    compiled,
};

/// Work out the smallest bond for which a false result does not pay, under a policy that takes results without a proof
///
/// See the book, "Results for less than a proof". Nothing is sent, and no connection is opened.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What a false result brings whoever posts it, in coins
    #[arg(long, value_name = "COINS", value_parser = coins)]
    value: U256,
    /// Probability that somebody looks at a result within the challenge window, as in 0.9: the optimistic path
    #[arg(long, value_name = "PROBABILITY", value_parser = coins)]
    looked_at: Option<U256>,
    /// Rate at which results are drawn, as in 0.1: the sampled path
    #[arg(long, value_name = "PROBABILITY", value_parser = coins, required_unless_present = "looked_at")]
    rate: Option<U256>,
    /// Highest price of gas that an honest poster has to survive, in gwei
    #[arg(long, value_name = "GWEI", value_parser = gwei)]
    gas_price: u128,
    /// Gas of a proof on chain, all of the transaction [default: as planned for the model of the artifact folder, and what a contract that takes results adds]
    #[arg(long, value_name = "GAS")]
    gas: Option<u64>,
    /// What making a proof costs, in coins
    #[arg(long, value_name = "COINS", value_parser = coins, default_value = "0")]
    proving: U256,
    #[command(flatten)]
    folder: Folder,
}

/// Runs the command.
///
/// # Errors
/// [`NoBond`](bond::NoBond); without `--gas`, as [`compiled::plan`].
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let gas = match args.gas {
        Some(gas) => gas,
        None => compiled::plan(&args.folder.open()?)?.cost().gas_estimate.saturating_add(PROOF_OVERHEAD),
    };
    let request = Request {
        value: args.value,
        looked_at: args.looked_at,
        rate: args.rate,
        gas,
        gas_price: U256::from(args.gas_price),
        proving: args.proving,
    };
    let report = bond::run(&request).map_err(|e| Error::Usage { message: e.to_string() })?;
    ui.result(&report)
}

/// A decimal number of 18 digits after the point at most.
fn coins(text: &str) -> std::result::Result<U256, String> {
    amount::parse(text, DECIMALS).ok_or_else(|| {
        format!("{text:?} is no decimal number of at most {DECIMALS} digits after the point, like 0.25")
    })
}
