//! What contracts take of a proof and its statement.

use zkml_protocol::{
    VerifierProgram, Word,
    envelope::{Envelope, Shape, output_bytes},
};

use crate::AbiError;

/// A proof as `ZKMLVerifier` and consumers take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The proof blob, see [`Envelope`].
    pub blob: Vec<u8>,
    /// The words of the output section.
    pub output: Vec<u8>,
    /// ERC-7992's commitment to input and context.
    pub input_commitment: Word,
}

impl Submission {
    /// Packs a proof and its statement; whether it holds is not asked.
    ///
    /// # Errors
    /// [`AbiError::Envelope`] if they are not this program's.
    pub fn new(program: &dyn VerifierProgram, proof: &[u8], instances: &[Word]) -> Result<Self, AbiError> {
        let shape = Shape::of(program)?;
        let envelope = Envelope::new(&shape, instances, proof)?;
        let output = output_bytes(shape.sections(instances)?.outputs);
        Ok(Self { blob: envelope.encode(), output, input_commitment: envelope.input_commitment() })
    }
}
