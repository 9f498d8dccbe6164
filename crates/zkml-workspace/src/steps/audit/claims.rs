//! What somebody claims: the files of an artifact folder and the bytecode of a chain, read as they are.

use super::Request;
use crate::{
    artifacts::{Manifest, file},
    error::{Error, Result},
};
use serde::de::DeserializeOwned;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zkml::Plan;
use zkml_protocol::{Program, Word, keccak256};

/// Claims; what is absent is not compared.
#[derive(Debug, Default)]
pub(super) struct Claims {
    dir: Option<PathBuf>,
    /// The model's name in the manifest.
    pub(super) name: Option<String>,
    /// Bytes of `graph.bin`.
    pub(super) graph: Option<Vec<u8>>,
    pub(super) plan: Option<Plan>,
    pub(super) program: Option<Program>,
    /// Runtime code on a chain.
    pub(super) bytecode: Option<Vec<u8>>,
}

impl Claims {
    pub(super) fn read(request: &Request) -> Result<Self> {
        let bytecode = request.bytecode.as_deref().map(bytecode).transpose()?;
        let Some(dir) = &request.dir else { return Ok(Self { bytecode, ..Self::default() }) };
        let manifest = dir.join(file::MANIFEST);
        let Some(bytes) = optional(&manifest)? else {
            return Err(Error::NoArtifacts { dir: dir.clone() });
        };
        Ok(Self {
            dir: Some(dir.clone()),
            name: Some(Manifest::parse(&manifest, &bytes)?.model),
            graph: optional(&dir.join(file::COMPILED))?,
            plan: json(&dir.join(file::PLAN))?,
            program: program(&dir.join(file::PROGRAM))?,
            bytecode,
        })
    }

    /// A file among the generated contracts.
    pub(super) fn solidity(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.dir.as_ref().map_or(Ok(None), |dir| optional(&dir.join(file::SOLIDITY).join(name)))
    }
}

fn program(path: &Path) -> Result<Option<Program>> {
    let read = |bytes: Vec<u8>| zkml::program_from_json(&bytes).map_err(|e| Error::content(path, e));
    optional(path)?.map(read).transpose()
}

/// The content of a file that may be absent.
fn optional(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes);
    optional(path)?.map(parse).transpose().map_err(|e| Error::content(path, e))
}

/// Hash of the creation code in what `gen-verifier` wrote; the zero word where there is none.
pub(super) fn creation(artifact: &[u8]) -> Word {
    let code = serde_json::from_slice::<serde_json::Value>(artifact)
        .ok()
        .and_then(|json| hexadecimal(json["bytecode"].as_str()));
    code.map_or(Word::ZERO, |code| keccak256([code.as_slice()]))
}

/// Bytecode from the command line: `0x…`, or a file that holds it as text, as bytes, or as `deployedBytecode` in what
/// `gen-verifier` or forge wrote.
///
/// # Errors
/// [`Error::Content`] for text that is no bytecode, [`Error::Io`] for a file that cannot be read.
pub fn bytecode(text: &str) -> Result<Vec<u8>> {
    let path = Path::new(text);
    let refuse = |why: &str| Error::content(path, why);
    let code = if text.starts_with("0x") {
        hexadecimal(Some(text)).ok_or_else(|| refuse("it is not hexadecimal"))?
    } else {
        let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
        let text = std::str::from_utf8(&bytes).map(str::trim);
        match text {
            Ok(json) if json.starts_with('{') => {
                let json: serde_json::Value =
                    serde_json::from_str(json).map_err(|e| Error::content(path, e))?;
                let code = &json["deployedBytecode"];
                hexadecimal(code.as_str().or_else(|| code["object"].as_str()))
                    .ok_or_else(|| refuse("it has no `deployedBytecode`"))?
            }
            Ok(text) => hexadecimal(Some(text)).ok_or_else(|| refuse("it is not hexadecimal"))?,
            Err(_) => bytes,
        }
    };
    if code.is_empty() { Err(refuse("it is empty: is the contract deployed at all?")) } else { Ok(code) }
}

fn hexadecimal(text: Option<&str>) -> Option<Vec<u8>> {
    let text = text?;
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_comes_in_many_coats() {
        let dir = tempfile::tempdir().expect("folder");
        let file = |content: &[u8]| {
            let path = dir.path().join("code");
            fs::write(&path, content).expect("written");
            bytecode(&path.display().to_string())
        };
        let want = [0x60, 0xfe];
        assert_eq!(bytecode("0x60fe").expect("hex"), want);
        assert_eq!(file(b"0x60fe\n").expect("text"), want);
        assert_eq!(file(b"60FE").expect("text"), want);
        assert_eq!(file(&want).expect("bytes"), want);
        assert_eq!(file(br#"{"deployedBytecode": "0x60fe"}"#).expect("artifact"), want);
        assert_eq!(file(br#"{"deployedBytecode": {"object": "0x60fe"}}"#).expect("artifact"), want);
        for bad in [&b"0x"[..], b"", b"0x6", b"{}", b"{", b"not code"] {
            assert!(matches!(file(bad), Err(Error::Content { .. })), "{bad:?}");
        }
        assert!(bytecode("0xzz").is_err() && bytecode("/no/such/file").is_err());
    }
}
