//! Files written whole or not at all: a temporary file beside the target, flushed to disk, then renamed, and its folder flushed.

use super::lock;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// What identifies a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// SHA-256 of the content, lower-case hexadecimal (as `sha256sum` prints it).
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
}

impl Fingerprint {
    /// The fingerprint of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self { sha256: hex::encode(Sha256::digest(bytes)), bytes: bytes.len() as u64 }
    }

    /// Reads `path` in pieces, so that a key of any size takes constant memory.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let fail = |e| Error::io("read", path, e);
        let mut file = File::open(path).map_err(fail)?;
        let (mut hasher, mut bytes, mut piece) = (Sha256::new(), 0u64, vec![0u8; 1 << 18]);
        loop {
            let n = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(fail(e)),
            };
            hasher.update(&piece[..n]);
            bytes += n as u64;
        }
        Ok(Self { sha256: hex::encode(hasher.finalize()), bytes })
    }
}

/// A complete file waiting under a temporary name; dropped without [`Staged::publish`], it leaves no trace.
#[derive(Debug)]
pub struct Staged {
    temp: NamedTempFile,
    target: PathBuf,
    /// What will stand at the target.
    pub fingerprint: Fingerprint,
}

impl Staged {
    /// Writes `content` beside `target` and flushes it to the disk.
    ///
    /// # Errors
    /// [`Error::Io`] naming `target` when its folder cannot be made or the disk is full.
    pub fn from_bytes(target: &Path, content: &[u8]) -> Result<Self> {
        Self::from_writer(target, |out| out.write_all(content))
    }

    /// As [`Staged::from_bytes`], for the eyes of its owner only from the first byte on.
    ///
    /// # Errors
    /// As [`Staged::from_bytes`].
    pub fn private(target: &Path, content: &[u8]) -> Result<Self> {
        Self::written(temporary(target, OWNER)?, target, |out| out.write_all(content))
    }

    /// Lets `write` stream a file (a proving key, say), fingerprinting it on the way, and flushes it to the disk.
    ///
    /// # Errors
    /// [`Error::Io`] naming `target`.
    pub fn from_writer(target: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Self> {
        Self::written(temporary(target, EVERYBODY)?, target, write)
    }

    fn written(
        temp: NamedTempFile,
        target: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self> {
        let fingerprint = {
            let inner = BufWriter::with_capacity(1 << 18, temp.as_file());
            let mut out = Hashing { inner, hasher: Sha256::new(), bytes: 0 };
            write(&mut out).and_then(|()| out.flush()).map_err(|e| Error::io("write", target, e))?;
            Fingerprint { sha256: hex::encode(out.hasher.finalize()), bytes: out.bytes }
        };
        flushed(temp.as_file().sync_all(), target)?;
        Ok(Self { temp, target: target.to_owned(), fingerprint })
    }

    /// Gives the file its name, replacing what stood there in one step.
    ///
    /// # Errors
    /// [`Error::Io`] naming the target.
    pub fn publish(self) -> Result<Fingerprint> {
        let Self { temp, target, fingerprint } = self;
        temp.persist(&target).map_err(|e| Error::io("write", &target, e.error))?;
        sync_folder_of(&target)?;
        Ok(fingerprint)
    }

    /// Gives the file its name if nothing has that name, in one step; tells whether it did.
    ///
    /// # Errors
    /// [`Error::Io`] naming the target.
    pub fn publish_new(self) -> Result<bool> {
        let Self { temp, target, .. } = self;
        match temp.persist_noclobber(&target) {
            Ok(_) => sync_folder_of(&target).map(|()| true),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(Error::io("write", &target, e.error)),
        }
    }
}

/// Flushes the list of names that `file` stands in: without that, a file may be gone after a power cut although it was flushed.
///
/// # Errors
/// [`Error::Io`] naming the folder.
pub fn sync_folder_of(file: &Path) -> Result<()> {
    let folder = folder_of(file);
    // Windows opens no folders; a folder that may be searched but not read cannot be flushed either.
    let Ok(handle) = File::open(folder) else { return Ok(()) };
    match handle.sync_all() {
        // What cannot be written has nothing to flush.
        Err(e) if e.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        result => flushed(result, folder),
    }
}

/// A writer that fingerprints what passes through it.
struct Hashing<W> {
    inner: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hasher.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes one file whole or not at all.
///
/// # Errors
/// [`Error::Io`] naming `target`.
pub fn write_whole(target: &Path, content: &[u8]) -> Result<Fingerprint> {
    Staged::from_bytes(target, content)?.publish()
}

fn flushed(result: io::Result<()>, target: &Path) -> Result<()> {
    match result {
        // Some special file systems have no fsync; the content is written all the same.
        Err(e) if ![Some(libc::EINVAL), Some(libc::ENOTSUP)].contains(&e.raw_os_error()) => {
            Err(Error::io("write", target, e))
        }
        _ => Ok(()),
    }
}

pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder and those above it, each flushed into the one that it is in.
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists()).collect();
    fs::create_dir_all(folder).map_err(|e| Error::io("make the folder", folder, e))?;
    missing.into_iter().rev().try_for_each(sync_folder_of)
}

/// Permissions of files for all whom the umask does not exclude, and of private ones.
const EVERYBODY: u32 = 0o666;
const OWNER: u32 = 0o600;

fn temporary(target: &Path, mode: u32) -> Result<NamedTempFile> {
    // A rename would put a plain file where a device, a pipe or a folder is.
    if fs::metadata(target).is_ok_and(|m| !m.is_file()) {
        let refusal = io::Error::new(io::ErrorKind::InvalidInput, "it exists and is not a plain file");
        return Err(Error::io("write", target, refusal));
    }
    let folder = folder_of(target);
    make_folder(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(mode)); // the umask takes away what it should
    }
    #[cfg(not(unix))]
    let _ = mode;
    loop {
        let temp = builder.tempfile_in(folder).map_err(|e| Error::io("write", target, e))?;
        // Locked, it is no leftover. Between the two steps somebody may have taken it for one.
        match temp.as_file().try_lock() {
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !lock::has_its_name(temp.as_file(), temp.path())? => {}
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(temp),
        }
    }
}

