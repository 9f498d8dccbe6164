//! `manifest.json`: which step wrote each file, its hash, and the hashes of what it was made from.

use super::atomic::Fingerprint;
use crate::error::{Error, Result, Why};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// The layout of the artifact folder that this version reads and writes.
const VERSION: u32 = 1;

/// The content of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Layout version, always 1.
    pub version: u32,
    /// The model's name: the ONNX file's stem, in lower case.
    pub model: String,
    /// Version of the toolkit that wrote the folder last.
    pub toolkit: String,
    /// Every file that a step wrote, by its path relative to the folder.
    pub files: BTreeMap<String, Entry>,
}

/// One file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// SHA-256 of the content.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    /// The command that wrote it.
    pub made_by: String,
    /// SHA-256 of every file it was made from, as that file was then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made_from: BTreeMap<String, String>,
}

impl Entry {
    pub(super) fn matches(&self, found: &Fingerprint) -> bool {
        self.sha256 == found.sha256 && self.bytes == found.bytes
    }
}

impl Manifest {
    /// An empty manifest for `model`.
    pub fn new(model: &str) -> Self {
        Self {
            version: VERSION,
            model: model.to_owned(),
            toolkit: env!("CARGO_PKG_VERSION").to_owned(),
            files: BTreeMap::new(),
        }
    }

    /// Parses `manifest.json`.
    ///
    /// # Errors
    /// [`Error::Manifest`] when it is no manifest or of another layout version.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let refuse = |why: Why| Error::Manifest { path: path.to_owned(), why: Box::new(why) };
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| refuse(e.into()))?;
        if manifest.version != VERSION {
            let found = manifest.version;
            return Err(refuse(
                format!("its layout version is {found}, this program reads {VERSION}").into(),
            ));
        }
        Ok(manifest)
    }

    /// The bytes to write: pretty, ordered, ending in a newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::json::pretty(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses_other_versions() {
        let mut manifest = Manifest::new("credit");
        manifest.files.insert(
            "a".into(),
            Entry { sha256: "00".into(), bytes: 1, made_by: "compile".into(), made_from: BTreeMap::new() },
        );
        let path = Path::new("m");
        assert_eq!(Manifest::parse(path, &manifest.to_bytes()).unwrap(), manifest);
        manifest.version = 9;
        let error = Manifest::parse(path, &manifest.to_bytes()).unwrap_err().to_string();
        assert!(error.contains("version is 9"), "{error}");
        assert!(Manifest::parse(path, b"{}").is_err());
    }
}
