//! Locks between processes that use the same files.
//!
//! They are the system's own (`flock`): a process that is killed leaves none behind. They bind only those who ask for them, so
//! a file under a lock is still written aside and renamed: who reads sees the old file or the new one, never half of one.
//! Since a rename gives the name to another file, a lock is worth something only while its file still has its name.

use super::atomic::{folder_of, make_folder};
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

/// A lock that a process has while it goes on. Its file is gone when it ends well, and worth nothing when it was killed.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    _file: File,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Left behind, it is an empty file that the next one takes.
        let _ = fs::remove_file(&self.path);
    }
}

/// Takes the lock of the file at `path`, which is made with its folder; none when another process has it.
///
/// # Errors
/// [`Error::Io`] when it cannot be made.
pub fn claim(path: &Path) -> Result<Option<Claim>> {
    make_folder(folder_of(path))?;
    loop {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(|e| Error::io("write", path, e))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Whoever had it removed it between the two steps.
            Ok(()) if !has_its_name(&file, path)? => {}
            Ok(()) | Err(TryLockError::Error(_)) => {
                return Ok(Some(Claim { path: path.to_owned(), _file: file }));
            }
        }
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

    #[test]
    fn a_claim_is_one_process_s_and_leaves_nothing() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("new/record.lock");
        let mine = claim(&path).expect("locks").expect("free");
        assert!(claim(&path).expect("looks").is_none(), "it is taken");
        drop(mine);
        assert!(!path.exists());
        fs::write(&path, b"").expect("left by a killed one");
        assert!(claim(&path).expect("locks").is_some());
    }
}
