//! Interprets a verifier program over hostile proof bytes; never panics, knows no prover.
//!
//! The equations are those on the front page of [`zkml_protocol`]. Everything is checked before it is used: the
//! program's consistency, the proof's length, every scalar's range, every point's curve membership, every
//! denominator. The lints below keep panics out; hostile bytes end in a [`VerifyError`] that names what is wrong.
//!
//! Deliberately absent: batching, aggregation, parallelism. One proof takes a few milliseconds.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod constraints;
mod curve;
mod decode;
mod error;
mod opening;

pub use error::VerifyError;

use constraints::AtX;
use curve::{Fr, scalar};
use decode::Decoded;
use zkml_protocol::{Challenge, Constraints, Program, Replay, Word};

/// Checks that `proof` shows the program's statement for these public instances.
///
/// `instances` are canonical words in the order of the statement, context first.
///
/// # Errors
/// What is wrong with the program, the instances or the proof. [`VerifyError::Rejected`] is the verdict on a
/// well-formed proof that does not hold.
pub fn verify(program: &Program, proof: &[u8], instances: &[Word]) -> Result<(), VerifyError> {
    program.validate()?;
    let decoded = Decoded::new(program, proof, instances)?;
    // The lengths have been compared already, so this cannot be absent.
    let replay = Replay::of(program, instances, proof).ok_or(VerifyError::Inconsistent("transcript"))?;
    let challenge = |which: Challenge| {
        let word = replay.challenge(which).ok_or(VerifyError::Inconsistent("challenge"))?;
        scalar(&word).ok_or(VerifyError::Inconsistent("challenge"))
    };
    let at_x = AtX::new(program, &decoded, challenge(Challenge::X)?)?;
    let quotient = fold_identities(&program.constraints, &at_x, &decoded, challenge)?;
    opening::check(program, &decoded, &at_x, quotient, challenge)
}

/// The quotient's value at `x` that the identities demand.
fn fold_identities(
    constraints: &Constraints,
    at_x: &AtX,
    decoded: &Decoded,
    challenge: impl Fn(Challenge) -> Result<Fr, VerifyError>,
) -> Result<Fr, VerifyError> {
    let values = constraints::evaluate(constraints, at_x, decoded, &challenge)?;
    let y = challenge(Challenge::Y)?;
    let mut folded = Fr::zero();
    for identity in &constraints.identities {
        let value = values.get(identity.node.index()).ok_or(VerifyError::Inconsistent("identity"))?;
        folded = curve::mul_add(folded, y, *value);
    }
    Ok(at_x.over_vanishing(folded))
}
