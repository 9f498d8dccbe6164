//! Proofs by other rules than the genuine ones: for those who take rules away to see whether it is noticed.

use std::collections::BTreeMap;
use zkml_protocol::{
    Transcript, Word,
    sumcheck::{Base, Challenge, Claim, Equations, Operation, Program, Rounds, Shape, SlotId, Step},
};

use super::{VerifyError, decode::Decoded, evaluate::Values, opening};
use crate::curve::{Fr, scalar};

/// A proof that was read, with all challenges. Everything may be replaced before it is judged.
#[derive(Clone, Debug)]
pub struct Reading {
    program: Program,
    shape: Shape,
    decoded: Decoded,
    equations: Equations,
}

impl Reading {
    /// Reads a proof as the verifier does, and follows a transcript without the moves that `absorbs` refuses.
    ///
    /// # Errors
    /// As [`super::verify`], but for the verdict.
    pub fn new(
        program: &Program,
        digest: &Word,
        proof: &[u8],
        instances: &[Word],
        absorbs: &dyn Fn(&Step) -> bool,
    ) -> Result<Self, VerifyError> {
        let shape = program.shape().ok_or(VerifyError::Inconsistent("shape"))?;
        let mut decoded = Decoded::new(program, digest, proof, instances)?;
        let equations = program.equations_with_loops().map_err(|part| VerifyError::Inconsistent(part.0))?;
        let mut transcript = Transcript::new();
        for step in program.layout().steps().iter().filter(|s| matches!(s, Step::Squeeze(_)) || absorbs(s)) {
            match step {
                Step::AbsorbProgram => {
                    transcript = Transcript::beginning(digest, program.system.instances);
                }
                Step::AbsorbInstances => instances.iter().for_each(|word| transcript.absorb(word)),
                Step::Absorb(slot) => {
                    let bytes = proof.get(slot.offset..slot.end()).unwrap_or_default();
                    bytes.as_chunks().0.iter().for_each(|word| transcript.absorb(&Word(*word)));
                }
                Step::Squeeze(challenge) => {
                    let value = scalar(&transcript.squeeze());
                    let value = value.ok_or(VerifyError::Inconsistent("challenge"))?;
                    decoded.challenges.insert(*challenge, value);
                }
            }
        }
        Ok(Self { program: program.clone(), shape, decoded, equations })
    }

    /// Replaces the claims.
    ///
    /// # Errors
    /// [`VerifyError::Inconsistent`] for claims that do not fit the program.
    pub fn about(&mut self, claims: Vec<Claim>) -> Result<(), VerifyError> {
        let equations = self.program.equations_about(claims);
        self.equations = equations.map_err(|part| VerifyError::Inconsistent(part.0))?;
        Ok(())
    }

    /// The equations; they may be replaced.
    pub fn equations(&mut self) -> &mut Equations {
        &mut self.equations
    }

    /// The challenges; they may be replaced.
    pub fn challenges(&mut self) -> &mut BTreeMap<Challenge, Fr> {
        &mut self.decoded.challenges
    }

    /// The instances; they may be replaced.
    pub fn instances(&mut self) -> &mut [Fr] {
        &mut self.decoded.instances
    }

    /// The scalars of a slot; they may be replaced.
    pub fn scalars(&mut self, id: SlotId) -> &mut [Fr] {
        self.decoded.scalars.get_mut(&id).map_or(&mut [], Vec::as_mut_slice)
    }

    /// Multiples of points that the pairing compares, and what has to be one.
    ///
    /// # Errors
    /// As [`super::verify`].
    pub fn factors(&self) -> Result<(Vec<(Fr, Base)>, Fr), VerifyError> {
        let values = Values::of(&self.equations, &self.shape, &self.decoded)?;
        let comparison = &self.equations.comparison;
        let terms = comparison.terms.iter().map(|(factor, base)| Ok((values.at(*factor)?, *base)));
        Ok((terms.collect::<Result<_, VerifyError>>()?, values.at(comparison.one)?))
    }

    /// The value that the opening has to show: what the second sumcheck leaves.
    ///
    /// # Errors
    /// As [`super::verify`].
    pub fn opened(&self) -> Result<Fr, VerifyError> {
        let values = Values::of(&self.equations, &self.shape, &self.decoded)?;
        let last = |o: &&Operation| matches!(o, Operation::Rounds(Rounds::Second, _));
        let at = self.equations.operations.iter().zip(values.all()).find(|(o, _)| last(o));
        at.map(|(_, value)| *value).ok_or(VerifyError::Inconsistent("rounds"))
    }

    /// The verdict.
    ///
    /// # Errors
    /// As [`super::verify`].
    pub fn verdict(&self) -> Result<(), VerifyError> {
        let values = Values::of(&self.equations, &self.shape, &self.decoded)?;
        opening::check(&self.program, &self.decoded, &self.equations, &values)
    }
}
