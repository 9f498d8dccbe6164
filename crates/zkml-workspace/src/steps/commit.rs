//! Commitments: what of a run or a model goes behind one, and the private files that keep the salts.

use super::{compiled, prove, weights};
use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    private_file::{Kept, Opening, PrivateFile, beside},
};
use serde::Serialize;
use std::path::{Path, PathBuf};
pub use zkml::{
    Commitment,
    opening::{inputs, model, outputs},
};
use zkml_graph::Graph;
use zkml_onnx::Sample;
use zkml_protocol::{Program, VerifierProgram, Word};

/// What to commit to.
#[derive(Debug, Clone)]
pub enum Request {
    /// The inputs of a sample.
    Inputs {
        /// The sample's file; the one kept from calibration when absent.
        input: Option<PathBuf>,
        /// Which sample of a file of many.
        index: usize,
        /// Only the input of this name.
        name: Option<String>,
        /// Where to keep the salts; beside the sample when absent.
        salt_file: Option<PathBuf>,
    },
    /// The private weights.
    Model,
}

/// The commitments that the instances of a proof carry, in their order.
pub fn stated(program: &Program, instances: &[Word]) -> Vec<Commitment> {
    zkml::proof::stated(program.statement(), instances)
}

/// Commitments that were made, found or checked.
#[derive(Debug, Clone, Serialize)]
pub struct CommitReport {
    /// The model's name; none when only a private file was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The commitments.
    pub commitments: Vec<Commitment>,
    /// The file that holds their salts.
    pub private_file: PathBuf,
    /// Whether the salts were there before.
    pub reused: bool,
    /// The proof that the weights lie in their ranges, where proofs of runs do not say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<PathBuf>,
}

/// Computes commitments under a compiled model, and keeps their salts.
///
/// # Errors
/// A sample that does not fit the model, something that the model shows publicly, a private file that opens other
/// data, a full disk.
pub fn run(artifacts: &Artifacts, request: &Request) -> Result<CommitReport> {
    let compiled = compiled::load(artifacts)?;
    match request {
        Request::Model => {
            let registered = weights::registered(artifacts, compiled)?;
            let (kept, proven) = registered.ok_or_else(|| not_committed("the weights"))?;
            Ok(report(artifacts, kept, proven.map(|r| r.proof)))
        }
        Request::Inputs { input, index, name, salt_file } => {
            let values = prove::input(artifacts, input.as_deref(), *index)?;
            let path = private_path(artifacts, input.as_deref(), *index, salt_file.as_deref());
            kept(artifacts, compiled.graph(), &values, name.as_deref(), &path)
        }
    }
}

/// As [`run`], to the inputs of a sample that lies in no file; their salts are kept in `salt_file`.
///
/// # Errors
/// As [`run`].
pub fn of(artifacts: &Artifacts, sample: &Sample, salt_file: &Path) -> Result<CommitReport> {
    let compiled = compiled::load(artifacts)?;
    let values = compiled.interface().quantize_inputs(sample)?;
    kept(artifacts, compiled.graph(), &values, None, salt_file)
}

/// Commits to the inputs, or to the one of a name, and keeps their salts.
fn kept(
    artifacts: &Artifacts,
    graph: &Graph,
    values: &[Vec<i64>],
    name: Option<&str>,
    path: &Path,
) -> Result<CommitReport> {
    let mut preimages = inputs(graph, values);
    if let Some(name) = name {
        if !graph.inputs.iter().any(|(t, _)| graph.tensor(*t).name == name) {
            return Err(no_such_input(graph, name));
        }
        preimages.retain(|p| p.name == name);
    }
    if preimages.is_empty() {
        return Err(not_committed(name.unwrap_or("every input")));
    }
    Ok(report(artifacts, PrivateFile::keep(path, model_hash(graph), &preimages)?, None))
}

fn report(artifacts: &Artifacts, kept: Kept, ranges: Option<PathBuf>) -> CommitReport {
    CommitReport {
        model: Some(artifacts.model().to_owned()),
        commitments: kept.openings.iter().map(Opening::stated).collect(),
        private_file: kept.path,
        reused: kept.reused,
        ranges,
    }
}

/// Recomputes the commitments of a private file, and looks for `expected` among them.
///
/// # Errors
/// [`Error::Unopened`] when salt and values give another commitment than the file says, or none is the expected one.
pub fn check(path: &Path, expected: Option<Word>) -> Result<CommitReport> {
    let file = PrivateFile::read(path)?;
    let unopened = |name: &str, stated: Word, found: String| Error::Unopened {
        path: path.to_owned(),
        name: name.to_owned(),
        stated: stated.to_string(),
        found,
    };
    if let Some(weights) = file.openings.iter().find(|o| !o.holds_values()) {
        return Err(Error::NoValues { path: path.to_owned(), name: weights.name.clone() });
    }
    for opening in &file.openings {
        let found = opening.recompute()?;
        if found != opening.commitment {
            return Err(unopened(&opening.name, opening.commitment, found.to_string()));
        }
    }
    if let Some(expected) = expected
        && !file.openings.iter().any(|o| o.commitment == expected)
    {
        let found: Vec<String> = file.openings.iter().map(|o| o.commitment.to_string()).collect();
        return Err(unopened("the expected one", expected, found.join(", ")));
    }
    Ok(CommitReport {
        model: None,
        commitments: file.openings.iter().map(Opening::stated).collect(),
        private_file: path.to_owned(),
        reused: true,
        ranges: None,
    })
}

/// Where the salts of a sample's inputs are kept.
pub fn private_path(
    artifacts: &Artifacts,
    input: Option<&Path>,
    index: usize,
    salt_file: Option<&Path>,
) -> PathBuf {
    let sample = || input.map_or_else(|| artifacts.path(file::SAMPLE), Path::to_owned);
    salt_file.map_or_else(|| beside(&sample(), index), Path::to_owned)
}

/// The hash that ties an opening to the integers of one compiled model.
pub fn model_hash(graph: &Graph) -> Word {
    Word(graph.hash())
}

fn not_committed(what: &str) -> Error {
    Error::NotCommitted { what: what.to_owned() }
}

fn no_such_input(graph: &Graph, name: &str) -> Error {
    let known = graph.inputs.iter().map(|(t, _)| graph.tensor(*t).name.clone()).collect();
    Error::NoSuchInput { name: name.to_owned(), known }
}
