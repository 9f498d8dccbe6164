//! Interprets a verifier program over hostile proof bytes; never panics, knows no prover.
//!
//! The equations are those of [`zkml_protocol::plonk`]. Everything is checked before it is used: the
//! program's consistency, the proof's length, every scalar's range, every point's curve membership, every
//! denominator. The lints of this crate keep panics out; hostile bytes end in a [`VerifyError`] that names what is wrong.
//!
//! Deliberately absent: batching, aggregation, parallelism. One proof takes a few milliseconds.

mod constraints;
mod decode;
mod error;
mod opening;

pub use error::VerifyError;

#[cfg(test)]
mod mutants;

use crate::curve::{Fr, mul_add, scalar};
use constraints::AtX;
use decode::Decoded;
use zkml_protocol::{
    Word,
    plonk::{Challenge, Constraints, OpeningSet, Program, Replay, Step},
};

/// Checks that `proof` shows the program's statement for these public instances.
///
/// `instances` are canonical words in the order of the statement, context first.
///
/// # Errors
/// What is wrong with the program, the instances or the proof. [`VerifyError::Rejected`] is the verdict on a
/// well-formed proof that does not hold.
pub fn verify(program: &Program, proof: &[u8], instances: &[Word]) -> Result<(), VerifyError> {
    program.validate()?;
    Rules::of(program).verify(proof, instances)
}

/// All that decides the verdict on a proof, as data: the tests take away one part after the other.
struct Rules<'a> {
    program: &'a Program,
    /// The program's digest, which the transcript begins with.
    digest: Word,
    /// The transcript's moves.
    steps: Vec<Step>,
    /// What is opened where.
    sets: Vec<OpeningSet>,
}

impl<'a> Rules<'a> {
    /// Those of a program, which must have passed its validation.
    fn of(program: &'a Program) -> Self {
        let (digest, sets) = (program.vk_digest(), program.opening_sets());
        Self { program, digest, steps: program.layout().steps().to_vec(), sets }
    }

    fn verify(&self, proof: &[u8], instances: &[Word]) -> Result<(), VerifyError> {
        let decoded = Decoded::new(self.program, proof, instances)?;
        let replay = Replay::along(&self.steps, &self.digest, self.program, instances, proof);
        // The lengths have been compared already, so this cannot be absent.
        let replay = replay.ok_or(VerifyError::Inconsistent("transcript"))?;
        self.verdict(&decoded, |which| {
            let word = replay.challenge(which).ok_or(VerifyError::Inconsistent("challenge"))?;
            scalar(&word).ok_or(VerifyError::Inconsistent("challenge"))
        })
    }

    /// The verdict once the challenges are known.
    fn verdict(
        &self,
        decoded: &Decoded,
        challenge: impl Fn(Challenge) -> Result<Fr, VerifyError>,
    ) -> Result<(), VerifyError> {
        let at_x = AtX::new(self.program, decoded, challenge(Challenge::X)?)?;
        let quotient = fold_identities(&self.program.constraints, &at_x, decoded, &challenge)?;
        opening::check(self, decoded, &at_x, quotient, challenge)
    }
}

/// The quotient's value at `x` that the identities demand.
fn fold_identities(
    constraints: &Constraints,
    at_x: &AtX,
    decoded: &Decoded,
    challenge: &impl Fn(Challenge) -> Result<Fr, VerifyError>,
) -> Result<Fr, VerifyError> {
    let values = constraints::evaluate(constraints, at_x, decoded, challenge)?;
    let y = challenge(Challenge::Y)?;
    let mut folded = Fr::zero();
    for identity in &constraints.identities {
        let value = values.get(identity.node.index()).ok_or(VerifyError::Inconsistent("identity"))?;
        folded = mul_add(folded, y, *value);
    }
    Ok(at_x.over_vanishing(folded))
}
