//! A proof as contracts take it: the blob, the output, the registration, and calldata for the bare verifier.

pub mod batch;

use super::{compiled, verify};
use crate::{
    artifacts::{Artifacts, write_whole},
    context_file::ContextFile,
    error::{Error, Result},
    proof_file::ProofFile,
};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zkml_contracts::Submission;
use zkml_protocol::{
    Program, Word,
    binding::{Context, Registration},
    envelope::{Envelope, Shape},
};

/// A proof as contracts take it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calldata {
    /// The model's name.
    pub model: String,
    /// Names the verifier among those of a router.
    pub selector: String,
    /// The inference.
    #[serde(flatten)]
    pub inference: Inference,
    /// Calldata of the generated verifier's `verifyProof`.
    pub verify_proof: String,
    /// Hashes that the model is registered with.
    pub registration: Registered,
    /// The setup's secret is public: the proof convinces nobody.
    pub unsafe_dev_srs: bool,
}

/// One inference, with the names that contracts have for its parts.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inference {
    /// Context that the proof is bound to; zero when unbound.
    pub context: Word,
    /// The parts of it, where a context file says them.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// The commitment to the input data.
    pub data_commitment: Word,
    /// Commitment that a caller names the input with.
    pub input_commitment: Word,
    /// The words of the output section.
    pub output: String,
    /// The proof blob.
    pub blob: String,
    /// The same under the name that it has among a contract's arguments.
    pub proof: String,
}

/// Parts of a context: who may use a proof, where, when and what for. Numbers are decimal text.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// Chain of the consumer.
    pub chain_id: String,
    /// Address of the consumer contract.
    pub consumer: String,
    /// Whom the inference is about.
    pub subject: String,
    /// The subject's nonce at the consumer, or the id of a request.
    pub nonce: String,
    /// Last acceptable block time, in seconds since 1970.
    pub deadline: String,
    /// Action that the consumer is asked for, hashed by it.
    pub action: Word,
}

impl From<&Context> for Bound {
    fn from(context: &Context) -> Self {
        let ContextFile { chain_id, consumer, subject, nonce, deadline, action, .. } = context.into();
        Self { chain_id, consumer, subject, nonce, deadline, action }
    }
}

/// Proof to put into calldata, and where.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The proof; the folder's if none is named.
    pub proof: Option<&'a Path>,
    /// File of what it is bound to; the one beside the proof if none is named.
    pub context_file: Option<&'a Path>,
    /// Account that registers the model: gives its id.
    pub owner: Option<&'a [u8; 20]>,
    /// File to write it to.
    pub out: Option<&'a Path>,
}

/// Hashes that a model is registered with.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// Keccak-256 of the compiled model; with private weights the commitment to them.
    pub model_hash: Word,
    /// The verifier's `modelCommitment()`.
    pub circuit_hash: Word,
    /// The verifier's `vkDigest()`.
    pub vk_hash: Word,
    /// Names the proof system.
    pub proof_system_id: String,
    /// The hash of all four: what a consumer pins besides the id.
    pub commitment_hash: Word,
    /// The id, when this account registers the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<Word>,
}

/// [`Calldata`] with where it was written to.
#[derive(Debug, Clone, Serialize)]
pub struct CalldataReport {
    /// The content.
    #[serde(flatten)]
    pub calldata: Calldata,
    /// The file, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// Verifies a proof and puts it into the form that contracts take; writes a file if one is named.
///
/// # Errors
/// [`Error::Refused`] for a proof that does not hold; as [`verify::load`] when it cannot be read; [`Error::Content`] for a context file of
/// something else.
pub fn run(artifacts: &Artifacts, request: &Request<'_>) -> Result<CalldataReport> {
    let program = compiled::program(artifacts)?;
    let packed = Packed::read(artifacts, &program, request.proof, request.context_file)?;
    let Packed { file, envelope, .. } = &packed;
    zkml_verifier::verify(&program, &file.proof, &file.instances)?;
    let calldata = Calldata {
        model: artifacts.model().to_owned(),
        selector: hexadecimal(&envelope.selector),
        inference: packed.inference(),
        verify_proof: hexadecimal(&zkml_contracts::verify_proof(&program, &file.proof, &file.instances)?),
        registration: Registered::new(&packed.registration, request.owner),
        unsafe_dev_srs: file.unsafe_dev_srs,
    };
    if let Some(path) = request.out {
        write_whole(path, &crate::json::pretty(&calldata))?;
    }
    Ok(CalldataReport { calldata, file: request.out.map(Path::to_owned) })
}

/// A proof and what contracts take of it; it may hold or not.
pub(super) struct Packed {
    pub(super) path: PathBuf,
    pub(super) file: ProofFile,
    bound: Option<Context>,
    envelope: Envelope,
    pub(super) submission: Submission,
    pub(super) registration: Registration,
}

impl Packed {
    pub(super) fn read(
        artifacts: &Artifacts,
        program: &Program,
        proof: Option<&Path>,
        context_file: Option<&Path>,
    ) -> Result<Self> {
        let (path, file) = verify::load(artifacts, proof, program)?;
        let bound = bound(&path, file.context, context_file)?;
        let envelope = Envelope::new(&Shape::of(program)?, &file.instances, &file.proof)?;
        let submission = Submission::new(program, &file.proof, &file.instances)?;
        let registration = Registration::of(program, &file.instances)?;
        Ok(Self { path, file, bound, envelope, submission, registration })
    }

    fn inference(&self) -> Inference {
        let Submission { blob, output, input_commitment } = &self.submission;
        Inference {
            context: self.envelope.context,
            bound: self.bound.as_ref().map(Bound::from),
            data_commitment: self.envelope.data_commitment,
            input_commitment: *input_commitment,
            output: hexadecimal(output),
            blob: hexadecimal(blob),
            proof: hexadecimal(blob),
        }
    }
}

impl Registered {
    fn new(registration: &Registration, owner: Option<&[u8; 20]>) -> Self {
        Self {
            model_hash: registration.model_hash,
            circuit_hash: registration.circuit_hash,
            vk_hash: registration.vk_hash,
            proof_system_id: hexadecimal(&registration.proof_system_id),
            commitment_hash: registration.commitment_hash(),
            model_id: owner.map(|owner| registration.model_id(owner)),
        }
    }
}

/// The parts of a proof's context: of the file that was named, which must be this proof's, or of the one beside the proof, which may be
/// that of an earlier proof.
fn bound(proof: &Path, context: Word, named: Option<&Path>) -> Result<Option<Context>> {
    if let Some(path) = named {
        let parts = ContextFile::read(path)?;
        let found = parts.digest();
        if found != context {
            let why = format!("it gives {found}, and {} is bound to {context}", proof.display());
            return Err(Error::content(path, why));
        }
        return Ok(Some(parts));
    }
    let beside = ContextFile::beside(proof);
    if context.is_zero() || !beside.is_file() {
        return Ok(None);
    }
    Ok(Some(ContextFile::read(&beside)?).filter(|parts| parts.digest() == context))
}

fn hexadecimal(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
