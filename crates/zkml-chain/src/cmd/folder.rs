//! The flag that names an artifact folder.

use crate::error::Result;
use std::path::PathBuf;
use zkml_workspace::{artifacts::Artifacts, folder};

/// Names the artifact folder.
#[derive(Debug, Clone, clap::Args)]
pub struct Folder {
    /// Artifact folder [default: artifacts/<MODEL>, or the only one in artifacts/]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Folder {
    /// The folder to make for `model`.
    pub fn for_model(&self, model: &str) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| folder::for_model(model))
    }

    /// The existing folder that is meant.
    ///
    /// # Errors
    /// [`WhichModel`](zkml_workspace::Error::WhichModel) when none is named and there is not exactly one.
    pub fn existing(&self) -> Result<PathBuf> {
        Ok(match &self.dir {
            Some(dir) => dir.clone(),
            None => folder::only()?,
        })
    }

    /// Opens the folder to read from it.
    ///
    /// # Errors
    /// As [`Folder::existing`] and [`Artifacts::open`].
    pub fn open(&self) -> Result<Artifacts> {
        Ok(Artifacts::open(&self.existing()?)?)
    }

    /// Opens the folder to write to it.
    ///
    /// # Errors
    /// As [`Folder::existing`] and [`Artifacts::open_for_writing`].
    pub fn open_for_writing(&self) -> Result<Artifacts> {
        Ok(Artifacts::open_for_writing(&self.existing()?)?)
    }
}
