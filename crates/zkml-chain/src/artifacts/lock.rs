//! Locks between processes that use the same files.
//!
//! They are the system's own (`flock`): a process that is killed leaves none behind. They bind only those who ask for them, so
//! a file under a lock is still written aside and renamed: who reads sees the old file or the new one, never half of one.
//! Since a rename gives the name to another file, a lock is worth something only while its file still has its name.

use crate::error::{Error, Result};
use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Waits for the lock of the file at `path`; none when it is not there, or when another file took its name meanwhile.
///
/// # Errors
/// [`Error::Io`] when it cannot be opened for writing, or its file system has no locks.
pub fn wait_for(path: &Path) -> Result<Option<File>> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("write", path, e)),
    };
    file.lock().map_err(|e| Error::io("lock", path, e))?;
    Ok(has_its_name(&file, path)?.then_some(file))
}

/// A lock that stands for something, in a file of its own that is removed in the end.
#[derive(Debug)]
pub struct Claim {
    _file: File,
    path: PathBuf,
}

impl Claim {
    /// Claims what the lock file `path` stands for; none while another process has it.
    ///
    /// Where the file system has no locks, everybody gets it: one at a time is then up to the user.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be made.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        let fail = |e| Error::io("write", path, e);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::io("make the folder", folder, e))?;
        }
        loop {
            let file =
                OpenOptions::new().create(true).write(true).truncate(false).open(path).map_err(fail)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                // Whoever had it may have removed the file between the two steps.
                Ok(()) if !has_its_name(&file, path)? => continue,
                Ok(()) | Err(TryLockError::Error(_)) => {
                    return Ok(Some(Self { _file: file, path: path.to_owned() }));
                }
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Before the lock goes, so that nobody locks a file that has no name. Left behind, it does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns true if `path` is still a name of this open file.
pub(super) fn has_its_name(file: &File, path: &Path) -> Result<bool> {
    let fail = |e| Error::io("read", path, e);
    let named = match fs::metadata(path) {
        Ok(named) => named,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(fail(e)),
    };
    Ok(identity(&named) == identity(&file.metadata().map_err(fail)?))
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Files that are locked here stay empty or only grow.
#[cfg(not(unix))]
fn identity(metadata: &Metadata) -> u64 {
    metadata.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_one_s_alone_and_leaves_nothing() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("new/thing.lock");
        let claim = Claim::of(&path).expect("made").expect("free");
        assert!(Claim::of(&path).expect("made").is_none());
        drop(claim);
        assert!(!path.exists());
        // Left behind by somebody who was killed.
        fs::write(&path, b"").expect("written");
        assert!(Claim::of(&path).expect("made").is_some());
    }

    #[test]
    fn many_who_claim_the_same_have_it_in_turn() {
        let dir = tempfile::tempdir().expect("folder");
        let (path, inside) = (dir.path().join("lock"), std::sync::atomic::AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Some(_claim) = Claim::of(&path).expect("made") else { continue };
                        use std::sync::atomic::Ordering::SeqCst;
                        assert_eq!(inside.fetch_add(1, SeqCst), 0, "two at once");
                        std::thread::yield_now();
                        inside.fetch_sub(1, SeqCst);
                    }
                });
            }
        });
    }

    #[test]
    fn the_lock_of_a_file_that_was_replaced_is_worth_nothing() {
        let dir = tempfile::tempdir().expect("folder");
        let (path, other) = (dir.path().join("file"), dir.path().join("other"));
        assert!(wait_for(&path).expect("no file").is_none());
        fs::write(&path, b"1").expect("written");
        let first = wait_for(&path).expect("locks").expect("there");
        assert!(has_its_name(&first, &path).expect("looks"));
        fs::write(&other, b"22").expect("written");
        fs::rename(&other, &path).expect("renamed");
        assert!(!has_its_name(&first, &path).expect("looks"));
        assert!(wait_for(&path).expect("locks").is_some(), "the new one is free");
        fs::remove_file(&path).expect("removed");
        assert!(!has_its_name(&first, &path).expect("looks"));
    }
}
