//! Where records of deployments lie: one file per chain and model.

use crate::{
    artifacts::write_whole,
    error::{Error, Result},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zkml_deploy::{DeployError, record::Record};

/// Where records are when `--deployments` does not say.
pub const ROOT: &str = "deploy/deployments";

/// The record of a model on a chain.
#[derive(Debug, Clone)]
pub struct Records {
    path: PathBuf,
}

impl Records {
    /// `<root>/<chain id>/<model>.json`.
    #[must_use]
    pub fn of(root: &Path, chain_id: u64, model: &str) -> Self {
        Self { path: root.join(chain_id.to_string()).join(format!("{model}.json")) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The record, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`], and [`DeployError::Record`] for a damaged one.
    pub fn read(&self) -> Result<Option<Record>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(Record::parse(&self.path, &bytes)?)),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(Error::io("read", &self.path, e)),
        }
    }

    /// The record, which must be there.
    ///
    /// # Errors
    /// As [`Records::read`]; [`DeployError::NoRecord`].
    pub fn require(&self) -> Result<Record> {
        self.read()?.ok_or_else(|| DeployError::NoRecord { path: self.path.clone() }.into())
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, record: &Record) -> Result<()> {
        write_whole(&self.path, &record.to_bytes()).map(drop)
    }
}
