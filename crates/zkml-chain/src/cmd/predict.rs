//! `zkml-chain predict`: where `deploy` will put a model's contracts.

use super::chain_args::{ChainArgs, KeyArgs, PasswordArgs, block_on};
use super::{deploy::PlacingArgs, folder::Folder};
use crate::{
    error::{Error, Result},
    show::Ui,
};
use zkml_deploy::Address;
use zkml_workspace::{steps::deploy::predict, value};

/// Print the address at which `deploy` will put the consumer, before it is there
///
/// Give the flags that `deploy` will get: owners and delays are among the arguments of constructors, and so in the addresses. They are the
/// same on every chain. No connection is opened. A proof can be bound to the consumer, and an allow list hold it, before it is deployed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    /// The account that will send: the owner that is not named
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    from: Option<[u8; 20]>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    terms: PlacingArgs,
}

/// Runs the command.
///
/// # Errors
/// As [`predict::run`], and [`Error::NoKey`] where owners are not named and nobody is who will send.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let terms = args.terms.terms();
    let named = terms.owner.is_some() && terms.model_owner.is_some();
    let sender = match args.from.map(Address::from) {
        Some(from) => from,
        None if args.key.given() => block_on(args.key.account(&args.password, &chain))?.address(),
        // Nothing depends on it.
        None if named => Address::ZERO,
        None => return Err(Error::NoKey),
    };
    ui.result(&predict::run(&artifacts, &chain, sender, &terms)?)
}
