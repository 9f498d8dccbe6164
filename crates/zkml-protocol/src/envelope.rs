//! What travels to a contract: the proof blob, the output and the registration, instead of a list of instances.
//!
//! A contract takes a model's id, an input commitment, an output and a blob, and lays out the statement
//! `context ‖ inputs ‖ model ‖ outputs` from them:
//!
//! ```text
//! blob = selector(4) ‖ data commitment(32) ‖ context(32) ‖ proof ‖ input words
//! ```
//!
//! The selector is the beginning of the verifying key's digest. The data commitment is the input section's word where
//! that is one salted commitment and nothing else; then no input words follow. Otherwise it is the Keccak-256 of all
//! words of the input section, which follow. The output is the words of the output section, 32 bytes each; the word of
//! the model section, if there is one, is what the model is registered with.

use thiserror::Error;

use crate::{
    InstanceLayout, VerifierProgram, Word,
    binding::{self, Registration},
    model_commitment,
};

/// Bytes of a blob before the proof.
pub const HEADER: usize = 4 + 32 + 32;

/// Why a blob or a statement is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// The blob ends before its proof begins.
    #[error("the blob has {found} bytes, its header alone has {HEADER}")]
    TooShort {
        /// Length of the blob.
        found: usize,
    },
    /// The blob has another length than the blobs of this program.
    #[error("the blob has {found} bytes, those of this program have {expected}")]
    Length {
        /// Length of the blob.
        found: usize,
        /// Length of all blobs of the program.
        expected: usize,
    },
    /// The blob is made for another verifier.
    #[error("the blob is made for the verifier 0x{}, this is 0x{}", hex::encode(.found), hex::encode(.expected))]
    Selector {
        /// Selector in the blob.
        found: [u8; 4],
        /// Selector of the program.
        expected: [u8; 4],
    },
    /// The input words are not those that the data commitment stands for.
    #[error("the data commitment is {found}, the input words of the blob give {computed}")]
    DataCommitment {
        /// What the blob says.
        found: Word,
        /// Keccak-256 of its input words.
        computed: Word,
    },
    /// A proof of another length.
    #[error("the proof has {found} bytes, those of this program have {expected}")]
    ProofLength {
        /// Length of the proof.
        found: usize,
        /// Length of all proofs of the program.
        expected: usize,
    },
    /// A section of the statement, or the whole of it, of another length.
    #[error("{found} {what}, this program has {expected}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// No contract could lay out this statement.
    #[error("the model section has {words} words: it is the commitment to private weights, or empty")]
    ModelSection {
        /// Words of the model section.
        words: usize,
    },
}

/// What laying out a statement takes: the generated verifier's `statementShape()` tells the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Digest of the verifying key.
    pub vk_digest: Word,
    /// Bytes of a proof.
    pub proof_length: usize,
    /// Words of the input section.
    pub inputs: usize,
    /// Words of the output section.
    pub outputs: usize,
    /// Whether the input section is one salted commitment and nothing else.
    pub input_is_commitment: bool,
    /// Whether the model section is the commitment to private weights; else it is empty.
    pub weights_are_committed: bool,
}

/// The parts of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections<'a> {
    /// What the proof is bound to; zero when unbound.
    pub context: Word,
    /// The input section.
    pub inputs: &'a [Word],
    /// The commitment to private weights.
    pub model: Option<Word>,
    /// The output section.
    pub outputs: &'a [Word],
}

impl Registration {
    /// The registration of the model that a statement is about.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the statement is not one of this program.
    pub fn of(program: &(impl VerifierProgram + ?Sized), instances: &[Word]) -> Result<Self, EnvelopeError> {
        let weights = Shape::of(program)?.sections(instances)?.model;
        Ok(Self {
            model_hash: weights.unwrap_or(program.statement().model_hash),
            circuit_hash: model_commitment(&program.vk_digest(), program.statement()),
            vk_hash: program.vk_digest(),
            proof_system_id: program.proof_system().id(),
        })
    }
}

impl Shape {
    /// The shape of a program's statements.
    ///
    /// # Errors
    /// [`EnvelopeError::ModelSection`] if the model section is anything but one commitment.
    pub fn of(program: &(impl VerifierProgram + ?Sized)) -> Result<Self, EnvelopeError> {
        let layout: &InstanceLayout = &program.statement().instances;
        let words = (layout.outputs_start() - layout.model_start()) as usize;
        let committed = layout.model_is_commitment();
        if words > 0 && !committed {
            return Err(EnvelopeError::ModelSection { words });
        }
        Ok(Self {
            vk_digest: program.vk_digest(),
            proof_length: program.proof_length(),
            inputs: layout.input_words() as usize,
            outputs: layout.output_words() as usize,
            input_is_commitment: layout.input_is_commitment(),
            weights_are_committed: committed,
        })
    }

    /// First four bytes of the digest of the verifying key: names the verifier among those of a router.
    pub fn selector(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.vk_digest.0;
        [a, b, c, d]
    }

    /// Number of instances.
    pub fn total(&self) -> usize {
        1 + self.inputs + usize::from(self.weights_are_committed) + self.outputs
    }

    /// Length of all blobs.
    pub fn blob_length(&self) -> usize {
        HEADER + self.proof_length + 32 * self.carried()
    }

    /// Input words that a blob carries.
    fn carried(&self) -> usize {
        if self.input_is_commitment { 0 } else { self.inputs }
    }

