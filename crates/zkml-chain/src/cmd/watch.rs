//! `zkml-chain watch`: a service that proves what a contract is asked for.

use super::chain_args::{ChainArgs, ConsumerArgs, FeeArgs, KeyArgs, PasswordArgs, connect, ether};
use super::folder::Folder;
use super::queue::ObjectsArgs;
use super::signals::stop_on_signals;
use crate::{
    error::{Error, Result},
    show::{
        Ui,
        watch::{ended, events},
    },
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use zkml_deploy::{
    Address, DeployError, U256,
    acceptance::Acceptance,
    amount,
    asset::{Asset, COIN},
    chain::Chain,
    consumer::Consumer,
    error::with_causes,
    publication::Publication,
    rpc::Rpc,
};
use zkml_protocol::Program;
use zkml_service::{
    Budget, CancellationToken, DatabaseUrl, Health, Journal, Least, Metrics, Options, Owner, Prover, Results,
    Rewards, Service, Serving, Status, Summary, serve,
};
use zkml_workspace::{
    Error as StepError,
    artifacts::Artifacts,
    fleet::{FleetKey, FleetProver, Fleeting, publish},
    steps::{
        acceptance::record::{self, Records},
        watch::{ModelProver, WatchReport, subjects_of_file},
    },
    value::{self, Amount, ValueError},
};

/// Serve a contract's requests for inferences: prove each, hand the proof in, once
///
/// All it does is in its journal before anybody sees it: it can be killed at any time, and started again. SIGINT and
/// SIGTERM end it in good order; a second one ends it at once. What it writes on stderr is as RUST_LOG says.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
    /// Folder with committed inputs: <subject>/<data commitment>.json or <request id>.json, and beside each its .private.json with the salts
    #[arg(long, value_name = "DIR")]
    inputs: Option<PathBuf>,
    /// Where the journal is: a file, for a service that proves by itself, or the PostgreSQL server of ZKML_DATABASE_URL, whose queue workers take their tasks from
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = QueueName::Embedded)]
    queue: QueueName,
    #[command(flatten)]
    objects: ObjectsArgs,
    /// The fleet's public key, which inputs that are committed to are sealed for
    #[arg(long, value_name = "FILE")]
    seal_to: Option<PathBuf>,
    /// Tasks that are in the queue at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    backlog: u64,
    /// Journal of all that it knows and has done [default: deploy/journals/<chain id>-<consumer>.sqlite]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Proofs at a time; each takes all cores and its own memory [default: 1]
    #[arg(long, value_name = "N", value_parser = small)]
    jobs: Option<usize>,
    /// Transactions that may wait at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = small)]
    max_pending: usize,
    /// Send nothing more while this much of the chain's currency was spent within an hour, with what waits [default: no limit]
    #[arg(long, value_name = "AMOUNT", value_parser = ether)]
    budget_hour: Option<U256>,
    /// The same for a day [default: no limit]
    #[arg(long, value_name = "AMOUNT", value_parser = ether)]
    budget_day: Option<U256>,
    /// Serve only requests of these subjects, with commas between them [default: everybody's]
    #[arg(long, value_name = "ADDRESS,…", value_parser = subjects)]
    subjects: Option<Subjects>,
    /// And of those in this file: an address a line, # begins a remark
    #[arg(long, value_name = "FILE")]
    subjects_file: Option<PathBuf>,
    /// Prove so many requests of one subject within an hour [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    quota_hour: Option<u64>,
    /// The same for a day [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    quota_day: Option<u64>,
    /// Serve only requests that pay so much: in the chain's currency, or AMOUNT@TOKEN; several with commas between them, or by repeating it. Tokens that are not named are not taken
    #[arg(long, value_name = "AMOUNT[@TOKEN],…", value_parser = least)]
    min_reward: Vec<LeastRewards>,
    /// Fulfil requests whose reward in coins is below the expected fee, too
    #[arg(long)]
    at_a_loss: bool,
    /// Seconds between two looks at the chain [default: a third of a block]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    poll: Option<u64>,
    /// Block at which a new journal begins to read [default: the block of the recorded deployment, or the last one]
    #[arg(long, value_name = "N")]
    from_block: Option<u64>,
    /// Blocks that are read at once; halved while the endpoint refuses
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    range: u64,
    /// Address at which the status page, /metrics and /healthz are served; port 0 for any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9184")]
    listen: SocketAddr,
    /// Seconds that running proofs are waited for at the end
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    grace: u64,
    /// Seconds that a request may wait for an input that is not there; then it is refused
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..))]
    input_wait: u64,
    /// Answer for results that this account has posted with `accept`: draw them, and prove those whose proofs become due, before their bonds are lost
    #[arg(long)]
    results: bool,
    /// And for those of these accounts, with commas between them, whose inputs lie in --inputs as those of requests do; a proof earns its sender nothing
    #[arg(long, value_name = "ADDRESS,…", value_parser = subjects, requires = "results")]
    results_of: Option<Subjects>,
    /// Have results count when their windows are over and enough of their paths hold
    #[arg(long, requires = "results")]
    finalise: bool,
    /// End when nothing is left to do
    #[arg(long, visible_alias = "once")]
    until_idle: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    fees: FeeArgs,
}

