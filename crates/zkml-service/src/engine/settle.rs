//! Looking after transactions that were sent: mined, lost, too cheap, useless, or pushed out by a stranger.

use std::time::Instant;

use alloy::rpc::types::TransactionReceipt;
use zkml_contracts::errors::describe;
use zkml_deploy::rpc::Answer;
use zkml_protocol::Word;

use super::{
    Engine,
    budget::cost,
    follow::Head,
    send::{Wanted, passed},
};
use crate::{
    error::Result,
    event::Event,
    journal::{Closing, NonceSlot, now_ms},
};

/// Number of looks in a row that must find a nonce used up without a receipt of ours before it is believed: of the nodes behind
/// one address, some lag.
const LOOKS: u32 = 5;
/// Number of transactions of one request that may fail in a block, although each was estimated to succeed.
const MOST_PAID: u32 = 2;

impl Engine {
    /// One look at every transaction that is not final.
    pub(super) async fn settle(&mut self, head: Head) -> Result<()> {
        let next = self.rpc.nonce(self.account.address()).await?;
        let mut oldest = true;
        for slot in self.journal.live()? {
            if self.look_for_receipt(&slot, next, head).await? {
                continue;
            }
            if slot.nonce < next {
                self.count_strangers(&slot)?;
                continue;
            }
            if self.fulfilled_by_us(&slot)? {
                *self.strangers.entry(slot.id).or_default() += 1;
            } else {
                self.strangers.remove(&slot.id);
            }
            self.look_after(&slot, oldest, head).await?;
            oldest = false;
        }
        let last = (head.number + 1).saturating_sub(self.options.limits.confirmations);
        self.journal.settle(last)?;
        let finished = self.journal.finish(last)?;
        if !finished.is_empty() {
            // Who is told that a request is done finds it so in the metrics.
            self.metrics.requests(&self.journal.counts()?);
        }
        for entry in finished {
            self.forget(entry.id);
            let fulfilled = matches!(entry.closed, Some((_, Closing::Fulfilled { .. })));
            self.summary.done += u64::from(fulfilled);
            self.tell(if fulfilled {
                Event::Done { request: entry.id, earned: self.earned_with(&entry) }
            } else {
                Event::Refused { request: entry.id, reason: entry.reason.unwrap_or_default() }
            });
        }
        Ok(())
    }

    /// Whether one of a slot's transactions is in a block. Asked only if that may be.
    async fn look_for_receipt(&mut self, slot: &NonceSlot, next: u64, head: Head) -> Result<bool> {
        if slot.nonce >= next && !self.fulfilled_by_us(slot)? {
            return Ok(false);
        }
        for offer in slot.offers.iter().rev() {
            let Some(receipt) = self.rpc.receipt(offer.hash).await? else { continue };
            // A block above the head was not read yet: a reorganisation of it would go unnoticed.
            let Some(block) = receipt.block_number.filter(|block| *block <= head.number) else {
                return Ok(true);
            };
            let reason = if receipt.status() { None } else { Some(self.why(&receipt, slot).await?) };
            self.journal.mined(slot.id, block, reason.as_deref(), cost(&receipt, slot, offer))?;
            if let (Some(id), Some(reason)) = (slot.request, reason) {
                self.stop_paying(&id, reason)?;
            }
            self.metrics.mined(offer.void, receipt.status());
            self.tell(Event::Mined {
                nonce: slot.nonce,
                transaction: offer.hash,
                block,
                success: receipt.status(),
            });
            return Ok(true);
        }
        Ok(false)
    }

    /// What fails on the chain costs money each time.
    fn stop_paying(&mut self, id: &Word, reason: String) -> Result<()> {
        match self.journal.request(id)? {
            Some(entry) if entry.duty.is_none() && entry.closed.is_none() && entry.failures >= MOST_PAID => {
                self.refuse(id, reason)
            }
            _ => Ok(()),
        }
    }

    fn fulfilled_by_us(&self, slot: &NonceSlot) -> Result<bool> {
        let Some(id) = slot.request else { return Ok(false) };
        let us = self.account.address();
        let closed = self.journal.request(&id)?.and_then(|entry| entry.closed);
        Ok(matches!(closed, Some((_, Closing::Fulfilled { by })) if by == us))
    }

    /// Why a transaction failed: what the same call says now.
    async fn why(&self, receipt: &TransactionReceipt, slot: &NonceSlot) -> Result<String> {
        let entry = match slot.request {
            Some(id) => self.journal.request(&id)?,
            None => None,
        };
        let call = entry.and_then(|entry| entry.proof.as_ref().map(|proof| self.call(&entry, proof)));
        let reason = match call.transpose()? {
            None => "unknown".to_owned(),
            Some(data) => {
                match self.rpc.call(Some(self.account.address()), Some(self.consumer), &data).await? {
                    Answer::Reverted(bytes) => describe(&bytes),
                    Answer::Returned(_) => "it may have run out of gas".to_owned(),
                }
            }
        };
        Ok(format!("transaction {} failed: {reason}", receipt.transaction_hash))
    }

    /// A nonce that is used up, and no receipt of ours.
    fn count_strangers(&mut self, slot: &NonceSlot) -> Result<()> {
        let count = self.strangers.entry(slot.id).or_default();
        *count += 1;
        if *count >= LOOKS {
            self.strangers.remove(&slot.id);
            self.journal.stolen(slot.id)?;
            self.metrics.stolen.inc();
            self.tell(Event::NonceTaken { nonce: slot.nonce });
        }
        Ok(())
    }

    /// A transaction that waits: replaced if useless, raised if too old, handed over again from time to time.
    async fn look_after(&mut self, slot: &NonceSlot, oldest: bool, head: Head) -> Result<()> {
        if !slot.void && self.is_useless(slot, head)? {
            return self.offer(slot, Wanted::Nothing).await;
        }
        let limits = self.options.limits;
        let age = slot.offers.last().map_or(0, |offer| now_ms().saturating_sub(offer.signed_at));
        if oldest && passed(age, limits.bump_after) {
            return self.offer(slot, Wanted::More).await;
        }
        // After a restart every transaction is handed over once: it may never have left.
        let pause = limits.bump_after.min(limits.poll * 8);
        let due = self.handed.get(&slot.id).is_none_or(|last: &Instant| last.elapsed() >= pause);
        if due { self.hand_over(slot).await } else { Ok(()) }
    }

    /// What nobody waits for any more: the request is closed by somebody else, gone, or refused.
    fn is_useless(&self, slot: &NonceSlot, head: Head) -> Result<bool> {
        let Some(id) = slot.request else { return Ok(true) };
        let Some(entry) = self.journal.request(&id)? else { return Ok(true) };
        let expired = entry.request.deadline < Word::from_u64(head.time);
        Ok(match entry.closed {
            // Ours was mined, the receipt is a moment late; or it was another transaction of this account.
            Some((_, Closing::Fulfilled { by })) if by == self.account.address() => {
                self.strangers.get(&slot.id).is_some_and(|count| *count >= LOOKS)
            }
            Some(_) => true,
            None => expired || entry.status != "open",
        })
    }
}
