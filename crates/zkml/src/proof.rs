//! A proof as a document: what was proven, by which key, and the bytes.

use serde::{Deserialize, Serialize};
use zkml_protocol::{
    Code, Encoding, InstanceLayout, Statement, VerifierProgram, Word, commitment::Role, field,
};

/// The layout of proof documents that this version reads and writes.
pub const VERSION: u32 = 1;

/// A proof and its statement. As JSON it is what `zkml-chain prove` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Layout version.
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

/// A commitment as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Commitment {
    /// What is committed to.
    pub role: Role,
    /// Name of the input or output; `weights` for a model's.
    pub name: String,
    /// The commitment.
    pub commitment: Word,
    /// How the values of each tensor are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
}

/// Why a document is no proof of a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It is something else.
    #[error("it is not a proof file: {0}")]
    NotAProof(serde_json::Error),
    /// A layout of another version.
    #[error("its layout version is {found}, this program reads {VERSION}")]
    Version {
        /// The version it states.
        found: u32,
    },
    /// It belongs to another model or key.
    #[error("it belongs to another {what}: expected {expected}, found {found}")]
    Foreign {
        /// Model or key.
        what: &'static str,
        /// That of the program.
        expected: Word,
        /// That of the document.
        found: Word,
    },
    /// Another number of instances than the program has.
    #[error("it has {found} instances, the model has {expected}")]
    Instances {
        /// Number in the document.
        found: usize,
        /// Number of the program.
        expected: u64,
    },
    /// An instance that is no output of any model.
    #[error("output `{output}`, value {index}: {word} is no signed 64-bit integer")]
    NotAnOutput {
        /// The output.
        output: String,
        /// Row-major index of the value.
        index: usize,
        /// The instance.
        word: Word,
    },
    /// What it says besides is not what its instances carry.
    #[error("its {0} is not the one that its instances carry")]
    Contradiction(String),
    /// It shows another number of outputs than its instances carry.
    #[error("it shows {found} outputs, its instances carry {expected}")]
    Outputs {
        /// Number shown.
        found: usize,
        /// Number carried.
        expected: usize,
    },
    /// It says of the setup what is not so.
    #[error("it hides which trusted setup it was made with")]
    Setup,
}

impl Proof {
    /// A proof of `program`, with its outputs decoded. Whether it holds is for a verifier to say.
    ///
    /// # Errors
    /// [`ProofError::Instances`] or [`ProofError::NotAnOutput`] when the instances are not those of `program`.
    pub fn new(
        program: &(impl VerifierProgram + ?Sized),
        instances: Vec<Word>,
        proof: Vec<u8>,
    ) -> Result<Self, ProofError> {
        let statement = program.statement();
        Ok(Self {
            version: VERSION,
            model: statement.model_name.clone(),
            model_hash: statement.model_hash,
            vk_digest: program.vk_digest(),
            unsafe_dev_srs: program.srs().unsafe_dev,
            context: instances.first().copied().unwrap_or(Word::ZERO),
            outputs: decode_outputs(statement, &instances)?,
            instances,
            proof,
        })
    }

    /// Reads a proof and checks that it is one of `program`'s and that its parts agree. Whether it holds is for a verifier
    /// to say.
    ///
    /// # Errors
    /// [`ProofError`], by what is wrong.
    pub fn from_json(json: &[u8], program: &(impl VerifierProgram + ?Sized)) -> Result<Self, ProofError> {
        let read: Self = serde_json::from_slice(json).map_err(ProofError::NotAProof)?;
        read.check(program)?;
        Ok(read)
    }

    /// Pretty JSON ending in a newline.
    pub fn to_json(&self) -> Vec<u8> {
        crate::json::pretty(self)
    }

    /// Checks that the proof is one of `program`'s and that its parts agree.
    pub(crate) fn check(&self, program: &(impl VerifierProgram + ?Sized)) -> Result<(), ProofError> {
        if self.version != VERSION {
            return Err(ProofError::Version { found: self.version });
        }
        let statement = program.statement();
        let same = |what, expected: Word, found: Word| {
            (expected == found).then_some(()).ok_or(ProofError::Foreign { what, expected, found })
        };
        same("model", statement.model_hash, self.model_hash)?;
        same("key", program.vk_digest(), self.vk_digest)?;
        let outputs = decode_outputs(statement, &self.instances)?;
        if self.instances.get(InstanceLayout::CONTEXT) != Some(&self.context) {
            return Err(ProofError::Contradiction("context".into()));
        }
        if let Some((shown, _)) = self.outputs.iter().zip(&outputs).find(|(a, b)| !a.agrees(b)) {
            return Err(ProofError::Contradiction(format!("output `{}`", shown.name)));
        }
        if self.outputs.len() != outputs.len() {
            return Err(ProofError::Outputs { found: self.outputs.len(), expected: outputs.len() });
        }
        if self.unsafe_dev_srs != program.srs().unsafe_dev {
            return Err(ProofError::Setup);
        }
        Ok(())
    }

    /// The commitments that the statement carries, in its order.
    pub fn commitments(&self, program: &(impl VerifierProgram + ?Sized)) -> Vec<Commitment> {
        stated(program.statement(), &self.instances)
    }
}

/// The commitments that instances carry, in their order.
pub fn stated(statement: &Statement, instances: &[Word]) -> Vec<Commitment> {
    let layout = &statement.instances;
    let sections =
        [(Role::Input, &layout.inputs), (Role::Model, &layout.model), (Role::Output, &layout.outputs)];
    let fields = sections.into_iter().flat_map(|(role, fields)| fields.iter().map(move |f| (role, f)));
    let mut at = layout.inputs_start() as usize;
    let mut out = Vec::new();
    for (role, field) in fields {
        if let (Encoding::Commitment, Some(word)) = (field.encoding, instances.get(at)) {
            out.push(Commitment { role, name: field.name.clone(), commitment: *word, codes: vec![] });
        }
        at += field.words() as usize;
    }
    out
}

/// The outputs that instances carry.
///
/// # Errors
/// [`ProofError::Instances`] or [`ProofError::NotAnOutput`].
pub fn decode_outputs(statement: &Statement, instances: &[Word]) -> Result<Vec<OutputValues>, ProofError> {
    let layout = &statement.instances;
    if instances.len() as u64 != layout.total() {
        return Err(ProofError::Instances { found: instances.len(), expected: layout.total() });
    }
    let mut words = instances.iter().skip(layout.outputs_start() as usize);
    let mut outputs = Vec::with_capacity(layout.outputs.len());
    for field in &layout.outputs {
        let (name, scale) = (field.name.clone(), field.scale);
        if field.encoding == Encoding::Commitment {
            let commitment = words.next().copied();
            outputs.push(OutputValues { name, scale, commitment, integers: vec![], values: vec![] });
            continue;
        }
        let integers = words.by_ref().take(field.values as usize).enumerate().map(|(index, word)| {
            let output = || field.name.clone();
            field::to_i64(word).ok_or_else(|| ProofError::NotAnOutput {
                output: output(),
                index,
                word: *word,
            })
        });
        let integers = integers.collect::<Result<Vec<i64>, ProofError>>()?;
        let unit = (-f64::from(field.scale)).exp2();
        let values = integers.iter().map(|&v| v as f64 * unit).collect();
        outputs.push(OutputValues { name, scale, commitment: None, integers, values });
    }
    Ok(outputs)
}

/// Bytes as `0x` and hexadecimal digits.
pub mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes them.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&format!("0x{}", hex::encode(bytes)))
    }

    /// Reads them.
    ///
    /// # Errors
    /// For a text that is something else.
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
