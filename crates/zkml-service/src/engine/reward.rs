//! Requests that pay: which of them are worth a proof, and what was earned.

use alloy::primitives::{Address, U256};
use zkml_deploy::{DeployError, amount, asset::COIN, rpc::Fees};
use zkml_protocol::{Word, binding::Reward};

use super::Engine;
use crate::{
    error::Result,
    event::{Event, Payment},
    health::Concern,
    journal::{Closing, Entry, UNPAID},
    metrics::signed,
};

impl Engine {
    /// Holds all rewards in the journal against what is wanted now: opens again what was refused and would be served, and the other
    /// way round.
    pub(super) fn judge_rewards(&mut self) -> Result<()> {
        for entry in self.journal.unpaid()? {
            let why = self.options.serving.rewards.refusal(entry.reward.as_ref());
            if entry.reason != why.map(|why| format!("{UNPAID}{why}")) {
                self.journal.reopen(&entry.id)?;
            }
        }
        for entry in self.journal.unbegun()? {
            self.refuse_unpaid(&entry.id, entry.reward.as_ref())?;
        }
        Ok(())
    }

    /// Refuses a request that does not pay enough, by name. Whether it does.
    pub(super) fn refuse_unpaid(&mut self, id: &Word, reward: Option<&Reward>) -> Result<bool> {
        let Some(why) = self.options.serving.rewards.refusal(reward) else { return Ok(false) };
        self.refuse(id, format!("{UNPAID}{why}"))?;
        Ok(true)
    }

    /// Shows how many were refused for what they pay.
    pub(super) fn note_unpaid(&self) -> Result<()> {
        let refused = self.journal.unpaid_count()?;
        self.metrics.not_served("reward").set(signed(refused));
        let notice = format!("{refused} requests were refused for what they pay");
        self.health.notice(Concern::Rewards, (refused > 0).then_some(notice));
        Ok(())
    }

    /// Returns true if a reward would pay for the fee, by gas and calldata of the fulfilment before: a proof that nobody hands in is work for nothing.
    pub(super) async fn pays_before(&mut self, entry: &Entry) -> Result<bool> {
        if entry.reward.is_none() {
            return Ok(true);
        }
        // A transaction is given a fifth more than it was estimated to take.
        let Some(gas) = self.journal.usual_gas()?.map(|gas| gas - gas / 6) else { return Ok(true) };
        // Its price is of now. After a restart it is known once a proof was there to be handed in.
        let publication = match self.usual.as_slice() {
            [] => U256::ZERO,
            data => self.options.publication.fee(&self.rpc, data).await?,
        };
        match self.rpc.fees(&self.options.limits.fees).await {
            Ok(fees) => self.pays(entry, expected_fee(gas, fees).saturating_add(publication)),
            // What is said of that when a transaction is due holds here, too.
            Err(DeployError::FeeTooHigh { .. }) => Ok(true),
            Err(other) => Err(other.into()),
        }
    }

    /// Returns true if a reward in coins pays for the expected fee, publication included; if not, the request waits for a lower one. Of a token, its least
    /// amount says what it is worth.
    pub(super) fn pays(&mut self, entry: &Entry, fee: U256) -> Result<bool> {
        if let Some(duty) = entry.duty {
            return self.is_worth_its_bond(entry, duty, fee);
        }
        let coins = entry.reward.as_ref().filter(|reward| Address::from(reward.asset) == COIN);
        let Some(reward) = coins.filter(|_| !self.options.serving.rewards.at_a_loss) else { return Ok(true) };
        let amount = U256::from_be_bytes(reward.amount.0);
        if amount >= fee {
            return Ok(true);
        }
        self.metrics.at_a_loss.inc();
        let [amount, fee] = [amount, fee].map(|wei| amount::show(wei, 18));
        let begin = format!("it pays {amount}, and its fulfilment is expected to cost ");
        // Said once: the fee is another each time, and a log that repeats itself hides what matters.
        let said = entry.reason.as_ref().is_some_and(|reason| reason.starts_with(&begin));
        let reason = format!("{begin}{fee}");
        self.journal.postpone(&entry.id, self.pause(entry), &reason, false)?;
        if !said {
            self.tell(Event::Postponed { request: entry.id, reason });
        }
        Ok(false)
    }

    /// Payment that this service earned with a request that is done.
    pub(super) fn earned_with(&self, entry: &Entry) -> Option<Payment> {
        let us = self.account.address();
        let ours = matches!(entry.closed, Some((_, Closing::Fulfilled { by })) if by == us);
        entry.reward.as_ref().filter(|_| ours).map(Payment::of)
    }

    /// Sums that were earned with all requests in the journal, by asset.
    pub(super) fn earned(&self) -> Result<Vec<Payment>> {
        let earned = self.journal.earned(self.account.address())?;
        Ok(earned.into_iter().map(|(asset, amount)| Payment { asset, amount: amount.to_string() }).collect())
    }

    /// Shows what was earned.
    pub(super) fn note_earned(&self) -> Result<()> {
        let rewards = &self.options.serving.rewards;
        let earned = self.journal.earned(self.account.address())?;
        for (asset, amount) in &earned {
            let decimals = rewards.least.get(asset).map_or(18, |asset| asset.decimals);
            self.metrics.earned(*asset, *amount, decimals);
        }
        self.health.earned(earned.into_iter().map(|(asset, amount)| rewards.show(asset, amount)).collect());
        Ok(())
    }
}

/// Price of so much gas, if the base fee stays: an offer is twice that, and the tip.
pub(super) fn expected_fee(gas: u64, fees: Fees) -> U256 {
    let base = fees.max.saturating_sub(fees.priority) / 2;
    U256::from(gas).saturating_mul(U256::from(base.saturating_add(fees.priority)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_fee_is_half_of_the_offer_and_the_tip() {
        assert_eq!(expected_fee(10, Fees { max: 25, priority: 5 }), U256::from(150));
        assert_eq!(
            expected_fee(u64::MAX, Fees { max: u128::MAX, priority: u128::MAX }) >> 190,
            U256::from(3)
        );
    }
}
