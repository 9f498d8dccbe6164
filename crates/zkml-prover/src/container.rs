//! Binary files with a magic number, a header and a checksum, so that what is parsed is what was written.

use std::path::Path;

use blake2b_simd::Params;

use crate::error::{ProverError, Result};

const DIGEST: usize = 32;

/// An opened file.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// What the file says it belongs to.
    pub header: &'a [u8],
    /// The contents.
    pub body: &'a [u8],
}

fn digest(parts: &[&[u8]]) -> [u8; DIGEST] {
    let mut state = Params::new().hash_length(DIGEST).to_state();
    parts.iter().for_each(|p| {
        state.update(p);
    });
    let mut out = [0; DIGEST];
    out.copy_from_slice(state.finalize().as_bytes());
    out
}

impl<'a> Container<'a> {
    /// `magic ‖ checksum ‖ length of header ‖ header ‖ body`.
    pub fn seal(magic: &[u8; 16], header: &[u8], body: &[u8]) -> Vec<u8> {
        let length = (header.len() as u64).to_le_bytes();
        let mut out = Vec::with_capacity(16 + DIGEST + 8 + header.len() + body.len());
        out.extend_from_slice(magic);
        out.extend_from_slice(&digest(&[magic, &length, header, body]));
        out.extend_from_slice(&length);
        out.extend_from_slice(header);
        out.extend_from_slice(body);
        out
    }

    /// Checks magic and checksum. `path` is for messages.
    pub fn open(path: &Path, magic: &[u8; 16], bytes: &'a [u8]) -> Result<Self> {
        let bad = |detail: &str| ProverError::BadFile { path: path.into(), detail: detail.into() };
        let kind = String::from_utf8_lossy(magic).into_owned();
        let rest = bytes.strip_prefix(magic.as_slice()).ok_or_else(|| bad(&format!("not a {kind} file")))?;
        let (sum, rest) = rest.split_at_checked(DIGEST).ok_or_else(|| bad("truncated; make it again"))?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(|| bad("truncated; make it again"))?;
        let header_len = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (header, body) =
            rest.split_at_checked(header_len).ok_or_else(|| bad("truncated; make it again"))?;
        if sum != digest(&[magic, length, header, body]) {
            return Err(bad("its checksum is wrong, it was truncated or changed; make it again"));
        }
        Ok(Self { header, body })
    }
}
