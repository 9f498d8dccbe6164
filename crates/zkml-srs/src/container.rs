//! Binary files with a magic number, a header and a checksum, so that what is parsed is what was written.
//!
//! `magic ‖ length of header ‖ header ‖ body ‖ checksum`: written in one pass, without holding the body.

use std::{
    io::{self, Write},
    path::Path,
};

use blake2b_simd::{Params, State};

use crate::failure::{Error, Result};

const DIGEST: usize = 32;

/// An opened file.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// What the file says it belongs to.
    pub header: &'a [u8],
    /// The contents.
    pub body: &'a [u8],
}

/// Hashes what it passes on, and remembers the first failure: the proving library's writers panic on any.
struct Hashing<W> {
    inner: W,
    state: State,
    failure: Option<io::Error>,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.failure.is_none() {
            self.state.update(buf);
            self.failure = self.inner.write_all(buf).err();
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hasher() -> State {
    Params::new().hash_length(DIGEST).to_state()
}

/// Writes a file whose body `body` writes.
///
/// # Errors
/// What the writer or `body` returns.
pub fn write(
    out: impl Write,
    magic: &[u8; 16],
    header: &[u8],
    body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // The library writes element by element.
    let inner = io::BufWriter::with_capacity(1 << 20, out);
    let mut hashing = Hashing { inner, state: hasher(), failure: None };
    hashing.write_all(magic)?;
    hashing.write_all(&(header.len() as u64).to_le_bytes())?;
    hashing.write_all(header)?;
    body(&mut hashing)?;
    if let Some(e) = hashing.failure {
        return Err(e);
    }
    let mut inner = hashing.inner;
    inner.write_all(hashing.state.finalize().as_bytes())?;
    inner.flush()
}

impl<'a> Container<'a> {
    /// Checks magic and checksum. `path` is for messages.
    ///
    /// # Errors
    /// [`Error::BadFile`] for another magic number, a wrong checksum, or a file that ends too early.
    pub fn open(path: &Path, magic: &[u8; 16], bytes: &'a [u8]) -> Result<Self> {
        let bad = |detail: &str| Error::BadFile { path: path.into(), detail: detail.into() };
        let kind = String::from_utf8_lossy(magic).into_owned();
        let rest = bytes.strip_prefix(magic.as_slice()).ok_or_else(|| bad(&format!("not a {kind} file")))?;
        let end = rest.len().checked_sub(DIGEST).ok_or_else(|| bad("truncated; make it again"))?;
        let (content, sum) = rest.split_at(end);
        if sum != hasher().update(magic).update(content).finalize().as_bytes() {
            return Err(bad("its checksum is wrong, it was truncated or changed; make it again"));
        }
        let (length, content) =
            content.split_first_chunk::<8>().ok_or_else(|| bad("truncated; make it again"))?;
        let header_len = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (header, body) =
            content.split_at_checked(header_len).ok_or_else(|| bad("truncated; make it again"))?;
        Ok(Self { header, body })
    }
}
