//! The verdicts on a proof file: the interpreter of the verifier program, and halo2's own.

use super::{
    commit::{self, Commitment},
    compiled,
    prove::DEFAULT_PROOF,
    weights,
};
use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    proof_file::{self, OutputValues, ProofFile},
};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};
use zkml::Role;
use zkml_halo2::{Proof, ProverError};
use zkml_protocol::{Program, ProofSystem, VerifierProgram, Word};

/// An accepted proof.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// True; a refused proof is an error with exit code 1.
    pub accepted: bool,
    /// The model's name.
    pub model: String,
    /// Keccak-256 of the compiled model.
    pub model_hash: Word,
    /// The proof file.
    pub proof: PathBuf,
    /// Who accepted it.
    pub verdicts: Vec<&'static str>,
    /// What the proof is bound to.
    pub context: Word,
    /// The outputs that are proven.
    pub outputs: Vec<OutputValues>,
    /// The commitments in the statement: compare them with those that you were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<Commitment>,
    /// True if the folder has a proof that the private weights lie in their ranges, about the commitment of this statement; none where
    /// the proof itself says so, and where weights are public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights_in_ranges: Option<bool>,
    /// The setup's secret is public: the proof convinces nobody.
    pub unsafe_dev_srs: bool,
}

/// Checks a proof: `proofs/proof.json` of the folder unless another file is named. `by_halo2` asks halo2's own verifier as well, which reads
/// the proving key; others need no more than the program.
///
/// # Errors
/// [`Error::Refused`] when the proof does not hold, [`Error::Missing`] without the proving key that was asked for, others when the proof
/// cannot be read or belongs elsewhere, or halo2 has no say in it.
pub fn run(artifacts: &Artifacts, proof: Option<&Path>, by_halo2: bool) -> Result<VerifyReport> {
    let program = compiled::program(artifacts)?;
    let (path, file) = load(artifacts, proof, &program)?;
    zkml_verifier::verify(&program, &file.proof, &file.instances)?;
    let commitments = commit::stated(&program, &file.instances);
    let weights_in_ranges = in_ranges(artifacts, &program, &commitments)?;
    let mut verdicts = vec!["zkml-verifier"];
    if by_halo2 {
        if program.proof_system() != ProofSystem::Plonk {
            return Err(Error::content(&path, "it is no proof of halo2, whose verifier was asked for"));
        }
        artifacts.require(file::PROVING_KEY)?;
        halo2(artifacts, program, &file)?;
        verdicts.push("halo2");
    }
    Ok(VerifyReport {
        accepted: true,
        model: file.model,
        model_hash: file.model_hash,
        proof: path,
        verdicts,
        context: file.context,
        outputs: file.outputs,
        commitments,
        weights_in_ranges,
        unsafe_dev_srs: file.unsafe_dev_srs,
    })
}

/// Looks for the proof of ranges that a statement about private weights rests on.
fn in_ranges(artifacts: &Artifacts, program: &Program, stated: &[Commitment]) -> Result<Option<bool>> {
    match program {
        Program::Sumcheck(program) if program.system.private.is_some() => {}
        _ => return Ok(None),
    }
    let Some((verifier, proof)) = weights::proven(artifacts)? else { return Ok(Some(false)) };
    let shown = commit::stated(verifier.program(), &proof.instances);
    let of = |c: &Commitment| (c.role == Role::Model).then_some(c.commitment);
    let own = stated.iter().find_map(of);
    Ok(Some(own.is_some() && shown.first().map(|c| c.commitment) == own))
}

fn halo2(artifacts: &Artifacts, program: Program, file: &ProofFile) -> Result<()> {
    let keys = compiled::keys(artifacts, compiled::load(artifacts)?, program)?;
    let Some(keys) = keys.halo2() else { return Ok(()) };
    let proof = Proof { instances: file.instances.clone(), bytes: file.proof.clone() };
    zkml_halo2::verify(keys, &proof).map_err(|e| match e {
        // The interpreter has accepted it: two verdicts that differ are a defect, not a bad proof.
        ProverError::Rejected(why) => {
            Error::Disagreement { accepts: "zkml-verifier", refuses: "halo2", why: why.into() }
        }
        other => other.into(),
    })
}

/// Reads the proof that a command means.
///
/// # Errors
/// As [`ProofFile::parse`], and [`Error::Missing`] when the folder has no proof yet.
pub fn load(artifacts: &Artifacts, proof: Option<&Path>, program: &Program) -> Result<(PathBuf, ProofFile)> {
    let (path, bytes) = match proof {
        Some(path) => (path.to_owned(), fs::read(path).map_err(|e| Error::io("read", path, e))?),
        // A proof speaks for itself: it is parsed and verified, not compared with the manifest, so that
        // a changed one is refused for what is wrong with it.
        None if artifacts.entry(DEFAULT_PROOF).is_none() => {
            return Err(artifacts.require(DEFAULT_PROOF).unwrap_err());
        }
        None => {
            let path = artifacts.path(DEFAULT_PROOF);
            let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
            (path, bytes)
        }
    };
    let file = proof_file::parse(&path, &bytes, program)?;
    Ok((path, file))
}
