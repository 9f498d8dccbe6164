//! The artifact folder of a model: every file tied to what it was made from.
//!
//! ```text
//! model.onnx ─► settings.json, scales.json ─► graph.bin ─► plan.json ─► proving.key, program.json ─► proofs/*.json
//!                                             (weights.bin)                         └─► solidity/*
//! ```
//! A command names the files that it reads; [`Artifacts::load`] and [`Artifacts::require`] check them
//! and everything upstream against `manifest.json`, and refuse a missing, edited or stale one by name.
//! Files are staged in a [`Transaction`] and published together, the manifest last.

mod atomic;
pub mod lock;
mod manifest;
mod transaction;
pub mod weights;

pub use atomic::{Fingerprint, Staged, sweep, sync_folder_of, write_whole};
pub use manifest::{Entry, Manifest};
pub use transaction::Transaction;

use crate::error::{Error, Result};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Names of the files in an artifact folder.
pub mod file {
    /// A copy of the model.
    pub const MODEL: &str = "model.onnx";
    /// Scales, ranges, visibility: everything besides the model that decides what is proven.
    pub const SETTINGS: &str = "settings.json";
    /// Ranges, scales and widths that calibration found: with model and settings, they give the graph again.
    pub const SCALES: &str = "scales.json";
    /// The data that calibration used.
    pub const DATA: &str = "samples.json";
    /// The first calibration sample.
    pub const SAMPLE: &str = "sample.json";
    /// Errors against the float model.
    pub const REPORT: &str = "calibration.json";
    /// The compiled integer graph.
    pub const COMPILED: &str = "graph.bin";
    /// The integers of private weights: only there when weights are private, and only for their owner.
    pub const WEIGHTS: &str = "weights.bin";
    /// Names, shapes, scales and ranges of the inputs and outputs.
    pub const INTERFACE: &str = "interface.json";
    /// How the prover lays the graph out, and what that costs.
    pub const PLAN: &str = "plan.json";
    /// The proving key.
    pub const PROVING_KEY: &str = "proving.key";
    /// The verifier program: all that a verifier needs.
    pub const PROGRAM: &str = "program.json";
    /// The manifest itself.
    pub const MANIFEST: &str = "manifest.json";
    /// Folder of proofs.
    pub const PROOFS: &str = "proofs";
    /// Folder of generated Solidity.
    pub const SOLIDITY: &str = "solidity";
}

/// Above this size a file that carries its own digest is checked by length when it is loaded, not by hash.
const QUICK_CHECK_ABOVE: u64 = 1 << 20;

/// An open artifact folder.
#[derive(Debug)]
pub struct Artifacts {
    dir: PathBuf,
    manifest: Manifest,
    checked: RefCell<BTreeSet<String>>,
    lock: Option<File>,
}

