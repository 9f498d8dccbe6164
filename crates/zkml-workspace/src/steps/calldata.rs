//! What contracts take for a proof: the blob, the output, the registration, and calldata for the bare verifier.

use super::{compiled, verify};
use crate::{
    artifacts::{Artifacts, write_whole},
    error::Result,
};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zkml_protocol::{
    Word,
    binding::Registration,
    envelope::{Envelope, Shape, output_bytes},
};

/// A proof as contracts take it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calldata {
    /// The model's name.
    pub model: String,
    /// Names the verifier among those of a router.
    pub selector: String,
    /// What the proof is bound to; zero when unbound.
    pub context: Word,
    /// The commitment to the input data.
    pub data_commitment: Word,
    /// What a caller names the input with.
    pub input_commitment: Word,
    /// The words of the output section.
    pub output: String,
    /// The proof blob.
    pub proof: String,
    /// Calldata of the generated verifier's `verifyProof`.
    pub verify_proof: String,
    /// What the model is registered with.
    pub registration: Registered,
    /// The setup's secret is public: the proof convinces nobody.
    pub unsafe_dev_srs: bool,
}

/// What a model is registered with.
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
    /// What was written.
    #[serde(flatten)]
    pub calldata: Calldata,
    /// The file, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// Verifies a proof and puts it into the form that contracts take; writes a file if one is named.
///
/// # Errors
/// [`crate::error::Error::Refused`] for a proof that does not hold; as [`verify::load`] when it cannot be read.
pub fn run(
    artifacts: &Artifacts,
    proof: Option<&Path>,
    owner: Option<&[u8; 20]>,
    out: Option<&Path>,
) -> Result<CalldataReport> {
    let program = compiled::program(artifacts)?;
    let (_, file) = verify::load(artifacts, proof, &program)?;
    zkml_verifier::verify(&program, &file.proof, &file.instances)?;
    let shape = Shape::of(&program)?;
    let envelope = Envelope::new(&shape, &file.instances, &file.proof)?;
    let registration = Registration::of(&program, &file.instances)?;
    let calldata = Calldata {
        model: artifacts.model().to_owned(),
        selector: hexadecimal(&envelope.selector),
        context: envelope.context,
        data_commitment: envelope.data_commitment,
        input_commitment: envelope.input_commitment(),
        output: hexadecimal(&output_bytes(shape.sections(&file.instances)?.outputs)),
        proof: hexadecimal(&envelope.encode()),
        verify_proof: hexadecimal(&zkml_contracts::verify_proof(&program, &file.proof, &file.instances)?),
        registration: Registered {
            model_hash: registration.model_hash,
            circuit_hash: registration.circuit_hash,
            vk_hash: registration.vk_hash,
            proof_system_id: hexadecimal(&registration.proof_system_id),
            commitment_hash: registration.commitment_hash(),
            model_id: owner.map(|owner| registration.model_id(owner)),
        },
        unsafe_dev_srs: file.unsafe_dev_srs,
    };
    if let Some(path) = out {
        write_whole(path, &crate::json::pretty(&calldata))?;
    }
    Ok(CalldataReport { calldata, file: out.map(Path::to_owned) })
}

fn hexadecimal(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
