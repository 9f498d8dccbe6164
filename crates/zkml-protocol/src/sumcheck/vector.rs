//! Test vectors of the executable specification: whole proofs of small systems, with all that is random given.

use serde::Deserialize;

use super::{Opening, System};
use crate::{G1, Word};

/// A proof that the specification made. Numbers are hexadecimal, without leading zeros.
#[derive(Clone, Debug, Deserialize)]
pub struct Vector {
    /// Name of the system.
    pub system: String,
    /// The secret of its setup.
    pub tau: Number,
    /// What holds.
    pub program: System,
    /// Shape of the opening.
    pub opening: Opening,
    /// The vector `W`.
    pub weights: Vec<Number>,
    /// The vector `V`; empty without private weights.
    pub private: Vec<Number>,
    /// Commitments to the parts of `W`.
    pub key: Vec<Item>,
    /// Columns of the grid.
    pub columns: Vec<Vec<i64>>,
    /// Public values.
    pub instances: Vec<Number>,
    /// What its transcript begins with.
    pub vk_digest: Number,
    /// All randomness.
    pub masks: VectorMasks,
    /// What is sent, in order.
    pub proof: Vec<Item>,
    /// Challenges by name, in order.
    pub challenges: Vec<(String, Number)>,
}

/// Randomness of a vector.
#[derive(Clone, Debug, Deserialize)]
pub struct VectorMasks {
    /// Addresses and values of `R`.
    pub vector: Vec<(usize, Number)>,
    /// The random cell of `H`.
    pub helper: Number,
    /// Coefficients at `X^N` of the parts of `T`, those of `H`, and `R`.
    pub blinds: Vec<Number>,
    /// Those of the parts of `V`.
    pub private: Vec<Number>,
}

/// A point or a scalar that is sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    /// Its name in the specification.
    pub name: String,
    /// The scalar, or the point's logarithm.
    pub value: Number,
    /// The coordinates of a point.
    #[serde(default)]
    pub xy: Vec<Number>,
}

/// A hexadecimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Number(pub Word);

impl TryFrom<String> for Number {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        Word::from_hex(&format!("{digits:0>64}")).map(Self)
    }
}

impl Vector {
    /// The bytes of the proof.
    pub fn proof_bytes(&self) -> Vec<u8> {
        let words = self.proof.iter().flat_map(|item| match item.xy.as_slice() {
            [] => vec![item.value],
            xy => xy.to_vec(),
        });
        words.flat_map(|n| n.0.0).collect()
    }

    /// The public values.
    pub fn instance_words(&self) -> Vec<Word> {
        self.instances.iter().map(|n| n.0).collect()
    }

    /// Commitments to the parts of `W`; a part that is zero is the identity.
    pub fn weight_commitments(&self) -> Vec<G1> {
        let point = |item: &Item| match item.xy.as_slice() {
            [x, y] => G1 { x: x.0, y: y.0 },
            _ => G1::default(),
        };
        self.key.iter().map(point).collect()
    }
}
