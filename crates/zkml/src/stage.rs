//! The stages of long work.

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Choosing scales, and measuring the error of the integer model.
    Calibrate,
    /// Comparing proof systems and layouts.
    Plan,
    /// Cutting the trusted setup to size and checking it.
    Srs,
    /// Committing to what the model fixes.
    Keys,
    /// Running the integer model.
    Run,
    /// Proving.
    Prove,
    /// Of a proof by sumcheck: committing to the witness.
    Commit,
    /// Of a proof by sumcheck: fractions of the lookups, and the commitment to them.
    Lookups,
    /// Of a proof by sumcheck: both sumchecks.
    Sumchecks,
    /// Of a proof by sumcheck: opening what is left of them.
    Open,
    /// Asking the second verifier.
    Verify,
    /// Compiling Solidity.
    Solc,
    /// Letting the local EVM judge.
    Evm,
}
