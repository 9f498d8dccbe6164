//! Sections of statements from the values behind them, and inputs that are kept for whoever proves later.

use super::prove::sample;
use crate::{
    artifacts::{Artifacts, Staged},
    error::{Error, Result},
    json,
    private_file::{Opening, PrivateFile, beside},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use zkml_protocol::{Encoding, Field, Word};

/// The words of a section of a statement about these values; none if they are not what its fields hold.
pub(super) fn section(fields: &[Field], values: &[Vec<i64>], openings: &[Opening]) -> Option<Vec<Word>> {
    if fields.len() != values.len() {
        return None;
    }
    let mut words = Vec::new();
    for (field, values) in fields.iter().zip(values) {
        match field.encoding {
            Encoding::Commitment => {
                words.push(openings.iter().find(|opening| opening.name == field.name)?.commitment);
            }
            Encoding::Signed | Encoding::Packed(_) => words.extend(field.encode(values)?),
        }
    }
    Some(words)
}

/// Puts a sample, and the openings of what it is committed to by, at a path and beside it. Returns the second file, which is there first: whoever proves
/// begins when both are.
pub(super) fn share(
    artifacts: &Artifacts,
    (file, index): (Option<&Path>, usize),
    path: &Path,
    openings: &[Opening],
) -> Result<PathBuf> {
    let (interface, sample) = sample(artifacts, file, index)?;
    let names = interface.inputs.iter().map(|input| &input.port.name);
    let values: BTreeMap<_, _> = names.zip(sample.values()).collect();
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e))?;
    let salts = beside(path, 0);
    if !openings.is_empty() {
        PrivateFile::add(&salts, openings)?;
    }
    Staged::private(path, &json::pretty(&serde_json::json!({ "inputs": values })))?.publish()?;
    Ok(salts)
}
