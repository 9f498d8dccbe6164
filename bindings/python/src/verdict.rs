//! The verdict on a proof, from bytes.

use crate::failure;
use pyo3::prelude::*;
use zkml::{Role, Verified, Verifier};
use zkml_protocol::Program;
use zkml_workspace::{Error, steps::weights};

/// Checks a proof with a verifier program, both as JSON. `ranges` are program and proof of the ranges of private weights.
///
/// Returns a report as JSON.
#[pyfunction]
pub(crate) fn verify(
    py: Python<'_>,
    program: &[u8],
    proof: &[u8],
    ranges: Option<(Vec<u8>, Vec<u8>)>,
) -> PyResult<String> {
    let judged = py.detach(|| judge(program, proof, ranges.as_ref()));
    judged.map_err(|e| failure::exception(py, e))
}

fn judge(program: &[u8], proof: &[u8], ranges: Option<&(Vec<u8>, Vec<u8>)>) -> Result<String, Error> {
    let verifier = Verifier::from_json(program)?;
    let verified = verifier.verify_json(proof)?;
    let in_ranges = in_ranges(&verifier, &verified, ranges)?;
    let report = serde_json::json!({
        "accepted": true,
        "context": verified.context,
        "outputs": verified.outputs,
        "commitments": verified.commitments,
        "weights_in_ranges": in_ranges,
        "unsafe_dev_srs": verified.unsafe_dev_srs,
    });
    Ok(report.to_string())
}

/// Holds the proof of ranges against the commitment of the statement; nothing where the proof itself says so, or weights are public.
fn in_ranges(
    verifier: &Verifier,
    verified: &Verified,
    ranges: Option<&(Vec<u8>, Vec<u8>)>,
) -> Result<Option<bool>, Error> {
    match verifier.program() {
        Program::Sumcheck(program) if program.system.private.is_some() => {}
        _ => return Ok(None),
    }
    let Some((program, proof)) = ranges else { return Ok(Some(false)) };
    let shown = weights::shown(&Verifier::from_json(program)?, proof)?;
    Ok(Some(verified.commitments.iter().any(|c| c.role == Role::Model && c.commitment == shown)))
}
