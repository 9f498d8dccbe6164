//! The service's one task: rounds, pauses between them, and a clean end.

mod budget;
mod fleet;
mod follow;
mod prove;
mod results;
mod reward;
mod send;
mod serving;
mod settle;
mod worth;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use zkml_deploy::{
    DeployError,
    error::with_causes,
    keys::Account,
    publication::Publication,
    rpc::{Retry, Rpc},
    transaction::Limits,
};
use zkml_protocol::Word;

pub use self::budget::Budget;
use self::{fleet::Packed, follow::Head, prove::Finished, worth::Pace};
use crate::{
    error::{Result, ServiceError},
    event::{Event, Observer, Payment},
    health::Health,
    journal::{Backlog, Counts, Entry, Journal},
    metrics::Metrics,
    prover::Prover,
    results::Results,
    serving::Serving,
    status::{LISTED, Overview, REMEMBERED, Status},
};

/// How the service works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Confirmations, gas, fees, and the time between two rounds; the timeout is of no concern here.
    pub limits: Limits,
    /// Proofs at a time.
    pub jobs: usize,
    /// Transactions that may wait at a time.
    pub max_pending: usize,
    /// Most that is spent.
    pub budget: Budget,
    /// The price of publication on another layer, which is paid on top.
    pub publication: Publication,
    /// Whose requests are served, and how many.
    pub serving: Serving,
    /// Whose posted results are answered for; none if this is a matter of requests alone.
    pub results: Option<Results>,
    /// Where a new journal begins to read; at the last block if none is named.
    pub from_block: Option<u64>,
    /// Blocks that are read at once.
    pub range: u64,
    /// How long running proofs are waited for at the end.
    pub grace: Duration,
    /// Stop when nothing is left to do.
    pub until_idle: bool,
    /// Longest time that a request may wait for an input that is not there; then it is refused.
    pub input_wait: Duration,
    /// Pauses after failed rounds, and between attempts at a request; so many failures are the end of a request.
    pub retry: Retry,
}

impl Options {
    /// What suits most.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let retry = Retry { attempts: 5, pause: Duration::from_secs(1), longest: Duration::from_secs(60) };
        Self {
            limits,
            jobs: 1,
            max_pending: 16,
            budget: Budget::default(),
            publication: Publication::default(),
            serving: Serving::default(),
            results: None,
            from_block: None,
            range: 2_000,
            grace: Duration::from_secs(600),
            until_idle: false,
            input_wait: Duration::from_secs(86_400),
            retry,
        }
    }
}

/// All that the service works with.
pub struct Service {
    /// The endpoint.
    pub rpc: Rpc,
    /// Who pays.
    pub account: Account,
    /// Whose requests are served.
    pub consumer: Address,
    /// What is known.
    pub journal: Journal,
    /// Who proves.
    pub prover: Arc<dyn Prover>,
    /// How.
    pub options: Options,
    /// Figures for whoever watches the service.
    pub metrics: Metrics,
    /// Whether it works.
    pub health: Health,
    /// What people see of it.
    pub status: Status,
    /// Told of everything.
    pub observer: Observer,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("rpc", &self.rpc)
            .field("account", &self.account)
            .field("consumer", &self.consumer)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Requests in the journal, by state.
    pub requests: Counts,
    /// Proofs that were made.
    pub proofs: u64,
    /// Requests whose transactions were signed.
    pub sent: u64,
    /// Requests that became fulfilled for good.
    pub done: u64,
    /// Proofs that were not waited for.
    pub abandoned: usize,
    /// What was earned with all requests in the journal, by asset.
    pub earned: Vec<Payment>,
    /// Results that are answered for and not over, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenResults>,
}

/// Results whose bonds stay set aside when a run ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenResults {
    /// Their number.
    pub results: u64,
    /// Their bonds, in coins.
    pub bonds: String,
    /// Last block time at which one of them may count, or its proof come, in seconds since 1970.
    pub until: u64,
    /// The next step, in words.
    pub next: String,
}

impl Service {
    /// Serves requests until it is told to stop, or nothing is left and [`Options::until_idle`] says so. Trouble with the
    /// endpoint is waited out.
    ///
    /// # Errors
    /// [`DeployError::WrongChain`], and those of the journal.
    pub async fn run(self, shutdown: CancellationToken) -> Result<Summary> {
        let mut engine = Engine::new(self);
        let ended = engine.work(&shutdown).await;
        let closed = engine.close(&shutdown).await;
        ended.and(closed)
    }
}

