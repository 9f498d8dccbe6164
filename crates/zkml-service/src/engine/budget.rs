//! Limits of what is spent within an hour and within a day. It is counted from the journal, so that a restart forgets nothing: what mined transactions
//! cost, and what those that wait may cost at most.

use std::time::Duration;

use alloy::{primitives::U256, rpc::types::TransactionReceipt};

use zkml_deploy::{amount, rpc::Fees};

use super::Engine;
use crate::{
    error::Result,
    event::Event,
    health::Concern,
    journal::{NonceSlot, Offer, now_ms},
};

/// Most that the service may spend, in wei. Publication on another layer counts as what it cost when its transaction was signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// Within an hour.
    pub hour: Option<U256>,
    /// Within a day.
    pub day: Option<U256>,
}

impl Budget {
    fn windows(&self) -> [(&'static str, Duration, Option<U256>); 2] {
        [("hour", Duration::from_secs(3_600), self.hour), ("day", Duration::from_secs(86_400), self.day)]
    }
}

impl Engine {
    /// Returns false where a transaction that may cost so much more does not fit; then nothing is signed.
    pub(super) fn fits(&mut self, more: U256) -> Result<bool> {
        let reserved = self.reserved()?;
        for (window, time, budget) in self.options.budget.windows() {
            let Some(budget) = budget else { continue };
            let spent = self.spent(time)?;
            if spent.saturating_add(reserved).saturating_add(more) > budget {
                self.metrics.over_budget(window);
                self.note_over(window, [budget, spent, reserved, more]);
                return Ok(false);
            }
        }
        self.over = None;
        self.health.notice(Concern::Budget, None);
        Ok(true)
    }

    /// Says once that a budget stops the service.
    fn note_over(&mut self, window: &'static str, figures: [U256; 4]) {
        let [budget, spent, reserved, needed] = figures.map(|wei| amount::show(wei, 18));
        let notice = format!(
            "the budget of {budget} for an {window} stops it: {spent} are spent, {reserved} are reserved for what waits, and up to {needed} are needed"
        );
        self.health.notice(Concern::Budget, Some(notice.replace("an day", "a day")));
        if self.over.replace(window) != Some(window) {
            self.tell(Event::OverBudget { window, budget, spent, reserved, needed });
        }
    }

    /// Most that those that wait may cost.
    fn reserved(&self) -> Result<U256> {
        let live = self.journal.live()?;
        Ok(live.iter().map(NonceSlot::worst).fold(U256::ZERO, U256::saturating_add))
    }

    fn spent(&self, time: Duration) -> Result<U256> {
        self.journal.spent_since(now_ms().saturating_sub(super::milliseconds(time)))
    }

    /// What is spent within each window, and what may be; and what is reserved: in the chain's coin.
    pub(super) fn money(&self) -> Result<Vec<(&'static str, String)>> {
        let [hour, day] = self.options.budget.windows();
        let mut out = Vec::new();
        for ((_, time, budget), what) in [(hour, "spent within an hour"), (day, "spent within a day")] {
            let spent = amount::show(self.spent(time)?, 18);
            let of = budget.map(|budget| format!(" of {}", amount::show(budget, 18)));
            out.push((what, spent + &of.unwrap_or_default()));
        }
        out.push(("reserved for what waits", amount::show(self.reserved()?, 18)));
        Ok(out)
    }

    /// Shows what is spent and reserved.
    pub(super) fn note_spent(&self) -> Result<()> {
        for (window, time, budget) in self.options.budget.windows() {
            self.metrics.spent(window, self.spent(time)?, budget);
        }
        self.metrics.reserved(self.reserved()?);
        Ok(())
    }
}

/// Cost of a transaction by its receipt, which an endpoint may have made up: not more than was signed for; and no less than half of the gas
/// that it was given, at the tip and half of the base fee that it was made for. So whoever makes up receipts has two or three times a budget spent at most.
pub(super) fn cost(receipt: &TransactionReceipt, slot: &NonceSlot, offer: &Offer) -> U256 {
    let least = if offer.void { 21_000.min(slot.gas) } else { slot.gas / 2 };
    let gas = receipt.gas_used.clamp(least, slot.gas);
    let Fees { max, priority } = offer.fees;
    // An offer is twice the base fee, and the tip.
    let cheap = priority.saturating_add(max.saturating_sub(priority) / 4).min(max);
    let price = receipt.effective_gas_price.clamp(cheap, max);
    U256::from(gas).saturating_mul(U256::from(price)).saturating_add(slot.publication)
}
