//! Key generation: plan and trusted setup → proving key and verifier program.

use super::{compiled, srs};
use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    observer::{Observer, Said, Total, Warning},
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use zkml::Plan;
use zkml_protocol::VerifierProgram;

/// What `setup` made.
#[derive(Debug, Clone, Serialize)]
pub struct SetupReport {
    /// The model's name.
    pub model: String,
    /// How proofs are made.
    pub proof_system: &'static str,
    /// Keccak-256 of the compiled model.
    pub model_hash: String,
    /// Digest of the verifier program: with public weights, the commitment to the model.
    pub vk_digest: String,
    /// The trusted setup's file.
    pub srs: PathBuf,
    /// Its digest.
    pub srs_digest: String,
    /// Its secret is public.
    pub unsafe_dev_srs: bool,
    /// Binary logarithm of the powers that are used of the setup.
    pub k: u32,
    /// Length of the proving key's file.
    pub pk_bytes: u64,
    /// Length of a proof.
    pub proof_bytes: usize,
    /// Time that it took.
    pub seconds: f64,
}

/// Generates the keys and stores them.
///
/// # Errors
/// A stale or missing artifact, a trusted setup that is absent or too small, a full disk.
pub fn run(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    srs_file: Option<&Path>,
) -> Result<SetupReport> {
    let started = Instant::now();
    let compiled = compiled::load(artifacts)?;
    let k = compiled.plan().k();
    let chosen = srs::find(observer, k, srs_file)?;
    observer.said(&Said::Setup {
        path: chosen.path.clone(),
        provenance: chosen.srs.provenance(),
        k: chosen.srs.k(),
        checked_in: chosen.checked_in,
    });
    srs::warn(observer, chosen.srs.provenance());
    let srs::Chosen { path: srs_path, srs, .. } = chosen;
    let work = observer.start("generating keys", Total::Time(estimate(compiled.plan())))?;
    let keys = compiled.setup_from(&srs, &srs_path.display().to_string(), &())?;
    observer.proceed()?;
    work.renamed("writing keys");
    let sources = [file::COMPILED, file::PLAN];
    let mut transaction = artifacts.begin("setup");
    let pk_bytes = transaction.put_with(file::PROVING_KEY, &sources, |out| keys.write(out))?;
    transaction.put(file::PROGRAM, &keys.verifier().to_json(), &sources)?;
    transaction.commit()?;
    drop(work);
    let program = keys.program();
    Ok(SetupReport {
        model: artifacts.model().to_owned(),
        proof_system: program.proof_system().name(),
        model_hash: program.statement().model_hash.to_string(),
        vk_digest: program.vk_digest().to_string(),
        srs: srs_path,
        srs_digest: program.srs().digest().to_string(),
        unsafe_dev_srs: program.srs().unsafe_dev,
        k,
        pk_bytes,
        proof_bytes: program.proof_length(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// As [`run`]; where no setup is named and the cache has none that is large enough, the development one is made.
///
/// # Errors
/// As [`run`].
pub fn or_dev(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    srs_file: Option<&Path>,
) -> Result<SetupReport> {
    match (run(observer, artifacts, srs_file), srs_file) {
        (Err(Error::NoSrs { k }), None) => {
            observer.warned(&Warning::DevSetup);
            let dev = srs::make_dev(observer, k, None)?;
            run(observer, artifacts, Some(&dev.path))
        }
        (done, _) => done,
    }
}

/// Roughly how long key generation takes: it goes with the length of the key.
fn estimate(plan: &Plan) -> Duration {
    Duration::from_secs_f64(1e-7 * plan.cost().key_bytes_estimate as f64 / 4.0)
}
