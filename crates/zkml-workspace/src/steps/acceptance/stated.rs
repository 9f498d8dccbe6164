//! The word of the integer model about an input: the words that a result is posted with, without a proof.

use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    private_file::{Opening, PrivateFile},
    steps::{commit, statement},
};
use std::path::{Path, PathBuf};
use zkml::Compiled;
use zkml_graph::{Trace, Visibility};
use zkml_protocol::{Program, VerifierProgram, Word, envelope::Shape, envelope::output_bytes, keccak256};

use super::RESULTS;

/// Data and output of a statement.
#[derive(Debug)]
pub(in crate::steps) struct Stated {
    pub(in crate::steps) data_commitment: Word,
    /// The words of the output section.
    pub(in crate::steps) output: Vec<u8>,
    /// Openings of committed inputs.
    pub(in crate::steps) inputs: Vec<Opening>,
}

impl Stated {
    /// The statement about these values; their salts are those of a private file, which gets new ones if it has none.
    pub(super) fn about(
        artifacts: &Artifacts,
        compiled: &Compiled,
        program: &Program,
        values: &[Vec<i64>],
        salts: &Path,
    ) -> Result<Self> {
        let graph = compiled.graph();
        let trace = compiled.trace(values)?;
        let preimages = commit::inputs(graph, values);
        let mut inputs = Vec::new();
        if !preimages.is_empty() {
            inputs = PrivateFile::keep(salts, commit::model_hash(graph), &preimages)?.openings;
        }
        let misfit = || Error::content(&artifacts.path(file::PROGRAM), "its statement is not this model's");
        let shape = Shape::of(program)?;
        let layout = &program.statement().instances;
        let words = statement::section(&layout.inputs, values, &inputs).ok_or_else(misfit)?;
        let data_commitment = shape.data_commitment(&words);
        let outputs = outputs(artifacts, compiled, &trace, &data_commitment)?;
        let given: Vec<_> = graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone()).collect();
        let words = statement::section(&layout.outputs, &given, &outputs).ok_or_else(misfit)?;
        Ok(Self { data_commitment, output: output_bytes(&words), inputs })
    }

    pub(super) fn output_hash(&self) -> Word {
        keccak256([self.output.as_slice()])
    }
}

/// The openings of committed outputs, which are the same whenever the result is posted or proven.
pub(super) fn outputs(
    artifacts: &Artifacts,
    compiled: &Compiled,
    trace: &Trace,
    data_commitment: &Word,
) -> Result<Vec<Opening>> {
    if compiled.graph().outputs.iter().all(|o| o.visibility != Visibility::Committed) {
        return Ok(Vec::new());
    }
    let path = folder_of(artifacts, data_commitment).join("output.private.json");
    let preimages = commit::outputs(compiled.graph(), trace);
    Ok(PrivateFile::keep(&path, commit::model_hash(compiled.graph()), &preimages)?.openings)
}

/// Folder in which input and salts of results about some data are kept.
pub(super) fn folder_of(artifacts: &Artifacts, data_commitment: &Word) -> PathBuf {
    artifacts.path(RESULTS).join(data_commitment.to_string())
}
