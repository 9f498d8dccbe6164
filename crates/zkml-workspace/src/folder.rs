//! Where artifact folders lie, and how they are called.

use crate::{
    artifacts::file,
    error::{Error, Result},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where artifact folders are made unless somebody says otherwise.
pub const ROOT: &str = "artifacts";

/// The folder to make for `model`, below [`ROOT`].
#[must_use]
pub fn for_model(model: &str) -> PathBuf {
    Path::new(ROOT).join(model)
}

/// The only artifact folder below [`ROOT`].
///
/// # Errors
/// [`Error::WhichModel`] when there is not exactly one.
pub fn only() -> Result<PathBuf> {
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

/// The name of a model's folder: the file's stem in lower case, other than letters, digits, `-` and `_` left out.
#[must_use]
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
