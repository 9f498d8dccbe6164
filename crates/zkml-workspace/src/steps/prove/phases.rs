//! Where the time of a proof goes.

use serde::Serialize;
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};
use zkml::{Observer, Stage};

/// The time of one phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseTime {
    /// `load`, `run`, `prove`, `commit`, `lookups`, `sumchecks`, `opening`, `verify`. With halo2 all is `prove`; else that is the witness.
    pub phase: &'static str,
    /// Time that it took.
    pub seconds: f64,
}

/// A clock that is told when a phase begins.
#[derive(Debug)]
pub(super) struct Phases(Mutex<(Vec<PhaseTime>, &'static str, Instant)>);

impl Phases {
    pub(super) fn begin(phase: &'static str) -> Self {
        Self(Mutex::new((Vec::new(), phase, Instant::now())))
    }

    /// Ends the phase that it is at, and begins another, which may be one that had ended.
    pub(super) fn next(&self, phase: &'static str) {
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, (phases, at, since)) = (Instant::now(), &mut *clock);
        let seconds = (now - *since).as_secs_f64();
        match phases.iter_mut().find(|p| p.phase == *at) {
            Some(known) => known.seconds += seconds,
            None => phases.push(PhaseTime { phase: at, seconds }),
        }
        (*at, *since) = (phase, now);
    }

    /// Ends the last phase.
    pub(super) fn end(self) -> Vec<PhaseTime> {
        self.next("end");
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Observer for Phases {
    fn begins(&self, stage: Stage) {
        self.next(match stage {
            Stage::Prove => "prove",
            Stage::Commit => "commit",
            Stage::Lookups => "lookups",
            Stage::Sumchecks => "sumchecks",
            Stage::Open => "opening",
            Stage::Verify => "verify",
            _ => return,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_that_come_again_add_up() {
        let phases = Phases::begin("load");
        phases.next("run");
        phases.next("load");
        phases.begins(Stage::Prove);
        phases.begins(Stage::Run);
        let times = phases.end();
        assert_eq!(times.iter().map(|p| p.phase).collect::<Vec<_>>(), ["load", "run", "prove"]);
    }
}
