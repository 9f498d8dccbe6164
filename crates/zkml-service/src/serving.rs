//! Whose requests are served, and how many of each.

use std::collections::BTreeSet;

use alloy::primitives::Address;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// Whose requests are served, and how many of each. Without limits everybody's are, in turns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Serving {
    /// Only these subjects; all if none are named.
    pub subjects: Option<BTreeSet<Address>>,
    /// Requests of one subject that are proven within an hour.
    pub hourly: Option<u64>,
    /// Requests of one subject that are proven within a day.
    pub daily: Option<u64>,
}

/// A quota of each subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Its name in figures.
    pub(crate) name: &'static str,
    /// Its time, in words.
    pub(crate) window: &'static str,
    /// Its time in milliseconds.
    pub(crate) milliseconds: i64,
    /// Requests within that time.
    pub(crate) most: u64,
}

impl Serving {
    /// The quotas that there are.
    pub(crate) fn quotas(&self) -> impl Iterator<Item = Quota> + use<> {
        let all =
            [("quota-hour", "an hour", HOUR, self.hourly), ("quota-day", "a day", 24 * HOUR, self.daily)];
        all.into_iter().filter_map(|(name, window, milliseconds, most)| {
            most.map(|most| Quota { name, window, milliseconds, most })
        })
    }
}
