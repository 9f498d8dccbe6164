//! Results under policies: reading what happens to them, finding out what they want, and doing that before a bond is lost.

use std::sync::Arc;

use alloy::{
    primitives::{Address, U256},
    rpc::types::Log,
};
use zkml_contracts::{
    acceptance::{OPTIMISTIC, ResultEvent, SAMPLED, State, Status, accept, draw, prove},
    requests::topic,
};
use zkml_deploy::{
    DeployError,
    acceptance::{Acceptance, PostedResult, Round},
    amount,
    asset::COIN,
    error::with_causes,
};
use zkml_protocol::Word;

use super::{Engine, OpenResults, follow::Head};
use crate::{
    error::{Result, ServiceError},
    event::Event,
    health::Concern,
    journal::{AtStake, Duty, DutyKind, Entry},
    metrics::signed,
    prover::{Proven, ResultJob},
    seen::What,
};

/// Results that are looked at in a round: each is a question or two to the node.
const LOOKED_AT: usize = 64;

impl Engine {
    /// Events of results, if any are answered for.
    pub(super) fn result_events(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.options.results.is_some().then_some(ResultEvent::ALL).into_iter().flatten()
    }

    /// A log of a result; none if it is a log of something else. Those of others' results say nothing.
    pub(super) fn decode_result(&self, log: &Log) -> Option<Result<Option<What>, String>> {
        let results = self.options.results.as_ref()?;
        let topics: Vec<Word> = log.topics().iter().map(|topic| Word(topic.0)).collect();
        let first = topics.first()?;
        self.result_events().find(|event| topic(event) == *first)?;
        let (chain, consumer) = (self.rpc.chain_id(), self.consumer.into_array());
        let event = match ResultEvent::decode(&topics, &log.data().data, chain, consumer) {
            Ok(event) => event,
            Err(error) => return Some(Err(error.to_string())),
        };
        if let ResultEvent::Posted { result, .. } = &event
            && !results.posters.contains(&Address::from(result.poster))
        {
            return Some(Ok(None));
        }
        let ours = log.transaction_hash.map(|hash| self.journal.has_sent(&hash));
        match ours.transpose() {
            Ok(ours) => {
                let by = if ours == Some(true) { self.account.address() } else { Address::ZERO };
                Some(Ok(Some(What::Result { event, by })))
            }
            Err(error) => Some(Err(error.to_string())),
        }
    }

    /// Finds out what results want, by asking: that a round is decided or a window is over no event says, and events may have come before the
    /// journal begins. Shows what is at stake.
    pub(super) async fn look_at_results(&mut self, head: Head) -> Result<()> {
        if self.options.results.is_none() {
            return Ok(());
        }
        self.know_results(head).await?;
        for kept in self.journal.look_at_results(LOOKED_AT)? {
            match self.look_at(&kept, head).await {
                Ok(()) => {}
                // Trouble with one of them shall not keep others waiting.
                Err(ServiceError::Deploy(
                    error @ (DeployError::Rpc { .. }
                    | DeployError::Answer { .. }
                    | DeployError::Reverted { .. }
                    | DeployError::Abi(_)),
                )) => self.tell(Event::Failed { reason: with_causes(&error) }),
                Err(other) => return Err(other),
            }
        }
        self.note_results(head)
    }

    /// Takes up results of records, unless they never came to the chain.
    async fn know_results(&mut self, head: Head) -> Result<()> {
        while let Some(known) = self.options.results.as_ref().and_then(|results| results.known.last()) {
            let (known, poster) = (known.clone(), Address::from(known.result.poster));
            let ours = self.options.results.as_ref().is_some_and(|results| results.posters.contains(&poster));
            let status = Acceptance::known(&self.rpc, self.consumer).status_at(head.number, known.id).await?;
            if ours && status.state != State::None {
                self.journal.know(&known)?;
            }
            self.options.results.as_mut().and_then(|results| results.known.pop());
        }
        Ok(())
    }

