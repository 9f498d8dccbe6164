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
    /// Numbers of this scale have no decimals on chain.
    #[error(
        "`{name}` has {scale} fractional bits, but `ZKMLCodec` decodes {lowest} to {highest}: choose another scale when the model is calibrated"
    )]
    Scale {
        /// The tensor.
        name: String,
        /// Its fractional bits.
        scale: i32,
        /// The fewest that can be decoded.
        lowest: i32,
        /// The most.
        highest: i32,
    },
    /// The weights are public, so that no other model can take over.
    #[error(
        "the weights of {model:?} are public and part of its verifying key: its consumer stays with it and takes no delay for moving to another model"
    )]
    DelayUnused {
        /// The model's name.
        model: String,
    },
    /// The proof or the statement is not of this program.
    #[error("a contract cannot take this: {0}")]
    Envelope(#[from] zkml_protocol::envelope::EnvelopeError),
    /// The program refers to something that it does not have.
    #[error("the verifier program is inconsistent: {0}; generate it again from the verifying key")]
    Inconsistent(String),
    /// The program fails its own consistency check.
    #[error("the verifier program is refused: {0}")]
    Program(#[from] zkml_protocol::ProgramError),
}
