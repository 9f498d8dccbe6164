//! Private weights of a folder: their salt, what makes proofs about them quick, and the proof that they lie in their ranges.

use super::{commit, compiled};
use crate::{
    artifacts::{Artifacts, Staged, write_whole},
    error::{Error, Result},
    private_file::{Kept, Opening, PrivateFile},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zkml::{Backend, Commits, Compiled, Keys, Proof, Verifier, opening::Hash};
use zkml_protocol::Word;
use zkml_srs::container::{self, Container};

/// The private file with the salt.
pub const SALT: &str = "weights.private.json";
/// What makes proofs about the weights as quick as others, where a proof takes something of the kind. As secret as the weights.
pub const KEY: &str = "weights.key";
/// The proof that the weights lie in their ranges, for everybody.
pub const RANGES: &str = "ranges.json";
/// The verifier program of that proof.
pub const RANGES_PROGRAM: &str = "ranges.program.json";
/// What a [`KEY`] begins with; the digest of the program and the commitment follow.
const KEY_MAGIC: &[u8; 16] = b"zkml-chain/swk/1";

/// The opening of the private weights, whose salt is made on first use; none when they are public.
///
/// # Errors
/// As [`PrivateFile::keep`].
pub fn opening(artifacts: &Artifacts, keys: &Keys) -> Result<Option<Kept>> {
    opening_by(artifacts, keys.compiled(), keys)
}

fn opening_by(artifacts: &Artifacts, compiled: &Compiled, by: &dyn Commits) -> Result<Option<Kept>> {
    let Some(preimage) = commit::model(compiled.graph(), compiled.weights()) else { return Ok(None) };
    let hash = commit::model_hash(compiled.graph());
    PrivateFile::keep_by(&artifacts.path(SALT), by, hash, &[preimage]).map(Some)
}

/// Commits to the weights for proofs: with what was kept of that, else anew.
///
/// # Errors
/// [`Error::Io`] when it cannot be kept.
pub fn ready(artifacts: &Artifacts, keys: &Keys, opening: &Opening) -> Result<()> {
    let Some(program) = opening.program else { return Ok(()) };
    let (path, header) = (artifacts.path(KEY), [program.0, opening.commitment.0].concat());
    if let Ok(bytes) = fs::read(&path)
        && let Ok(kept) = Container::open(&path, KEY_MAGIC, &bytes)
        && kept.header == header
        && keys.resume_weights(opening, kept.body).is_ok()
    {
        return Ok(());
    }
    let Some(made) = keys.weights_key(opening)? else { return Ok(()) };
    let mut bytes = Vec::new();
    let written = container::write(&mut bytes, KEY_MAGIC, &header, |body| body.write_all(&made));
    written.map_err(|e| Error::io("write", &path, e))?;
    Staged::private(&path, &bytes)?.publish().map(drop)
}

/// A proof that weights lie in their ranges.
#[derive(Debug)]
pub struct Ranges {
    /// The proof.
    pub proof: PathBuf,
    /// The verifier program.
    pub program: PathBuf,
    /// Whether it was there before.
    pub reused: bool,
}

/// The proof that the weights behind a commitment lie in their ranges, made on first use. None where proofs of runs say so, or
/// weights are public.
///
/// # Errors
/// What proving says, [`Error::Io`] when it cannot be written.
pub fn ranges(artifacts: &Artifacts, keys: &Keys, opening: &Opening) -> Result<Option<Ranges>> {
    let Some(verifier) = keys.ranges()? else { return Ok(None) };
    let (proof, program) = (artifacts.path(RANGES), artifacts.path(RANGES_PROGRAM));
    let holds = |bytes: Vec<u8>| shown(&verifier, &bytes).is_ok_and(|found| found == opening.commitment);
    let reused = read(&proof)?.is_some_and(holds);
    if !reused {
        ready(artifacts, keys, opening)?;
        let made: Proof = keys.prove_ranges(opening, &())?;
        write_whole(&proof, &made.to_json())?;
    }
    write_whole(&program, &verifier.to_json())?;
    Ok(Some(Ranges { proof, program, reused }))
}

/// The proof of ranges that a folder has, with its verifier; none without one.
///
/// # Errors
/// [`Error::Content`] for a proof that does not hold.
pub fn proven(artifacts: &Artifacts) -> Result<Option<(Verifier, Proof)>> {
    let (proof, program) = (artifacts.path(RANGES), artifacts.path(RANGES_PROGRAM));
    let (Some(bytes), Some(verifier)) = (read(&proof)?, read(&program)?) else { return Ok(None) };
    let verifier = Verifier::from_json(&verifier).map_err(|e| Error::content(&program, e.to_string()))?;
    let bad = |e: zkml::Error| Error::content(&proof, e.to_string());
    shown(&verifier, &bytes).map_err(bad)?;
    let made = Proof::from_json(&bytes, verifier.program()).map_err(|e| bad(e.into()))?;
    Ok(Some((verifier, made)))
}

/// The commitment to weights whose ranges a proof shows.
///
/// # Errors
/// What is wrong with the proof.
pub fn shown(verifier: &Verifier, proof: &[u8]) -> zkml::Result<Word> {
    let verified = verifier.verify_json(proof)?;
    let none = || zkml::Error::Malformed { what: "proof of ranges", why: "it shows no commitment".into() };
    verified.commitments.first().map(|c| c.commitment).ok_or_else(none)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

/// What is registered: the opening of the private weights and the proof of their ranges, both made on first use.
///
/// # Errors
/// As [`opening`] and [`ranges`], and what reading the proving key says where the commitment takes one.
pub fn registered(artifacts: &Artifacts, compiled: Compiled) -> Result<Option<(Kept, Option<Ranges>)>> {
    if compiled.plan().backend() == Backend::Halo2 || compiled.weights().is_empty() {
        return Ok(opening_by(artifacts, &compiled, &Hash)?.map(|kept| (kept, None)));
    }
    let program = compiled::program(artifacts)?;
    let keys = compiled::keys(artifacts, compiled, program)?;
    let Some(kept) = opening(artifacts, &keys)? else { return Ok(None) };
    let proven = kept.openings.first().map(|opening| ranges(artifacts, &keys, opening)).transpose()?;
    Ok(Some((kept, proven.flatten())))
}
