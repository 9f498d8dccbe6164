//! Where records of deployments lie: one file per chain and model.

use crate::{
    artifacts::{lock, write_whole},
    error::{Error, Result},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zkml_deploy::{DeployError, error::RecordError, record::Record};

/// Where records are unless somebody says otherwise.
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

/// A record that a command goes on writing. The first time, it makes sure that nobody else does, and that nobody has since it
/// was read: two deployments at once would each keep half of what was sent.
#[derive(Debug)]
pub struct Writing {
    records: Records,
    /// What was read, as bytes.
    found: Option<Vec<u8>>,
    claim: Option<lock::Claim>,
}

impl Writing {
    /// Begins with what was read; nothing is made before the first [`Writing::write`].
    #[must_use]
    pub fn new(records: Records, found: Option<&Record>) -> Self {
        Self { records, found: found.map(Record::to_bytes), claim: None }
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`]; [`DeployError::Record`] when another command writes it, or has written it meanwhile.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        if self.claim.is_none() {
            self.claim = Some(self.claim()?);
        }
        self.records.write(record)
    }

    fn claim(&self) -> Result<lock::Claim> {
        let refused =
            |source| -> Error { DeployError::Record { path: self.records.path.clone(), source }.into() };
        let claim = lock::claim(&self.records.path.with_extension("lock"))?
            .ok_or_else(|| refused(RecordError::InUse))?;
        if self.records.read()?.map(|r| r.to_bytes()) != self.found {
            return Err(refused(RecordError::Meanwhile));
        }
        Ok(claim)
    }
}