impl Artifacts {
    /// Opens a folder to read from it.
    ///
    /// # Errors
    /// [`Error::NoArtifacts`] when there is no manifest, [`Error::Manifest`] when it is unreadable, [`Error::Irregular`] for a pipe or
    /// a device among the files: folders may come from anybody.
    pub fn open(dir: &Path) -> Result<Self> {
        only_files(dir)?;
        let path = dir.join(file::MANIFEST);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(Error::NoArtifacts { dir: dir.to_owned() });
            }
            Err(e) => return Err(Error::io("read", &path, e)),
        };
        Ok(Self::with(dir, Manifest::parse(&path, &bytes)?, None))
    }

    /// Opens a folder to add files to it; one writer at a time.
    ///
    /// # Errors
    /// As [`Artifacts::open`], and [`Error::Busy`] while another command writes.
    pub fn open_for_writing(dir: &Path) -> Result<Self> {
        Self::open(dir)?;
        let lock = lock(dir)?;
        Ok(Self { lock: Some(lock), ..Self::open(dir)? })
    }

    /// Opens a folder to write to it, making it when it is not there.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made, [`Error::OtherModel`] when it belongs to another model.
    pub fn create(dir: &Path, model: &str) -> Result<Self> {
        fs::create_dir_all(dir).map_err(|e| Error::io("make the folder", dir, e))?;
        let lock = lock(dir)?;
        match Self::open(dir) {
            Err(Error::NoArtifacts { .. }) => Ok(Self::with(dir, Manifest::new(model), Some(lock))),
            Err(e) => Err(e),
            Ok(found) if found.model() != model => Err(Error::OtherModel {
                dir: dir.to_owned(),
                found: found.model().to_owned(),
                wanted: model.to_owned(),
            }),
            Ok(found) => Ok(Self { lock: Some(lock), ..found }),
        }
    }

    /// Turns a folder that is open for reading into one open for writing, waiting for another writer to end.
    ///
    /// Commands that work long and write little use it, so that others may have the folder meanwhile.
    ///
    /// # Errors
    /// As [`Artifacts::open`], and [`Error::Meanwhile`] when a file that was read from the folder was made anew since: whatever comes of
    /// the old one does not belong to the new one.
    pub fn hold(&mut self) -> Result<()> {
        if self.lock.is_none() {
            let file = lock_file(&self.dir)?;
            // A file system without locks: one writer at a time is then up to the user.
            if file.lock().is_ok() {
                sweep_all(&self.dir);
            }
            let now = Self::open(&self.dir)?.manifest;
            let made_anew = |name: &&String| now.files.get(*name) != self.manifest.files.get(*name);
            if let Some(name) = self.checked.borrow().iter().find(made_anew) {
                return Err(Error::Meanwhile { file: name.clone(), dir: self.dir.clone() });
            }
            self.manifest = now;
            self.checked.borrow_mut().clear();
            self.lock = Some(file);
        }
        Ok(())
    }

    fn with(dir: &Path, manifest: Manifest, lock: Option<File>) -> Self {
        Self { dir: dir.to_owned(), manifest, checked: RefCell::default(), lock }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.manifest.model
    }

    /// Where a file of the folder lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// What the manifest says of a file.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.manifest.files.get(name)
    }

    /// Checks `name` and all it was made from.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Edited`] or [`Error::Stale`], naming the file and the step to repeat.
    pub fn require(&self, name: &str) -> Result<()> {
        self.check(name, None)
    }

    /// Checks all that `name` was made from and `name`'s length, but not its content: for a key
    /// of hundreds of megabytes that carries its own digest.
    ///
    /// # Errors
    /// As [`Artifacts::require`].
    pub fn require_quickly(&self, name: &str) -> Result<()> {
        let entry = self.lineage(name)?;
        if entry.bytes <= QUICK_CHECK_ABOVE {
            return self.require(name);
        }
        let path = self.path(name);
        let bytes = fs::metadata(&path).map_err(|e| self.unreadable(name, &path, e))?.len();
        if bytes == entry.bytes { Ok(()) } else { Err(self.edited(name, entry)) }
    }

    /// Reads `name` after checking it and all it was made from.
    ///
    /// # Errors
    /// As [`Artifacts::require`].
    pub fn load(&self, name: &str) -> Result<Vec<u8>> {
        self.lineage(name)?;
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(|e| self.unreadable(name, &path, e))?;
        self.check(name, Some(Fingerprint::of(&bytes)))?;
        Ok(bytes)
    }

    /// Reads a JSON file as [`Artifacts::load`] does.
    ///
    /// # Errors
    /// As [`Artifacts::require`], and [`Error::Content`] when it does not parse.
    pub fn load_json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T> {
        serde_json::from_slice(&self.load(name)?).map_err(|e| Error::content(&self.path(name), e))
    }

    /// The content of `name` when a person has changed it since it was written; from then on it counts as it is.
    ///
    /// # Errors
    /// As [`Artifacts::require`], of what `name` was made from.
    pub fn accept_edit(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match self.require(name) {
            Ok(()) => Ok(None),
            Err(Error::Edited { file, .. }) if file == name => {
                let path = self.path(name);
                let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
                self.checked.borrow_mut().insert(name.to_owned());
                Ok(Some(bytes))
            }
            Err(other) => Err(other),
        }
    }

    /// Makes a file of the folder readable by its owner only; its content stays.
    ///
    /// # Errors
    /// [`Error::Io`] when the system refuses.
    pub fn hide(&self, name: &str) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = self.path(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
                .map_err(|e| Error::io("change the permissions of", &path, e))?;
        }
        #[cfg(not(unix))]
        let _ = name;
        Ok(())
    }

    /// Starts writing files on behalf of the command `step`.
    pub fn begin(&mut self, step: &'static str) -> Transaction<'_> {
        Transaction::new(self, step)
    }

    fn check(&self, name: &str, known: Option<Fingerprint>) -> Result<()> {
        if self.checked.borrow().contains(name) {
            return Ok(());
        }
        let entry = self.lineage(name)?;
        let path = self.path(name);
        let found = match known {
            Some(found) => found,
            None if !path.is_file() => {
                return Err(self.unreadable(name, &path, io::ErrorKind::NotFound.into()));
            }
            None => Fingerprint::of_file(&path)?,
        };
        if !entry.matches(&found) {
            return Err(self.edited(name, entry));
        }
        self.checked.borrow_mut().insert(name.to_owned());
        Ok(())
    }

    /// The entry of `name`, after checking everything upstream of it.
    fn lineage(&self, name: &str) -> Result<&Entry> {
        let entry = self.entry(name).ok_or_else(|| self.missing(name))?;
        for (source, then) in &entry.made_from {
            if let Some(now) = self.entry(source)
                && now.sha256 != *then
            {
                return Err(Error::Stale {
                    file: name.to_owned(),
                    source_file: source.clone(),
                    step: entry.made_by.clone(),
                    dir: self.dir.clone(),
                });
            }
            // An edit upstream shows in this file's name too: the reader must know which step to repeat.
            self.check(source, None).map_err(|e| match e {
                Error::Edited { file, dir, .. } if file == *source => Error::Stale {
                    file: name.to_owned(),
                    source_file: file,
                    step: entry.made_by.clone(),
                    dir,
                },
                other => other,
            })?;
        }
        Ok(entry)
    }

    fn missing(&self, name: &str) -> Error {
        Error::Missing { file: name.to_owned(), step: step_of(name).to_owned(), dir: self.dir.clone() }
    }

    fn edited(&self, name: &str, entry: &Entry) -> Error {
        Error::Edited { file: name.to_owned(), step: entry.made_by.clone(), dir: self.dir.clone() }
    }

    fn unreadable(&self, name: &str, path: &Path, e: io::Error) -> Error {
        match e.kind() {
            io::ErrorKind::NotFound => self.missing(name),
            _ => Error::io("read", path, e),
        }
    }
}

