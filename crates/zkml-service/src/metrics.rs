//! Figures for Prometheus.

use std::sync::{Arc, atomic::AtomicU64};

use alloy::primitives::{Address, U256, utils::format_ether};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use zkml_deploy::{amount, asset::COIN};

use crate::journal::{Backlog, Counts};

/// Bounds of the histogram of proof times, in seconds.
const SECONDS: [f64; 10] = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];
/// States that are always shown, so that a figure of zero is one.
const STATES: [&str; 9] =
    ["seen", "proven", "sent", "fulfilled", "cancelled", "expired", "done", "refused", "orphaned"];

/// States of tasks.
const TASK_STATES: [&str; 5] = ["waiting", "ready", "leased", "done", "dead"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WindowLabel {
    window: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AssetLabel {
    /// Its address; `coin` for the chain's own.
    asset: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: String,
}

/// The service's figures; clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    by_state: Family<StateLabel, Gauge>,
    outcomes: Family<OutcomeLabel, Counter>,
    balance: Gauge<f64, AtomicU64>,
    spent: Family<WindowLabel, Gauge<f64, AtomicU64>>,
    budgets: Family<WindowLabel, Gauge<f64, AtomicU64>>,
    earned: Family<AssetLabel, Gauge<f64, AtomicU64>>,
    reserved: Gauge<f64, AtomicU64>,
    not_served: Family<ReasonLabel, Gauge>,
    results: Family<StateLabel, Gauge>,
    at_stake: Gauge<f64, AtomicU64>,
    pub(crate) answer_seconds: Gauge,
    over_budget: Family<WindowLabel, Counter>,
    pub(crate) proving: Gauge,
    pub(crate) missing_inputs: Gauge,
    pub(crate) proofs: Counter,
    pub(crate) proof_failures: Counter,
    pub(crate) proof_seconds: Histogram,
    pub(crate) transactions: Counter,
    pub(crate) bumps: Counter,
    pub(crate) replacements: Counter,
    pub(crate) stolen: Counter,
    pub(crate) reorganisations: Counter,
    pub(crate) rpc_errors: Counter,
    pub(crate) unpaid: Counter,
    pub(crate) too_dear: Counter,
    pub(crate) at_a_loss: Counter,
    pub(crate) not_taken: Counter,
    tasks: Family<StateLabel, Gauge>,
    oldest: Gauge,
    workers: Gauge,
    unplaced: Gauge,
    pub(crate) tasks_done: Counter,
    pub(crate) tasks_dead: Counter,
    pub(crate) tasks_rejected: Counter,
    pub(crate) lost_leases: Counter,
    pub(crate) task_seconds: Histogram,
    pub(crate) head: Gauge,
    pub(crate) lag: Gauge,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            by_state: Family::default(),
            outcomes: Family::default(),
            balance: Gauge::default(),
            spent: Family::default(),
            budgets: Family::default(),
            earned: Family::default(),
            reserved: Gauge::default(),
            not_served: Family::default(),
            results: Family::default(),
            at_stake: Gauge::default(),
            answer_seconds: Gauge::default(),
            over_budget: Family::default(),
            proving: Gauge::default(),
            missing_inputs: Gauge::default(),
            proofs: Counter::default(),
            proof_failures: Counter::default(),
            proof_seconds: Histogram::new(SECONDS),
            transactions: Counter::default(),
            bumps: Counter::default(),
            replacements: Counter::default(),
            stolen: Counter::default(),
            reorganisations: Counter::default(),
            rpc_errors: Counter::default(),
            unpaid: Counter::default(),
            too_dear: Counter::default(),
            at_a_loss: Counter::default(),
            not_taken: Counter::default(),
            tasks: Family::default(),
            oldest: Gauge::default(),
            workers: Gauge::default(),
            unplaced: Gauge::default(),
            tasks_done: Counter::default(),
            tasks_dead: Counter::default(),
            tasks_rejected: Counter::default(),
            lost_leases: Counter::default(),
            task_seconds: Histogram::new(SECONDS),
            head: Gauge::default(),
            lag: Gauge::default(),
        };
        metrics.registry = Arc::new(metrics.register());
        metrics.requests(&Counts::new());
        metrics.queue(&Backlog::default());
        metrics
    }
}

