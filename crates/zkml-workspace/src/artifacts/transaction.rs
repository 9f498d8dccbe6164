//! Several files that appear together: staged first, published when all are complete.

use super::{Artifacts, Entry, atomic::Staged, file};
use crate::error::{Error, Result};
use std::{
    fs,
    io::{self, Write},
};

/// Files of one step on their way into the folder. Dropped without [`Transaction::commit`], nothing changes.
#[derive(Debug)]
pub struct Transaction<'a> {
    artifacts: &'a mut Artifacts,
    step: &'static str,
    staged: Vec<(String, Staged, Entry)>,
    dropped: Vec<String>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(artifacts: &'a mut Artifacts, step: &'static str) -> Self {
        Self { artifacts, step, staged: Vec::new(), dropped: Vec::new() }
    }

    /// Stages `content` as `name`, made from the files `sources` (of the folder or staged before).
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full or the folder not writable.
    pub fn put(&mut self, name: &str, content: &[u8], sources: &[&str]) -> Result<()> {
        let staged = Staged::from_bytes(&self.artifacts.path(name), content)?;
        self.stage(name, staged, sources);
        Ok(())
    }

    /// As [`Transaction::put`], readable by its owner only.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn put_private(&mut self, name: &str, content: &[u8], sources: &[&str]) -> Result<()> {
        let staged = Staged::private(&self.artifacts.path(name), content)?;
        self.stage(name, staged, sources);
        Ok(())
    }

    /// Takes a file of an earlier run out of the folder, if it is there.
    pub fn remove(&mut self, name: &str) {
        self.dropped.push(name.to_owned());
    }

    /// Stages a file that `write` streams.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn put_with(
        &mut self,
        name: &str,
        sources: &[&str],
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<u64> {
        let staged = Staged::from_writer(&self.artifacts.path(name), write)?;
        let bytes = staged.fingerprint.bytes;
        self.stage(name, staged, sources);
        Ok(bytes)
    }

    fn stage(&mut self, name: &str, staged: Staged, sources: &[&str]) {
        let made_from = sources.iter().map(|s| ((*s).to_owned(), self.hash_of(s))).collect();
        let entry = Entry {
            sha256: staged.fingerprint.sha256.clone(),
            bytes: staged.fingerprint.bytes,
            made_by: self.step.to_owned(),
            made_from,
        };
        self.staged.push((name.to_owned(), staged, entry));
    }

    fn hash_of(&self, name: &str) -> String {
        let fresh = self.staged.iter().rev().find(|(n, ..)| n == name).map(|(_, _, e)| e);
        fresh.or_else(|| self.artifacts.entry(name)).map(|e| e.sha256.clone()).unwrap_or_default()
    }

    /// Publishes all staged files, then the manifest that ties them.
    ///
    /// # Errors
    /// [`Error::Io`]; what needs room on the disk is done before the first file is replaced. The manifest is published last, so a folder
    /// interrupted here is refused by name, not misread.
    pub fn commit(self) -> Result<()> {
        let mut manifest = self.artifacts.manifest.clone();
        manifest.toolkit = env!("CARGO_PKG_VERSION").to_owned();
        let mut complete = Vec::new();
        for (name, staged, entry) in self.staged {
            complete.push(staged);
            manifest.files.insert(name, entry);
        }
        let known = |name: &&String| manifest.files.contains_key(*name);
        let dropped: Vec<String> = self.dropped.iter().filter(known).cloned().collect();
        manifest.files.retain(|name, _| !dropped.contains(name));
        let tied = Staged::from_bytes(&self.artifacts.path(file::MANIFEST), &manifest.to_bytes())?;
        for staged in complete {
            staged.publish()?;
        }
        for name in &dropped {
            let path = self.artifacts.path(name);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", &path, e)),
                _ => {}
            }
        }
        tied.publish()?;
        self.artifacts.manifest = manifest;
        self.artifacts.checked.borrow_mut().clear();
        Ok(())
    }
}
