//! The transcript of a proof, followed move by move.

use super::{Challenge, Program, Step};
use crate::{Transcript, Word};

/// All challenges of a proof and everything that was hashed for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Challenges in the order of squeezing.
    pub challenges: Vec<(Challenge, Word)>,
    /// The hash input behind each of them: what a contract must feed to its KECCAK256.
    pub hash_inputs: Vec<Vec<u8>>,
}

impl Replay {
    /// Follows the transcript's moves over a proof. Nothing is checked but the proof's length and the number of instances.
    ///
    /// Returns nothing if those differ from the program's.
    pub fn of(program: &Program, instances: &[Word], proof: &[u8]) -> Option<Self> {
        let layout = program.layout();
        if proof.len() != layout.length() || instances.len() != program.num_instances as usize {
            return None;
        }
        Self::along(layout.steps(), &program.vk_digest(), program, instances, proof)
    }

    /// Follows any moves over a proof, with any digest in place of the program's: [`Replay::of`] follows those of the layout.
    ///
    /// Tests that take moves away use this; a verifier that did would accept what it must not.
    ///
    /// Returns nothing if a move absorbs what lies beyond the proof.
    pub fn along(
        steps: &[Step],
        digest: &Word,
        program: &Program,
        instances: &[Word],
        proof: &[u8],
    ) -> Option<Self> {
        let mut transcript = Transcript::new().traced();
        let mut challenges = Vec::new();
        for step in steps {
            match step {
                Step::AbsorbDigest => transcript.absorb(digest),
                Step::AbsorbInstanceCount => {
                    transcript.absorb(&Word::from_u64(u64::from(program.num_instances)));
                }
                Step::AbsorbKeyRepr => transcript.absorb(&program.key_repr),
                Step::AbsorbInstances => instances.iter().for_each(|word| transcript.absorb(word)),
                Step::Absorb(slot) => {
                    transcript.absorb_bytes(proof.get(slot.offset..slot.end())?);
                }
                Step::Squeeze(challenge) => challenges.push((*challenge, transcript.squeeze())),
            }
        }
        Some(Self { challenges, hash_inputs: transcript.into_trace() })
    }

    /// The value of a challenge, if the program has it.
    pub fn challenge(&self, challenge: Challenge) -> Option<Word> {
        self.challenges.iter().find(|(of, _)| *of == challenge).map(|(_, value)| *value)
    }
}