/// Place of the journal, and of the proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum QueueName {
    /// In a file; this process proves
    Embedded,
    /// On a server; workers prove
    Postgres,
}

fn small(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1_000) => Ok(number),
        _ => Err("a number from 1 to 1000 is expected".to_owned()),
    }
}

/// The least reward of each asset, before it is known how many decimals that has.
#[derive(Debug, Clone)]
struct LeastRewards(Vec<Amount>);

fn least(text: &str) -> Result<LeastRewards, ValueError> {
    value::amounts(text).map(LeastRewards)
}

/// Subjects whose requests are served.
#[derive(Debug, Clone)]
struct Subjects(Vec<[u8; 20]>);

fn subjects(text: &str) -> Result<Subjects, ValueError> {
    value::addresses(text).map(Subjects)
}

impl Args {
    /// Limits of whose requests are served, and of how many of each.
    fn serving(&self) -> Result<Serving> {
        let mut named = self.subjects.clone().map(|Subjects(named)| named);
        if let Some(path) = &self.subjects_file {
            named.get_or_insert_default().extend(subjects_of_file(path)?);
        }
        let subjects = named.map(|named| named.into_iter().map(Address::from).collect());
        let rewards = Rewards { at_a_loss: self.at_a_loss, ..Rewards::default() };
        Ok(Serving { subjects, hourly: self.quota_hour, daily: self.quota_day, rewards })
    }

    /// Whose results are answered for, besides those of the account itself.
    fn answered_for(&self, account: Address, records: Records) -> Results {
        let others = self.results_of.iter().flat_map(|Subjects(others)| others);
        let posters = others.map(|poster| Address::from(*poster)).chain([account]).collect();
        let unread = records.unread.iter().map(|error| with_causes(error)).collect();
        Results { posters, finalise: self.finalise, known: records.known, unread }
    }

    /// Least rewards of requests. A token says itself how many decimals it has.
    async fn least(&self, rpc: &Rpc) -> Result<BTreeMap<Address, Least>> {
        let mut all = BTreeMap::new();
        for Amount { amount, token } in self.min_reward.iter().flat_map(|LeastRewards(named)| named) {
            let asset = token.map_or(COIN, Address::from);
            let decimals = Asset::at(rpc, asset).await?.decimals;
            let parsed = amount::parse(amount, decimals).ok_or_else(|| DeployError::Argument {
                what: "least reward",
                given: amount.clone(),
                why: format!("{asset} has {decimals} decimals"),
            })?;
            if all.insert(asset, Least { amount: parsed, decimals }).is_some() {
                let why = "it is named twice for one asset".to_owned();
                return Err(DeployError::Argument { what: "least reward", given: amount.clone(), why }.into());
            }
        }
        Ok(all)
    }
}

/// Runs the command.
///
/// # Errors
/// Before it serves: a missing artifact, another model's contract, a journal that is in use or another's, an endpoint
/// that does not answer. Later: another chain behind the endpoint, a full disk.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    ui.tells_events();
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let (consumer, deployed) = args.consumer.find(&chain, artifacts.model())?;
    let journal = args
        .journal
        .clone()
        .unwrap_or_else(|| PathBuf::from("deploy/journals").join(format!("{}-{consumer}.sqlite", chain.id)));
    let limits = args.fees.limits(&chain);
    let poll = args.poll.map_or(limits.poll, Duration::from_secs);
    let options = Options {
        jobs: args.jobs.unwrap_or(1),
        max_pending: args.max_pending,
        serving: args.serving()?,
        budget: Budget { hour: args.budget_hour, day: args.budget_day },
        publication: Publication::of(&chain)?,
        from_block: args.from_block.or(deployed),
        range: args.range,
        grace: Duration::from_secs(args.grace),
        until_idle: args.until_idle,
        input_wait: Duration::from_secs(args.input_wait),
        ..Options::new(zkml_deploy::transaction::Limits { poll, ..limits })
    };
    let folder = journal.parent().unwrap_or(Path::new(".")).to_owned();
    let records =
        if args.results { record::all(&artifacts, chain.id, consumer)? } else { Records::default() };
    for error in &records.unread {
        let why = with_causes(error);
        ui.warn(format_args!("nobody answers for a result whose record cannot be read: {why}"));
    }
    let prover = prover(ui, &args, artifacts, folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| StepError::io("start", Path::new("threads"), e))?;
    let answered = Answered { consumer, records };
    let served = runtime.block_on(work(ui, &args, &chain, answered, journal, options, prover));
    // Proofs that nobody waited for go down with the process.
    runtime.shutdown_background();
    let (summary, journal) = served?;
    ended(ui, &WatchReport { summary, journal })
}

/// Whoever proves, and what a verifier of the proofs needs.
struct Proving {
    prover: Arc<dyn Prover>,
    program: Program,
}

