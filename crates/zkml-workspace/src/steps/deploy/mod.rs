//! From an artifact folder to a chain: what it would do and cost, and doing it.

pub mod check;
mod package;
pub mod predict;
mod records;
mod report;

pub use package::{ConsumerKind, Folder};
pub use records::{ROOT as RECORDS, Records, Writing};
pub use report::DeployReport;

use crate::{
    artifacts::Artifacts,
    error::{Error, Result},
    observer::{Observer, Said, Total, Work},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use zkml_deploy::{
    Address, DeployError,
    chain::Chain,
    deploy::{self, Options, Todo, Watcher},
    error::RecordError,
    keys::Account,
    package::{Existing, Owners},
    plan::{Part, Plan},
    preflight,
    record::Record,
    rpc::Rpc,
    transaction::Limits,
};

/// Arguments of the constructors, which decide where contracts are placed: owners and delays.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Owner of router and consumer; the sender on test chains when absent.
    pub owner: Option<Address>,
    /// The account that registers the model; the sender when absent.
    pub model_owner: Option<Address>,
    /// The account that may pull an emergency stop in front of the verifier; no stop is deployed if nobody is named.
    pub guardian: Option<Address>,
    /// Seconds until a later route comes into force.
    pub route_delay: u64,
    /// Seconds until another model of private weights can take over; zero fixes the model.
    pub model_delay: u64,
    /// Contracts that are there already.
    pub existing: Existing,
    /// Which consumer.
    pub consumer: ConsumerKind,
}

impl Terms {
    /// Owners of all parts when this account sends. Owners are in the contracts for good or until they hand over, so off test chains somebody must
    /// name them.
    ///
    /// # Errors
    /// [`DeployError::NoOwner`].
    fn owners(&self, chain: &Chain, sender: Address) -> Result<Owners> {
        let owner = match self.owner {
            Some(owner) => owner,
            None if chain.test => sender,
            None => return Err(DeployError::NoOwner { chain: chain.name.clone() }.into()),
        };
        let Self { guardian, route_delay, model_delay, .. } = *self;
        Ok(Owners {
            owner,
            model_owner: self.model_owner.unwrap_or(sender),
            guardian,
            route_delay,
            model_delay,
        })
    }
}

/// The parts to deploy, where and for whom.
#[derive(Debug, Clone)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// Arguments that decide where contracts are placed.
    pub terms: Terms,
    /// The parts that are wanted.
    pub parts: BTreeSet<Part>,
    /// Deploy it off test chains too, though it takes proofs on any input.
    pub accept_any_input: bool,
    /// Folder of records.
    pub deployments: PathBuf,
    /// Patience and fees.
    pub limits: Limits,
    /// In a dry run, write the record of what would be there.
    pub save_plan: bool,
}

/// The sender: a key, or only an address when nothing is to be sent.
#[derive(Debug)]
pub enum Sender {
    /// Sends.
    Broadcast(Account),
    /// Looks.
    DryRun(Address),
}

impl Sender {
    fn address(&self) -> Address {
        match self {
            Self::Broadcast(account) => account.address(),
            Self::DryRun(address) => *address,
        }
    }
}

/// Looks at everything; then, with a key, makes what is missing.
///
/// # Errors
/// As [`deploy::preview`] and [`deploy::execute`]; a record that is about something else.
pub async fn run(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    connect: impl Future<Output = Result<Rpc>>,
    sender: Sender,
    request: Request,
) -> Result<DeployReport> {
    let folder = Folder::load(artifacts, request.terms.consumer, request.terms.guardian)?;
    // What needs no connection comes first.
    if request.parts.contains(&Part::Consumer) && !request.accept_any_input {
        preflight::any_input(&request.chain, &folder.package)?;
    }
    preflight::setup(&request.chain, &folder.package)?;
    let owners = request.terms.owners(&request.chain, sender.address())?;
    let rpc = connect.await?;
    let options = Options { parts: request.parts, limits: request.limits, simulated: folder.simulated };
    let plan = Plan::new(&rpc, &request.chain, folder.package, owners, request.terms.existing).await?;
    let records = Records::of(&request.deployments, plan.chain.id, artifacts.model());
    let mut record = Record::planned(&plan);
    let found = records.read()?;
    let mut writing = Writing::new(records.clone(), found.as_ref());
    if let Some(found) = found {
        found.check(&record, records.path())?;
        record = found;
    }
    let preview = deploy::preview(&rpc, &plan, sender.address(), &options).await?;
    let unaffordable = preview.affordable(&plan).err();
    let Sender::Broadcast(account) = sender else {
        if request.save_plan {
            writing.write(&record)?;
        }
        let written = request.save_plan.then(|| records.path().to_owned());
        return Ok(DeployReport::new(&plan, preview, None, written, unaffordable.map(|e| e.to_string())));
    };
    if let Some(error) = unaffordable {
        return Err(error.into());
    }
    let sent = preview.steps.iter().filter(|step| matches!(step.todo, Todo::Send { .. })).count();
    let work = observer.start("deploying", Total::Steps(sent as u64))?;
    let mut keeper = Keeper { path: records.path(), writing, work, begun: 0 };
    deploy::execute(&rpc, &plan, &account, &options, &mut record, &mut keeper).await?;
    drop(keeper);
    Ok(DeployReport::new(&plan, preview, Some(record), Some(records.path().to_owned()), None))
}

/// Keeps the record in its file.
struct Keeper<'a> {
    path: &'a Path,
    writing: Writing,
    work: Box<dyn Work + 'a>,
    /// Transactions that were begun.
    begun: u64,
}

impl Watcher for Keeper<'_> {
    fn save(&mut self, record: &Record) -> zkml_deploy::Result<()> {
        self.writing.write(record).map_err(|e| match e {
            Error::Deploy(e) => e,
            e => DeployError::Record { path: self.path.to_owned(), source: RecordError::Kept(Box::new(e)) },
        })
    }

    fn say(&mut self, words: &str) {
        self.work.said(&Said::Deployment(words.to_owned()));
        self.work.advanced(self.begun);
        self.begun += 1;
    }
}
