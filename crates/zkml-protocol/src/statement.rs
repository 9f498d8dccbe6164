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
    /// Where the circuit proves each value to lie; none for a commitment, and where nothing confines the values or
    /// their bounds do not fit.
    pub bounds: Option<Bounds>,
}

/// A closed interval of integers that the constraints confine values to, whatever a prover does.
///
/// This is what follows from the relations as they are laid out, not what a model declares: a valid proof of a value
/// outside means that the proof system is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Smallest integer, inclusive.
    pub lowest: i64,
    /// Largest integer, inclusive.
    pub highest: i64,
}

impl Bounds {
    /// Whether a value lies inside.
    pub fn contains(self, value: i64) -> bool {
        self.lowest <= value && value <= self.highest
    }
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

    /// The integers behind its instances; `None` for a commitment, and for words that are not those of this field.
    pub fn integers(&self, words: &[Word]) -> Option<Vec<i64>> {
        if words.len() as u64 != self.words() {
            return None;
        }
        match self.encoding {
            Encoding::Signed => words.iter().map(crate::field::to_i64).collect(),
            Encoding::Packed(code) => code.unpack(words, self.values as usize),
            Encoding::Commitment => None,
        }
    }

    /// Its instances from the integers behind them; `None` for a commitment, another number of values, and values that its
    /// code cannot write.
    pub fn encode(&self, values: &[i64]) -> Option<Vec<Word>> {
        if values.len() != self.values as usize {
            return None;
        }
        match self.encoding {
            Encoding::Signed => Some(values.iter().map(|value| crate::field::from_i64(*value)).collect()),
            Encoding::Packed(code) => code.pack(values).ok(),
            Encoding::Commitment => None,
        }
    }

    /// Bounds must hold some value, belong to values that are shown, and be inside what their code can write.
    pub(crate) fn check_bounds(&self) -> Result<(), StatementError> {
        let Some(Bounds { lowest, highest }) = self.bounds else { return Ok(()) };
        let detail = match self.encoding {
            _ if lowest > highest => "they are empty",
            Encoding::Commitment => "a commitment shows no value",
            Encoding::Packed(code) if !(code.writes(lowest) && code.writes(highest)) => {
                "the values are packed into fewer bits"
            }
            // Any 64-bit integer is far below half of the field's order, so that its sign can be told.
            Encoding::Signed | Encoding::Packed(_) => return Ok(()),
        };
        Err(StatementError::Bounds { name: self.name.clone(), lowest, highest, detail })
    }
}

/// A statement that says nothing, or not what its program says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Bounds of a tensor that cannot be proven bounds.
    #[error("the bounds {lowest} to {highest} of tensor {name:?} say nothing: {detail}")]
    Bounds {
        /// Name of the tensor.
        name: String,
        /// The lowest value.
        lowest: i64,
        /// The highest value.
        highest: i64,
        /// What is wrong.
        detail: &'static str,
    },
    /// Another number of instances than the program has.
    #[error("the statement describes {described} instances, the program has {found}")]
    Count {
        /// Instances of the statement.
        described: u64,
        /// Instances of the program.
        found: u32,
    },
    /// Packed values of a width that is none.
    #[error("tensor {name:?} packs values of {bits} bits, 1 to 62 are possible")]
    Width {
        /// Name of the tensor.
        name: String,
        /// Bits of a value.
        bits: u32,
    },
}

impl InstanceLayout {
    /// Checks that the sections are those of so many instances, and that each of them says something.
    ///
    /// # Errors
    /// The first part that does not fit.
    pub fn check(&self, instances: u32) -> Result<(), StatementError> {
        let described = self.total();
        if described != u64::from(instances) {
            return Err(StatementError::Count { described, found: instances });
        }
        for field in self.inputs.iter().chain(&self.model).chain(&self.outputs) {
            if let Encoding::Packed(code) = field.encoding
                && !(1..=62).contains(&code.bits)
            {
                return Err(StatementError::Width { name: field.name.clone(), bits: code.bits });
            }
            field.check_bounds()?;
        }
        Ok(())
    }

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

    /// Number of instances of the input section.
    pub fn input_words(&self) -> u64 {
        sum(&self.inputs)
    }

    /// Number of instances of the output section.
    pub fn output_words(&self) -> u64 {
        sum(&self.outputs)
    }

    /// Whether the input section is one salted commitment and nothing else: then that is the data commitment itself.
    pub fn input_is_commitment(&self) -> bool {
        let committed = |field: &Field| field.encoding == Encoding::Commitment;
        self.input_words() == 1 && self.inputs.iter().any(committed)
    }

    /// Whether the model section is one commitment and nothing else: the one to private weights.
    pub fn model_is_commitment(&self) -> bool {
        let committed = |field: &Field| field.encoding == Encoding::Commitment;
        sum(&self.model) == 1 && self.model.iter().any(committed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_from_words_of_their_field_only() {
        let code = Code { bits: 9, signed: true };
        let mut field =
            Field { name: "x".into(), values: 30, scale: 0, encoding: Encoding::Packed(code), bounds: None };
        let values: Vec<i64> = (-15..15).collect();
        let words = code.pack(&values).unwrap();
        assert_eq!(field.integers(&words), Some(values.clone()));
        assert_eq!(field.encode(&values), Some(words.clone()));
        assert_eq!(field.encode(&values[1..]), None, "fewer values");
        assert_eq!(field.encode(&[vec![256], values[1..].to_vec()].concat()), None, "beyond nine bits");
        assert_eq!(field.integers(&words[1..]), None);
        assert_eq!(field.integers(&[words[0], Word([0xff; 32])]), None, "more than the values");
        field.encoding = Encoding::Signed;
        field.values = 2;
        assert_eq!(field.integers(&[Word::ONE, Word::from(3u64)]), Some(vec![1, 3]));
        for values in [[1, 3], [-1, -i64::MAX], [i64::MAX, 0]] {
            let words = field.encode(&values).unwrap();
            assert_eq!(field.integers(&words), Some(values.to_vec()));
        }
        field.encoding = Encoding::Commitment;
        assert_eq!(field.integers(&[Word::ONE]), None);
        assert_eq!(field.encode(&[1, 2]), None);
    }

    #[test]
    fn bounds_hold_both_ends_and_belong_to_what_is_shown() {
        let bounds = Bounds { lowest: -3, highest: 5 };
        assert_eq!([-4, -3, 0, 5, 6].map(|v| bounds.contains(v)), [false, true, true, true, false]);
        let check = |encoding, lowest, highest| {
            let bounds = Some(Bounds { lowest, highest });
            let field = Field { name: "y".into(), values: 1, scale: 0, encoding, bounds };
            match field.check_bounds() {
                Ok(()) => "fine",
                Err(StatementError::Bounds { detail, .. }) => detail,
                Err(other) => panic!("{other}"),
            }
        };
        let packed = Encoding::Packed(Code { bits: 4, signed: true });
        assert_eq!(check(Encoding::Signed, 2, 2), "fine");
        assert_eq!(check(Encoding::Signed, i64::MIN, i64::MAX), "fine");
        assert_eq!(check(Encoding::Signed, 3, 2), "they are empty");
        assert_eq!(check(Encoding::Commitment, 2, 2), "a commitment shows no value");
        assert_eq!(check(packed, -8, 7), "fine");
        assert_eq!(check(packed, -9, 7), "the values are packed into fewer bits");
        assert_eq!(check(packed, -8, 8), "the values are packed into fewer bits");
    }
}
