//! The number that binds a proof to its use, and the file that `prove` takes it from.

use crate::{artifacts::write_whole, context_file::ContextFile, error::Result};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zkml_protocol::{Word, binding::Context};

/// A context with its parts, and the hashes on the way.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextReport {
    /// What the file holds.
    #[serde(flatten)]
    pub content: ContextFile,
    /// EIP-712 domain separator of the consumer.
    pub domain_separator: Word,
    /// EIP-712 hash of the message.
    pub struct_hash: Word,
    /// EIP-712 digest; the context is its lowest 253 bits.
    pub digest: Word,
    /// The file that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// Computes a context, and writes the file if one is named.
///
/// # Errors
/// [`crate::error::Error::Io`] when the file cannot be written.
pub fn run(context: &Context, out: Option<&Path>) -> Result<ContextReport> {
    let content = ContextFile::from(context);
    if let Some(path) = out {
        write_whole(path, &content.to_bytes())?;
    }
    Ok(ContextReport {
        content,
        domain_separator: context.domain_separator(),
        struct_hash: context.struct_hash(),
        digest: context.typed_digest(),
        file: out.map(Path::to_owned),
    })
}
