//! Progress of long work on setups: one piece of work per stage.

use crate::observer::{Observer, Total, Work};
use std::sync::{Mutex, PoisonError};
use zkml_srs::Stage;

/// Reports the current stage; several threads report to it.
pub(super) struct Watcher<'a> {
    observer: &'a dyn Observer,
    current: Mutex<Option<(Stage, Box<dyn Work + 'a>)>>,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, current: Mutex::new(None) }
    }

    /// `done` of `total` are done in this stage.
    pub(super) fn at(&self, stage: Stage, done: u64, total: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(shown, _)| *shown != stage) {
            // The old one ends before the new one begins.
            *current = None;
            *current = Some((stage, self.begun(stage, total)));
        }
        if let Some((_, work)) = current.as_ref() {
            work.advanced(done);
        }
    }

    fn begun(&self, stage: Stage, total: u64) -> Box<dyn Work + 'a> {
        match stage {
            Stage::Read => self.observer.begun("reading", Total::Bytes(total)),
            Stage::Check => self.observer.begun("checking", Total::Steps(total)),
            Stage::Lagrange => self.observer.begun("Lagrange basis", Total::Steps(total)),
        }
    }
}
