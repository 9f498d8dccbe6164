//! Proof files: where a proof lies, and which program it must belong to.

use crate::error::{Error, Result, Why};
use std::path::Path;
use zkml::ProofError;
pub use zkml::{
    OutputValues, Proof as ProofFile,
    proof::{VERSION, decode_outputs, hex_bytes},
};
use zkml_protocol::VerifierProgram;

/// Reads a proof file and checks that it is one of `program`'s and that its parts agree.
///
/// Whether the proof holds is for the verifier to say.
///
/// # Errors
/// [`Error::Content`] when it is malformed or contradicts itself, [`Error::ForeignProof`] when it belongs
/// to another model or key.
pub fn parse(path: &Path, bytes: &[u8], program: &dyn VerifierProgram) -> Result<ProofFile> {
    ProofFile::from_json(bytes, program).map_err(|error| match error {
        ProofError::Foreign { what, expected, found } => Error::ForeignProof {
            path: path.to_owned(),
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        },
        other => Error::content(path, Why::Proof(other)),
    })
}
