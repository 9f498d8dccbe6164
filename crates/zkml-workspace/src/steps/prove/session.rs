//! A model that is ready to prove: read once, for as many proofs as are wanted.

use super::{Openings, openings::agree};
use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    proof_file::ProofFile,
    steps::{
        commit,
        compiled::{self, Compiled},
    },
};
use zkml_graph::Trace;
use zkml_halo2::{Binding, Keys, Plan};
use zkml_protocol::{Word, plonk::Program};

/// What proving needs besides the key, which takes longer to read.
#[derive(Debug)]
pub struct Model {
    /// Graph, relations and private weights.
    pub compiled: Compiled,
    /// How the prover lays it out.
    pub plan: Plan,
    program: Program,
}

impl Model {
    /// Loads it, and checks all that the proving key was made from.
    ///
    /// # Errors
    /// A missing, stale or damaged artifact.
    pub fn load(artifacts: &Artifacts) -> Result<Self> {
        let compiled = Compiled::load(artifacts)?;
        let (plan, program) = (compiled::plan(artifacts)?, compiled::program(artifacts)?);
        artifacts.require_quickly(file::PROVING_KEY)?;
        Ok(Self { compiled, plan, program })
    }

    /// Whether the setup's secret is public.
    #[must_use]
    pub fn unsafe_dev_srs(&self) -> bool {
        self.program.srs.unsafe_dev
    }

    /// Every tensor of a run on these inputs.
    ///
    /// # Errors
    /// [`Error::Graph`] for an input outside of what the model was calibrated for.
    pub fn trace(&self, inputs: &[Vec<i64>]) -> Result<Trace> {
        Ok(self.compiled.graph.eval_with(inputs, &self.compiled.weights)?)
    }

    /// Reads the proving key.
    ///
    /// # Errors
    /// [`Error::Prover`] when it is damaged or belongs to another model.
    pub fn with_key(self, artifacts: &Artifacts) -> Result<Session> {
        let Self { compiled, plan, program } = self;
        let key = artifacts.path(file::PROVING_KEY);
        let keys = Keys::read(&key, &compiled.graph, &compiled.system, &plan, program)?;
        Ok(Session { compiled, keys, program_file: artifacts.path(file::PROGRAM) })
    }
}

/// A model with its proving key.
#[derive(Debug)]
pub struct Session {
    /// Graph, relations and private weights.
    pub compiled: Compiled,
    keys: Keys,
    program_file: std::path::PathBuf,
}

impl Session {
    /// What a verifier needs.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.keys.program
    }

    /// The statement that a proof of a run would be about.
    ///
    /// # Errors
    /// [`Error::Prover`].
    pub fn instances(&self, trace: &Trace, openings: &Openings, context: Word) -> Result<Vec<Word>> {
        let binding = Binding { context, salts: openings.salts() };
        Ok(zkml_halo2::prove::instances(&self.compiled.system, &self.keys, trace, &binding)?)
    }

    /// Proves a run. The prover asks halo2's own verifier; a second, independent one must agree before anybody sees the
    /// proof, and so must the openings.
    ///
    /// # Errors
    /// [`Error::Prover`], and [`Error::Disagreement`] when one of the two refuses.
    pub fn prove(&self, trace: &Trace, openings: &Openings, context: Word) -> Result<ProofFile> {
        let binding = Binding { context, salts: openings.salts() };
        let proof = zkml_halo2::prove(&self.compiled.system, &self.keys, trace, &binding)?;
        let program = self.program();
        zkml_verifier::plonk::verify(program, &proof.bytes, &proof.instances)?;
        let proven = ProofFile::new(program, proof.instances, proof.bytes)
            .map_err(|e| Error::content(&self.program_file, e))?;
        agree(openings, &commit::stated(program, &proven.instances))?;
        Ok(proven)
    }

    /// The integers of public inputs from the words of a statement's input section; none if an input is committed to,
    /// or if these are not such words.
    #[must_use]
    pub fn inputs_of_words(&self, words: &[Word]) -> Option<Vec<Vec<i64>>> {
        if self.compiled.commits_to_inputs() {
            return None;
        }
        let mut words = words;
        let mut inputs = Vec::new();
        for field in &self.program().statement.instances.inputs {
            let (own, rest) = words.split_at_checked(usize::try_from(field.words()).ok()?)?;
            inputs.push(field.integers(own)?);
            words = rest;
        }
        words.is_empty().then_some(inputs)
    }
}
