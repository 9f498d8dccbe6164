//! Trusted setups: made, imported, looked at, checked, and found again.

mod find;
mod report;
mod watcher;

use crate::{
    artifacts::Staged,
    error::{Error, Result},
    observer::{Observer, Total, Warning},
};
use find::cached;
pub use find::find;
pub use report::{InfoReport, SrsReport, Trust, VerifyReport};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use watcher::Watcher;
use zkml_srs::{Provenance, Srs, Summary};

/// Tells what one must know about a setup before relying on it.
pub fn warn(observer: &dyn Observer, provenance: Provenance) {
    match provenance {
        Provenance::Dev => observer.warned(&Warning::DevSetup),
        Provenance::Unknown => observer.warned(&Warning::UnknownSetup),
        Provenance::Ceremony(_) => {}
    }
}

/// Makes the development setup with `2^k` powers at `path`, or in the cache; an existing good file is kept.
///
/// # Errors
/// [`Error::Prover`] when `k` is out of range, [`Error::Io`] when the file cannot be written.
pub fn make_dev(observer: &dyn Observer, k: u32, path: Option<&Path>) -> Result<SrsReport> {
    let started = Instant::now();
    let path = path.map_or_else(|| cached(find::DEV, k), Path::to_owned);
    if path.exists()
        && let Ok(found) = Srs::verify(&path, &|_, _, _| {})
        && found.k() == k
        && found.is_dev()
    {
        return report(&found, &path, true, started);
    }
    let estimate = Duration::from_secs_f64(2e-5 * (1u64 << k.min(40)) as f64);
    let work = observer.start("trusted setup", Total::Time(estimate))?;
    let srs = Srs::dev(k)?;
    find::sweep_cache();
    Staged::from_writer(&path, |out| srs.write(out))?.publish()?;
    drop(work);
    report(&srs, &path, false, started)
}

/// Imports a powers-of-tau file to `path`, or to the cache, where `setup` looks.
///
/// # Errors
/// [`Error::Prover`] with what is wrong with the file, [`Error::Io`] when the setup cannot be written; nothing is left behind.
pub fn import(
    observer: &dyn Observer,
    ptau: &Path,
    k: Option<u32>,
    path: Option<&Path>,
) -> Result<SrsReport> {
    let started = Instant::now();
    observer.proceed()?;
    let watcher = Watcher::new(observer);
    let srs = Srs::import(ptau, k, &|stage, done, total| watcher.at(stage, done, total))?;
    drop(watcher);
    warn(observer, srs.provenance());
    find::sweep_cache();
    let path = path.map_or_else(|| find::place(&srs), Path::to_owned);
    Staged::from_writer(&path, |out| srs.write(out))?.publish()?;
    report(&srs, &path, false, started)
}

/// What a setup's file says, at a glance.
///
/// # Errors
/// [`Error::Prover`] when it is no setup.
pub fn info(path: &Path) -> Result<InfoReport> {
    let Summary { k, provenance, source, digest, s_g2 } = Srs::summary(path)?;
    Ok(InfoReport {
        path: path.to_owned(),
        k,
        digest: hexadecimal(&digest),
        unsafe_dev: provenance == Provenance::Dev,
        trust: Trust::of(provenance, source.as_ref()),
        tau_g2: s_g2.words().iter().map(ToString::to_string).collect(),
        bytes: length(path)?,
    })
}

/// Repeats every check of an import on a setup's file.
///
/// # Errors
/// [`Error::Prover`] with the first thing that is wrong.
pub fn verify(observer: &dyn Observer, path: &Path) -> Result<VerifyReport> {
    let started = Instant::now();
    observer.proceed()?;
    let watcher = Watcher::new(observer);
    let srs = Srs::verify(path, &|stage, done, total| watcher.at(stage, done, total))?;
    drop(watcher);
    warn(observer, srs.provenance());
    Ok(VerifyReport::new(report(&srs, path, true, started)?))
}

fn report(srs: &Srs, path: &Path, reused: bool, started: Instant) -> Result<SrsReport> {
    Ok(SrsReport {
        path: path.to_owned(),
        k: srs.k(),
        digest: hexadecimal(&srs.digest()),
        unsafe_dev: srs.is_dev(),
        trust: Trust::of(srs.provenance(), srs.source()),
        bytes: length(path)?,
        reused,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn length(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).map_err(|e| Error::io("read", path, e))?.len())
}

fn hexadecimal(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A setup that was chosen for a circuit.
#[derive(Debug)]
pub struct Chosen {
    /// Its file.
    pub path: PathBuf,
    /// The setup, cut to the circuit's size and checked.
    pub srs: Srs,
    /// Time that this took.
    pub checked_in: Duration,
}
