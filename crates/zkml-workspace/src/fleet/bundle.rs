//! Files that proving with a model takes, as objects.

use super::{FleetError, Objects, objects::sha256};
use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
    steps::compiled,
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files of a bundle: all that proving takes, and neither the model as it was trained nor the data that it was calibrated with.
const FILES: [&str; 5] = [file::COMPILED, file::INTERFACE, file::PLAN, file::PROVING_KEY, file::PROGRAM];
/// Most bytes of a list of files.
const LIST: u64 = 1 << 16;
/// Bytes of a megabyte, as plans count them.
const MEGABYTE: u64 = 1_000_000;

/// A list of files: a fleet's name for a model is the digest of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    version: u32,
    /// The model's name, for people.
    pub model: String,
    /// Number of bytes that proving takes, as planned.
    pub memory: u64,
    files: Vec<Listed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: String,
    bytes: u64,
    sha256: String,
}

/// A model that workers can get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The model's name.
    pub model: String,
    /// A fleet's name for it.
    pub program: String,
    /// Its place.
    pub objects: String,
    /// Number of bytes of its files.
    pub bytes: u64,
    /// Number of bytes that were not there before.
    pub sent: u64,
    /// Number of bytes that proving takes, as planned.
    pub memory: u64,
}

/// Puts what proving with a model takes into object storage. What is there already is not sent again.
///
/// # Errors
/// A missing or stale artifact, [`FleetError::NotForFleets`], [`FleetError::Storage`].
pub fn publish(artifacts: &Artifacts, objects: &Objects) -> Result<Published> {
    let compiled = compiled::load(artifacts)?;
    let graph = compiled.graph();
    if !graph.weights.is_empty() {
        return Err(FleetError::NotForFleets { what: "private weights" }.into());
    }
    if graph.outputs.iter().any(|output| output.visibility == zkml_graph::Visibility::Committed) {
        return Err(FleetError::NotForFleets { what: "outputs that are committed to" }.into());
    }
    artifacts.require(file::PROVING_KEY)?;
    artifacts.require(file::PROGRAM)?;
    let (mut files, mut bytes, mut sent) = (Vec::new(), 0, 0);
    for name in FILES {
        let path = artifacts.path(name);
        let content = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
        let (digest, length) = (sha256(&content), content.len() as u64);
        let object = format!("files/{digest}");
        // Another length, other bytes, or none at all.
        if objects.get_digest(&object, &digest, length).is_err() {
            objects.put(&object, content)?;
            sent += length;
        }
        bytes += length;
        files.push(Listed { name: name.to_owned(), bytes: length, sha256: digest });
    }
    let memory = compiled.plan().cost().memory_mb_estimate.saturating_mul(MEGABYTE);
    let bundle = Bundle { version: 1, model: artifacts.model().to_owned(), memory, files };
    let list = serde_json::to_vec(&bundle).map_err(|e| objects.damaged("a list of files", e.to_string()))?;
    let program = sha256(&list);
    objects.put(&format!("programs/{program}"), list)?;
    Ok(Published { model: bundle.model, program, objects: objects.place().to_owned(), bytes, sent, memory })
}

impl Bundle {
    /// Reads a list of files.
    ///
    /// # Errors
    /// [`FleetError::Storage`], [`FleetError::Damaged`].
    pub fn get(objects: &Objects, program: &str) -> Result<Self> {
        let object = format!("programs/{program}");
        let damaged = |why: String| objects.damaged(&object, why);
        if program.len() != 64 || !program.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(damaged("its name is no digest".to_owned()));
        }
        let list = objects.get_digest(&object, program, LIST)?;
        let bundle: Self = serde_json::from_slice(&list).map_err(|e| damaged(e.to_string()))?;
        if bundle.version != 1 {
            return Err(damaged(format!("its version is {}, this program reads 1", bundle.version)));
        }
        if bundle.files.iter().map(|file| file.name.as_str()).ne(FILES) {
            return Err(damaged("its files are not those that proving takes".to_owned()));
        }
        Ok(bundle)
    }

    /// Number of bytes of its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add)
    }

    /// Brings its files into a folder, once each: what is there and has its digest stays.
    ///
    /// # Errors
    /// [`FleetError::Storage`], [`FleetError::Damaged`], [`Error::Io`].
    pub fn fetch(&self, objects: &Objects, folder: &Path) -> Result<PathBuf> {
        fs::create_dir_all(folder).map_err(|e| Error::io("make the folder", folder, e))?;
        for file in &self.files {
            let path = folder.join(&file.name);
            if fs::read(&path).is_ok_and(|there| sha256(&there) == file.sha256) {
                continue;
            }
            let content = objects.get_digest(&format!("files/{}", file.sha256), &file.sha256, file.bytes)?;
            crate::artifacts::write_whole(&path, &content)?;
        }
        Ok(folder.to_owned())
    }
}
