//! Whether the service works, for whoever restarts it or wakes somebody up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use zkml_deploy::secret::redact;

/// What rounds may take besides the time between them.
const ALLOWANCE: Duration = Duration::from_secs(30);

/// Time of the last progress of the service, and what stood in the way since.
#[derive(Debug, Clone)]
pub struct Health {
    state: Arc<Mutex<Progress>>,
    longest: Duration,
}

#[derive(Debug)]
struct Progress {
    started: Instant,
    last: Option<Instant>,
    trouble: Option<String>,
    /// What a person has to look at, although the service gets on.
    notices: BTreeMap<Concern, String>,
    /// What was earned: an amount for each asset.
    earned: Vec<String>,
}

/// A matter that a person may have to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concern {
    /// Transactions: balance, and what nodes say of them.
    Sending,
    /// Workers of a fleet: none, or tasks that none of them could do.
    Fleet,
    /// Inputs that are not there.
    Inputs,
    /// Requests of subjects that are not served.
    Subjects,
    /// Requests whose rewards are too small.
    Rewards,
    /// Subjects who have had all that they may.
    Quota,
    /// A chain that takes more for gas than may be offered.
    Fees,
    /// Money that may not be spent yet.
    Budget,
    /// Proofs that are due, and bonds that are lost without them.
    Results,
}

impl Health {
    /// Of a service that looks this often.
    #[must_use]
    pub fn new(poll: Duration) -> Self {
        Self::with_longest(poll * 3 + ALLOWANCE)
    }

    /// Of a service that must get on within this time.
    #[must_use]
    pub fn with_longest(longest: Duration) -> Self {
        let (notices, earned) = (BTreeMap::new(), Vec::new());
        let state = Progress { started: Instant::now(), last: None, trouble: None, notices, earned };
        Self { state: Arc::new(Mutex::new(state)), longest }
    }

    pub(crate) fn progress(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Some(Instant::now());
        state.trouble = None;
    }

    pub(crate) fn failed(&self, why: &str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).trouble = Some(redact(why).into_owned());
    }

    pub(crate) fn notice(&self, about: Concern, what: Option<String>) {
        let notices = &mut self.state.lock().unwrap_or_else(PoisonError::into_inner).notices;
        match what {
            Some(what) => drop(notices.insert(about, redact(&what).into_owned())),
            None => drop(notices.remove(&about)),
        }
    }

    pub(crate) fn earned(&self, amounts: Vec<String>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).earned = amounts;
    }

    /// Whether all is well, and a document that says why not.
    #[must_use]
    pub fn report(&self) -> (bool, Value) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = state.last.unwrap_or(state.started).elapsed();
        let well = since <= self.longest;
        let mut reasons = Vec::new();
        if !well {
            let what = if state.last.is_some() { "the last successful round" } else { "the start" };
            reasons.push(format!(
                "{} s since {what}, allowed are {}",
                since.as_secs(),
                self.longest.as_secs()
            ));
        }
        reasons.extend(state.trouble.iter().chain(state.notices.values()).cloned());
        let (seconds, earned) = (since.as_secs(), &state.earned);
        let report =
            json!({ "healthy": well, "secondsSinceProgress": seconds, "reasons": reasons, "earned": earned });
        (well, report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_get_on_is_not_well() {
        let health = Health::with_longest(Duration::from_millis(40));
        assert!(health.report().0, "it has just begun");
        std::thread::sleep(Duration::from_millis(60));
        health.failed("nobody answers");
        let (well, report) = health.report();
        assert!(!well && report["reasons"][1] == "nobody answers", "{report}");
        assert!(report["reasons"][0].as_str().unwrap().contains("since the start"), "{report}");
        health.progress();
        let (well, report) = health.report();
        assert!(well && report["reasons"].as_array().unwrap().is_empty(), "{report}");
    }
}
