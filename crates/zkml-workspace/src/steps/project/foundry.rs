//! What a Foundry project takes from `run`: the generated contracts, the contracts that they import, and a real proof
//! for the tests. The folder is replaced as a whole, and only if `run` wrote it.

use crate::{
    artifacts::{Artifacts, file, write_whole},
    context_file::ContextFile,
    error::{Error, Result},
    steps::calldata::Calldata,
    value,
};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};
use zkml_contracts::library;
use zkml_harness::Address;
use zkml_protocol::{Word, binding::Context, keccak256};

/// Says what the folder is; without it, a folder is not replaced.
const MARK: &str = "README.md";
const MARKED: &str = "Written by `zkml-chain run`, and replaced by it as a whole: change nothing here.\n\n\
    `*.sol` are the model's contracts, `lib` the contracts that they import, `proof.json` a real proof for tests.\n\
    Commit all of it, so that `forge test` passes where no model is.\n";
/// 1 January 2100, in seconds since 1970: tests should pass for a while.
const DEADLINE: u64 = 4_102_444_800;
/// Foundry's chain.
const CHAIN_ID: u64 = 31_337;

/// The proof as tests read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fixture<'a> {
    /// The consumer is the first contract of this account.
    deployer: String,
    /// What the proof is bound to.
    statement: &'a ContextFile,
    #[serde(flatten)]
    calldata: &'a Calldata,
}

/// What the tests' proof is bound to: their own chain, the first contract of an account, an account, an action.
#[must_use]
pub(super) fn statement(action: Word) -> Context {
    Context {
        chain_id: CHAIN_ID,
        consumer: Address::from(account("deployer")).create(0).into_array(),
        subject: account("subject"),
        nonce: Word::ZERO,
        deadline: Word::from_u64(DEADLINE),
        action,
    }
}

/// An account that nobody has a key of.
fn account(name: &str) -> [u8; 20] {
    let hash = keccak256([b"zkml-chain run: ".as_slice(), name.as_bytes()]);
    std::array::from_fn(|i| hash.0[12 + i])
}

/// Sees that the folder may be replaced: before the work, not after it.
///
/// # Errors
/// [`Error::NotGenerated`].
pub(super) fn check(dir: &Path) -> Result<()> {
    let empty = fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_none());
    let ours = || fs::read_to_string(dir.join(MARK)).is_ok_and(|text| text == MARKED);
    let free = !dir.exists() || (dir.is_dir() && (empty || ours()));
    if free { Ok(()) } else { Err(Error::NotGenerated { dir: dir.to_owned() }) }
}

/// Writes the folder anew, with the contracts among the files that `gen-verifier` wrote.
///
/// # Errors
/// As [`check`]; a missing artifact, a full disk.
pub(super) fn write(
    dir: &Path,
    artifacts: &Artifacts,
    solidity: &[PathBuf],
    calldata: &Calldata,
    statement: &Context,
) -> Result<PathBuf> {
    check(dir)?;
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let make = |e| Error::io("make the folder", dir, e);
    fs::create_dir_all(above).map_err(make)?;
    let stage = tempfile::Builder::new().prefix(".run-").tempdir_in(above).map_err(make)?;
    let (new, old) = (stage.path().join("new"), stage.path().join("old"));
    for (path, content) in contents(artifacts, solidity, calldata, statement)? {
        write_whole(&new.join(path), &content)?;
    }
    let replace = |from: &Path, to: &Path| fs::rename(from, to).map_err(|e| Error::io("write", dir, e));
    if dir.exists() {
        replace(dir, &old)?;
    }
    replace(&new, dir)?;
    Ok(dir.to_owned())
}

/// Paths in the folder, and what is there.
fn contents(
    artifacts: &Artifacts,
    solidity: &[PathBuf],
    calldata: &Calldata,
    statement: &Context,
) -> Result<Vec<(String, Vec<u8>)>> {
    let fixture = Fixture {
        deployer: value::checksummed(&account("deployer")),
        statement: &ContextFile::from(statement),
        calldata,
    };
    let mut files = vec![
        (MARK.to_owned(), MARKED.as_bytes().to_vec()),
        ("proof.json".to_owned(), crate::json::pretty(&fixture)),
    ];
    let package = library::PREFIX.trim_end_matches("src/");
    let library = library::SOURCES.iter();
    files.extend(
        library.map(|(name, text)| {
            (format!("lib/{}", name.trim_start_matches(package)), text.as_bytes().to_vec())
        }),
    );
    for path in solidity.iter().filter(|path| path.extension().is_some_and(|e| e == "sol")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = artifacts.load(&format!("{}/{name}", file::SOLIDITY))?;
        files.push((name, text));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_its_own_are_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("generated");
        check(&dir).unwrap();
        fs::create_dir(&dir).unwrap();
        check(&dir).unwrap();
        fs::write(dir.join("Mine.sol"), b"").unwrap();
        assert_eq!(check(&dir).unwrap_err().name(), "not-generated");
        fs::write(dir.join(MARK), MARKED).unwrap();
        check(&dir).unwrap();
    }

    #[test]
    fn the_statement_is_the_same_everywhere() {
        let action = keccak256([b"approve".as_slice()]);
        assert_eq!(statement(action), statement(action));
        assert_ne!(statement(action).digest(), statement(Word::ZERO).digest());
        assert_ne!(account("deployer"), account("subject"));
    }
}
