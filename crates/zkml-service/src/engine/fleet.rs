//! Proofs that workers make: tasks for them, and what becomes of these.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::primitives::U256;
use zkml_deploy::asset::COIN;
use zkml_protocol::Word;

use super::Engine;
use crate::{
    error::Result,
    event::Event,
    health::Concern,
    journal::{Entry, Made},
    prover::{Fleet, Part, ProveFailure, Proven, Prover},
    queue::NewTask,
};

/// Results that are looked at in one round.
const AT_ONCE: usize = 64;
/// Requests whose tasks are made at a time.
const PACKED_AT_ONCE: usize = 64;
/// Time after which people are told that object storage is slow.
const SLOW: Duration = Duration::from_secs(15);
/// Number of times that a task is leased at most: whatever ends its worker so often is in the task.
const MOST_LEASES: u32 = 8;

/// A request's tasks, or why there are none.
pub(super) struct Packed {
    request: Word,
    statement: Word,
    parts: Result<Vec<Part>, ProveFailure>,
}

impl Engine {
    /// Takes in what workers have made, and gives up what none of them could.
    pub(super) async fn collect(&mut self) -> Result<()> {
        let Some(key) = self.prover.fleet().map(Fleet::seals_for) else { return Ok(()) };
        // Whatever a worker of the old key has, it may finish.
        self.journal.unseal(&key)?;
        for made in self.journal.made(AT_ONCE)? {
            self.metrics.lost_leases.inc_by(made.lost);
            let Some(entry) = self.journal.request(&made.request)? else { continue };
            match self.open(&entry, &made).await {
                Ok(proven) => self.take(&made, &proven)?,
                Err(reason) => {
                    self.metrics.tasks_rejected.inc();
                    let reason = format!("what worker {} made is no proof: {reason}", made.worker);
                    self.journal.reject(&made, &reason)?;
                    self.tell(Event::Postponed { request: made.request, reason });
                }
            }
        }
        for (request, reason) in self.journal.give_up_dead()? {
            self.metrics.tasks_dead.inc();
            self.metrics.proof_failures.inc();
            self.tell(Event::Refused { request, reason });
        }
        self.journal.cancel_tasks()?;
        self.look_at_queue()
    }

    async fn open(&self, entry: &Entry, made: &Made) -> Result<Proven, String> {
        let (job, result) = (self.job(entry), made.result.clone());
        let open = move |prover: &dyn Prover| match prover.fleet() {
            Some(fleet) => fleet.open(&job, &result),
            None => Err("there is no fleet".to_owned()),
        };
        aside(&self.prover, open).await.unwrap_or_else(|_| Err("reading it made the prover panic".to_owned()))
    }

    fn take(&mut self, made: &Made, proven: &Proven) -> Result<()> {
        self.journal.take(made, proven)?;
        self.summary.proofs += 1;
        self.metrics.proofs.inc();
        self.metrics.tasks_done.inc();
        let took = Duration::from_millis(made.took_ms);
        self.pace.took(took);
        self.metrics.task_seconds.observe(took.as_secs_f64());
        self.metrics.proof_seconds.observe(took.as_secs_f64());
        self.tell(Event::Proven { request: made.request, milliseconds: made.took_ms });
        Ok(())
    }

    fn look_at_queue(&mut self) -> Result<()> {
        self.backlog = self.journal.backlog()?;
        self.metrics.queue(&self.backlog);
        let waits = self.backlog.open() > self.backlog.leased();
        let idle = (waits && self.backlog.workers == 0)
            .then(|| format!("{} tasks wait, and no worker was heard of for a minute", self.backlog.open()));
        let dead =
            self.backlog.states.iter().find(|(state, _)| state == "dead").map_or(0, |(_, count)| *count);
        let dead = (dead > 0)
            .then(|| format!("{dead} tasks are dead: `queue status` says why, `queue retry` tries again"));
        let unplaced = self.backlog.unplaced.to_string();
        let unplaced = (!unplaced.is_empty()).then_some(unplaced);
        let notice = [idle, unplaced, self.storage_is_slow(), dead]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
        self.health.notice(Concern::Fleet, (!notice.is_empty()).then_some(notice));
        Ok(())
    }

    /// Returns true while a request's tasks are being made.
    pub(super) fn is_packing(&self, id: &Word) -> bool {
        self.packing.contains_key(id)
    }

