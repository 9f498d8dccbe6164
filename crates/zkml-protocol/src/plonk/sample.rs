//! A program with a proof of it: what test fixtures and self-checks are made of.

use super::Program;
use crate::Word;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A program and one proof with its public instances. Whether the proof holds is for a verifier to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What the sample shows.
    pub name: String,
    /// The program.
    pub program: Program,
    /// Public instances, context first.
    pub instances: Vec<Word>,
    /// The proof; `0x` and hex digits in text formats.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub proof: Vec<u8>,
}

fn to_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("0x{}", hex::encode(bytes)))
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("hex bytes start with 0x"))?;
    hex::decode(digits).map_err(D::Error::custom)
}
