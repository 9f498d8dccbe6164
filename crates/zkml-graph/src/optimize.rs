//! The goal of a plan, by which every back end decides between its layouts.

use serde::{Deserialize, Serialize};

/// What to make cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Optimize {
    /// Proving time and memory.
    #[default]
    Prover,
    /// Verification gas.
    Gas,
}

impl Optimize {
    /// What decides between two ways to prove a model, less being better: seconds of a proof on two cores, gas of a
    /// verification, peak memory in megabytes.
    pub fn weigh(self, seconds: f64, gas: f64, memory_mb: f64) -> f64 {
        match self {
            // A second of proving is worth some gas: without that, nothing would bound the rows.
            Self::Gas => gas + 30_000.0 * seconds,
            // Gas decides between shapes that prove in nearly the same time: 100,000 gas are worth 50 ms, so that
            // small models do not pay for columns that save a few milliseconds.
            Self::Prover => seconds * (1.0 + gas / 1_500_000.0) + gas * 5e-7 + memory_mb / 2_000.0,
        }
    }
}