/// Names of temporary files begin so.
const PREFIX: &str = ".writing-";

/// Removes what killed processes left in a folder: temporary files that nobody holds. A key may have hundreds of megabytes.
pub fn sweep(folder: &Path) {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    for left in names.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let held = File::options().write(true).open(left.path());
        if held.is_ok_and(|file| file.try_lock().is_ok() && fs::remove_file(left.path()).is_ok()) {
            tracing::debug!("removed {}, left by a process that was killed", left.path().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn fingerprints_agree_in_memory_and_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/file");
        let content = vec![7u8; 600_000];
        let written = write_whole(&path, &content).unwrap();
        assert_eq!(written, Fingerprint::of_file(&path).unwrap());
        assert_eq!(written.bytes, 600_000);
        assert_eq!(
            Fingerprint::of(b"abc").sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn an_abandoned_file_leaves_no_trace_and_keeps_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_whole(&path, b"old").unwrap();
        drop(Staged::from_bytes(&path, b"new").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn a_name_that_is_taken_is_not_given_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/file");
        let staged = [b"first", b"later"].map(|content| Staged::from_bytes(&path, content).unwrap());
        assert_eq!(staged.map(|file| file.publish_new().unwrap()), [true, false]);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(&dir.path().join("new")), ["file"]);
    }

    #[test]
    fn a_failing_writer_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let result = Staged::from_writer(&path, |out| {
            out.write_all(&vec![1; 1 << 20])?;
            Err(io::Error::other("full"))
        });
        assert!(result.is_err());
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn what_is_no_plain_file_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("device");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        let error = write_whole(&link, b"1").unwrap_err();
        assert!(std::error::Error::source(&error).is_some_and(|e| e.to_string().contains("plain file")));
        assert!(write_whole(dir.path(), b"1").is_err(), "a folder");
        assert_eq!(names(dir.path()), ["device"]);
    }

    #[test]
    fn a_folder_that_is_a_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("block"), b"").unwrap();
        let error = write_whole(&dir.path().join("block/x"), b"1").unwrap_err().to_string();
        assert!(error.contains("block"), "{error}");
    }
}
