//! Starting proofs, and keeping what they come to.

use std::{sync::Arc, time::Instant};

use zkml_contracts::requests::RequestState;
use zkml_deploy::consumer::Consumer;
use zkml_protocol::Word;

use super::{Engine, follow::Head, milliseconds};
use crate::{
    error::Result,
    event::Event,
    health::Concern,
    journal::{Entry, Missing},
    metrics::signed,
    prover::{Job, ProveFailure, Proven},
};

/// Requests that are looked at together, and how often in a round at most.
const AT_ONCE: usize = 512;
const LOOKS: usize = 16;

/// A proof that was made, or was not.
pub(super) struct Finished {
    id: Word,
    result: Result<Proven, ProveFailure>,
    started: Instant,
}

impl Engine {
    /// Starts as many proofs as there is room for.
    pub(super) async fn start_proofs(&mut self, head: Head) -> Result<()> {
        for id in self.journal.expire(head.number, head.time)? {
            self.tell(Event::Postponed { request: id, reason: "its deadline has passed".to_owned() });
        }
        self.refuse_others()?;
        for _ in 0..LOOKS {
            let over_quota = self.over_quota()?;
            if self.is_full() {
                break;
            }
            let wanted =
                self.journal.to_prove(AT_ONCE + self.proving.len() + self.packing.len(), &over_quota)?;
            let all = wanted.len() < AT_ONCE;
            for entry in self.with_inputs(wanted)? {
                if self.is_full() {
                    break;
                }
                if entry.duty.is_none() && !self.has_room(&entry)? {
                    continue;
                }
                match self.is_worth_it(&entry, head).await {
                    Ok(true) if self.prover.fleet().is_some() && entry.duty.is_none() => {
                        self.dispatch(&entry)?
                    }
                    Ok(true) => self.start_proof(&entry)?,
                    Ok(false) => {}
                    Err(error) => self.only_this(&entry, error)?,
                }
            }
            if all {
                break;
            }
        }
        for entry in self.journal.give_up(milliseconds(self.options.input_wait))? {
            self.tell(Event::Refused { request: entry.id, reason: entry.reason.unwrap_or_default() });
        }
        self.note_unpaid()?;
        self.note_missing()
    }

    /// Returns true while as many proofs are being made as may be.
    fn is_full(&self) -> bool {
        match self.prover.fleet() {
            Some(fleet) => self.fleet_is_full(fleet.backlog()),
            None => self.proving.len() >= self.options.jobs,
        }
    }

    /// Those requests whose inputs are there. The others wait, and cost no question to the node and one write in all: else whoever
    /// asks about nothing would keep everybody waiting.
    fn with_inputs(&mut self, wanted: Vec<Entry>) -> Result<Vec<Entry>> {
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        let begun = |id: &Word| self.proving.contains(id) || self.is_packing(id);
        for entry in wanted.into_iter().filter(|entry| !begun(&entry.id)) {
            let Some(what) = self.missing(&entry) else {
                there.push(entry);
                continue;
            };
            // Said once: a log that repeats itself hides what matters.
            if entry.reason.as_ref() != Some(&what) {
                self.tell(Event::Postponed { request: entry.id, reason: what.clone() });
            }
            missing.push(Missing { id: entry.id, pause_ms: self.pause(&entry), what });
        }
        self.journal.wait_for_inputs(&missing)?;
        Ok(there)
    }

    fn note_missing(&self) -> Result<()> {
        let missing = self.journal.missing()?;
        self.metrics.missing_inputs.set(signed(missing));
        let notice = (missing > 0).then(|| format!("{missing} requests wait for inputs that are not there"));
        self.health.notice(Concern::Inputs, notice);
        Ok(())
    }

    /// Whether the contract still waits for this request's proof. If not, its events will say why.
    pub(super) async fn is_pending(&mut self, entry: &Entry) -> Result<bool> {
        if let Some(duty) = entry.duty {
            return self.is_owed(entry, duty).await;
        }
        let state = Consumer::known(&self.rpc, self.consumer).request_state(entry.id).await?;
        if state == RequestState::Pending {
            return Ok(true);
        }
        let reason = format!("the contract says that its state is {state:?}");
        self.postpone(entry, reason)?;
        Ok(false)
    }

