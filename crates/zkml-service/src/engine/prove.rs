//! Starting proofs, and keeping what they come to.

use std::{sync::Arc, time::Instant};

use zkml_contracts::requests::RequestState;
use zkml_deploy::consumer::Consumer;
use zkml_protocol::Word;

use super::{Engine, follow::Head};
use crate::{
    error::Result,
    event::Event,
    journal::Entry,
    metrics::signed,
    prover::{Job, ProveFailure, Proven},
};

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
        let wanted = self.journal.to_prove(self.options.jobs + self.proving.len())?;
        for entry in wanted {
            if self.proving.len() >= self.options.jobs {
                break;
            }
            if self.proving.contains(&entry.id) {
                continue;
            }
            match self.is_pending(&entry).await {
                Ok(true) => self.start_proof(&entry),
                Ok(false) => {}
                Err(error) => self.only_this(&entry, error)?,
            }
        }
        Ok(())
    }

    /// Whether the contract still waits for this request's proof. If not, its events will say why.
    pub(super) async fn is_pending(&mut self, entry: &Entry) -> Result<bool> {
        let state = Consumer::known(&self.rpc, self.consumer).request_state(entry.id).await?;
        if state == RequestState::Pending {
            return Ok(true);
        }
        let reason = format!("the contract says that its state is {state:?}");
        self.postpone(entry, reason)?;
        Ok(false)
    }

    fn start_proof(&mut self, entry: &Entry) {
        let Entry { id, request, input, .. } = entry.clone();
        let context = request.context(self.rpc.chain_id(), self.consumer.into_array()).digest();
        let job = Job { request, input, context };
        let (prover, finished, started) = (Arc::clone(&self.prover), self.finished.clone(), Instant::now());
        self.proving.insert(id);
        self.metrics.proving.set(signed(self.proving.len() as u64));
        self.tell(Event::Proving { request: id });
        let proof = tokio::task::spawn_blocking(move || prover.prove(&job));
        tokio::spawn(async move {
            let result = proof.await.unwrap_or_else(|e| Err(ProveFailure::Later(e.to_string())));
            // Nobody listens any more when the service has ended.
            let _ = finished.send(Finished { id, result, started });
        });
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
