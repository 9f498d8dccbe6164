//! What a proof is about: the model, and the meaning of each public instance.

use crate::Word;
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
    /// Input section, one entry per input tensor; private inputs have none or a commitment.
    pub inputs: Vec<InputField>,
    /// Model section: commitments to private weights; empty when the weights are public.
    pub model: Vec<InputField>,
    /// Output section, one signed field element per value.
    pub outputs: Vec<OutputField>,
}

/// A part of the input or model section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputField {
    /// Name of the tensor.
    pub name: String,
    /// Number of values in the tensor.
    pub values: u32,
    /// Fractional bits: `real = integer · 2^-scale`.
    pub scale: i32,
    /// Number of instances that it takes.
    pub words: u32,
    /// How the values become instances.
    pub encoding: InputEncoding,
}

/// How a tensor becomes instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum InputEncoding {
    /// One signed field element per value: negative integers are `r − |v|`.
    Signed,
    /// Several values per instance, the first in the lowest bits, each as the unsigned number `v + offset`.
    Packed {
        /// Width of a value in bits.
        bits: u32,
        /// Values per instance; `bits · per_word` is below 254.
        per_word: u32,
        /// Added before packing.
        offset: i64,
    },
    /// One instance: a commitment to the values.
    Commitment,
}

/// A part of the output section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputField {
    /// Name of the tensor.
    pub name: String,
    /// Number of values, which is the number of instances that it takes.
    pub words: u32,
    /// Fractional bits (`OUTPUT_SCALE`): `real = integer · 2^-scale`.
    pub scale: i32,
}

impl InstanceLayout {
    /// Index of the context among the instances.
    pub const CONTEXT: usize = 0;

    /// Number of instances, context included.
    pub fn total(&self) -> u64 {
        1 + sum(&self.inputs)
            + sum(&self.model)
            + self.outputs.iter().map(|o| u64::from(o.words)).sum::<u64>()
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

fn sum(fields: &[InputField]) -> u64 {
    fields.iter().map(|field| u64::from(field.words)).sum()
}
