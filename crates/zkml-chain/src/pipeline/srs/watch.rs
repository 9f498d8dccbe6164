//! Progress of long work on setups: one bar per stage.

use crate::{output::Ui, progress::Progress};
use std::sync::{Mutex, PoisonError};
use zkml_srs::Stage;

/// Shows a bar for the current stage; several threads report to it.
pub(super) struct Watcher<'a> {
    ui: &'a Ui,
    current: Mutex<Option<(Stage, Progress)>>,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self { ui, current: Mutex::new(None) }
    }

    /// `done` of `total` are done in this stage.
    pub(super) fn at(&self, stage: Stage, done: u64, total: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(shown, _)| *shown != stage) {
            // The old bar goes before the new one comes.
            *current = None;
            *current = Some((stage, self.bar(stage, total)));
        }
        if let Some((_, progress)) = current.as_ref() {
            progress.at(done);
        }
    }

    fn bar(&self, stage: Stage, total: u64) -> Progress {
        match stage {
            Stage::Read => Progress::bytes(self.ui, "reading", total),
            Stage::Check => Progress::steps(self.ui, "checking", total),
            Stage::Lagrange => Progress::steps(self.ui, "Lagrange basis", total),
        }
    }
}
