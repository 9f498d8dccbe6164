//! Handing proofs in: estimated, written down, and only then shown to a node.

use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use zkml_contracts::{
    Submission,
    errors::{describe, selector},
    requests::{fulfill_inference, fulfill_rewarded},
};
use zkml_deploy::{
    DeployError,
    error::with_causes,
    rpc::{Fees, Sent},
    transaction::with_headroom,
};
use zkml_protocol::Word;

use super::{Engine, follow::Head, milliseconds, reward::expected_fee};
use crate::{
    error::{Result, ServiceError},
    event::Event,
    health::Concern,
    journal::{Entry, NonceSlot},
    prover::Proven,
};

/// Number of times that a fee is raised at once when a node calls it too low.
const RAISES: u32 = 40;

/// The next offer for a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The same for a higher fee.
    More,
    /// An empty transaction to the account itself.
    Nothing,
}

impl Engine {
    /// Hands in what is proven, as long as there is room.
    pub(super) async fn send(&mut self, head: Head) -> Result<()> {
        let room = self.options.max_pending.saturating_sub(self.journal.live()?.len());
        if room == 0 {
            return Ok(());
        }
        let entries = self.journal.to_send(room)?;
        self.note_balance().await?;
        for entry in entries {
            let Some(proof) = &entry.proof else { continue };
            if let Some(why) = self.not_now(&entry, head) {
                self.rest_a_block(&entry, why)?;
                continue;
            }
            let handed_in = match self.is_pending(&entry).await {
                Ok(true) => self.hand_in(&entry, proof, head).await,
                other => other.map(|_| true),
            };
            match handed_in {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.only_this(&entry, error)?,
            }
        }
        Ok(())
    }

