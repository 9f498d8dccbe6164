//! Requests that nobody can earn, whatever they pay: a reward comes back to who asks for them, so they would cost nothing but the proofs.

use std::{collections::VecDeque, time::Duration};

use zkml_protocol::Word;

use super::{Engine, follow::Head};
use crate::{error::Result, journal::Entry};

/// Gas that every fulfilment takes besides what follows on it: a transaction's base, and a pairing of two pairs.
const AROUND: u64 = 21_000 + 113_000;
/// Number of proofs whose time is remembered.
const REMEMBERED: usize = 8;

/// Times that the last proofs took.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Duration>);

impl Pace {
    pub(super) fn took(&mut self, time: Duration) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(time);
    }

    /// The shortest of them, in whole seconds: one slow proof keeps nobody out. None is known at first.
    fn shortest(&self) -> u64 {
        self.0.iter().min().map_or(0, Duration::as_secs)
    }
}

impl Engine {
    /// Returns true if a proof that is begun now may come in time, by the last ones and by the blocks that the request wants to pass.
    pub(super) fn may_be_earned(&mut self, entry: &Entry, head: Head) -> Result<bool> {
        if let Some(why) = self.never(entry) {
            self.refuse(&entry.id, why)?;
            return Ok(false);
        }
        let block = self.options.limits.block.as_secs();
        let handed_in = head.time.saturating_add(2 * block).saturating_add(self.pace.shortest());
        if entry.request.deadline < Word::from_u64(handed_in) {
            return Ok(false);
        }
        // Where blocks come faster than that, less time is wanted with each of them.
        let wanted = entry.reward.as_ref().map_or(0, |reward| u64::from(reward.confirmations));
        let blocks = entry.block.saturating_add(wanted).saturating_sub(head.number);
        let ripe = head.time.saturating_add(blocks.saturating_mul(block));
        if entry.request.deadline < Word::from_u64(ripe) {
            self.rest_a_block(entry, "it wants more confirmations than its deadline leaves time for")?;
            return Ok(false);
        }
        Ok(true)
    }

    /// The reason why no transaction of this chain can fulfil a request.
    fn never(&self, entry: &Entry) -> Option<String> {
        let (wanted, most) = (entry.reward.as_ref()?.callback_gas, self.options.limits.gas);
        let text =
            format!("it wants {wanted} gas for what follows on it, and a transaction takes {most} in all");
        // A call leaves one part in 64 behind (EIP-150).
        let least = wanted.saturating_add(wanted / 63).saturating_add(AROUND);
        (least > most).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_of_the_last_proofs_counts() {
        let mut pace = Pace::default();
        assert_eq!(pace.shortest(), 0);
        for seconds in [3, 700, 4, 5, 6, 7, 8, 9] {
            pace.took(Duration::from_secs(seconds));
        }
        assert_eq!(pace.shortest(), 3);
        pace.took(Duration::from_secs(10));
        assert_eq!(pace.shortest(), 4, "the oldest is forgotten");
    }
}
