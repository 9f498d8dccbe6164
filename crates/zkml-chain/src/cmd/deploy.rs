//! `zkml-chain deploy`: a model's contracts, from the folder to a chain.

use super::chain_args::{
    ChainArgs, ConsumerName, FeeArgs, KeyArgs, PasswordArgs, RecordArgs, block_on, connect,
};
use super::folder::Folder;
use crate::{
    error::{Error, Result},
    show::Ui,
};
use std::collections::BTreeSet;
use zkml_deploy::{Address, package::Existing, plan::Part};
use zkml_harness::ROUTE_DELAY;
use zkml_workspace::{
    steps::deploy::{self, Sender},
    value,
};

/// Deploy a model's contracts and register it: a dry run unless --broadcast is given
///
/// What is there already is reused, so that after an interruption the same command goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    /// Send transactions; without it everything is looked at, and nothing sent or written
    #[arg(long)]
    broadcast: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// Who would send, for a dry run without a key
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, conflicts_with = "broadcast")]
    from: Option<[u8; 20]>,
    /// Owner of router and consumer [default on test chains: the sender]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    owner: Option<[u8; 20]>,
    /// Who registers the model, and can deprecate it [default: the sender]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    model_owner: Option<[u8; 20]>,
    /// Seconds until a route that is added later comes into force
    #[arg(long, value_name = "SECONDS", default_value_t = ROUTE_DELAY)]
    route_delay: u64,
    /// Seconds until another model of private weights can take over; zero fixes the model for good
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    model_delay: u64,
    /// Only these: verifier, registry, router, zkml-verifier, route, registration, consumer [default: all]
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = part)]
    parts: Vec<Part>,
    /// Which consumer to deploy; both take proofs on any input, for demonstrations: an application has its own
    #[arg(long, value_enum, default_value_t = ConsumerName::Plain)]
    consumer: ConsumerName,
    /// Deploy that consumer off test chains too, though whoever proves chooses the input
    #[arg(long)]
    accept_any_input: bool,
    /// Use this ZKMLRegistry
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    registry: Option<[u8; 20]>,
    /// Use this ZKMLRouter; the model's route is proposed to it
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    router: Option<[u8; 20]>,
    /// Use this ZKMLVerifier, with its registry and router
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, conflicts_with_all = ["registry", "router"])]
    zkml_verifier: Option<[u8; 20]>,
    #[command(flatten)]
    records: RecordArgs,
    /// In a dry run, write the record of what would be there
    #[arg(long, conflicts_with = "broadcast")]
    save_plan: bool,
    #[command(flatten)]
    fees: FeeArgs,
}

/// Runs the command.
///
/// # Errors
/// As [`deploy::run`], and [`Failed`](Error::Failed) when something waits for somebody else.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let address = |bytes: Option<[u8; 20]>| bytes.map(Address::from);
    let request = deploy::Request {
        owner: address(args.owner),
        model_owner: address(args.model_owner),
        route_delay: args.route_delay,
        model_delay: args.model_delay,
        existing: Existing {
            registry: address(args.registry),
            router: address(args.router),
            zkml_verifier: address(args.zkml_verifier),
        },
        parts: if args.parts.is_empty() {
            BTreeSet::from(Part::ALL)
        } else {
            args.parts.into_iter().collect()
        },
        consumer: args.consumer.into(),
        accept_any_input: args.accept_any_input,
        deployments: args.records.deployments,
        limits: args.fees.limits(&chain),
        save_plan: args.save_plan,
        chain: chain.clone(),
    };
    let report = block_on(async {
        let sender = match (args.broadcast, address(args.from)) {
            (true, _) => Sender::Broadcast(args.key.account(&args.password, &chain).await?),
            (false, Some(address)) => Sender::DryRun(address),
            (false, None) if args.key.given() => {
                Sender::DryRun(args.key.account(&args.password, &chain).await?.address())
            }
            (false, None) => return Err(Error::NoKey),
        };
        Ok(deploy::run(ui, &artifacts, connect(&chain), sender, request).await?)
    })?;
    ui.judged(&report)
}

fn part(text: &str) -> Result<Part, String> {
    Part::ALL.into_iter().find(|part| part.name() == text).ok_or_else(|| {
        let known: Vec<&str> = Part::ALL.iter().map(|part| part.name()).collect();
        format!("there is no part {text:?}; known are {}", known.join(", "))
    })
}
