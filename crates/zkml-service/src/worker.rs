//! A worker of a fleet: takes a task, proves it, hands the result in, and takes the next one. It keeps nothing that matters.

mod metrics;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;
use zkml_protocol::Word;

pub use self::metrics::{WorkerMetrics, serve_worker};
use crate::{
    error::{Result, ServiceError},
    prover::ProveFailure,
    queue::{Lease, Queue, WorkerCard},
};

/// A maker of results. It may take minutes; one task at a time is given to it.
pub trait Hands: Send + Sync + 'static {
    /// Digests of the programs that are loaded.
    fn warm(&self) -> Vec<String>;

    /// The fleet's public key whose sealed inputs it opens, in hexadecimal digits; empty if it has none.
    fn opens(&self) -> String {
        String::new()
    }

    /// Does a task, with the results of its parts if it makes one proof of them.
    ///
    /// # Errors
    /// [`ProveFailure`].
    fn work(&self, lease: &Lease, parts: &[Vec<u8>]) -> Result<Vec<u8>, ProveFailure>;
}

/// Told of everything that happens.
pub type WorkerObserver = Arc<dyn Fn(&WorkerEvent) + Send + Sync>;

/// An event. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum WorkerEvent {
    /// A task was taken.
    Leased {
        /// Its number.
        task: i64,
        /// Its request.
        request: Word,
        /// Number of times that it was leased, this one included.
        attempts: u32,
    },
    /// Its result was handed in.
    Done {
        /// Its number.
        task: i64,
        /// Time that it took.
        milliseconds: u64,
    },
    /// There is no result.
    Failed {
        /// Its number.
        task: i64,
        /// Why.
        reason: String,
    },
    /// The lease ended before the result was there: it does not count.
    Lost {
        /// Its number.
        task: i64,
    },
    /// The task went back, since the worker ends.
    Released {
        /// Its number.
        task: i64,
    },
    /// The queue cannot be reached; the worker waits.
    Away {
        /// Answer of the database.
        reason: String,
    },
}

/// A worker.
pub struct Worker {
    /// The queue.
    pub queue: Queue,
    /// Its name; no other worker has it.
    pub name: String,
    /// Number of bytes that proofs may take.
    pub memory: u64,
    /// Maker of results.
    pub hands: Arc<dyn Hands>,
    /// Time that a lease lasts without a beat: a worker that vanishes keeps its task for so long.
    pub lease: Duration,
    /// Time between two looks at an empty queue.
    pub poll: Duration,
    /// Longest wait for a running task at the end; then it goes back.
    pub grace: Duration,
    /// End when the queue says that it is to take nothing more.
    pub until_drained: bool,
    /// Figures.
    pub metrics: WorkerMetrics,
    /// Told of everything.
    pub observer: WorkerObserver,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("name", &self.name).field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// Result of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerSummary {
    /// Number of tasks that were taken.
    pub leased: u64,
    /// Number of results that were handed in.
    pub done: u64,
    /// Number of tasks that gave none.
    pub failed: u64,
    /// Number of leases that ended too early.
    pub lost: u64,
    /// Number of tasks that went back.
    pub released: u64,
}

type Work = JoinHandle<Result<Vec<u8>, ProveFailure>>;

/// End of waiting for a task.
enum Ended {
    Worked(Result<Vec<u8>, ProveFailure>),
    Lost,
    Stopped,
}

impl Worker {
    /// Works until it is told to stop.
    ///
    /// # Errors
    /// Those of the database that waiting does not cure.
    pub async fn run(self, shutdown: CancellationToken) -> Result<WorkerSummary> {
        let (mut summary, over) = (WorkerSummary::default(), CancellationToken::new());
        let (told, grace, end) = (shutdown.clone(), self.grace, over.clone());
        let timer = tokio::spawn(async move {
            told.cancelled().await;
            tokio::time::sleep(grace).await;
            end.cancel();
        });
        // Whichever way this ends.
        let _timer = Aborted(timer);
        while !shutdown.is_cancelled() {
            let lease = match self.next() {
                Ok(Next::Task(lease)) => lease,
                Ok(Next::Nothing { draining }) => {
                    if draining && self.until_drained {
                        break;
                    }
                    self.rest(&shutdown).await;
                    continue;
                }
                Err(error) => {
                    self.away(error)?;
                    self.rest(&shutdown).await;
                    continue;
                }
            };
            summary.leased += 1;
            self.metrics.busy.set(1);
            self.attempt(&lease, &over, &mut summary).await?;
            self.metrics.busy.set(0);
        }
        Ok(summary)
    }