    /// Reason why a request's proof is not handed in before the next block, where that is known without asking.
    fn not_now(&self, entry: &Entry, head: Head) -> Option<&'static str> {
        if self.is_too_late(entry, head) {
            return Some("its deadline is too near");
        }
        // Where contracts are shown other block numbers, they say it themselves.
        let wanted = entry.reward.as_ref().map_or(0, |reward| u64::from(reward.confirmations));
        let early = head.number.saturating_add(1) < entry.block.saturating_add(wanted);
        early.then_some("it wants more confirmations")
    }

    /// Looks at a request again after a block, and lets others have the room; nothing is told of what comes by itself.
    pub(super) fn rest_a_block(&mut self, entry: &Entry, why: &str) -> Result<()> {
        let pause = milliseconds(self.options.limits.block);
        self.journal.postpone(&entry.id, pause, why, false)
    }

    /// Trouble of a node with one request shall not keep others waiting.
    pub(super) fn only_this(&mut self, entry: &Entry, error: ServiceError) -> Result<()> {
        match error {
            ServiceError::Deploy(
                cause @ (DeployError::Rpc { .. } | DeployError::Answer { .. } | DeployError::Reverted { .. }),
            ) => self.postpone(entry, with_causes(&cause)),
            other => Err(other),
        }
    }

    /// Calldata of a request's fulfilment.
    pub(super) fn call(&self, entry: &Entry, proof: &Proven) -> Result<Vec<u8>> {
        if let Some(duty) = entry.duty {
            return self.duty_call(duty, proof);
        }
        let Proven { output, blob } = proof.clone();
        let submission = Submission { blob, output, input_commitment: Word::ZERO };
        Ok(match &entry.reward {
            Some(reward) => {
                fulfill_rewarded(&entry.request, reward, &self.account.address().into_array(), &submission)
            }
            None => fulfill_inference(&entry.request, &submission),
        })
    }

    async fn note_balance(&self) -> Result<U256> {
        let balance = self.rpc.balance(self.account.address()).await?;
        self.metrics.balance(balance);
        Ok(balance)
    }

    /// Signs and sends the transaction of one request. Whether others can follow.
    async fn hand_in(&mut self, entry: &Entry, proof: &Proven, head: Head) -> Result<bool> {
        let (from, data) = (self.account.address(), self.call(entry, proof)?);
        let (estimate, gas) = match self.rpc.estimate(from, Some(self.consumer), &data).await? {
            Ok(estimate) => match with_headroom("fulfillInference", estimate, self.options.limits.gas) {
                Ok(gas) => (estimate, gas),
                Err(error) => {
                    self.postpone_or_refuse(entry, with_causes(&error))?;
                    return Ok(true);
                }
            },
            Err(bytes) => {
                self.refused_by_contract(entry, &bytes, head)?;
                return Ok(true);
            }
        };
        let Some(fees) = self.fees().await? else { return Ok(false) };
        let publication = self.options.publication.fee(&self.rpc, &data).await?;
        self.usual.clone_from(&data);
        if !self.pays(entry, expected_fee(estimate, fees).saturating_add(publication))? {
            return Ok(true);
        }
        let needed = U256::from(gas).saturating_mul(U256::from(fees.max)).saturating_add(publication);
        let balance = self.note_balance().await?;
        if balance < needed {
            self.metrics.unpaid.inc();
            self.health.notice(
                Concern::Sending,
                Some(format!("the account has {balance} wei, up to {needed} are needed")),
            );
            self.tell(Event::BalanceTooLow { balance: balance.to_string(), needed: needed.to_string() });
            return Ok(false);
        }
        if !self.fits(needed)? {
            return Ok(false);
        }
        let nonce = self.free_nonce().await?;
        let signed = self.account.sign(self.rpc.chain_id(), self.consumer, &data, nonce, gas, fees).await?;
        self.journal.begin(&entry.id, &signed, publication)?;
        self.summary.sent += 1;
        self.metrics.transactions.inc();
        self.tell(Event::Sent { request: entry.id, transaction: signed.hash, nonce });
        if let Some(slot) = self.journal.live()?.into_iter().find(|slot| slot.nonce == nonce) {
            self.hand_over(&slot).await?;
        }
        Ok(true)
    }

    /// Offer for gas; none while the chain takes more than that.
    async fn fees(&mut self) -> Result<Option<Fees>> {
        match self.rpc.fees(&self.options.limits.fees).await {
            Ok(fees) => {
                self.health.notice(Concern::Fees, None);
                Ok(Some(fees))
            }
            Err(error @ DeployError::FeeTooHigh { .. }) => {
                let reason = error.to_string();
                self.metrics.too_dear.inc();
                self.health.notice(Concern::Fees, Some(reason.clone()));
                if self.over.replace("fee") != Some("fee") {
                    self.tell(Event::Failed { reason });
                }
                Ok(None)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The first nonce that neither the chain nor the journal has used: a gap is filled before anything follows it.
    async fn free_nonce(&self) -> Result<u64> {
        let held = self.journal.held_nonces()?;
        let mut nonce = self.rpc.nonce(self.account.address()).await?;
        while held.contains(&nonce) {
            nonce += 1;
        }
        Ok(nonce)
    }

    /// The contract would not take the proof now.
    fn refused_by_contract(&mut self, entry: &Entry, bytes: &[u8], head: Head) -> Result<()> {
        let reason = describe(bytes);
        let is = |error: &str| bytes.starts_with(&selector(error));
        if is("InferenceExpired(uint256)") {
            self.journal.expire_one(&entry.id, head.number)?;
            self.tell(Event::Postponed { request: entry.id, reason });
            return Ok(());
        }
        // It has been told for how long to wait: the request's reward names a number of blocks.
        if is("TooFewConfirmations(uint256,uint256)") {
            return self.postpone(entry, reason);
        }
        // Pauses end, and what is not pending any more has an event that says why.
        if is("EnforcedPause()") || is("RequestNotPending(uint256,uint8)") {
            return self.postpone(entry, reason);
        }
        self.postpone_or_refuse(entry, reason)
    }

    /// Shows a node the newest transaction of a slot. Doing so twice is the same as once.
    pub(super) async fn hand_over(&mut self, slot: &NonceSlot) -> Result<()> {
        let Some(newest) = slot.offers.last() else { return Ok(()) };
        self.handed.insert(slot.id, Instant::now());
        match self.rpc.send(&newest.raw).await? {
            // A nonce that is used up is looked into in the next round.
            Sent::Taken | Sent::NonceTooLow => {
                self.health.notice(Concern::Sending, None);
                Ok(())
            }
            Sent::Underpriced => self.outbid(slot).await,
            Sent::InsufficientFunds => {
                let balance = self.note_balance().await?;
                let needed = U256::from(slot.gas)
                    .saturating_mul(U256::from(newest.fees.max))
                    .saturating_add(slot.publication);
                self.metrics.unpaid.inc();
                self.health.notice(
                    Concern::Sending,
                    Some(format!("the account has {balance} wei, up to {needed} are needed")),
                );
                self.tell(Event::BalanceTooLow { balance: balance.to_string(), needed: needed.to_string() });
                Ok(())
            }
            Sent::Refused(why) => {
                // Later nonces wait behind it, until its request expires and an empty transaction takes its place.
                let reason = format!("the node refuses the transaction of nonce {}: {why}", slot.nonce);
                self.metrics.not_taken.inc();
                self.health.notice(Concern::Sending, Some(reason.clone()));
                self.tell(Event::Failed { reason });
                Ok(())
            }
        }
    }

    /// Another transaction of this nonce waits: more is offered until the node takes it, or no more may be.
    async fn outbid(&mut self, slot: &NonceSlot) -> Result<()> {
        for _ in 0..RAISES {
            let Some(slot) = self.journal.live()?.into_iter().find(|live| live.id == slot.id) else {
                return Ok(());
            };
            let Some(raw) = self.raise(&slot, Wanted::More).await? else { return Ok(()) };
            if self.rpc.send(&raw).await? != Sent::Underpriced {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Offers something else for a nonce, and shows it to a node.
    pub(super) async fn offer(&mut self, slot: &NonceSlot, wanted: Wanted) -> Result<()> {
        if self.raise(slot, wanted).await?.is_none() {
            return self.hand_over(slot).await;
        }
        let now = self.journal.live()?.into_iter().find(|live| live.id == slot.id);
        match now {
            Some(slot) => self.hand_over(&slot).await,
            None => Ok(()),
        }
    }

    /// Signs a dearer transaction of the same nonce and writes it down; none if no more may be offered.
    async fn raise(&mut self, slot: &NonceSlot, wanted: Wanted) -> Result<Option<Vec<u8>>> {
        let last = slot.offers.last().map(|offer| offer.fees).unwrap_or_default();
        let void = slot.void || wanted == Wanted::Nothing;
        let fees = match self.rpc.raised(&self.options.limits.fees, last).await? {
            Some(fees) => fees,
            // At the limit an empty transaction is still worth an attempt: the node may have forgotten the other one.
            None if void != slot.void => last,
            None => return Ok(None),
        };
        let Some((to, data, gas)) = self.content(slot, void).await? else { return Ok(None) };
        let worst = U256::from(gas).saturating_mul(U256::from(fees.max)).saturating_add(slot.publication);
        if worst > slot.worst() && !self.fits(worst - slot.worst())? {
            return Ok(None);
        }
        let signed = self.account.sign(self.rpc.chain_id(), to, &data, slot.nonce, gas, fees).await?;
        self.journal.offer_more(slot.id, &signed, void)?;
        self.note_offer(slot, void, signed.hash, fees);
        Ok(Some(signed.raw))
    }

    fn note_offer(&self, slot: &NonceSlot, void: bool, transaction: B256, fees: Fees) {
        let nonce = slot.nonce;
        if void && !slot.void {
            self.metrics.replacements.inc();
            self.tell(Event::Replaced { nonce, transaction });
        } else {
            self.metrics.bumps.inc();
            self.tell(Event::Raised { nonce, transaction, max_fee: fees.max });
        }
    }

    /// Receiver, data and gas of a nonce's transaction.
    async fn content(&self, slot: &NonceSlot, void: bool) -> Result<Option<(Address, Vec<u8>, u64)>> {
        if !void {
            let entry = match slot.request {
                Some(id) => self.journal.request(&id)?,
                None => None,
            };
            let data = entry
                .and_then(|entry| entry.proof.as_ref().map(|proof| self.call(&entry, proof)))
                .transpose()?;
            return Ok(data.map(|data| (self.consumer, data, slot.gas)));
        }
        let us = self.account.address();
        // Chains that charge for publication want more than the 21,000 of an empty transaction.
        let gas = self.rpc.estimate(us, Some(us), &[]).await?.unwrap_or(21_000).min(self.options.limits.gas);
        Ok(Some((us, Vec::new(), gas)))
    }
}

/// Returns true if so many milliseconds are as long as this.
pub(super) fn passed(milliseconds: i64, duration: Duration) -> bool {
    u128::from(milliseconds.unsigned_abs()) >= duration.as_millis() && milliseconds >= 0
}
