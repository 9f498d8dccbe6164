//! Trusted setups: the insecure development one, and which file a command uses.

use crate::{
    artifacts::Staged,
    error::{Error, Result},
    output::{DIM, Report, Ui},
    progress::Progress,
    table,
};
use serde::Serialize;
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};
use zkml_prover::Srs;

/// What every command that touches a development setup says.
const DEV_NOTICE: &str = "this trusted setup is the insecure development one: its secret is public, so anybody can forge \
     proofs under it. Good for trying out, never for value; generated contracts refuse to live outside test chains";

/// Says [`DEV_NOTICE`], once per process.
pub fn notice(ui: &Ui) {
    static SAID: Once = Once::new();
    SAID.call_once(|| ui.warn(DEV_NOTICE));
}

/// A trusted setup on disk.
#[derive(Debug, Clone, Serialize)]
pub struct SrsReport {
    /// The file.
    pub path: PathBuf,
    /// It has `2^k` powers.
    pub k: u32,
    /// Names the setup; the same for all sizes.
    pub digest: String,
    /// Its secret is public.
    pub unsafe_dev: bool,
    /// Length of the file.
    pub bytes: u64,
    /// The file was there already.
    pub reused: bool,
}

/// Makes the development setup with `2^k` powers at `path`, or in the cache; an existing good file is kept.
///
/// # Errors
/// [`Error::Prover`] when `k` is out of range, [`Error::Io`] when the file cannot be written.
pub fn make_dev(ui: &Ui, k: u32, path: Option<&Path>) -> Result<SrsReport> {
    let path = path.map_or_else(|| cached(k), Path::to_owned);
    if path.exists()
        && let Ok(found) = Srs::read(&path)
        && found.k() == k
        && found.is_dev()
    {
        return report(&found, &path, true);
    }
    let estimate = Duration::from_secs_f64(2e-5 * (1u64 << k.min(40)) as f64);
    let progress = Progress::timed(ui, "trusted setup", estimate);
    let srs = Srs::dev(k)?;
    Staged::from_writer(&path, |out| srs.write(out))?.publish()?;
    drop(progress);
    report(&srs, &path, false)
}

/// Reads `path`, or the smallest setup in the cache with at least `2^k` powers.
///
/// # Errors
/// [`Error::NoSrs`] when the cache has none, [`Error::Prover`] when the file is damaged or too small.
pub fn find(k: u32, path: Option<&Path>) -> Result<(PathBuf, Srs)> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => (k..=zkml_prover::srs::MAX_K).map(cached).find(|p| p.is_file()).ok_or(Error::NoSrs { k })?,
    };
    let srs = Srs::read(&path)?;
    if srs.k() < k {
        let (have, need) = (srs.k(), k);
        return Err(
            zkml_prover::ProverError::SrsTooSmall { path: path.display().to_string(), have, need }.into()
        );
    }
    Ok((path, srs))
}

fn report(srs: &Srs, path: &Path, reused: bool) -> Result<SrsReport> {
    let bytes = fs::metadata(path).map_err(|e| Error::io("read", path, e))?.len();
    let digest = format!("0x{}", hex::encode(srs.digest()));
    Ok(SrsReport { path: path.to_owned(), k: srs.k(), digest, unsafe_dev: srs.is_dev(), bytes, reused })
}

fn cached(k: u32) -> PathBuf {
    cache().join("srs").join(format!("dev-{k:02}.srs"))
}

/// `ZKML_CACHE`, else the user's cache folder, else the current one.
fn cache() -> PathBuf {
    let var = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    var("ZKML_CACHE")
        .or_else(|| var("XDG_CACHE_HOME").map(|d| d.join("zkml-chain")))
        .or_else(|| var("HOME").map(|d| d.join(".cache/zkml-chain")))
        .unwrap_or_else(|| PathBuf::from(".zkml-cache"))
}

impl Report for SrsReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let verb = if self.reused { "kept" } else { "wrote" };
        writeln!(out, "{verb} {} ({}, 2^{} powers)", self.path.display(), table::size(self.bytes), self.k)?;
        writeln!(out, "{DIM}digest {}{DIM:#}", self.digest)
    }
}
