//! Which setup a command uses: the one that was named, else the best in the cache.

use super::{Chosen, watcher::Watcher};
use crate::{
    artifacts::{Staged, sweep},
    error::{Error, Result},
    observer::{Observer, Warning},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Instant,
};
use zkml_srs::{MAX_K, Provenance, Srs};

/// Stands for the digest in the names of development setups.
pub(super) const DEV: &str = "dev";

/// Reads `path`, or the best setup in the cache with at least `2^k` powers, cuts it to `2^k`, and checks what is left as an import
/// does: a checksum can be computed for any points.
///
/// In the cache, setups of a known ceremony come first, then other imported ones, then the development one; the smallest of each.
/// What a cut takes long to compute is kept in the cache, and checked against the powers when it is used again.
///
/// # Errors
/// [`Error::NoSrs`] when the cache has none, [`Error::Srs`] when the file is damaged, too small, or no setup whatever its checksum
/// says.
pub fn find(observer: &dyn Observer, k: u32, path: Option<&Path>) -> Result<Chosen> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => best(k).ok_or(Error::NoSrs { k })?,
    };
    let srs = Srs::read(&path)?;
    if srs.k() < k {
        let (path, have) = (path.display().to_string(), srs.k());
        return Err(zkml_srs::Error::TooSmall { path, have, need: k }.into());
    }
    let started = Instant::now();
    let srs = cut(observer, srs, k, &path)?;
    Ok(Chosen { path, srs, checked_in: started.elapsed() })
}

/// The path of a cached setup.
pub(super) fn cached(name: &str, k: u32) -> PathBuf {
    folder().join(format!("{name}-{k:02}.srs"))
}

/// Where an imported setup belongs.
pub(super) fn place(srs: &Srs) -> PathBuf {
    let name = if srs.is_dev() { DEV.to_owned() } else { hex::encode(&srs.digest()[..8]) };
    cached(&name, srs.k())
}

/// The best setup in the cache for a circuit of `2^k` rows. Files that cannot be read are passed over.
fn best(k: u32) -> Option<PathBuf> {
    let files = fs::read_dir(folder()).ok()?.flatten().map(|entry| entry.path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "srs"))
        .filter_map(|path| {
            let found = Srs::summary(&path).ok()?;
            let rank = match found.provenance {
                Provenance::Ceremony(_) => 0,
                Provenance::Unknown => 1,
                Provenance::Dev => 2,
            };
            (k..=MAX_K).contains(&found.k).then_some((rank, found.k, path))
        })
        .min()
        .map(|(_, _, path)| path)
}

fn cut(observer: &dyn Observer, srs: Srs, k: u32, path: &Path) -> Result<Srs> {
    observer.proceed()?;
    let name = path.display().to_string();
    let watcher = Watcher::new(observer);
    let watch = |stage, done, total| watcher.at(stage, done, total);
    // Where the secret is known, another size is made faster than read.
    if srs.k() == k || srs.is_dev() {
        return Ok(srs.cut(k, &name, &watch)?);
    }
    let kept = cached(&hex::encode(&srs.digest()[..8]), k);
    if let Ok(small) = Srs::read(&kept)
        && small.k() == k
        && let Some(small) = srs.stored_cut(small, &watch)
    {
        return Ok(small);
    }
    let small = srs.cut(k, &name, &watch)?;
    drop(watcher);
    sweep_cache();
    // A cache that cannot be written costs time, nothing else.
    if let Err(e) = Staged::from_writer(&kept, |out| small.write(out)).and_then(Staged::publish) {
        observer.warned(&Warning::NotKept { k, why: Box::new(e) });
    }
    Ok(small)
}

/// Removes what commands left in the cache that were killed.
pub(super) fn sweep_cache() {
    sweep(&folder());
}

fn folder() -> PathBuf {
    cache().join("srs")
}

/// `ZKML_CACHE`, else the user's cache folder, else the current one.
fn cache() -> PathBuf {
    let var = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    var("ZKML_CACHE")
        .or_else(|| var("XDG_CACHE_HOME").map(|d| d.join("zkml-chain")))
        .or_else(|| var("HOME").map(|d| d.join(".cache/zkml-chain")))
        .unwrap_or_else(|| PathBuf::from(".zkml-cache"))
}
