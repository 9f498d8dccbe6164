//! Which proof systems there are, and what all of them have in common.

use serde::Serialize;

use crate::{Slot, Srs, Statement, Word, keccak256, plonk, sumcheck};

/// Separates the model commitment.
const MODEL_TAG: &[u8] = b"zkml-chain/model-commitment/v1";

/// A way to prove a statement. Contracts register models with its [`id`](ProofSystem::id), so that a proof of one system is
/// never taken for one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProofSystem {
    /// Columns, gates and copies, opened by KZG with SHPLONK: [`plonk`](crate::plonk).
    Plonk,
    /// Sumchecks over vectors of small integers, opened by KZG with Mercury: [`sumcheck`](crate::sumcheck).
    Sumcheck,
}

impl ProofSystem {
    /// Its full name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plonk => "halo2-kzg-shplonk-bn254-v1",
            Self::Sumcheck => "sumcheck-kzg-mercury-bn254-v1",
        }
    }

    /// First four bytes of the Keccak-256 of its name.
    pub fn id(self) -> [u8; 4] {
        let [a, b, c, d, ..] = keccak256([self.name().as_bytes()]).0;
        [a, b, c, d]
    }
}

/// A verifier program of one of the systems.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AnyProgram<'a> {
    /// Of [`ProofSystem::Plonk`].
    Plonk(&'a plonk::Program),
    /// Of [`ProofSystem::Sumcheck`].
    Sumcheck(&'a sumcheck::Program),
}

/// As [`AnyProgram`], with the program itself: what an artifact folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Program {
    /// Of [`ProofSystem::Plonk`].
    Plonk(plonk::Program),
    /// Of [`ProofSystem::Sumcheck`].
    Sumcheck(Box<sumcheck::Program>),
}

impl From<plonk::Program> for Program {
    fn from(program: plonk::Program) -> Self {
        Self::Plonk(program)
    }
}

impl From<sumcheck::Program> for Program {
    fn from(program: sumcheck::Program) -> Self {
        Self::Sumcheck(Box::new(program))
    }
}

impl Program {
    /// The program of [`ProofSystem::Plonk`], if it is one.
    pub fn into_plonk(self) -> Option<plonk::Program> {
        match self {
            Self::Plonk(program) => Some(program),
            Self::Sumcheck(_) => None,
        }
    }

    fn inner(&self) -> &dyn VerifierProgram {
        match self {
            Self::Plonk(program) => program,
            Self::Sumcheck(program) => program.as_ref(),
        }
    }
}

impl VerifierProgram for Program {
    fn any(&self) -> AnyProgram<'_> {
        self.inner().any()
    }

    fn num_instances(&self) -> u32 {
        self.inner().num_instances()
    }

    fn statement(&self) -> &Statement {
        self.inner().statement()
    }

    fn srs(&self) -> &Srs {
        self.inner().srs()
    }

    fn vk_digest(&self) -> Word {
        self.inner().vk_digest()
    }

    fn slots(&self) -> Vec<Slot<String>> {
        self.inner().slots()
    }

    fn hash_inputs(&self, instances: &[Word], proof: &[u8]) -> Option<Vec<Vec<u8>>> {
        self.inner().hash_inputs(instances, proof)
    }
}

/// How a verifier program contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// One of [`ProofSystem::Plonk`].
    #[error(transparent)]
    Plonk(#[from] plonk::ProgramError),
    /// One of [`ProofSystem::Sumcheck`].
    #[error(transparent)]
    Sumcheck(#[from] sumcheck::ProgramError),
}

/// What statements, registrations, envelopes and contracts need to know of a verifier program, whatever its proof system.
pub trait VerifierProgram {
    /// The program itself.
    fn any(&self) -> AnyProgram<'_>;

    /// How its proofs are made.
    fn proof_system(&self) -> ProofSystem {
        match self.any() {
            AnyProgram::Plonk(_) => ProofSystem::Plonk,
            AnyProgram::Sumcheck(_) => ProofSystem::Sumcheck,
        }
    }

    /// Checks that its parts fit together and stay within limits: whoever reads one does this before all else.
    ///
    /// # Errors
    /// The first contradiction.
    fn validate(&self) -> Result<(), ProgramError> {
        match self.any() {
            AnyProgram::Plonk(program) => Ok(program.validate()?),
            AnyProgram::Sumcheck(program) => Ok(program.validate()?),
        }
    }

    /// What a contract pins, see [`model_commitment`].
    fn model_commitment(&self) -> Word {
        model_commitment(&self.vk_digest(), self.statement())
    }

    /// Public field elements of every proof, context included.
    fn num_instances(&self) -> u32;

    /// What its proofs are about.
    fn statement(&self) -> &Statement;

    /// The verifier's part of the trusted setup.
    fn srs(&self) -> &Srs;

    /// A canonical scalar that every proof absorbs first: it covers the equations, the commitments, the setup, and names,
    /// scales and bounds of inputs and outputs.
    fn vk_digest(&self) -> Word;

    /// Bytes of every proof.
    fn proof_length(&self) -> usize {
        self.slots().last().map_or(0, Slot::end)
    }

    /// What every proof is made of, in its order, with the names of its parts.
    fn slots(&self) -> Vec<Slot<String>>;

    /// The input of every hash of the transcript of a proof: what a contract must feed to its KECCAK256. Nothing if the proof has
    /// another length, or another number of instances is given.
    fn hash_inputs(&self, instances: &[Word], proof: &[u8]) -> Option<Vec<Vec<u8>>>;
}

/// What a contract pins: Keccak-256 of a tag, the digest of the verifier program and the model's hash.
pub fn model_commitment(vk_digest: &Word, statement: &Statement) -> Word {
    keccak256([MODEL_TAG, &vk_digest.0, &statement.model_hash.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_published_ones() {
        assert_eq!(ProofSystem::Plonk.id(), [0xcf, 0x71, 0xbc, 0xa1]);
        assert_eq!(ProofSystem::Sumcheck.id(), [0x0b, 0xe5, 0xa8, 0x2c]);
    }
}