/// The command that writes a file, for the way out of its absence.
fn step_of(name: &str) -> &'static str {
    match name {
        file::MODEL | file::SETTINGS | file::SCALES | file::DATA | file::SAMPLE | file::REPORT => "calibrate",
        file::COMPILED | file::WEIGHTS | file::INTERFACE | file::PLAN => "compile",
        file::PROVING_KEY | file::PROGRAM => "setup",
        _ if name.starts_with(file::PROOFS) => "prove",
        _ => "gen-verifier",
    }
}

/// Refuses folders with anything but files and folders in them, links followed: reading a pipe may wait for ever, a device never end.
fn only_files(dir: &Path) -> Result<()> {
    let folders = [dir.to_owned(), dir.join(file::PROOFS), dir.join(file::SOLIDITY)];
    for entry in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
        let path = entry.path();
        if fs::metadata(&path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(Error::Irregular { path });
        }
    }
    Ok(())
}

fn lock_file(dir: &Path) -> Result<File> {
    only_files(dir)?;
    let path = dir.join(".lock");
    File::create(&path).map_err(|e| Error::io("write", &path, e))
}

/// Removes what commands left that were killed.
fn sweep_all(dir: &Path) {
    [dir, &dir.join(file::PROOFS), &dir.join(file::SOLIDITY)].into_iter().for_each(sweep);
}

fn lock(dir: &Path) -> Result<File> {
    let file = lock_file(dir)?;
    match file.try_lock() {
        Ok(()) => {
            sweep_all(dir);
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(Error::Busy { dir: dir.to_owned() }),
        // A file system without locks: one writer at a time is then up to the user.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

#[cfg(test)]
mod tests;
