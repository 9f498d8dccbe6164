//! Results for the package's callers, as JSON. Words are `0x` and 64 digits, as contracts have them.

use serde::Serialize;
use zkml::{Code as ValueCode, OutputValues, Proof, Role, Verifier, Word};
use zkml_protocol::{
    Encoding, VerifierProgram,
    binding::Registration,
    envelope::{Envelope, Shape, output_bytes},
};

use crate::{
    Outcome,
    fault::{Code, Fault},
};

/// A text of JSON.
pub(crate) fn json(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(value).map_err(|e| Fault::new(Code::Defect, &e))
}

/// The words that a proof says: what is shown, and the commitments to what is not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The model's name, for people.
    model: String,
    /// Keccak-256 of the compiled model.
    model_hash: Word,
    /// Digest of the verifier program: with public weights, this and the model's hash name the model.
    vk_digest: Word,
    /// Proof system of the program.
    proof_system: &'static str,
    /// The setup's secret is public, so that the proof convinces nobody.
    unsafe_dev_setup: bool,
    /// Bound to; zero when unbound.
    context: Word,
    /// Inputs, model, outputs, in the order of the statement.
    fields: Vec<Field>,
}

/// A part of a statement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    role: Role,
    name: String,
    /// In place of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    commitment: Option<Word>,
    /// Binary logarithm of integer steps per unit.
    scale: i32,
    /// The integers that are shown, as text: they may have 64 bits.
    integers: Vec<String>,
    /// The same as numbers.
    values: Vec<f64>,
}

impl Statement {
    /// The statement of a proof that belongs to this verifier.
    pub(crate) fn of(verifier: &Verifier, proof: &Proof) -> Self {
        let statement = verifier.statement();
        let layout = &statement.instances;
        let mut outputs = proof.outputs.iter();
        let sections =
            [(Role::Input, &layout.inputs), (Role::Model, &layout.model), (Role::Output, &layout.outputs)];
        // The context comes before them.
        let mut words = proof.instances.iter().skip(layout.inputs_start() as usize);
        let mut fields = Vec::new();
        for (role, section) in sections {
            for field in section {
                let own: Vec<&Word> = words.by_ref().take(field.words() as usize).collect();
                let committed = field.encoding == Encoding::Commitment;
                let commitment = own.first().filter(|_| committed).map(|word| **word);
                let (integers, values) = match role {
                    Role::Output => outputs.next().map(shown).unwrap_or_default(),
                    _ if committed => Default::default(),
                    _ => integers(&own, field.scale),
                };
                let (name, scale) = (field.name.clone(), field.scale);
                fields.push(Field { role, name, commitment, scale, integers, values });
            }
        }
        Self {
            model: statement.model_name.clone(),
            model_hash: statement.model_hash,
            vk_digest: proof.vk_digest,
            proof_system: verifier.program().proof_system().name(),
            unsafe_dev_setup: proof.unsafe_dev_srs,
            context: proof.context,
            fields,
        }
    }
}

fn shown(output: &OutputValues) -> (Vec<String>, Vec<f64>) {
    (output.integers.iter().map(ToString::to_string).collect(), output.values.clone())
}

/// Values of public inputs. What is no integer of 64 bits is no input of any model, and shown as the word that it is.
fn integers(words: &[&Word], scale: i32) -> (Vec<String>, Vec<f64>) {
    let read = |word: &&Word| zkml_protocol::field::to_i64(word);
    let text = |word: &&Word| read(word).map_or_else(|| word.to_string(), |integer| integer.to_string());
    let real = |word: &&Word| {
        read(word).map_or(f64::NAN, |integer| integer as f64 * 2f64.powi(scale.saturating_neg()))
    };
    (words.iter().map(text).collect(), words.iter().map(real).collect())
}

/// A proof as contracts take it; the names are those of the contracts' arguments.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForContracts {
    context: Word,
    data_commitment: Word,
    input_commitment: Word,
    /// Words of the output section, in hexadecimal.
    output: String,
    /// The proof blob, in hexadecimal.
    proof: String,
    registration: Registered,
}

/// The model as a registry has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    model_hash: Word,
    circuit_hash: Word,
    vk_hash: Word,
    proof_system_id: String,
}

impl ForContracts {
    /// The proof of a document that belongs to this verifier.
    pub(crate) fn of(verifier: &Verifier, proof: &Proof) -> Outcome<Self> {
        let failed = |e| Fault::new(Code::Proof, &e);
        let (program, words) = (verifier.program(), proof.instances.as_slice());
        let shape = Shape::of(program).map_err(failed)?;
        let envelope = Envelope::new(&shape, words, &proof.proof).map_err(failed)?;
        let outputs = shape.sections(words).map_err(failed)?.outputs;
        let registration = Registration::of(program, words).map_err(failed)?;
        Ok(Self {
            context: envelope.context,
            data_commitment: envelope.data_commitment,
            input_commitment: envelope.input_commitment(),
            output: hexadecimal(&output_bytes(outputs)),
            proof: hexadecimal(&envelope.encode()),
            registration: Registered {
                model_hash: registration.model_hash,
                circuit_hash: registration.circuit_hash,
                vk_hash: registration.vk_hash,
                proof_system_id: hexadecimal(&registration.proof_system_id),
            },
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// An opening of a commitment, as `commitment.mjs` takes it: role, salt and parts are its argument. It is a secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Salted {
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) commitment: Word,
    pub(crate) salt: Word,
    pub(crate) parts: Vec<SaltedPart>,
}

/// A tensor behind a commitment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SaltedPart {
    #[serde(flatten)]
    pub(crate) code: ValueCode,
    /// Integers as text: they may have 64 bits.
    pub(crate) values: Vec<String>,
}

impl std::fmt::Debug for Salted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Salted({:?} `{}`, {})", self.role, self.name, self.commitment)
    }
}

impl std::fmt::Debug for SaltedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SaltedPart({:?})", self.code)
    }
}
