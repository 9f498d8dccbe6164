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
    #[error("the model {0:?} has no public output, so there is nothing for a consumer contract to name")]
    NoOutputs(String),
    /// The program refers to something that it does not have.
    #[error("the verifier program is inconsistent: {0}; generate it again from the verifying key")]
    Inconsistent(String),
    /// The program fails its own consistency check.
    #[error("the verifier program is refused: {0}")]
    Program(#[from] zkml_protocol::ProgramError),
}
