//! What is asked of an endpoint, how often, and what its answers mean.

use std::time::Duration;

use alloy::primitives::Bytes;
use rand::Rng;
use zkml_contracts::errors::describe;

use crate::{DeployError, Result, secret::redact};

/// How often a request is repeated that nobody answered. Between two attempts lies a time that doubles, with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all.
    pub attempts: u32,
    /// The first pause.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Retry {
    /// Four attempts within about two seconds: for a person who waits.
    fn default() -> Self {
        Self { attempts: 4, pause: Duration::from_millis(200), longest: Duration::from_secs(5) }
    }
}

impl Retry {
    /// The pause after this attempt, counted from one: doubled each time, and between half and all of that.
    #[must_use]
    pub fn pause_after(&self, attempt: u32) -> Duration {
        let doubled = self.pause.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.longest).mul_f64(rand::thread_rng().gen_range(0.5..=1.0))
    }
}

/// What a contract answers to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It returned these bytes.
    Returned(Bytes),
    /// It reverted with these bytes.
    Reverted(Bytes),
}

impl Answer {
    /// What it returned.
    ///
    /// # Errors
    /// [`DeployError::Reverted`] with the custom error by name.
    pub fn returned(self, what: &str) -> Result<Bytes> {
        match self {
            Self::Returned(bytes) => Ok(bytes),
            Self::Reverted(bytes) => {
                Err(DeployError::Reverted { what: what.to_owned(), reason: describe(&bytes) })
            }
        }
    }
}

/// What a gas unit costs, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fees {
    /// At most, with the base fee.
    pub max: u128,
    /// For the block's producer.
    pub priority: u128,
}

impl Fees {
    /// At least an eighth more on both, as nodes want it of a replacement, and no less than what the chain takes now.
    #[must_use]
    pub fn bumped(&self, now: Fees) -> Self {
        let more = |fee: u128| fee.saturating_add(fee.div_ceil(8)).saturating_add(1);
        Self { max: more(self.max).max(now.max), priority: more(self.priority).max(now.priority) }
    }
}

/// What became of a raw transaction that was handed to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The node has it, now or already before.
    Taken,
    /// Its nonce is used up: it, or another one, was mined.
    NonceTooLow,
    /// Another transaction of this nonce is waiting, and this one pays too little more.
    Underpriced,
    /// The account cannot pay for it.
    InsufficientFunds,
    /// The node will not have it, for this reason.
    Refused(String),
}

impl Sent {
    /// What nodes mean, in their several wordings (geth, reth, nethermind, erigon, besu, anvil).
    pub(super) fn of(message: &str) -> Self {
        let message_lower = message.to_lowercase();
        let says = |texts: &[&str]| texts.iter().any(|text| message_lower.contains(text));
        if says(&["already known", "alreadyknown", "known transaction", "already imported", "already in"]) {
            Sent::Taken
        } else if says(&["nonce too low", "noncetoolow", "oldnonce", "nonce_too_low", "nonce is too low"]) {
            Sent::NonceTooLow
        } else if says(&["underpriced", "feetoolowtoreplace", "replacement_"]) {
            Sent::Underpriced
        } else if says(&["insufficient funds", "insufficientfunds", "upfront_cost", "insufficient balance"]) {
            Sent::InsufficientFunds
        } else {
            Sent::Refused(redact(message).chars().take(300).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_pay_at_least_an_eighth_more() {
        let fees = Fees { max: 80, priority: 1 };
        assert_eq!(fees.bumped(Fees::default()), Fees { max: 91, priority: 3 });
        assert_eq!(fees.bumped(Fees { max: 200, priority: 7 }), Fees { max: 200, priority: 7 });
        let most = Fees { max: u128::MAX, priority: u128::MAX };
        assert_eq!(most.bumped(fees), most);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let retry = Retry { attempts: 99, pause: Duration::from_secs(1), longest: Duration::from_secs(6) };
        for (attempt, seconds) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 6.0), (99, 6.0)] {
            let pause = retry.pause_after(attempt).as_secs_f64();
            assert!((seconds / 2.0..=seconds).contains(&pause), "{attempt}: {pause}");
        }
    }

    #[test]
    fn what_nodes_say_about_transactions() {
        let cases = [
            ("already known", Sent::Taken),
            ("ALREADY_EXISTS: already known", Sent::Taken),
            ("nonce too low: next nonce 5, tx nonce 4", Sent::NonceTooLow),
            ("OldNonce", Sent::NonceTooLow),
            ("replacement transaction underpriced", Sent::Underpriced),
            ("transaction underpriced", Sent::Underpriced),
            ("insufficient funds for gas * price + value", Sent::InsufficientFunds),
            ("Insufficient funds for gas * price + value", Sent::InsufficientFunds),
        ];
        for (text, expected) in cases {
            assert_eq!(Sent::of(text), expected, "{text}");
        }
        assert!(matches!(Sent::of("intrinsic gas too low"), Sent::Refused(_)));
    }
}