    /// The next task, and what the queue says.
    fn next(&self) -> Result<Next> {
        let (name, warm, opens) = (self.name.clone(), self.hands.warm(), self.hands.opens());
        let card = WorkerCard { name, memory: self.memory, warm, opens };
        self.metrics.warm.set(crate::metrics::signed(card.warm.len() as u64));
        let draining = self.queue.greet(&card)?;
        self.metrics.seen();
        match self.queue.lease(&self.name, self.lease)? {
            Some(lease) => Ok(Next::Task(Box::new(lease))),
            None => Ok(Next::Nothing { draining }),
        }
    }

    async fn attempt(
        &self,
        lease: &Lease,
        over: &CancellationToken,
        summary: &mut WorkerSummary,
    ) -> Result<()> {
        let (task, started) = (lease.task, Instant::now());
        self.tell(WorkerEvent::Leased { task, request: lease.request, attempts: lease.attempts });
        let parts = match self.queue.parts(lease) {
            Ok(parts) => parts,
            // Its lease ends by itself.
            Err(error) => return self.away(error),
        };
        let (hands, own) = (Arc::clone(&self.hands), lease.clone());
        let mut work = spawn_blocking(move || hands.work(&own, &parts));
        match self.wait(lease, &mut work, over).await {
            Ended::Worked(Ok(result)) => {
                if self.until_told(over, || self.queue.complete(lease, &result)).await? {
                    summary.done += 1;
                    self.metrics.proofs.inc();
                    self.metrics.seconds.observe(started.elapsed().as_secs_f64());
                    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                    self.tell(WorkerEvent::Done { task, milliseconds });
                    return Ok(());
                }
            }
            Ended::Worked(Err(failure)) => {
                if self.until_told(over, || self.queue.fail(lease, &failure)).await? {
                    summary.failed += 1;
                    self.metrics.failures.inc();
                    let (ProveFailure::Permanent(reason) | ProveFailure::Later(reason)) = failure;
                    self.tell(WorkerEvent::Failed { task, reason });
                    return Ok(());
                }
            }
            Ended::Stopped => {
                if self.until_told(over, || self.queue.release(lease)).await? {
                    summary.released += 1;
                    self.tell(WorkerEvent::Released { task });
                    return Ok(());
                }
            }
            // What is begun cannot be stopped, and two at a time would take more memory than there is.
            Ended::Lost => tokio::select! {
                _ = &mut work => {}
                () = over.cancelled() => {}
            },
        }
        summary.lost += 1;
        self.metrics.lost.inc();
        self.tell(WorkerEvent::Lost { task });
        Ok(())
    }

    /// Waits for a result, and keeps the lease meanwhile, until the grace is over.
    async fn wait(&self, lease: &Lease, work: &mut Work, over: &CancellationToken) -> Ended {
        let (mut beat, mut last) = (tokio::time::interval(self.lease / 3), Instant::now());
        beat.tick().await;
        loop {
            tokio::select! {
                result = &mut *work => {
                    return Ended::Worked(result.unwrap_or_else(|e| Err(ProveFailure::ended(&e))));
                }
                () = over.cancelled() => return Ended::Stopped,
                _ = beat.tick() => match self.queue.beat(lease, self.lease) {
                    Ok(true) => {
                        last = Instant::now();
                        self.metrics.seen();
                    }
                    Ok(false) => return Ended::Lost,
                    Err(error) => {
                        self.tell(WorkerEvent::Away { reason: zkml_deploy::error::with_causes(&error) });
                        if last.elapsed() > self.lease {
                            return Ended::Lost;
                        }
                    }
                }
            }
        }
    }

    /// Tells the queue something, again while it is away: what it was told before, it is told once more without harm.
    async fn until_told(&self, over: &CancellationToken, tell: impl Fn() -> Result<bool>) -> Result<bool> {
        let end = Instant::now() + self.lease;
        loop {
            match tell() {
                Ok(taken) => return Ok(taken),
                Err(error) => self.away(error)?,
            }
            if Instant::now() >= end || over.is_cancelled() {
                return Ok(false);
            }
            tokio::select! {
                () = over.cancelled() => {}
                () = tokio::time::sleep(self.poll) => {}
            }
        }
    }

    /// Trouble that waiting may cure.
    fn away(&self, error: ServiceError) -> Result<()> {
        if let ServiceError::JournalAway { .. } = error {
            self.tell(WorkerEvent::Away { reason: zkml_deploy::error::with_causes(&error) });
            return Ok(());
        }
        Err(error)
    }

    async fn rest(&self, shutdown: &CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(self.poll) => {}
        }
    }

    fn tell(&self, event: WorkerEvent) {
        (self.observer)(&event);
    }
}

/// A task that ends with whoever has this.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

enum Next {
    Task(Box<Lease>),
    Nothing { draining: bool },
}

#[cfg(test)]
mod tests;
