//! The proof of a posted result: of the input that was kept, under the salts that it was posted with.

use crate::{
    artifacts::Artifacts,
    error::Result,
    observer::Observer,
    private_file::Opening,
    steps::prove::{Openings, Request as ProveRequest, input},
};
use std::path::PathBuf;
use zkml::Keys;
use zkml_contracts::{Submission, acceptance::Posted};
use zkml_deploy::{DeployError, error::AcceptanceError};
use zkml_graph::Trace;
use zkml_protocol::{Word, envelope::Shape, envelope::output_bytes, keccak256};

use super::stated;

/// The file with the input of a result, and its salts beside it.
#[derive(Debug, Clone)]
pub(in crate::steps) struct Source {
    /// The input.
    pub(in crate::steps) input: PathBuf,
    /// Which sample of a file of many.
    pub(in crate::steps) index: usize,
    /// Its salts; beside the input when absent.
    pub(in crate::steps) salts: Option<PathBuf>,
}

impl Source {
    /// The files that were kept when the result was posted from this folder.
    pub(in crate::steps) fn kept(artifacts: &Artifacts, data_commitment: &Word) -> Self {
        let input = stated::folder_of(artifacts, data_commitment).join("input.json");
        Self { input, index: 0, salts: None }
    }
}

/// A run of the model on an input.
#[derive(Debug)]
pub(in crate::steps) struct Traced {
    values: Vec<Vec<i64>>,
    trace: Trace,
}

impl Traced {
    /// Reads an input and runs the model on it.
    ///
    /// # Errors
    /// Those of reading and of the model, which may repeat values of the input: whoever says them to many, says something else.
    pub(in crate::steps) fn of(artifacts: &Artifacts, keys: &Keys, source: &Source) -> Result<Self> {
        let values = input(artifacts, Some(&source.input), source.index)?;
        let trace = keys.compiled().trace(&values)?;
        Ok(Self { values, trace })
    }
}

/// A run of the model whose proof would be that of a result.
#[derive(Debug)]
pub(in crate::steps) struct Ready {
    trace: Trace,
    openings: Vec<Opening>,
    context: Word,
}

/// Sees that a run of the model on this input is about the result's data and gives its output. Takes the artifacts no longer than that.
///
/// # Errors
/// [`AcceptanceError::OtherInput`], [`AcceptanceError::WrongResult`], and those of reading salts.
pub(in crate::steps) fn ready(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    keys: &Keys,
    (id, posted): (Word, &Posted),
    context: Word,
    source: &Source,
    Traced { values, trace }: Traced,
) -> Result<Ready> {
    let Source { input: path, index, salts } = source;
    let (compiled, program) = (keys.compiled(), keys.program());
    let request = ProveRequest {
        input: Some(path.clone()),
        index: *index,
        salt_file: salts.clone(),
        ..ProveRequest::default()
    };
    let mut openings = Openings::gather(observer, artifacts, &request, keys, &values, &trace)?;
    openings.outputs = stated::outputs(artifacts, compiled, &trace, &posted.data_commitment)?;
    let openings = openings.all();
    let stated = keys.instances(&trace, &openings, context)?;
    let shape = Shape::of(program)?;
    let sections = shape.sections(&stated)?;
    let (found, expected) = (shape.data_commitment(sections.inputs), posted.data_commitment);
    if found != expected {
        return Err(DeployError::from(AcceptanceError::OtherInput { id, found, expected }).into());
    }
    let (computed, hash) = (keccak256([&output_bytes(sections.outputs)[..]]), posted.output_hash);
    if computed != hash {
        return Err(DeployError::from(AcceptanceError::WrongResult { id, posted: hash, computed }).into());
    }
    Ok(Ready { trace, openings, context })
}

impl Ready {
    /// Proves it.
    ///
    /// # Errors
    /// Those of proving.
    pub(in crate::steps) fn prove(&self, keys: &Keys) -> Result<Submission> {
        let proof = keys.prove_trace(&self.trace, &self.openings, self.context, &())?;
        Ok(Submission::new(keys.program(), &proof.proof, &proof.instances)?)
    }
}
