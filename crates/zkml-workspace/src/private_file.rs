//! What only the owner may see: the salts of commitments, and the values behind them.
//!
//! A private file lies beside the data that it opens, readable by its owner alone. It only ever grows: an opening that
//! a contract may rely on is never replaced. No other file, report or message carries a salt. [`store`] says how it grows.

mod store;

use crate::{
    artifacts::Staged,
    error::{Error, Result},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};
pub use zkml::opening::{Opening, Part, Preimage, Salt};

/// The layout of private files that this version reads and writes.
pub const VERSION: u32 = 1;
/// What stands first in every private file.
const NOTICE: &str = "PRIVATE. Who has this file can open the commitments below, and guess what is behind others of \
     the same salt. Without it nobody can prove under them again: keep a copy, publish none.";

/// The content of a private file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateFile {
    /// What the file is, for people.
    notice: String,
    /// Layout version, [`VERSION`].
    version: u32,
    /// The openings, oldest first.
    pub openings: Vec<Opening>,
}

/// Openings that were found in a private file, or made and written there. Either way they are on the disk.
#[derive(Debug)]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// One opening per preimage.
    pub openings: Vec<Opening>,
    /// Whether all of them were there before.
    pub reused: bool,
}

impl PrivateFile {
    /// A file with these openings.
    pub fn new(openings: Vec<Opening>) -> Self {
        Self { notice: NOTICE.to_owned(), version: VERSION, openings }
    }

    /// Reads a private file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Content`] for something else.
    pub fn read(path: &Path) -> Result<Self> {
        let refuse = |why: String| Error::content(path, why);
        let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
        // The parser's own message would quote the place, and with it a secret.
        let file: Self = serde_json::from_slice(&bytes).map_err(|e| {
            refuse(format!(
                "it is not a private file of zkml-chain (line {}, column {})",
                e.line(),
                e.column()
            ))
        })?;
        if file.version != VERSION {
            return Err(refuse(format!(
                "its layout version is {}, this program reads {VERSION}",
                file.version
            )));
        }
        Ok(file)
    }

    /// Writes it whole beside its target under another name, readable by its owner only from the first byte on.
    fn stage(&self, path: &Path) -> Result<Staged> {
        Staged::private(path, &crate::json::pretty(self))
    }
}

/// The private file beside a file: `input.json` → `input.private.json`, and `input.3.private.json` for its sample 3.
pub fn beside(path: &Path, index: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".json").unwrap_or(&name);
    let number = if index == 0 { String::new() } else { format!(".{index}") };
    path.with_file_name(format!("{stem}{number}.private.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_protocol::{Code, Word, commitment::Role};

    fn preimage(values: &[i64]) -> Preimage {
        let code = Code { bits: 48, signed: true };
        Preimage { role: Role::Input, name: "x".into(), parts: vec![Part { code, values: values.to_vec() }] }
    }

    #[test]
    fn nothing_secret_is_printed() {
        // Long enough not to stand among the digits of a commitment by chance.
        const VALUE: i64 = 101_202_303_404;
        let opening = Opening::fresh(Word::ONE, &preimage(&[VALUE, 102])).expect("commits");
        let salt = opening.salt.reveal().to_string();
        let shown = format!("{:?}", PrivateFile::new(vec![opening]));
        assert!(!shown.contains(&salt[2..]) && !shown.contains(&VALUE.to_string()), "{shown}");
    }

    #[test]
    fn a_salt_is_made_once_and_kept() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("input.private.json");
        let keep = |model: u64, values: &[i64]| PrivateFile::keep(&path, model.into(), &[preimage(values)]);
        let first = keep(1, &[1, 2]).expect("made");
        let again = keep(1, &[1, 2]).expect("found");
        assert!(!first.reused && again.reused);
        assert_eq!(first.openings, again.openings);
        assert_eq!(again.openings[0].recompute().expect("fits"), again.openings[0].commitment);
        let before = fs::read(&path).expect("file");
        let other = keep(1, &[1, 3]);
        assert!(matches!(&other, Err(Error::OtherData { name, .. }) if name == "x"), "{other:?}");
        assert_eq!(fs::read(&path).expect("file"), before, "an opening is never replaced");
        let elsewhere = keep(2, &[1, 3]).expect("another model has its own");
        assert_ne!(elsewhere.openings[0].salt, first.openings[0].salt);
        assert_eq!(PrivateFile::read(&path).expect("file").openings.len(), 2);
        assert_eq!(keep(1, &[1, 2]).expect("still there").openings, first.openings);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("new/input.private.json");
        PrivateFile::keep(&path, Word::ONE, &[preimage(&[1])]).expect("made");
        PrivateFile::keep(&path, Word::ZERO, &[preimage(&[1])]).expect("grown");
        let mode = fs::metadata(&path).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(dir.path().join("new")).expect("folder").count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_is_no_private_file_is_refused_without_quoting_it() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("f");
        fs::write(&path, "{\"salt\": \"0xdeadbeef\", oops}").expect("written");
        let error = PrivateFile::read(&path).expect_err("no private file").to_string();
        assert!(error.contains("line 1") && !error.contains("deadbeef"), "{error}");
        let mut file = PrivateFile::new(vec![]);
        file.version = 9;
        file.stage(&path).and_then(Staged::publish).expect("written");
        assert!(PrivateFile::read(&path).expect_err("another version").to_string().contains("version is 9"));
    }

    #[test]
    fn names_of_private_files() {
        assert_eq!(beside(Path::new("a/input.json"), 0), Path::new("a/input.private.json"));
        assert_eq!(beside(Path::new("samples.json"), 3), Path::new("samples.3.private.json"));
        assert_eq!(beside(Path::new("a/data.txt"), 0), Path::new("a/data.txt.private.json"));
    }
}
