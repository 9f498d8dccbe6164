//! Private weights: their commitment, and the proof that they lie in their ranges.

use super::{
    Request,
    rebuild::Rebuilt,
    report::{Check, Verdict},
};
use crate::{
    error::{Error, Needed, Result},
    private_file::PrivateFile,
    steps::{commit, weights},
};
use std::{fs, io};
use zkml::Commits;
use zkml_protocol::Word;

/// Whether somebody has shown that the weights lie in their ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Proofs of runs say so, or weights are public, or there is a proof.
    Yes,
    /// Nobody has.
    No,
}

/// All checks of private weights; none where they are public.
pub(super) fn checks(request: &Request, rebuilt: &Rebuilt) -> Result<(Vec<Check>, Shown)> {
    if rebuilt.graph.weights.is_empty() {
        return Ok((vec![], Shown::Yes));
    }
    let commitment = commitment(request, rebuilt)?;
    let known = request.weights_commitment.or(commitment.rebuilt);
    let ranges = ranges(request, rebuilt, known)?;
    let shown = match &ranges {
        Some(check) if check.verdict == Verdict::Skipped => Shown::No,
        _ => Shown::Yes,
    };
    Ok(([commitment].into_iter().chain(ranges).collect(), shown))
}

/// The commitment, recomputed from the model's own numbers and the owner's salt.
fn commitment(request: &Request, rebuilt: &Rebuilt) -> Result<Check> {
    let what = "weights commitment";
    let Some(preimage) = commit::model(&rebuilt.graph, &rebuilt.weights).filter(|_| !request.architecture)
    else {
        return Ok(Check::skipped(what, "the weights are left aside: only their owner can check this"));
    };
    let path = request.weights_salt.clone().or_else(|| Some(request.dir.as_ref()?.join(weights::SALT)));
    let path = path.ok_or(Error::NotGiven { what: Needed::WeightsSalt })?;
    let model_hash = commit::model_hash(&rebuilt.graph);
    let file = PrivateFile::read(&path)?;
    let known = file.openings.iter().find(|o| o.is_about(&rebuilt.keys, model_hash, &preimage));
    // Without an opening for this very graph there is nothing to recompute; the graph's own check tells why.
    let Some(opening) = known else {
        return Ok(Check::skipped(what, "the private file has no salt for the weights of this graph"));
    };
    let rebuilt = rebuilt.keys.commit(&preimage, &opening.salt)?;
    let claimed = request.weights_commitment.unwrap_or(opening.commitment);
    let how = "recomputed from the model's numbers and the owner's salt";
    Ok(Check::digests(what, how, rebuilt, Some(claimed)))
}

/// The proof that the weights behind a commitment lie in their ranges: anybody can check it. None where proofs of runs say so.
fn ranges(request: &Request, rebuilt: &Rebuilt, known: Option<Word>) -> Result<Option<Check>> {
    let what = "ranges of the weights";
    let Some(verifier) = rebuilt.keys.ranges()? else { return Ok(None) };
    let path = request.weights_ranges.clone().or_else(|| Some(request.dir.as_ref()?.join(weights::RANGES)));
    let bytes = match path.map(|path| (fs::read(&path), path)) {
        None => None,
        Some((Ok(bytes), _)) => Some(bytes),
        Some((Err(e), _)) if e.kind() == io::ErrorKind::NotFound && request.weights_ranges.is_none() => None,
        Some((Err(e), path)) => return Err(Error::io("read", &path, e)),
    };
    let Some(bytes) = bytes else {
        let why = "there is no proof: that the weights are small numbers is their owner's word";
        return Ok(Some(Check::skipped(what, why)));
    };
    Ok(Some(match weights::shown(&verifier, &bytes) {
        Ok(shown) => {
            let how = "a proof about the commitment, under the program that follows from the graph";
            Check::digests(what, how, known.unwrap_or(shown), known.map(|_| shown))
        }
        Err(_) => Check {
            what,
            verdict: Verdict::Different,
            how: "the proof does not hold, or is one of another model",
            rebuilt: known,
            claimed: None,
        },
    }))
}
