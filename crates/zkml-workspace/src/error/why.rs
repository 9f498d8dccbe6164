//! What is wrong with the content of a file.

use crate::value::ValueError;
use zkml::{ProofError, weights::WeightsError};
use zkml_graph::GraphError;
use zkml_protocol::ProgramError;

/// What is wrong with the content of a file. It ends the message of the error that names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// A sentence.
    #[error("{0}")]
    Words(String),
    /// It is not JSON, or not the JSON that was expected.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The same of a file that has a name.
    #[error("it is not {what}: {cause}")]
    NotA {
        /// The name: `a proof file`.
        what: &'static str,
        /// What the parser says.
        cause: serde_json::Error,
    },
    /// It is no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// It is a program that contradicts itself.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// They are not the weights of the graph.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// It is no proof, or contradicts itself.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Its samples do not fit the model.
    #[error(transparent)]
    Sample(#[from] zkml_onnx::SampleError),
    /// A number or an address in it.
    #[error("its {part}: {cause}")]
    Value {
        /// Where it stands.
        part: &'static str,
        /// What is wrong with it.
        cause: ValueError,
    },
}

impl From<String> for Why {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Why {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}