    /// Returns true while as many tasks are in the queue, or on their way there, as may be.
    pub(super) fn fleet_is_full(&self, backlog: u64) -> bool {
        self.packing.len() >= PACKED_AT_ONCE || self.backlog.open() + self.packing.len() as u64 >= backlog
    }

    /// Has a request's tasks made beside everything else: storage that does not answer keeps nobody else waiting.
    pub(super) fn dispatch(&mut self, entry: &Entry) -> Result<()> {
        let (job, prover, told) = (self.job(entry), Arc::clone(&self.prover), self.told.clone());
        let (request, statement) = (entry.id, job.context);
        self.journal.begun(&request)?;
        self.packing.insert(request, Instant::now());
        tokio::spawn(async move {
            let pack = move |prover: &dyn Prover| match prover.fleet() {
                Some(fleet) => fleet.pack(&job),
                None => Err(ProveFailure::Later("there is no fleet".to_owned())),
            };
            let parts = aside(&prover, pack).await.unwrap_or_else(Err);
            // Nobody listens any more when the service has ended.
            let _ = told.send(Packed { request, statement, parts });
        });
        Ok(())
    }

    /// Puts a request's tasks into the queue.
    pub(super) fn put(&mut self, packed: Packed) -> Result<()> {
        let Packed { request, statement, parts } = packed;
        self.packing.remove(&request);
        // It may be over, or have come back, meanwhile.
        let Some(entry) = self.journal.request(&request)? else { return Ok(()) };
        if entry.closed.is_some() || entry.status != "open" {
            self.forget(request);
            return Ok(());
        }
        match parts {
            Ok(parts) => {
                let tasks: Vec<_> = parts.into_iter().map(|part| task(&entry, statement, part)).collect();
                self.journal.enqueue(&tasks)?;
                self.backlog.add(tasks.len() as u64);
                self.tell(Event::Proving { request });
                Ok(())
            }
            Err(ProveFailure::Permanent(reason)) => self.refuse(&request, reason),
            Err(ProveFailure::Later(reason)) => self.postpone(&entry, reason),
        }
    }

    fn storage_is_slow(&self) -> Option<String> {
        slow(self.packing.values().map(Instant::elapsed))
    }

    /// Takes away inputs that were sealed for a request: they are of no use any more.
    pub(super) fn forget(&self, id: Word) {
        if self.prover.fleet().is_some() {
            let prover = Arc::clone(&self.prover);
            tokio::task::spawn_blocking(move || prover.fleet().map(|fleet| fleet.forget(&id)));
        }
    }
}

fn task(entry: &Entry, statement: Word, part: Part) -> NewTask {
    let Part { part, parts, program, memory, sealed_for, job } = part;
    let seconds = u64::try_from(U256::from_be_bytes(entry.request.deadline.0)).unwrap_or(u64::MAX);
    let deadline = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
    // Rewards in coins are compared by their magnitude, which no rate of exchange has a say in; others come after them.
    let coins = entry.reward.as_ref().filter(|reward| reward.asset == COIN.into_array());
    let reward_rank = coins.map_or(0, |reward| U256::from_be_bytes(reward.amount.0).bit_len());
    NewTask {
        request: entry.id,
        statement,
        part,
        parts,
        program,
        memory,
        sealed_for,
        job,
        deadline,
        reward_rank: i64::try_from(reward_rank).unwrap_or(i64::MAX),
        most: MOST_LEASES,
    }
}

/// Work of a prover, on a thread where it may take its time.
async fn aside<T: Send + 'static>(
    prover: &Arc<dyn Prover>,
    work: impl FnOnce(&dyn Prover) -> T + Send + 'static,
) -> Result<T, ProveFailure> {
    let prover = Arc::clone(prover);
    tokio::task::spawn_blocking(move || work(&*prover)).await.map_err(|e| ProveFailure::ended(&e))
}

/// Says so where requests have waited for object storage for long.
fn slow(waits: impl Iterator<Item = Duration>) -> Option<String> {
    let (count, longest) =
        waits.fold((0, Duration::ZERO), |(count, longest), wait| (count + 1, longest.max(wait)));
    (longest > SLOW).then(|| {
        format!("object storage has not answered for {} s: {count} requests wait for it", longest.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_storage_is_said_when_it_is_slow() {
        let waits = |seconds: &[u64]| slow(seconds.iter().copied().map(Duration::from_secs));
        assert_eq!((waits(&[]), waits(&[1, 15])), (None, None));
        let said = waits(&[1, 16]).unwrap();
        assert!(said.contains("for 16 s: 2 requests"), "{said}");
    }
}
