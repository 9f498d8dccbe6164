//! The listener that long work tells how far it is, and that may stop it.

use crate::Stage;
#[cfg(any(feature = "prove", feature = "evm"))]
use crate::{Error, Result};

/// A listener that is told what long work is doing. `&()` is one that does not listen and never stops anything.
///
/// Calls may come from several threads.
pub trait Observer: Sync {
    /// `stage` begins.
    fn begins(&self, stage: Stage) {
        let _ = stage;
    }

    /// So much of a stage is done; where steps can be counted.
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        let _ = (stage, done, total);
    }

    /// Returns true if the work shall end. It is asked between stages, and what was made so far is dropped:
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    fn cancelled(&self) -> bool {
        false
    }
}

impl Observer for () {}

/// Begins a stage, unless the work shall end.
#[cfg(any(feature = "prove", feature = "evm"))]
pub(crate) fn begin(observer: &dyn Observer, stage: Stage) -> Result<()> {
    if observer.cancelled() {
        return Err(Error::Cancelled { before: stage });
    }
    observer.begins(stage);
    Ok(())
}
