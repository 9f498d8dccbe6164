//! Several proofs as `verifyBatch` takes them, and as a consumer that inherits `ZKMLBatchConsumer` does.

use super::{Inference, Packed, Registered, hexadecimal};
use crate::{
    artifacts::{Artifacts, write_whole},
    error::{Apart, Error, Needed, Result},
    steps::compiled,
    value,
};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zkml_contracts::Submission;
use zkml_protocol::{Program, Word, binding::Context};

/// Several proofs of one model as contracts take them, in the order in which they were named.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchCalldata {
    /// The model's name.
    pub model: String,
    /// Names the verifier among those of a router.
    pub selector: String,
    /// The inferences.
    pub inferences: Vec<Inference>,
    /// Calldata of `ZKMLVerifier`'s `verifyBatch`, where the model's id is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_batch: Option<String>,
    /// Hashes that the model is registered with.
    pub registration: Registered,
    /// The setup's secret is public: the proofs convince nobody.
    pub unsafe_dev_srs: bool,
}

/// Proofs to put into calldata, and where.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The proofs, in the order of the batch.
    pub proofs: &'a [PathBuf],
    /// Files of what they are bound to, in the same order; those beside the proofs if none is named.
    pub context_files: &'a [PathBuf],
    /// Account that registers the model: gives its id, which `verifyBatch` takes.
    pub owner: Option<&'a [u8; 20]>,
    /// File to write it to.
    pub out: Option<&'a Path>,
}

/// [`BatchCalldata`] with where it was written to.
#[derive(Debug, Clone, Serialize)]
pub struct BatchReport {
    /// The content.
    #[serde(flatten)]
    pub calldata: BatchCalldata,
    /// The file, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// Verifies proofs and puts them into the form that contracts take; writes a file if one is named.
///
/// # Errors
/// As [`super::run`] for each proof; [`Error::NotTogether`] for two that no contract takes in one batch, [`Error::NotGiven`] without
/// a proof, [`Error::ContextFiles`] unless each proof or none has a context file named for it.
pub fn run(artifacts: &Artifacts, request: &Request<'_>) -> Result<BatchReport> {
    let program = compiled::program(artifacts)?;
    let all = read(artifacts, &program, request)?;
    for each in &all {
        zkml_verifier::verify(&program, &each.file.proof, &each.file.instances)
            .map_err(|why| Error::RefusedIn { path: each.path.clone(), why })?;
    }
    let first = all.first().ok_or(Error::NotGiven { what: Needed::Proofs })?;
    let registration = Registered::new(&first.registration, request.owner);
    let submissions: Vec<Submission> = all.iter().map(|each| each.submission.clone()).collect();
    let verify = |id| hexadecimal(&zkml_contracts::verify_batch(&submissions, id));
    let calldata = BatchCalldata {
        model: artifacts.model().to_owned(),
        selector: hexadecimal(&first.envelope.selector),
        inferences: all.iter().map(Packed::inference).collect(),
        verify_batch: registration.model_id.map(verify),
        registration,
        unsafe_dev_srs: first.file.unsafe_dev_srs,
    };
    if let Some(path) = request.out {
        write_whole(path, &crate::json::pretty(&calldata))?;
    }
    Ok(BatchReport { calldata, file: request.out.map(Path::to_owned) })
}

/// Reads proofs that may go into one batch; whether they hold is not asked.
pub(in crate::steps) fn read(
    artifacts: &Artifacts,
    program: &Program,
    request: &Request<'_>,
) -> Result<Vec<Packed>> {
    let Request { proofs, context_files, .. } = request;
    if !context_files.is_empty() && context_files.len() != proofs.len() {
        return Err(Error::ContextFiles { proofs: proofs.len(), files: context_files.len() });
    }
    if proofs.is_empty() {
        return Err(Error::NotGiven { what: Needed::Proofs });
    }
    let named = |place: usize| context_files.get(place).map(PathBuf::as_path);
    let packed =
        |(place, path): (usize, &PathBuf)| Packed::read(artifacts, program, Some(path), named(place));
    let all = proofs.iter().enumerate().map(packed).collect::<Result<Vec<_>>>()?;
    together(&all)?;
    Ok(all)
}

/// Refuses what no contract takes in one transaction.
fn together(all: &[Packed]) -> Result<()> {
    for (place, each) in all.iter().enumerate() {
        // A proof's own predecessor first, so that the last of a subject is what its nonce is compared with.
        for other in all[..place].iter().rev() {
            if let Some(why) = apart(other, each) {
                let (path, other) = (each.path.clone(), other.path.clone());
                return Err(Error::NotTogether { path, other, why });
            }
        }
        if let (Some(bound), Some(other)) = (&each.bound, last_of_subject(&all[..place], each)) {
            in_order(each, bound, other)?;
        }
    }
    Ok(())
}

/// The reason why two proofs cannot be in one batch, whatever else is in it.
fn apart(first: &Packed, second: &Packed) -> Option<Apart> {
    let (expected, found) = (first.registration.commitment_hash(), second.registration.commitment_hash());
    if expected != found {
        return Some(Apart::Model { found, expected });
    }
    if first.file.instances == second.file.instances {
        return Some(Apart::Twice);
    }
    if first.file.context.is_zero() != second.file.context.is_zero() {
        return Some(Apart::Unbound);
    }
    let place = |context: &Context| (context.chain_id, context.consumer);
    let (first, second) = (first.bound.as_ref()?, second.bound.as_ref()?);
    let shown = |c: &Context| format!("{} on chain {}", value::checksummed(&c.consumer), c.chain_id);
    (place(first) != place(second)).then(|| Apart::Consumer { found: shown(second), expected: shown(first) })
}

fn last_of_subject<'a>(before: &'a [Packed], each: &Packed) -> Option<&'a Packed> {
    let subject = |packed: &Packed| packed.bound.as_ref().map(|context| context.subject);
    before.iter().rev().find(|other| subject(other) == subject(each))
}

/// A consumer takes a subject's inferences by nonces that count up by one.
fn in_order(each: &Packed, bound: &Context, other: &Packed) -> Result<()> {
    let Some(before) = other.bound.as_ref().map(|context| context.nonce) else { return Ok(()) };
    if next(before) == Some(bound.nonce) {
        return Ok(());
    }
    let [found, before] = [&bound.nonce, &before].map(value::decimal);
    let why = Apart::Nonce { subject: value::checksummed(&bound.subject), found, before };
    Err(Error::NotTogether { path: each.path.clone(), other: other.path.clone(), why })
}

/// The number after this one, unless it was the last.
fn next(mut word: Word) -> Option<Word> {
    for byte in word.0.iter_mut().rev() {
        let (sum, over) = byte.overflowing_add(1);
        *byte = sum;
        if !over {
            return Some(word);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_up_over_all_bytes() {
        assert_eq!(next(Word::ZERO), Some(Word::ONE));
        assert_eq!(next(Word::from_u64(255)), Some(Word::from_u64(256)));
        assert_eq!(next(Word::from_u64(u64::MAX - 1)), Some(Word::from_u64(u64::MAX)));
        assert_eq!(next(Word([0xff; 32])), None);
    }
}