    /// Notes what a result wants of itself, or that it is over.
    async fn look_at(&mut self, kept: &PostedResult, head: Head) -> Result<()> {
        let acceptance = Acceptance::known(&self.rpc, self.consumer);
        let status = acceptance.status_at(head.number, kept.id).await?;
        let deadline = kept.result.deadline;
        if status.state == State::Proven {
            self.proven.insert(kept.id);
        } else {
            self.proven.remove(&kept.id);
        }
        match status.state {
            State::Demanded if status.until >= head.time => {
                let until = Word::from_u64(status.until);
                self.journal.owe(DutyKind::Prove, kept, until, head.number)?;
            }
            State::Accepted | State::Lost | State::Void => {
                self.journal.end(&kept.id, status.state.name(), head.number)?;
            }
            // What is over for the application is for its poster to take back.
            State::Posted | State::Proven if deadline >= Word::from_u64(head.time) => {
                let finalise = self.options.results.as_ref().is_some_and(|results| results.finalise);
                if let Some(kind) = wants(&acceptance, kept, &status, finalise, head).await? {
                    self.journal.owe(kind, kept, deadline, head.number)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Warns of proofs that are due and not there, long before it is too late.
    fn note_results(&self, head: Head) -> Result<()> {
        let due = self.journal.due()?;
        let left = due.first().map_or(0, |(_, until)| until.saturating_sub(head.time));
        self.metrics.answer_seconds.set(signed(left));
        let AtStake { open, bonds, .. } = self.journal.at_stake(&self.proven)?;
        let ended = |how| self.journal.ended(how);
        let lost = ended("lost")?;
        let counts = [
            ("open", open),
            ("due", due.len() as u64),
            ("accepted", ended("accepted")?),
            ("lost", lost),
            ("void", ended("void")?),
        ];
        self.metrics.results(&counts, bonds);
        let mut notices = Vec::new();
        if let Some((id, until)) = due.first() {
            let number = due.len();
            notices.push(if *until < head.time {
                format!("the proof of the result {id} has not come in time, and its bond can be claimed")
            } else {
                format!("{number} proofs of results are due and not on the chain; that of {id} has to come within {left} s, or its bond is lost")
            });
        }
        if lost > 0 {
            notices.push(format!("{lost} results have lost their bonds"));
        }
        if let Some(results) = &self.options.results
            && let Some(first) = results.unread.first()
        {
            let number = results.unread.len();
            notices.push(format!(
                "{number} records of results cannot be read, and nobody answers for those results: {first}"
            ));
        }
        self.health.notice(Concern::Results, (!notices.is_empty()).then(|| notices.join("; ")));
        Ok(())
    }

    /// Results that a run leaves open, and what becomes of them without it.
    pub(super) fn left_open(&self) -> Result<Option<OpenResults>> {
        let AtStake { open, bonds, until } = self.journal.at_stake(&self.proven)?;
        if self.options.results.is_none() || open == 0 {
            return Ok(None);
        }
        let next = "run `zkml-chain watch --results --finalise` until then: a proof that becomes due and does not come loses its bond; or end each by `zkml-chain accept`, with --draw, --finalise or --release".to_owned();
        Ok(Some(OpenResults { results: open, bonds: amount::show(bonds, 18), until, next }))
    }

    /// Money that is spent, and bonds at stake.
    pub(super) fn money_and_bonds(&self) -> Result<Vec<(&'static str, String)>> {
        let mut money = self.money()?;
        if self.options.results.is_some() {
            let AtStake { open, bonds, .. } = self.journal.at_stake(&self.proven)?;
            money.push(("results that are open", open.to_string()));
            money.push(("their bonds, in coins", amount::show(bonds, 18)));
        }
        Ok(money)
    }

    /// The thing that a request waits for before it can be proven, if any.
    pub(super) fn missing(&self, entry: &Entry) -> Option<String> {
        let request = &entry.request;
        match entry.duty {
            Some(_) => self.prover.missing_of_result(&request.subject, &request.data_commitment),
            None => self.prover.missing(&entry.id, request, &entry.input),
        }
    }

    /// True if the contract still waits for this. If not, its events will say why.
    pub(super) async fn is_owed(&mut self, entry: &Entry, duty: Duty) -> Result<bool> {
        let status = Acceptance::known(&self.rpc, self.consumer).status(duty.result).await?;
        let owed = match duty.kind {
            DutyKind::Prove => status.state == State::Demanded,
            DutyKind::Draw => status.state == State::Posted && status.held & SAMPLED == 0,
            DutyKind::Accept => matches!(status.state, State::Posted | State::Proven),
        };
        if !owed {
            let reason =
                format!("the contract says that the result {} is {}", duty.result, status.state.name());
            self.postpone(entry, reason)?;
        }
        Ok(owed)
    }

    pub(super) fn start_result(&mut self, entry: &Entry, duty: Duty) -> Result<()> {
        let Some(kept) = self.journal.result(&duty.result)? else { return Ok(()) };
        let context = kept.result.context(self.rpc.chain_id(), self.consumer.into_array()).digest();
        let job = ResultJob { id: kept.id, result: kept.result, context };
        let prover = Arc::clone(&self.prover);
        self.spawn(entry.id, move || prover.prove_result(&job))
    }

    /// Calldata of a duty; empty for a result that is gone, which no contract takes.
    pub(super) fn duty_call(&self, duty: Duty, proof: &Proven) -> Result<Vec<u8>> {
        let Some(kept) = self.journal.result(&duty.result)? else { return Ok(Vec::new()) };
        let (result, policy) = (&kept.result, &kept.policy);
        Ok(match duty.kind {
            DutyKind::Prove => prove(result, policy, &kept.output, &proof.blob),
            DutyKind::Draw => draw(result, policy),
            DutyKind::Accept => accept(result, policy, &kept.output),
        })
    }

    /// Returns true if a bond in coins is worth the expected fee; if not, the duty waits for a lower one. What a token is worth is for the poster to know.
    pub(super) fn is_worth_its_bond(&mut self, entry: &Entry, duty: Duty, fee: U256) -> Result<bool> {
        let Some(kept) = self.journal.result(&duty.result)? else { return Ok(false) };
        let (bond, asset) = (U256::from_be_bytes(kept.policy.bond.0), Address::from(kept.policy.asset));
        // A challenge has brought a deposit, which goes to who proves; a draw has not.
        let challenged =
            duty.kind == DutyKind::Prove && kept.policy.has(OPTIMISTIC) && !kept.policy.has(SAMPLED);
        let deposit = if challenged { U256::from_be_bytes(kept.policy.deposit.0) } else { U256::ZERO };
        let worth = bond.saturating_add(deposit);
        // Without a bond there is nothing but the result itself to be had.
        if asset != COIN || bond.is_zero() || worth >= fee || self.options.serving.rewards.at_a_loss {
            return Ok(true);
        }
        self.metrics.at_a_loss.inc();
        let [bond, fee] = [bond, fee].map(|wei| amount::show(wei, 18));
        let begin = format!("its bond is {bond}, and what it wants is expected to cost ");
        let said = entry.reason.as_ref().is_some_and(|reason| reason.starts_with(&begin));
        let reason = format!("{begin}{fee}");
        self.rest_a_block(entry, &reason)?;
        if !said {
            self.tell(Event::Postponed { request: entry.id, reason });
        }
        Ok(false)
    }
}

/// The deed that a posted result wants, if any. One that can still be challenged or drawn does not count yet, even if it might.
async fn wants(
    acceptance: &Acceptance<'_>,
    kept: &PostedResult,
    status: &Status,
    finalise: bool,
    head: Head,
) -> Result<Option<DutyKind>> {
    if status.state == State::Proven {
        return Ok(finalise.then_some(DutyKind::Accept));
    }
    let policy = &kept.policy;
    let undrawn = policy.has(SAMPLED) && status.held & SAMPLED == 0;
    if undrawn && acceptance.round(Address::from(policy.beacon), status.round).await? == Round::Decided {
        return Ok(Some(DutyKind::Draw));
    }
    let held = (status.held_at(policy, head.time) & policy.paths).count_ones();
    let exposed = undrawn || (policy.has(OPTIMISTIC) && head.time <= policy.challenge_end(status.since));
    let counts = !exposed && held >= u32::from(policy.required);
    Ok((finalise && counts).then_some(DutyKind::Accept))
}

/// The line that is told of an event of a result.
pub(super) fn of_result(event: &ResultEvent, by: Address, block: u64) -> Option<Event> {
    let result = event.id();
    let ended = |how| Some(Event::Ended { result, how, block });
    match event {
        ResultEvent::Posted { result: posted, .. } => {
            Some(Event::Posted { result, poster: Address::from(posted.poster), block })
        }
        ResultEvent::Challenged { challenger, until, .. } => {
            let challenger = Some(Address::from(*challenger));
            Some(Event::Due { result, challenger, until: *until, block })
        }
        ResultEvent::Drawn { until: Some(until), .. } => {
            Some(Event::Due { result, challenger: None, until: *until, block })
        }
        ResultEvent::Drawn { until: None, .. } => Some(Event::Spared { result, block }),
        ResultEvent::Proven { .. } => Some(Event::Fulfilled { request: result, by, block }),
        ResultEvent::Accepted { .. } => ended("accepted"),
        ResultEvent::Lost { .. } => ended("lost"),
        ResultEvent::Voided { .. } => ended("void"),
        ResultEvent::Attested { .. } => None,
    }
}