/// The service at work. What is in here and not in the journal may be lost at any time.
struct Engine {
    rpc: Rpc,
    account: Account,
    consumer: Address,
    journal: Journal,
    prover: Arc<dyn Prover>,
    options: Options,
    metrics: Metrics,
    health: Health,
    status: Status,
    observer: Observer,
    summary: Summary,
    /// Requests that an earlier run with other options has refused were looked at again.
    begun: bool,
    /// Requests that are being proven here.
    proving: HashSet<Word>,
    /// Results that are proven and did not count yet: their bonds are back.
    proven: HashSet<Word>,
    /// The queue of the fleet, if there is one.
    backlog: Backlog,
    /// Requests whose tasks are being made for the fleet, and since when.
    packing: HashMap<Word, Instant>,
    told: mpsc::UnboundedSender<Packed>,
    packed: mpsc::UnboundedReceiver<Packed>,
    finished: mpsc::UnboundedSender<Finished>,
    results: mpsc::UnboundedReceiver<Finished>,
    /// Time at which a node was last handed the transactions of a nonce, by the number of its slot.
    handed: HashMap<i64, Instant>,
    /// How often in a row a slot's nonce was used up and no receipt was ours.
    strangers: HashMap<i64, u32>,
    /// How often in a row the chain was shorter than before.
    shorter: u32,
    /// Blocks that the endpoint lets us read at once.
    range: u64,
    /// Times of the last proofs.
    pace: Pace,
    /// Calldata that was to be handed in last.
    usual: Vec<u8>,
    /// What stops the service from sending, once it was said: a budget, by its window, or the fee.
    over: Option<&'static str>,
}

impl Engine {
    fn new(service: Service) -> Self {
        let Service { rpc, account, consumer, journal, prover, options, metrics, health, status, observer } =
            service;
        let (finished, results) = mpsc::unbounded_channel();
        let (told, packed) = mpsc::unbounded_channel();
        Self {
            range: options.range.max(1),
            rpc,
            account,
            consumer,
            journal,
            prover,
            options,
            metrics,
            health,
            status,
            observer,
            summary: Summary::default(),
            begun: false,
            proving: HashSet::new(),
            proven: HashSet::new(),
            backlog: Backlog::default(),
            packing: HashMap::new(),
            told,
            packed,
            finished,
            results,
            handed: HashMap::new(),
            strangers: HashMap::new(),
            shorter: 0,
            pace: Pace::default(),
            usual: Vec::new(),
            over: None,
        }
    }

