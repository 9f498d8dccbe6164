//! Verifier programs, and what those of all proof systems have in common.

use serde::Serialize;

use crate::{ProofSystem, Slot, Srs, Statement, Word, model_commitment, plonk, sumcheck};

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
    Plonk(Box<plonk::Program>),
    /// Of [`ProofSystem::Sumcheck`].
    Sumcheck(Box<sumcheck::Program>),
}

impl From<plonk::Program> for Program {
    fn from(program: plonk::Program) -> Self {
        Self::Plonk(Box::new(program))
    }
}

impl From<sumcheck::Program> for Program {
    fn from(program: sumcheck::Program) -> Self {
        Self::Sumcheck(Box::new(program))
    }
}

impl Program {
    fn inner(&self) -> &dyn VerifierProgram {
        match self {
            Self::Plonk(program) => program.as_ref(),
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

impl VerifierProgram for plonk::Program {
    fn any(&self) -> AnyProgram<'_> {
        AnyProgram::Plonk(self)
    }

    fn num_instances(&self) -> u32 {
        self.num_instances
    }

    fn statement(&self) -> &Statement {
        &self.statement
    }

    fn srs(&self) -> &Srs {
        &self.srs
    }

    fn vk_digest(&self) -> Word {
        Self::vk_digest(self)
    }

    fn slots(&self) -> Vec<Slot<String>> {
        self.layout().slots().iter().map(Slot::named).collect()
    }

    fn hash_inputs(&self, instances: &[Word], proof: &[u8]) -> Option<Vec<Vec<u8>>> {
        plonk::Replay::of(self, instances, proof).map(|replay| replay.hash_inputs)
    }
}

impl VerifierProgram for sumcheck::Program {
    fn any(&self) -> AnyProgram<'_> {
        AnyProgram::Sumcheck(self)
    }

    fn num_instances(&self) -> u32 {
        self.system.instances
    }

    fn statement(&self) -> &Statement {
        &self.statement
    }

    fn srs(&self) -> &Srs {
        &self.srs
    }

    fn vk_digest(&self) -> Word {
        Self::vk_digest(self)
    }

    fn slots(&self) -> Vec<Slot<String>> {
        self.layout().slots().iter().map(Slot::named).collect()
    }

    fn hash_inputs(&self, instances: &[Word], proof: &[u8]) -> Option<Vec<Vec<u8>>> {
        Self::hash_inputs(self, instances, proof)
    }
}
