//! Verifiers that interpret a program over hostile proof bytes; they never panic and know no prover.
//!
//! One module per proof system; `curve` is what they share.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod curve;
pub mod plonk;
pub mod sumcheck;

use zkml_protocol::{AnyProgram, VerifierProgram, Word};

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// By the verifier of [`plonk`].
    #[error(transparent)]
    Plonk(#[from] plonk::VerifyError),
    /// By the verifier of [`sumcheck`].
    #[error(transparent)]
    Sumcheck(#[from] sumcheck::VerifyError),
    /// There is no verifier here for the program's proof system.
    #[error("there is no verifier here of proofs by {0}; update the toolkit")]
    Unknown(&'static str),
}

/// Checks that `proof` shows the program's statement for these public instances, by the verifier of its proof system.
///
/// # Errors
/// What is wrong with the program, the instances or the proof.
pub fn verify(program: &dyn VerifierProgram, proof: &[u8], instances: &[Word]) -> Result<(), VerifyError> {
    match program.any() {
        AnyProgram::Plonk(program) => Ok(plonk::verify(program, proof, instances)?),
        AnyProgram::Sumcheck(program) => Ok(sumcheck::verify(program, proof, instances)?),
        _ => Err(VerifyError::Unknown(program.proof_system().name())),
    }
}
