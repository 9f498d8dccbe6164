//! The verdict on a proof, by who has nothing but the verifier program.

use serde::de::IgnoredAny;
use zkml_protocol::{Program, Statement, VerifierProgram, Word};

use crate::{Commitment, Error, OutputValues, Proof, Result};

/// A verifier program, whose parts fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    program: Program,
}

/// What an accepted proof says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// What the proof is bound to; zero when unbound: then anybody may show it to anybody.
    pub context: Word,
    /// The outputs that are proven.
    pub outputs: Vec<OutputValues>,
    /// The commitments in the statement: compare them with those that you were given.
    pub commitments: Vec<Commitment>,
    /// The setup's secret is public: the proof convinces nobody.
    pub unsafe_dev_srs: bool,
}

/// Reads a verifier program as JSON; which proof system it is of, its fields say. Whether its parts fit together is for
/// [`Verifier::new`] to say.
///
/// # Errors
/// What the parser says.
pub fn program_from_json(json: &[u8]) -> serde_json::Result<Program> {
    /// What only programs of [`zkml_protocol::sumcheck`] have.
    #[derive(serde::Deserialize)]
    struct Mark {
        opening: Option<IgnoredAny>,
    }
    let marked = serde_json::from_slice::<Mark>(json).is_ok_and(|mark| mark.opening.is_some());
    if marked {
        serde_json::from_slice::<zkml_protocol::sumcheck::Program>(json).map(Program::from)
    } else {
        serde_json::from_slice::<zkml_protocol::plonk::Program>(json).map(Program::from)
    }
}

impl Verifier {
    /// A verifier of a program.
    ///
    /// # Errors
    /// [`Error::Program`] for one that contradicts itself.
    pub fn new(program: Program) -> Result<Self> {
        program.validate()?;
        Ok(Self { program })
    }

    /// A verifier of a program that was derived from keys.
    #[cfg(feature = "prove")]
    pub(crate) fn of(program: Program) -> Self {
        Self { program }
    }

    /// Reads what [`Verifier::to_json`] wrote: the `program.json` of an artifact folder.
    ///
    /// # Errors
    /// [`Error::Malformed`] for something else, [`Error::Program`] for a program that contradicts itself.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let malformed = |e: serde_json::Error| Error::Malformed { what: "verifier program", why: e.into() };
        Self::new(program_from_json(json).map_err(malformed)?)
    }

    /// Pretty JSON ending in a newline.
    pub fn to_json(&self) -> Vec<u8> {
        crate::json::pretty(&self.program)
    }

    /// The program itself.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What its proofs are about.
    pub fn statement(&self) -> &Statement {
        self.program.statement()
    }

    /// Digest of the program: with public weights, this and the model's hash are the commitment to the model.
    pub fn digest(&self) -> Word {
        self.program.vk_digest()
    }

    /// Checks a proof.
    ///
    /// # Errors
    /// [`Error::Proof`] for one of another program, or whose parts contradict each other; [`Error::Refused`] for one that does
    /// not hold.
    pub fn verify(&self, proof: &Proof) -> Result<Verified> {
        proof.check(&self.program)?;
        zkml_verifier::verify(&self.program, &proof.proof, &proof.instances)?;
        Ok(Verified {
            context: proof.context,
            outputs: proof.outputs.clone(),
            commitments: proof.commitments(&self.program),
            unsafe_dev_srs: proof.unsafe_dev_srs,
        })
    }

    /// Checks a proof as [`Proof::to_json`] writes it.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub fn verify_json(&self, json: &[u8]) -> Result<Verified> {
        self.verify(&Proof::from_json(json, &self.program)?)
    }
}