impl Metrics {
    fn register(&self) -> Registry {
        let mut all = Registry::with_prefix("zkml");
        self.register_queue(all.sub_registry_with_prefix("queue"));
        let registry = all.sub_registry_with_prefix("watch");
        let counters = [
            ("proofs", "Proofs made", &self.proofs),
            ("proof_failures", "Attempts that gave no proof", &self.proof_failures),
            ("transactions", "Fulfilments signed, each for another nonce", &self.transactions),
            ("fee_bumps", "Transactions signed again for a higher fee", &self.bumps),
            ("replacements", "Useless transactions replaced by empty ones", &self.replacements),
            ("nonces_taken", "Nonces that somebody else used", &self.stolen),
            ("reorganisations", "Times that the chain took blocks back", &self.reorganisations),
            ("rpc_errors", "Rounds that the endpoint made fail", &self.rpc_errors),
            ("not_taken", "Times that a node would not have a transaction", &self.not_taken),
            ("fee_too_high", "Times that the chain took more for gas than may be offered", &self.too_dear),
            ("reward_below_fee", "Times that a reward was below the expected fee", &self.at_a_loss),
            ("balance_too_low", "Times that the account could not pay", &self.unpaid),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register("mined", "Transactions mined, by outcome", self.outcomes.clone());
        registry.register("requests", "Requests by state", self.by_state.clone());
        registry.register("proof_seconds", "How long proofs took", self.proof_seconds.clone());
        registry.register("proving", "Proofs being made", self.proving.clone());
        registry.register("missing_inputs", "Requests whose input is not there", self.missing_inputs.clone());
        registry.register("balance_ether", "What the account has", self.balance.clone());
        registry.register("not_served", "Requests that are not served, by reason", self.not_served.clone());
        registry.register("results", "Posted results by state", self.results.clone());
        registry.register("at_stake_ether", "Bonds of results that are not over", self.at_stake.clone());
        registry.register(
            "answer_seconds",
            "Time left for the proof that is due next; 0 if none is, or it is late",
            self.answer_seconds.clone(),
        );
        registry.register("spent_ether", "What was spent within an hour and a day", self.spent.clone());
        registry.register("budget_ether", "What may be spent, where that is limited", self.budgets.clone());
        registry.register("earned", "What was earned, by asset, in whole units", self.earned.clone());
        registry.register("reserved_ether", "What transactions that wait may take", self.reserved.clone());
        registry.register(
            "over_budget",
            "Times that a budget stopped a transaction",
            self.over_budget.clone(),
        );
        registry.register("head_block", "The last block", self.head.clone());
        registry.register("lag_blocks", "Blocks that are not read yet", self.lag.clone());
        all
    }

    /// Figures of a fleet's queue; all zero without one.
    fn register_queue(&self, registry: &mut Registry) {
        registry.register("tasks", "Tasks by state", self.tasks.clone());
        registry.register("oldest_seconds", "Age of the oldest task that is not done", self.oldest.clone());
        registry.register("workers", "Workers heard of within a minute", self.workers.clone());
        registry.register(
            "unplaced",
            "Tasks that no worker can take, for want of memory or of the key",
            self.unplaced.clone(),
        );
        registry.register("done", "Results that were taken", self.tasks_done.clone());
        registry.register("dead", "Tasks that no worker could do", self.tasks_dead.clone());
        registry.register("rejected", "Results that were no proofs", self.tasks_rejected.clone());
        registry.register("lost_leases", "Leases whose worker vanished", self.lost_leases.clone());
        registry.register("seconds", "Time from a task to its result", self.task_seconds.clone());
    }

    /// A fleet's queue.
    pub(crate) fn queue(&self, backlog: &Backlog) {
        for state in TASK_STATES {
            let count = backlog.states.iter().find(|(name, _)| name == state).map_or(0, |(_, count)| *count);
            self.tasks.get_or_create(&StateLabel { state: state.to_owned() }).set(signed(count));
        }
        self.oldest.set(signed(backlog.oldest_seconds));
        self.workers.set(signed(backlog.workers));
        self.unplaced.set(signed(backlog.unplaced.tasks));
    }

    pub(crate) fn requests(&self, counts: &Counts) {
        for state in STATES {
            let count = counts.iter().find(|(name, _)| name == state).map_or(0, |(_, count)| *count);
            let label = StateLabel { state: state.to_owned() };
            self.by_state.get_or_create(&label).set(signed(count));
        }
    }

    pub(crate) fn mined(&self, void: bool, success: bool) {
        let outcome = match (void, success) {
            (true, _) => "empty",
            (false, true) => "fulfilled",
            (false, false) => "failed",
        };
        self.outcomes.get_or_create(&OutcomeLabel { outcome: outcome.to_owned() }).inc();
    }

    pub(crate) fn balance(&self, wei: U256) {
        self.balance.set(ether(wei));
    }

    /// What was spent within a window, and what may be.
    pub(crate) fn spent(&self, window: &'static str, wei: U256, budget: Option<U256>) {
        self.spent.get_or_create(&WindowLabel { window }).set(ether(wei));
        if let Some(budget) = budget {
            self.budgets.get_or_create(&WindowLabel { window }).set(ether(budget));
        }
    }

    /// What was earned in an asset of so many decimals.
    pub(crate) fn earned(&self, asset: Address, amount: U256, decimals: u8) {
        let name = if asset == COIN { "coin".to_owned() } else { asset.to_string() };
        let amount = amount::show(amount, decimals).parse().unwrap_or(f64::MAX);
        self.earned.get_or_create(&AssetLabel { asset: name }).set(amount);
    }

    /// Number of requests that are not served for a reason.
    pub(crate) fn not_served(&self, reason: &'static str) -> Gauge {
        self.not_served.get_or_create_owned(&ReasonLabel { reason })
    }

    /// Number of posted results in a state, and the bonds of those that are open.
    pub(crate) fn results(&self, counts: &[(&str, u64)], bonds: U256) {
        for (state, count) in counts {
            let label = StateLabel { state: (*state).to_owned() };
            self.results.get_or_create(&label).set(signed(*count));
        }
        self.at_stake.set(ether(bonds));
    }

    pub(crate) fn reserved(&self, wei: U256) {
        self.reserved.set(ether(wei));
    }

    pub(crate) fn over_budget(&self, window: &'static str) {
        self.over_budget.get_or_create(&WindowLabel { window }).inc();
    }

    /// All of them, in the text format of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn ether(wei: U256) -> f64 {
    format_ether(wei).parse().unwrap_or(f64::MAX)
}

/// Gauges are signed.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_there_from_the_start() {
        let metrics = Metrics::default();
        metrics.requests(&vec![("seen".to_owned(), 3)]);
        metrics.balance(U256::from(1_500_000_000_000_000_000u64));
        metrics.mined(false, true);
        let text = metrics.text();
        for line in [
            "zkml_watch_requests{state=\"seen\"} 3",
            "zkml_watch_requests{state=\"done\"} 0",
            "zkml_watch_balance_ether 1.5",
            "zkml_watch_mined_total{outcome=\"fulfilled\"} 1",
            "zkml_watch_reorganisations_total 0",
            "zkml_watch_proof_seconds_count 0",
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in\n{text}");
        }
    }
}
