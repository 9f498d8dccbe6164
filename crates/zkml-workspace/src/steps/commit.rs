//! Commitments: what of a run or a model goes behind one, and the private files that keep the salts.

use super::{compiled::Compiled, prove};
use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    private_file::{Kept, Opening, Part, Preimage, PrivateFile, beside},
};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zkml_graph::{Graph, TensorId, Trace, Visibility};
use zkml_protocol::{Code, Encoding, Word, commitment::Role, plonk::Program};

/// The private file of a folder's weights.
pub const WEIGHTS: &str = "weights.private.json";

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

/// A commitment as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What is committed to.
    pub role: Role,
    /// Name of the input or output; `weights` for a model's.
    pub name: String,
    /// The commitment.
    pub commitment: Word,
    /// How the values of each tensor are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
}

impl From<&Opening> for Shown {
    fn from(o: &Opening) -> Self {
        let codes = o.parts.iter().map(|p| p.code).collect();
        Self { role: o.role, name: o.name.clone(), commitment: o.commitment, codes }
    }
}

/// The commitments that the instances of a proof carry, in their order.
pub fn stated(program: &Program, instances: &[Word]) -> Vec<Shown> {
    let layout = &program.statement.instances;
    let sections =
        [(Role::Input, &layout.inputs), (Role::Model, &layout.model), (Role::Output, &layout.outputs)];
    let fields = sections.into_iter().flat_map(|(role, fields)| fields.iter().map(move |f| (role, f)));
    let mut at = layout.inputs_start() as usize;
    let mut out = Vec::new();
    for (role, field) in fields {
        if let (Encoding::Commitment, Some(word)) = (field.encoding, instances.get(at)) {
            out.push(Shown { role, name: field.name.clone(), commitment: *word, codes: vec![] });
        }
        at += field.words() as usize;
    }
    out
}

/// Commitments that were made, found or checked.
#[derive(Debug, Clone, Serialize)]
pub struct CommitReport {
    /// The model's name; none when only a private file was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The commitments.
    pub commitments: Vec<Shown>,
    /// The file that holds their salts.
    pub private_file: PathBuf,
    /// Whether the salts were there before.
    pub reused: bool,
}

/// Computes commitments under a compiled model, and keeps their salts.
///
/// # Errors
/// A sample that does not fit the model, something that the model shows publicly, a private file that opens other
/// data, a full disk.
pub fn run(artifacts: &Artifacts, request: &Request) -> Result<CommitReport> {
    let compiled = Compiled::load(artifacts)?;
    let kept = match request {
        Request::Model => weights(artifacts, &compiled)?.ok_or_else(|| not_committed("the weights"))?,
        Request::Inputs { input, index, name, salt_file } => {
            let values = prove::input(artifacts, input.as_deref(), *index)?;
            let mut preimages = inputs(&compiled.graph, &values);
            if let Some(name) = name {
                if !compiled.graph.inputs.iter().any(|(t, _)| compiled.graph.tensor(*t).name == *name) {
                    return Err(no_such_input(&compiled.graph, name));
                }
                preimages.retain(|p| p.name == *name);
            }
            if preimages.is_empty() {
                return Err(not_committed(name.as_deref().unwrap_or("every input")));
            }
            let path = private_path(artifacts, input.as_deref(), *index, salt_file.as_deref());
            PrivateFile::keep(&path, model_hash(&compiled.graph), &preimages)?
        }
    };
    Ok(CommitReport {
        model: Some(artifacts.model().to_owned()),
        commitments: kept.openings.iter().map(Shown::from).collect(),
        private_file: kept.path,
        reused: kept.reused,
    })
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
        commitments: file.openings.iter().map(Shown::from).collect(),
        private_file: path.to_owned(),
        reused: true,
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

/// The commitment to the private weights of a folder, whose salt is made on first use; none when they are public.
///
/// # Errors
/// As [`PrivateFile::keep`].
pub fn weights(artifacts: &Artifacts, compiled: &Compiled) -> Result<Option<Kept>> {
    let Some(preimage) = model(&compiled.graph, &compiled.weights) else { return Ok(None) };
    PrivateFile::keep(&artifacts.path(WEIGHTS), model_hash(&compiled.graph), &[preimage]).map(Some)
}

/// Preimages of the inputs that are committed to.
pub fn inputs(graph: &Graph, values: &[Vec<i64>]) -> Vec<Preimage> {
    let committed = graph.inputs.iter().zip(values).filter(|((_, v), _)| *v == Visibility::Committed);
    let of = |((t, _), values): (&(TensorId, Visibility), &Vec<i64>)| Preimage {
        role: Role::Input,
        name: graph.tensor(*t).name.clone(),
        parts: vec![part(graph, *t, values)],
    };
    committed.map(of).collect()
}

/// Preimage of the private weights.
pub fn model(graph: &Graph, weights: &[Vec<i64>]) -> Option<Preimage> {
    let parts: Vec<Part> = graph.weights.iter().zip(weights).map(|(t, v)| part(graph, *t, v)).collect();
    (!parts.is_empty()).then(|| Preimage { role: Role::Model, name: "weights".into(), parts })
}

/// Preimages of the outputs that are committed to.
pub fn outputs(graph: &Graph, trace: &Trace) -> Vec<Preimage> {
    let committed = graph.outputs.iter().filter(|o| o.visibility == Visibility::Committed);
    let of = |o: &zkml_graph::Output| Preimage {
        role: Role::Output,
        name: o.name.clone(),
        parts: vec![part(graph, o.tensor, &trace.values[o.tensor.0 as usize])],
    };
    committed.map(of).collect()
}

/// The hash that ties an opening to the integers of one compiled model.
pub fn model_hash(graph: &Graph) -> Word {
    Word(graph.hash())
}

fn part(graph: &Graph, t: TensorId, values: &[i64]) -> Part {
    let code = zkml_graph::Code::of(graph.tensor(t).bounds);
    Part { code: Code { bits: code.bits, signed: code.signed }, values: values.to_vec() }
}

fn not_committed(what: &str) -> Error {
    Error::NotCommitted { what: what.to_owned() }
}

fn no_such_input(graph: &Graph, name: &str) -> Error {
    let known = graph.inputs.iter().map(|(t, _)| graph.tensor(*t).name.clone()).collect();
    Error::NoSuchInput { name: name.to_owned(), known }
}
