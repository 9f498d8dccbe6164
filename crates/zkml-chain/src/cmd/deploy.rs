//! `zkml-chain deploy`: a model's contracts, from the folder to a chain.

use super::chain_args::{
    ChainArgs, ConsumerName, FeeArgs, KeyArgs, PasswordArgs, RecordArgs, block_on, connect,
};
use super::folder::Folder;
use crate::{
    error::{Error, Result},
    show::Ui,
};
use zkml_deploy::{
    Address,
    package::{Existing, ROUTE_DELAYS},
    plan::Part,
};
use zkml_harness::ROUTE_DELAY;
use zkml_workspace::{
    steps::deploy::{self, Sender, Terms},
    value,
};

/// Deploy a model's contracts and register it: a dry run unless --broadcast is given
///
/// Parts that are there already are reused, so that after an interruption the same command goes on.
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
    /// The account that would send, for a dry run without a key
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, conflicts_with = "broadcast")]
    from: Option<[u8; 20]>,
    #[command(flatten)]
    terms: PlacingArgs,
    /// Only these: verifier, emergency-stop, registry, router, zkml-verifier, route, registration, consumer [default: all]
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = part)]
    parts: Vec<Part>,
    /// Deploy the consumer off test chains too, though whoever proves chooses its input
    #[arg(long)]
    accept_any_input: bool,
    #[command(flatten)]
    records: RecordArgs,
    /// In a dry run, write the record of what would be there
    #[arg(long, conflicts_with = "broadcast")]
    save_plan: bool,
    #[command(flatten)]
    fees: FeeArgs,
}

/// Arguments of the constructors, which decide where contracts are placed: owners and delays.
#[derive(Debug, Clone, clap::Args)]
pub struct PlacingArgs {
    /// Owner of router and consumer [default on test chains: the sender]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    pub owner: Option<[u8; 20]>,
    /// The account that registers the model, and can deprecate it [default: the sender]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    pub model_owner: Option<[u8; 20]>,
    /// Put a ZKMLEmergencyStop in front of the verifier, which this account can pull, for good: somebody who can act fast [default: no stop]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    pub emergency_stop: Option<[u8; 20]>,
    /// Seconds until a route that is added later comes into force: an hour (3600) at least, 90 days at most
    #[arg(long, value_name = "SECONDS", default_value_t = ROUTE_DELAY, value_parser = route_delay)]
    pub route_delay: u64,
    /// Seconds until another model of private weights can take over; zero fixes the model for good
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub model_delay: u64,
    /// Which consumer to deploy; both take proofs on any input, for demonstrations: an application has its own
    #[arg(long, value_enum, default_value_t = ConsumerName::Plain)]
    pub consumer: ConsumerName,
    /// Use this ZKMLRegistry
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    pub registry: Option<[u8; 20]>,
    /// Use this ZKMLRouter; the model's route is proposed to it
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    pub router: Option<[u8; 20]>,
    /// Use this ZKMLVerifier, with its registry and router
    #[arg(long, value_name = "ADDRESS", value_parser = value::address, conflicts_with_all = ["registry", "router"])]
    pub zkml_verifier: Option<[u8; 20]>,
}

impl PlacingArgs {
    /// The same as the step takes it.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let address = |bytes: Option<[u8; 20]>| bytes.map(Address::from);
        Terms {
            owner: address(self.owner),
            model_owner: address(self.model_owner),
            guardian: address(self.emergency_stop),
            route_delay: self.route_delay,
            model_delay: self.model_delay,
            existing: Existing {
                registry: address(self.registry),
                router: address(self.router),
                zkml_verifier: address(self.zkml_verifier),
            },
            consumer: self.consumer.into(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// As [`deploy::run`], and [`Failed`](Error::Failed) when something waits for somebody else.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let terms = args.terms.terms();
    let request = deploy::Request {
        terms,
        parts: if args.parts.is_empty() {
            let guarded = terms.guardian.is_some();
            Part::ALL.into_iter().filter(|part| guarded || *part != Part::EmergencyStop).collect()
        } else {
            args.parts.into_iter().collect()
        },
        accept_any_input: args.accept_any_input,
        deployments: args.records.deployments,
        limits: args.fees.limits(&chain),
        save_plan: args.save_plan,
        chain: chain.clone(),
    };
    let report = block_on(async {
        let sender = match (args.broadcast, args.from.map(Address::from)) {
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

fn route_delay(text: &str) -> Result<u64, String> {
    let (least, most) = (ROUTE_DELAYS.start(), ROUTE_DELAYS.end());
    match text.parse() {
        Ok(delay) if ROUTE_DELAYS.contains(&delay) => Ok(delay),
        _ => Err(format!("a number of seconds from {least} (an hour) to {most} (90 days) is expected")),
    }
}

fn part(text: &str) -> Result<Part, String> {
    Part::ALL.into_iter().find(|part| part.name() == text).ok_or_else(|| {
        let known: Vec<&str> = Part::ALL.iter().map(|part| part.name()).collect();
        format!("there is no part {text:?}; known are {}", known.join(", "))
    })
}
