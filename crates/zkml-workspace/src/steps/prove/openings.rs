//! The openings of a statement's commitments: found in private files, or made.

use super::Request;
use crate::{
    artifacts::Artifacts,
    error::Result,
    observer::{Observer, Said},
    private_file::{Opening, PrivateFile},
    steps::{commit, weights},
};
use std::path::PathBuf;
use zkml::Keys;
use zkml_graph::Trace;

/// Openings of all commitments of a statement, in its order.
#[derive(Debug)]
pub struct Openings {
    /// Those of inputs and weights.
    pub known: Vec<Opening>,
    /// Those of outputs.
    pub outputs: Vec<Opening>,
    /// Where those of inputs and weights are kept.
    pub files: Vec<PathBuf>,
}

impl Openings {
    /// Finds the openings of inputs and weights in their private files, or makes them; those of outputs are always new.
    ///
    /// # Errors
    /// A private file that opens other data, a full disk.
    pub fn gather(
        observer: &dyn Observer,
        artifacts: &Artifacts,
        request: &Request,
        keys: &Keys,
        inputs: &[Vec<i64>],
        trace: &Trace,
    ) -> Result<Self> {
        let graph = keys.compiled().graph();
        let (input, salts) = (request.input.as_deref(), request.salt_file.as_deref());
        let preimages = commit::inputs(graph, inputs);
        let mut kept = Vec::new();
        if !preimages.is_empty() {
            let path = commit::private_path(artifacts, input, request.index, salts);
            kept.push(PrivateFile::keep(&path, commit::model_hash(graph), &preimages)?);
        }
        let of_weights = weights::opening(artifacts, keys)?;
        if let Some(opening) = of_weights.iter().find_map(|kept| kept.openings.first()) {
            weights::ready(artifacts, keys, opening)?;
        }
        kept.extend(of_weights);
        for made in kept.iter().filter(|k| !k.reused) {
            observer.said(&Said::NewSalt { path: made.path.clone() });
        }
        let fresh = |p: &_| Opening::fresh(commit::model_hash(graph), p);
        let outputs = commit::outputs(graph, trace).iter().map(fresh).collect::<Result<_, _>>()?;
        let files = kept.iter().map(|k| k.path.clone()).collect();
        Ok(Self { known: kept.into_iter().flat_map(|k| k.openings).collect(), outputs, files })
    }

    /// All of them, in the order of the statement.
    pub(in crate::steps) fn all(&self) -> Vec<Opening> {
        self.known.iter().chain(&self.outputs).cloned().collect()
    }
}
