//! A proof as a file: what was proven, by which key, and the bytes.

use crate::error::{Error, Result, Why};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zkml_protocol::{Encoding, InstanceLayout, Word, field, plonk::Program};

/// The layout of proof files that this version reads and writes.
pub const VERSION: u32 = 1;

/// The content of a proof file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofFile {
    /// Layout version, [`VERSION`].
    pub version: u32,
    /// The model's name, for people.
    pub model: String,
    /// Keccak-256 of the compiled model.
    pub model_hash: Word,
    /// Digest of the verifier program that accepts the proof.
    pub vk_digest: Word,
    /// Made with a setup whose secret is known: anybody could have forged it.
    pub unsafe_dev_srs: bool,
    /// What the proof is bound to; zero when unbound.
    pub context: Word,
    /// The public instances: context, inputs, model, outputs.
    pub instances: Vec<Word>,
    /// The outputs that the instances carry, decoded.
    pub outputs: Vec<OutputValues>,
    /// The proof.
    #[serde(with = "hex_bytes")]
    pub proof: Vec<u8>,
}

/// One decoded output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputValues {
    /// The model's own name for it.
    pub name: String,
    /// Fractional bits: `real = integer · 2^-scale`.
    pub scale: i32,
    /// The commitment that is proven in place of the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Word>,
    /// The proven integers, row-major; none behind a commitment.
    pub integers: Vec<i64>,
    /// The same as numbers.
    pub values: Vec<f64>,
}

impl OutputValues {
    /// Whether both say the same. Reading a decimal number may move it to a neighbour, so numbers agree when
    /// they are as close as that; the integers behind them must be equal.
    fn agrees(&self, other: &Self) -> bool {
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 4.0 * f64::EPSILON * b.abs();
        (&self.name, self.scale, &self.commitment, &self.integers)
            == (&other.name, other.scale, &other.commitment, &other.integers)
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(close)
    }
}

impl ProofFile {
    /// A proof of `program`, with its outputs decoded.
    ///
    /// # Errors
    /// [`InstancesError`] when the instances are not those of `program`.
    pub fn new(program: &Program, instances: Vec<Word>, proof: Vec<u8>) -> Result<Self, InstancesError> {
        Ok(Self {
            version: VERSION,
            model: program.statement.model_name.clone(),
            model_hash: program.statement.model_hash,
            vk_digest: program.vk_digest(),
            unsafe_dev_srs: program.srs.unsafe_dev,
            context: instances.first().copied().unwrap_or(Word::ZERO),
            outputs: decode_outputs(program, &instances)?,
            instances,
            proof,
        })
    }

    /// Reads a proof file and checks that it is one of `program`'s and that its parts agree.
    ///
    /// Whether the proof holds is for the verifier to say.
    ///
    /// # Errors
    /// [`Error::Content`] when it is malformed or contradicts itself, [`Error::ForeignProof`] when it belongs
    /// to another model or key.
    pub fn parse(path: &Path, bytes: &[u8], program: &Program) -> Result<Self> {
        let refuse = |why: Why| Error::content(path, why);
        let file: Self = serde_json::from_slice(bytes)
            .map_err(|cause| refuse(Why::NotA { what: "a proof file", cause }))?;
        if file.version != VERSION {
            return Err(refuse(Why::Words(format!(
                "its layout version is {}, this program reads {VERSION}",
                file.version
            ))));
        }
        let foreign = |what, expected: Word, found: Word| Error::ForeignProof {
            path: path.to_owned(),
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        };
        if file.model_hash != program.statement.model_hash {
            return Err(foreign("model", program.statement.model_hash, file.model_hash));
        }
        if file.vk_digest != program.vk_digest() {
            return Err(foreign("key", program.vk_digest(), file.vk_digest));
        }
        let outputs = decode_outputs(program, &file.instances).map_err(|e| refuse(e.into()))?;
        if file.context != file.instances[InstanceLayout::CONTEXT] {
            return Err(refuse("its context is not the one that its instances carry".into()));
        }
        if let Some((shown, _)) = file.outputs.iter().zip(&outputs).find(|(a, b)| !a.agrees(b)) {
            return Err(refuse(Why::Words(format!(
                "its output `{}` is not the one that its instances carry",
                shown.name
            ))));
        }
        if file.outputs.len() != outputs.len() {
            return Err(refuse(Why::Words(format!(
                "it shows {} outputs, its instances carry {}",
                file.outputs.len(),
                outputs.len()
            ))));
        }
        if file.unsafe_dev_srs != program.srs.unsafe_dev {
            return Err(refuse("it hides which trusted setup it was made with".into()));
        }
        Ok(file)
    }

