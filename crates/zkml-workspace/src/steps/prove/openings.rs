//! The openings of a statement's commitments: found in private files, or made.

use super::Request;
use crate::{
    artifacts::Artifacts,
    error::{Error, Result},
    observer::{Observer, Said},
    private_file::{Opening, PrivateFile},
    steps::{
        commit::{self, Commitment},
        compiled::Compiled,
    },
};
use std::path::PathBuf;
use zkml_graph::Trace;
use zkml_protocol::Word;

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
        compiled: &Compiled,
        inputs: &[Vec<i64>],
        trace: &Trace,
    ) -> Result<Self> {
        let graph = &compiled.graph;
        let (input, salts) = (request.input.as_deref(), request.salt_file.as_deref());
        let preimages = commit::inputs(graph, inputs);
        let mut kept = Vec::new();
        if !preimages.is_empty() {
            let path = commit::private_path(artifacts, input, request.index, salts);
            kept.push(PrivateFile::keep(&path, commit::model_hash(graph), &preimages)?);
        }
        kept.extend(commit::weights(artifacts, compiled)?);
        for made in kept.iter().filter(|k| !k.reused) {
            observer.said(&Said::NewSalt { path: made.path.clone() });
        }
        let fresh = |p: &_| Opening::fresh(commit::model_hash(graph), p);
        let outputs = commit::outputs(graph, trace).iter().map(fresh).collect::<Result<_, _>>()?;
        let files = kept.iter().map(|k| k.path.clone()).collect();
        Ok(Self { known: kept.into_iter().flat_map(|k| k.openings).collect(), outputs, files })
    }

    fn all(&self) -> impl Iterator<Item = &Opening> {
        self.known.iter().chain(&self.outputs)
    }

    /// The salts, in the order of the statement.
    pub(super) fn salts(&self) -> Vec<Word> {
        self.all().map(|o| o.salt.reveal()).collect()
    }
}

/// The circuit must have come to the very commitments that the private files open.
pub(super) fn agree(openings: &Openings, stated: &[Commitment]) -> Result<()> {
    let differs =
        |why: String| Error::Disagreement { accepts: "the prover", refuses: "the private file", why };
    if openings.all().count() != stated.len() {
        return Err(differs(format!(
            "there are {} commitments and {} openings",
            stated.len(),
            openings.all().count()
        )));
    }
    match openings.all().zip(stated).find(|(o, s)| o.commitment != s.commitment) {
        None => Ok(()),
        Some((o, s)) => Err(differs(format!(
            "`{}` has the commitment {} in the proof, {} in the file",
            o.name, s.commitment, o.commitment
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private_file::{Part, Preimage};
    use zkml_protocol::{Code, commitment::Role};

    /// A private file that does not open what was proven would be noticed years later, by a judge.
    #[test]
    fn openings_must_be_those_of_the_proof() {
        let code = Code { bits: 8, signed: true };
        let parts = vec![Part { code, values: vec![1] }];
        let preimage = Preimage { role: Role::Input, name: "x".into(), parts };
        let opening = Opening::fresh(Word::ONE, &preimage).expect("commits");
        let shown = opening.stated();
        let openings = Openings { known: vec![opening], outputs: vec![], files: vec![] };
        agree(&openings, std::slice::from_ref(&shown)).expect("the same");
        let other = Commitment { commitment: Word::ONE, ..shown };
        assert!(matches!(agree(&openings, &[other]), Err(Error::Disagreement { .. })));
        assert!(agree(&openings, &[]).is_err(), "a commitment that the proof does not carry");
    }
}
