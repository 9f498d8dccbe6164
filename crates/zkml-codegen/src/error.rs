//! Why a program cannot be printed.

/// An error of code generation; each names the thing and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodegenError {
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
    /// The program refers to something that it does not have.
    #[error("the verifier program is inconsistent: {0}; generate it again from the verifying key")]
    Inconsistent(String),
    /// The program fails its own consistency check.
    #[error(transparent)]
    Program(#[from] zkml_protocol::ProgramError),
}
