//! What a proof is about: the model, and the meaning of each public instance.

use crate::{Word, commitment::Code};
use serde::{Deserialize, Serialize};

/// The statement behind a program: opaque to the check itself, printed into the contracts.
///
/// Names come from model files: they are untrusted text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The model's name, for people.
    pub model_name: String,
    /// Keccak-256 of the compiled model's canonical bytes.
    pub model_hash: Word,
    /// Version of the toolkit that derived the program.
    pub toolkit_version: String,
    /// Meaning of the instances.
    pub instances: InstanceLayout,
}

/// Sections of the public instances: first the context (one word), then inputs, model, outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceLayout {
    /// Input section, one entry per input tensor.
    pub inputs: Vec<Field>,
    /// Model section: the commitment to private weights; empty when the weights are public.
    pub model: Vec<Field>,
    /// Output section, one entry per output tensor.
    pub outputs: Vec<Field>,
}

/// A part of a section: the values of a tensor, or of several that are committed to together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name of the tensor.
    pub name: String,
    /// Number of values.
    pub values: u32,
    /// Fractional bits (`OUTPUT_SCALE`): `real = integer · 2^-scale`; zero where tensors of several scales share
    /// a commitment.
    pub scale: i32,
    /// How the values become instances.
    pub encoding: Encoding,
}

/// How a tensor becomes instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Encoding {
    /// One signed field element per value: negative integers are `r − |v|`.
    Signed,
    /// Several values per instance, the first in the lowest bits; see [`Code`].
    Packed(Code),
    /// One instance: a salted commitment, see [`crate::commitment`].
    Commitment,
}

impl Field {
    /// Number of instances that it takes.
    pub fn words(&self) -> u64 {
        match self.encoding {
            Encoding::Signed => self.values.into(),
            Encoding::Packed(code) => u64::from(self.values).div_ceil(code.per_word().into()),
            Encoding::Commitment => 1,
        }
    }
}

impl InstanceLayout {
    /// Index of the context among the instances.
    pub const CONTEXT: usize = 0;

    /// Number of instances, context included.
    pub fn total(&self) -> u64 {
        1 + sum(&self.inputs) + sum(&self.model) + sum(&self.outputs)
    }

    /// Fields that are commitments, in the order of the statement: each has a salt of its own.
    pub fn commitments(&self) -> impl Iterator<Item = &Field> {
        let all = self.inputs.iter().chain(&self.model).chain(&self.outputs);
        all.filter(|field| field.encoding == Encoding::Commitment)
    }

    /// Index of the first input instance.
    pub fn inputs_start(&self) -> u64 {
        1
    }

    /// Index of the first instance of the model section.
    pub fn model_start(&self) -> u64 {
        1 + sum(&self.inputs)
    }

    /// Index of the first output instance.
    pub fn outputs_start(&self) -> u64 {
        1 + sum(&self.inputs) + sum(&self.model)
    }
}

fn sum(fields: &[Field]) -> u64 {
    fields.iter().map(Field::words).sum()
}