    /// Whether the contract waits for a request's proof, and its reward pays for handing that in, as far as that can be known before.
    async fn is_worth_it(&mut self, entry: &Entry, head: Head) -> Result<bool> {
        if entry.duty.is_some() {
            return self.is_pending(entry).await;
        }
        if !self.may_be_earned(entry, head)? {
            return Ok(false);
        }
        if self.refuse_unpaid(&entry.id, entry.reward.as_ref())? {
            return Ok(false);
        }
        Ok(self.is_pending(entry).await? && self.pays_before(entry).await?)
    }

    /// Whether a request's deadline comes before a transaction can be in a block, which is seldom the very next one: it would fail there, and
    /// be paid for. The request is over when a later block is there.
    pub(super) fn is_too_late(&self, entry: &Entry, head: Head) -> bool {
        // A bond is lost for certain if nothing is sent.
        let blocks = if entry.duty.is_some() { 0 } else { 2 };
        let earliest = head.time.saturating_add(blocks * self.options.limits.block.as_secs());
        entry.request.deadline < Word::from_u64(earliest)
    }

    /// The proof that a request asks for.
    pub(super) fn job(&self, entry: &Entry) -> Job {
        let Entry { id, request, reward, input, .. } = entry.clone();
        let (chain, consumer, us) = (self.rpc.chain_id(), self.consumer.into_array(), self.account.address());
        // With a reward, a proof is worth something to the one who made it: whoever copies it pays us.
        let context = match reward {
            Some(reward) => reward.context(&request, &us.into_array(), chain, consumer),
            None => request.context(chain, consumer),
        };
        Job { id, request, input, context: context.digest() }
    }

    fn start_proof(&mut self, entry: &Entry) -> Result<()> {
        if let Some(duty) = entry.duty {
            return self.start_result(entry, duty);
        }
        let (id, job, prover) = (entry.id, self.job(entry), Arc::clone(&self.prover));
        self.spawn(id, move || prover.prove(&job))
    }

    /// Has a proof made beside everything else.
    pub(super) fn spawn(
        &mut self,
        id: Word,
        prove: impl FnOnce() -> Result<Proven, ProveFailure> + Send + 'static,
    ) -> Result<()> {
        let (finished, started) = (self.finished.clone(), Instant::now());
        self.journal.begun(&id)?;
        self.proving.insert(id);
        self.metrics.proving.set(signed(self.proving.len() as u64));
        self.tell(Event::Proving { request: id });
        let proof = tokio::task::spawn_blocking(prove);
        tokio::spawn(async move {
            let result = proof.await.unwrap_or_else(|e| Err(ProveFailure::ended(&e)));
            // Nobody listens any more when the service has ended.
            let _ = finished.send(Finished { id, result, started });
        });
        Ok(())
    }

    /// Writes down what a proof came to. Even if nobody wants it at the moment: the request may come back.
    pub(super) fn keep(&mut self, finished: Finished) -> Result<()> {
        let Finished { id, result, started } = finished;
        self.proving.remove(&id);
        self.metrics.proving.set(signed(self.proving.len() as u64));
        match result {
            Ok(proven) => {
                self.journal.proven(&id, &proven)?;
                self.summary.proofs += 1;
                self.metrics.proofs.inc();
                self.pace.took(started.elapsed());
                self.metrics.proof_seconds.observe(started.elapsed().as_secs_f64());
                let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.tell(Event::Proven { request: id, milliseconds });
                Ok(())
            }
            Err(ProveFailure::Permanent(reason)) => {
                self.metrics.proof_failures.inc();
                self.refuse(&id, reason)
            }
            Err(ProveFailure::Later(reason)) => {
                self.metrics.proof_failures.inc();
                match self.journal.request(&id)? {
                    Some(entry) => self.postpone(&entry, reason),
                    None => Ok(()),
                }
            }
        }
    }
}
