//! Interprets a sumcheck program over hostile proof bytes; never panics, knows no prover.
//!
//! The equations are those of [`zkml_protocol::sumcheck`]. Everything is checked before it is used: the program's
//! consistency, the proof's length, every scalar's range, every point's curve membership, every denominator.

mod decode;
mod error;
mod evaluate;
mod opening;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::VerifyError;

use decode::Decoded;
use evaluate::Values;
use zkml_protocol::{Word, sumcheck::Program};

/// Checks that `proof` shows the program's statement for these public instances.
///
/// `instances` are canonical words in the order of the statement, context first.
///
/// # Errors
/// What is wrong with the program, the instances or the proof. [`VerifyError::Rejected`] is the verdict on a
/// well-formed proof that does not hold.
pub fn verify(program: &Program, proof: &[u8], instances: &[Word]) -> Result<(), VerifyError> {
    program.validate()?;
    verify_with(program, &program.vk_digest(), proof, instances)
}

/// Checks a proof whose transcript begins with any digest: the specification's vectors have their own.
///
/// # Errors
/// As [`verify`]; the program is taken as it is.
#[doc(hidden)]
pub fn verify_with(
    program: &Program,
    digest: &Word,
    proof: &[u8],
    instances: &[Word],
) -> Result<(), VerifyError> {
    let shape = program.shape().ok_or(VerifyError::Inconsistent("shape"))?;
    let decoded = Decoded::new(program, digest, proof, instances)?;
    let equations = program.equations_with_loops().map_err(|part| VerifyError::Inconsistent(part.0))?;
    let values = Values::of(&equations, &shape, &decoded)?;
    opening::check(program, &decoded, &equations, &values)
}