    /// The bytes to write.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::json::pretty(self)
    }
}

/// Instances that are not those of a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstancesError {
    /// Too few or too many.
    #[error("it has {found} instances, the model has {expected}")]
    Number {
        /// Number of instances.
        found: usize,
        /// Number that the program has.
        expected: u64,
    },
    /// An output's value is beyond what outputs are.
    #[error("output `{output}`, value {index}: {word} is no signed 64-bit integer")]
    Value {
        /// The output.
        output: String,
        /// Which of its values.
        index: usize,
        /// The instance.
        word: Word,
    },
}

/// The outputs that `instances` carry.
///
/// # Errors
/// [`InstancesError`] when there are too few or too many instances, or one is no small signed integer.
pub fn decode_outputs(program: &Program, instances: &[Word]) -> Result<Vec<OutputValues>, InstancesError> {
    let layout = &program.statement.instances;
    if instances.len() as u64 != layout.total() {
        return Err(InstancesError::Number { found: instances.len(), expected: layout.total() });
    }
    let mut words = instances[layout.outputs_start() as usize..].iter();
    let mut outputs = Vec::with_capacity(layout.outputs.len());
    for field in &layout.outputs {
        let (name, scale) = (field.name.clone(), field.scale);
        if field.encoding == Encoding::Commitment {
            let commitment = words.next().copied();
            outputs.push(OutputValues { name, scale, commitment, integers: vec![], values: vec![] });
            continue;
        }
        let integers = words.by_ref().take(field.values as usize).enumerate().map(|(i, word)| {
            let output = || field.name.clone();
            field::to_i64(word).ok_or_else(|| InstancesError::Value {
                output: output(),
                index: i,
                word: *word,
            })
        });
        let integers = integers.collect::<Result<Vec<i64>, InstancesError>>()?;
        let unit = (-f64::from(field.scale)).exp2();
        let values = integers.iter().map(|&v| v as f64 * unit).collect();
        outputs.push(OutputValues { name, scale, commitment: None, integers, values });
    }
    Ok(outputs)
}

/// Bytes as `0x` and hexadecimal digits, for `#[serde(with = …)]`.
pub mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes them.
    ///
    /// # Errors
    /// What the serializer returns.
    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&format!("0x{}", hex::encode(bytes)))
    }

    /// Reads them.
    ///
    /// # Errors
    /// A text without `0x`, or of other than hexadecimal digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("bytes must begin with 0x"))?;
        hex::decode(digits).map_err(|e| D::Error::custom(format!("bytes are not hexadecimal: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_their_decimal_form() {
        // Some of these come back from JSON as their neighbours.
        let integers: Vec<i64> = (-50_000..50_000).step_by(37).collect();
        let values = integers.iter().map(|v| *v as f64 / f64::from(1 << 22)).collect();
        let output = OutputValues { name: "y".into(), scale: 22, commitment: None, integers, values };
        let text = serde_json::to_string(&output).expect("writes");
        let back: OutputValues = serde_json::from_str(&text).expect("reads");
        assert!(back.agrees(&output));
        let mut edited = back.clone();
        edited.values[3] += 1e-6;
        assert!(!edited.agrees(&output));
        let mut edited = back;
        edited.integers[3] += 1;
        assert!(!edited.agrees(&output));
    }
}
