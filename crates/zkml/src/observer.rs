//! Who is told how far long work is, and may stop it.

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Choosing scales, and measuring the error of the integer model.
    Calibrate,
    /// Comparing layouts of the circuit.
    Plan,
    /// Cutting the trusted setup to size and checking it.
    Srs,
    /// Committing to what the model fixes.
    Keys,
    /// Running the integer model.
    Run,
    /// Proving.
    Prove,
    /// Asking the second verifier.
    Verify,
    /// Compiling Solidity.
    Solc,
    /// Letting the local EVM judge.
    Evm,
}

/// Told what long work is doing. `&()` is one that does not listen and never stops anything.
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
pub(crate) fn begin(observer: &dyn Observer, stage: Stage) -> crate::Result<()> {
    if observer.cancelled() {
        return Err(crate::Error::Cancelled { before: stage });
    }
    observer.begins(stage);
    Ok(())
}