    /// The data commitment of an input section.
    pub fn data_commitment(&self, inputs: &[Word]) -> Word {
        match inputs {
            [commitment] if self.input_is_commitment => *commitment,
            words => binding::public_data_commitment(words),
        }
    }

    /// Takes a statement apart.
    ///
    /// # Errors
    /// [`EnvelopeError::Count`] if it has another number of instances.
    pub fn sections<'a>(&self, instances: &'a [Word]) -> Result<Sections<'a>, EnvelopeError> {
        let (found, expected) = (instances.len(), self.total());
        let count = EnvelopeError::Count { what: "instances", found, expected };
        if found != expected {
            return Err(count);
        }
        let (context, rest) = instances.split_first().ok_or(count.clone())?;
        let (inputs, rest) = rest.split_at_checked(self.inputs).ok_or(count.clone())?;
        let (model, outputs) = rest.split_at_checked(usize::from(self.weights_are_committed)).ok_or(count)?;
        Ok(Sections { context: *context, inputs, model: model.first().copied(), outputs })
    }
}

/// A proof as contracts take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// See [`Shape::selector`].
    pub selector: [u8; 4],
    /// See [`Shape::data_commitment`].
    pub data_commitment: Word,
    /// What the proof is bound to; zero when unbound.
    pub context: Word,
    /// The bare proof.
    pub proof: Vec<u8>,
    /// The words of the input section; none where the data commitment is the one word of it.
    pub inputs: Vec<Word>,
}

impl Envelope {
    /// Wraps a proof of a statement.
    ///
    /// # Errors
    /// A proof or a statement of another length than this program's.
    pub fn new(shape: &Shape, instances: &[Word], proof: &[u8]) -> Result<Self, EnvelopeError> {
        if proof.len() != shape.proof_length {
            return Err(EnvelopeError::ProofLength { found: proof.len(), expected: shape.proof_length });
        }
        let Sections { context, inputs, .. } = shape.sections(instances)?;
        Ok(Self {
            selector: shape.selector(),
            data_commitment: shape.data_commitment(inputs),
            context,
            proof: proof.to_vec(),
            inputs: if shape.input_is_commitment { vec![] } else { inputs.to_vec() },
        })
    }

    /// The blob.
    pub fn encode(&self) -> Vec<u8> {
        let mut blob = self.selector.to_vec();
        blob.extend(self.data_commitment.0);
        blob.extend(self.context.0);
        blob.extend_from_slice(&self.proof);
        blob.extend(self.inputs.iter().flat_map(|word| word.0));
        blob
    }

    /// Reads a blob of this program, and checks all that can be checked without the proof.
    ///
    /// # Errors
    /// A blob of another length or another verifier, or whose input words are not what it says they are.
    pub fn decode(shape: &Shape, blob: &[u8]) -> Result<Self, EnvelopeError> {
        let short = EnvelopeError::TooShort { found: blob.len() };
        let (selector, rest) = blob.split_first_chunk::<4>().ok_or(short.clone())?;
        let (data_commitment, rest) = rest.split_first_chunk::<32>().ok_or(short.clone())?;
        let (context, rest) = rest.split_first_chunk::<32>().ok_or(short)?;
        if *selector != shape.selector() {
            return Err(EnvelopeError::Selector { found: *selector, expected: shape.selector() });
        }
        let length = EnvelopeError::Length { found: blob.len(), expected: shape.blob_length() };
        if blob.len() != shape.blob_length() {
            return Err(length);
        }
        let (proof, words) = rest.split_at_checked(shape.proof_length).ok_or(length)?;
        let inputs: Vec<Word> = words.as_chunks().0.iter().map(|word| Word(*word)).collect();
        let found = Word(*data_commitment);
        let computed = if shape.input_is_commitment { found } else { shape.data_commitment(&inputs) };
        if computed != found {
            return Err(EnvelopeError::DataCommitment { found, computed });
        }
        let (selector, context, proof) = (*selector, Word(*context), proof.to_vec());
        Ok(Self { selector, data_commitment: found, context, proof, inputs })
    }

    /// What a caller names the input with: ERC-7992's `inputCommitment`.
    pub fn input_commitment(&self) -> Word {
        binding::input_commitment(&self.data_commitment, &self.context)
    }

    /// The statement, as a contract lays it out for its verifier: `model` is the commitment to private weights that the
    /// model is registered with, `outputs` are the words of the output.
    ///
    /// # Errors
    /// [`EnvelopeError::Count`] if a section has another number of words than the program's.
    pub fn instances(
        &self,
        shape: &Shape,
        model: Option<Word>,
        outputs: &[Word],
    ) -> Result<Vec<Word>, EnvelopeError> {
        let inputs = if shape.input_is_commitment {
            std::slice::from_ref(&self.data_commitment)
        } else {
            &self.inputs
        };
        let counts = [
            ("input words", inputs.len(), shape.inputs),
            ("commitments to weights", usize::from(model.is_some()), shape.weights_are_committed.into()),
            ("output words", outputs.len(), shape.outputs),
        ];
        if let Some((what, found, expected)) = counts.into_iter().find(|(_, found, wanted)| found != wanted) {
            return Err(EnvelopeError::Count { what, found, expected });
        }
        let words = std::iter::once(&self.context).chain(inputs).chain(&model).chain(outputs);
        Ok(words.copied().collect())
    }
}

/// The words of an output section as contracts take them: field elements, 32 bytes each.
pub fn output_bytes(outputs: &[Word]) -> Vec<u8> {
    outputs.iter().flat_map(|word| word.0).collect()
}