fn prover(ui: &Ui, args: &Args, artifacts: Artifacts, kept: PathBuf) -> Result<Proving> {
    if args.queue == QueueName::Embedded {
        if args.objects.is_given() || args.seal_to.is_some() {
            let message =
                "--objects and --seal-to are for a fleet: with them goes --queue postgres".to_owned();
            return Err(Error::Usage { message });
        }
        let prover = ModelProver::load(Arc::new(*ui), artifacts, args.inputs.clone(), kept, args.results)?;
        return Ok(Proving { program: prover.program().clone(), prover: Arc::new(prover) });
    }
    if args.results {
        let message = "--results is for --queue embedded: what a bond depends on is proven here".to_owned();
        return Err(Error::Usage { message });
    }
    for (flag, given) in [("--journal", args.journal.is_some()), ("--jobs", args.jobs.is_some())] {
        if given {
            let message = format!(
                "{flag} is for --queue embedded: the journal of a fleet is on its server, and workers prove"
            );
            return Err(Error::Usage { message });
        }
    }
    let objects = args.objects.open()?;
    let published = publish(&artifacts, &objects)?;
    ui.say(format_args!("workers find {} as {}", published.model, published.program));
    let key = args.seal_to.as_deref().map(FleetKey::read).transpose()?;
    let fleeting = Fleeting { objects, key, backlog: args.backlog };
    let prover = FleetProver::load(artifacts, args.inputs.clone(), fleeting, published.program)?;
    Ok(Proving { program: prover.program().clone(), prover: Arc::new(prover) })
}

/// The contract, and the results that this folder has records of.
struct Answered {
    consumer: Address,
    records: Records,
}

async fn work(
    ui: &Ui,
    args: &Args,
    chain: &Chain,
    Answered { consumer, records }: Answered,
    journal: PathBuf,
    mut options: Options,
    proving: Proving,
) -> Result<(Summary, String)> {
    let account = args.key.account(&args.password, chain).await?;
    let rpc = connect(chain).await?;
    options.serving.rewards.least = args.least(&rpc).await?;
    let asked = Consumer::at(&rpc, consumer).await?;
    asked.model().await?.check(consumer, &proving.program)?;
    if args.results {
        // Requests of the same contract are served as well, if it takes any.
        Acceptance::at(&rpc, consumer).await?;
        options.results = Some(args.answered_for(account.address(), records));
    } else {
        asked.takes_requests().await?;
    }
    let owner = Owner { chain_id: chain.id, consumer, sender: account.address() };
    let journal = match args.queue {
        QueueName::Embedded => {
            if let Some(folder) = journal.parent() {
                std::fs::create_dir_all(folder).map_err(|e| StepError::io("create", folder, e))?;
            }
            Journal::open(&journal, &owner)?
        }
        QueueName::Postgres => Journal::open_on(&DatabaseUrl::environment()?, &owner)?,
    };
    let place = journal.place().to_owned();
    let (metrics, health, status, shutdown) =
        (Metrics::default(), Health::new(options.limits.poll), Status::default(), CancellationToken::new());
    let end = CancellationToken::new();
    let _served_until_here = end.clone().drop_guard();
    let address = serve(args.listen, metrics.clone(), health.clone(), status.clone(), end).await?;
    ui.say(format_args!("serving {consumer} on {}; metrics on http://{address}/metrics", chain.name));
    ui.say(format_args!("status page: http://{address}"));
    stop_on_signals(*ui, shutdown.clone(), "ending: running proofs are finished; once more to end at once")?;
    let prover = proving.prover;
    let observer = events(ui.json);
    let service =
        Service { rpc, account, consumer, journal, prover, options, metrics, health, status, observer };
    Ok((service.run(shutdown).await?, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::Cli,
        config::{ConfigFile, layer::beneath},
    };
    use clap::{CommandFactory, FromArgMatches};

    fn least_of(file: &str, flags: &[&str]) -> Vec<Amount> {
        let file = ConfigFile::parse(Path::new("zkml.toml"), file).unwrap();
        let words = [&["zkml-chain", "watch", "--chain", "anvil"], flags].concat();
        let found = beneath(Cli::command(), &file).try_get_matches_from(words).unwrap();
        let args = Args::from_arg_matches(found.subcommand().unwrap().1).unwrap();
        args.min_reward.into_iter().flat_map(|LeastRewards(named)| named).collect()
    }

    #[test]
    fn least_rewards_come_from_the_file_or_the_flags() {
        let token = "0x1111111111111111111111111111111111111111";
        let file = format!("min-reward = \"0.01,5@{token}\"");
        let of = |amount: &str, token: Option<[u8; 20]>| Amount { amount: amount.to_owned(), token };
        assert_eq!(least_of(&file, &[]), [of("0.01", None), of("5", Some([0x11; 20]))]);
        // A flag stands for the whole key.
        assert_eq!(least_of(&file, &["--min-reward", "2"]), [of("2", None)]);
        let both = ["--min-reward", "2", "--min-reward", &format!("3@{token}")];
        assert_eq!(least_of("", &both), [of("2", None), of("3", Some([0x11; 20]))]);
    }
}
