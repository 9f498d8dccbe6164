//! Why a program cannot be printed, or a call not encoded.

/// An error of code generation; each names the thing and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodegenError {
    /// The proof does not have the length that the program's layout gives.
    #[error(
        "the proof has {actual} bytes, but this program's proofs have {expected}: it belongs to another circuit or is truncated"
    )]
    ProofLength {
        /// Bytes given.
        actual: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// The number of instances is not the program's.
    #[error("{actual} instances were given, but this program has {expected}: they belong to another circuit")]
    InstanceCount {
        /// Instances given.
        actual: usize,
        /// Instances expected.
        expected: usize,
    },
    /// A consumer names outputs, and there are none.
    #[error("the model {0:?} has no output, so there is nothing for a consumer contract to name")]
    NoOutputs(String),
    /// The model section is not the one commitment that a consumer can pin.
    #[error(
        "the statement's model section has {fields} part(s) and is not one commitment to the weights, which is what a consumer contract can pin; derive the program again from the verifying key"
    )]
    ModelSection {
        /// Parts of the section.
        fields: usize,
    },
    /// The weights are private, and no commitment to them was given.
    #[error(
        "the weights of {model:?} are private: its consumer is deployed with the commitment to them, and none was given"
    )]
    WeightsCommitmentMissing {
        /// The model's name.
        model: String,
    },
    /// The weights are public, and a commitment to them was given.
    #[error(
        "the weights of {model:?} are public and part of its verifying key: its consumer takes no commitment to them"
    )]
    WeightsCommitmentUnused {
        /// The model's name.
        model: String,
    },
    /// No commitment to weights has this value.
    #[error(
        "{found} is no commitment to weights: it must be a field element other than zero; compute it with `zkml-chain commit --model`"
    )]
    WeightsCommitmentInvalid {
        /// What was given.
        found: zkml_protocol::Word,
    },
    /// The program refers to something that it does not have.
    #[error("the verifier program is inconsistent: {0}; generate it again from the verifying key")]
    Inconsistent(String),
    /// The program fails its own consistency check.
    #[error("the verifier program is refused: {0}")]
    Program(#[from] zkml_protocol::ProgramError),
}