    async fn work(&mut self, shutdown: &CancellationToken) -> Result<()> {
        let mut failures = 0;
        loop {
            let round = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                round = self.round() => round,
            };
            let pause = match round {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    failures = 0;
                    self.health.progress();
                    self.options.limits.poll
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => {
                    failures += 1;
                    self.trouble(&error);
                    self.options.retry.pause_after(failures)
                }
            };
            match self.rest(pause, failures > 0, shutdown).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if is_final(&error) => return Err(error),
                // What could not be written down is made again.
                Err(error) => {
                    failures += 1;
                    self.trouble(&error);
                }
            }
        }
    }

    /// One look at everything. Whether nothing is left, if that is the end.
    async fn round(&mut self) -> Result<bool> {
        if !self.begun {
            self.journal.take_up(self.options.serving.subjects.as_ref())?;
            self.judge_rewards()?;
            self.begun = true;
        }
        self.check_chain().await?;
        let head = self.follow().await?;
        if let Some(head) = head {
            self.settle(head).await?;
            self.look_at_results(head).await?;
            self.send(head).await?;
            self.note_spent()?;
            self.note_earned()?;
            self.collect().await?;
            self.start_proofs(head).await?;
            self.metrics.lag.set(0);
        }
        let counts = self.journal.counts()?;
        self.metrics.requests(&counts);
        if let Some(head) = head {
            self.show(head, counts)?;
        }
        Ok(self.options.until_idle
            && head.is_some()
            && self.proving.is_empty()
            && self.packing.is_empty()
            && self.journal.idle()?)
    }

    /// Puts what is known onto the status page.
    fn show(&self, head: Head, counts: Counts) -> Result<()> {
        let (journal, account) = (&self.journal, self.account.address());
        self.status.show(Overview {
            service: [
                ("consumer", self.consumer.to_string()),
                ("chain", self.rpc.chain_id().to_string()),
                ("account", account.to_string()),
            ],
            counts,
            waiting: journal.waiting(LISTED)?,
            given_up: journal.given_up(LISTED)?,
            latencies: journal.latencies(REMEMBERED)?,
            proving: self.proving.len() as u64 + self.backlog.leased(),
            fleet: self.prover.fleet().map(|_| self.backlog.clone()),
            money: self.money_and_bonds()?,
            head: head.number,
        });
        Ok(())
    }

    /// What is signed for one chain is good for no other, and a journal that met another one would be of no use.
    async fn check_chain(&self) -> Result<()> {
        let (found, expected) = (self.rpc.chain_id_there().await?, self.rpc.chain_id());
        if found == expected {
            return Ok(());
        }
        let name = expected.to_string();
        Err(DeployError::WrongChain { endpoint: self.rpc.endpoint(), found, expected, name }.into())
    }

    /// Waits; a finished proof, or tasks for the fleet, end the wait, unless the endpoint is to be left alone. Whether to stop.
    async fn rest(&mut self, pause: Duration, whole: bool, shutdown: &CancellationToken) -> Result<bool> {
        let end = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(true),
                Some(result) = self.results.recv() => {
                    self.keep(result)?;
                    while let Ok(result) = self.results.try_recv() {
                        self.keep(result)?;
                    }
                    if !whole {
                        return Ok(false);
                    }
                }
                Some(packed) = self.packed.recv() => {
                    self.put(packed)?;
                    while let Ok(packed) = self.packed.try_recv() {
                        self.put(packed)?;
                    }
                    // A round for each of them would cost more than they do; what hangs waits for the next one.
                    if !whole && self.packing.is_empty() {
                        return Ok(false);
                    }
                }
                () = tokio::time::sleep_until(end) => return Ok(false),
            }
        }
    }

    /// Waits for proofs that are being made, for a while.
    async fn close(&mut self, shutdown: &CancellationToken) -> Result<Summary> {
        let grace = if shutdown.is_cancelled() { self.options.grace } else { Duration::ZERO };
        let end = tokio::time::Instant::now() + grace;
        while !self.proving.is_empty() {
            match tokio::time::timeout_at(end, self.results.recv()).await {
                Ok(Some(result)) => self.keep(result)?,
                _ => break,
            }
        }
        while let Ok(packed) = self.packed.try_recv() {
            self.put(packed)?;
        }
        self.summary.abandoned = self.proving.len();
        self.summary.requests = self.journal.counts()?;
        self.summary.earned = self.earned()?;
        self.summary.open = self.left_open()?;
        Ok(self.summary.clone())
    }

    fn trouble(&mut self, error: &ServiceError) {
        self.metrics.rpc_errors.inc();
        let reason = with_causes(error);
        self.health.failed(&reason);
        self.tell(Event::Failed { reason });
    }

    /// Tries a request again after a pause that grows with its attempts; its deadline ends that.
    fn postpone(&mut self, entry: &Entry, reason: String) -> Result<()> {
        self.put_off(entry, reason, false)
    }

    /// The same for what is hardly cured by waiting: so many failures are the end.
    fn postpone_or_refuse(&mut self, entry: &Entry, reason: String) -> Result<()> {
        // A bond is worth every attempt.
        if entry.duty.is_none() && entry.failures + 1 >= self.options.retry.attempts {
            return self.refuse(&entry.id, reason);
        }
        self.put_off(entry, reason, true)
    }

    fn put_off(&mut self, entry: &Entry, reason: String, failure: bool) -> Result<()> {
        self.journal.postpone(&entry.id, self.pause(entry), &reason, failure)?;
        self.tell(Event::Postponed { request: entry.id, reason });
        Ok(())
    }

    /// Milliseconds before a request's next turn: more each time.
    fn pause(&self, entry: &Entry) -> i64 {
        milliseconds(self.options.retry.pause_after(entry.attempts + 1))
    }

    fn refuse(&mut self, id: &Word, reason: String) -> Result<()> {
        self.journal.refuse(id, &reason)?;
        self.tell(Event::Refused { request: *id, reason });
        Ok(())
    }

    fn tell(&self, event: Event) {
        let event = event.clean();
        event.log();
        (self.observer)(&event);
    }
}

/// As SQLite has them.
fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Errors that waiting does not cure.
fn is_final(error: &ServiceError) -> bool {
    matches!(
        error,
        ServiceError::Deploy(DeployError::WrongChain { .. })
            | ServiceError::Journal { .. }
            | ServiceError::NoJournal { .. }
            | ServiceError::JournalInUse { .. }
    )
}
