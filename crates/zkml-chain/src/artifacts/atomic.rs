//! Files written whole or not at all: a temporary file beside the target, flushed to disk, then renamed.

use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
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
        sync(temp.as_file(), target)?;
        Ok(Self { temp, target: target.to_owned(), fingerprint })
    }

    /// Gives the file its name, replacing what stood there in one step.
    ///
    /// # Errors
    /// [`Error::Io`] naming the target.
    pub fn publish(self) -> Result<Fingerprint> {
        let Self { temp, target, fingerprint } = self;
        temp.persist(&target).map_err(|e| Error::io("write", &target, e.error))?;
        // The rename itself must survive a power cut; a file system that cannot sync a folder is no reason to fail.
        if let Some(folder) = target.parent().and_then(|p| File::open(p).ok()) {
            let _ = folder.sync_all();
        }
        Ok(fingerprint)
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

fn sync(file: &File, target: &Path) -> Result<()> {
    match file.sync_all() {
        // Some special file systems have no fsync; the content is written all the same.
        Err(e) if e.raw_os_error() != Some(libc::EINVAL) => Err(Error::io("write", target, e)),
        _ => Ok(()),
    }
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
    let folder = match target.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|e| Error::io("make the folder", folder, e))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(mode)); // the umask takes away what it should
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder.tempfile_in(folder).map_err(|e| Error::io("write", target, e))
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
