//! Which artifact folder a command means.

use crate::{
    artifacts::{Artifacts, file},
    error::{Error, Result},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where artifact folders are made when `--dir` does not say.
pub const ROOT: &str = "artifacts";

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
        self.dir.clone().unwrap_or_else(|| Path::new(ROOT).join(model))
    }

    /// The existing folder that is meant.
    ///
    /// # Errors
    /// [`Error::WhichModel`] when none is named and there is not exactly one.
    pub fn existing(&self) -> Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let found = fs::read_dir(ROOT).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<PathBuf> = found.filter(|dir| dir.join(file::MANIFEST).is_file()).collect();
        found.sort();
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(Error::WhichModel { why: format!("there is no artifact folder in {ROOT}/") }),
            many => {
                let names: Vec<String> = many.iter().map(|p| p.display().to_string()).collect();
                Err(Error::WhichModel { why: format!("there are {}", names.join(", ")) })
            }
        }
    }

    /// Opens the folder to read from it.
    ///
    /// # Errors
    /// As [`Folder::existing`] and [`Artifacts::open`].
    pub fn open(&self) -> Result<Artifacts> {
        Artifacts::open(&self.existing()?)
    }

    /// Opens the folder to write to it.
    ///
    /// # Errors
    /// As [`Folder::existing`] and [`Artifacts::open_for_writing`].
    pub fn open_for_writing(&self) -> Result<Artifacts> {
        Artifacts::open_for_writing(&self.existing()?)
    }
}

/// The name of a model's folder: the file's stem in lower case, other than letters, digits, `-` and `_` left out.
pub fn model_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String = stem.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    if name.is_empty() { "model".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models() {
        assert_eq!(model_name(Path::new("a/Credit MLP.v2.onnx")), "creditmlpv2");
        assert_eq!(model_name(Path::new("../..")), "model");
        assert_eq!(model_name(Path::new("ключ.onnx")), "model");
    }
}
