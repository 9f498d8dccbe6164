//! What a proof is to be bound to, as a file: who may use it, where, when and what for.

use crate::{
    artifacts::write_whole,
    error::{Error, Result, Why},
    value,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};
use zkml_protocol::{Word, binding::Context};

/// The content of a context file. Numbers are decimal text, since they have more digits than JSON's readers keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContextFile {
    /// Chain of the consumer.
    #[serde(deserialize_with = "number")]
    pub chain_id: String,
    /// Address of the consumer contract.
    pub consumer: String,
    /// Whom the inference is about.
    pub subject: String,
    /// The subject's next nonce at the consumer.
    #[serde(deserialize_with = "number")]
    pub nonce: String,
    /// Last acceptable block time, in seconds since 1970.
    #[serde(deserialize_with = "number")]
    pub deadline: String,
    /// What the consumer is asked to do, hashed by it.
    pub action: Word,
    /// What follows from the parts: instance 0 of the proof.
    pub context: Word,
}

impl From<&Context> for ContextFile {
    fn from(context: &Context) -> Self {
        Self {
            chain_id: context.chain_id.to_string(),
            consumer: value::checksummed(&context.consumer),
            subject: value::checksummed(&context.subject),
            nonce: value::decimal(&context.nonce),
            deadline: value::decimal(&context.deadline),
            action: context.action,
            context: context.digest(),
        }
    }
}

impl ContextFile {
    /// Reads the context file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; as [`ContextFile::parse`].
    pub fn read(path: &Path) -> Result<Context> {
        Self::parse(path, &fs::read(path).map_err(|e| Error::io("read", path, e))?)
    }

    /// Takes the content of a context file, and computes the context from its parts again.
    ///
    /// # Errors
    /// [`Error::Content`] when it is malformed, or its context is not the one of its parts.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Context> {
        let refuse = |why: Why| Error::content(path, why);
        let file: Self = serde_json::from_slice(bytes)
            .map_err(|cause| refuse(Why::NotA { what: "a context file", cause }))?;
        let part = |part: &'static str, cause: value::ValueError| refuse(Why::Value { part, cause });
        let context = Context {
            chain_id: value::uint64(&file.chain_id).map_err(|e| part("chainId", e))?,
            consumer: value::address(&file.consumer).map_err(|e| part("consumer", e))?,
            subject: value::address(&file.subject).map_err(|e| part("subject", e))?,
            nonce: value::uint256(&file.nonce).map_err(|e| part("nonce", e))?,
            deadline: value::uint256(&file.deadline).map_err(|e| part("deadline", e))?,
            action: file.action,
        };
        let computed = context.digest();
        if computed != file.context {
            let found = file.context;
            return Err(refuse(format!("its context is {found}, but its parts give {computed}").into()));
        }
        Ok(context)
    }

    /// The context file of a proof, where there is one: beside it.
    #[must_use]
    pub fn beside(proof: &Path) -> PathBuf {
        proof.with_extension("context.json")
    }

    /// Keeps what a proof is bound to beside it: the proof itself holds no more than a hash.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn keep(context: &Context, proof: &Path) -> Result<PathBuf> {
        let path = Self::beside(proof);
        write_whole(&path, &Self::from(context).to_bytes())?;
        Ok(path)
    }

    /// The bytes to write.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::json::pretty(self)
    }
}

/// Text, or a JSON number where that is exact.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number as text is expected, or a small one as it is")]
    enum Number {
        Text(String),
        Small(u64),
    }
    Ok(match Number::deserialize(deserializer)? {
        Number::Text(text) => text,
        Number::Small(number) => number.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn context() -> Context {
        Context {
            chain_id: u64::MAX,
            consumer: [0xab; 20],
            subject: [0xcd; 20],
            nonce: Word([0xff; 32]),
            deadline: Word::from_u64(1_900_000_000),
            action: Word::ONE,
        }
    }

    fn parse(document: &Value) -> Result<Context> {
        ContextFile::parse(Path::new("context.json"), document.to_string().as_bytes())
    }

    #[test]
    fn files_survive_the_round_trip() {
        let bytes = ContextFile::from(&context()).to_bytes();
        assert_eq!(ContextFile::parse(Path::new("c.json"), &bytes).unwrap(), context());
        let mut document: Value = serde_json::from_slice(&bytes).unwrap();
        document["deadline"] = json!(1_900_000_000);
        document["nonce"] = json!(format!("0x{}", "ff".repeat(32)));
        assert_eq!(parse(&document).unwrap(), context(), "numbers may be written in other ways");
    }

    #[test]
    fn no_part_may_differ_from_the_context() {
        let good = serde_json::to_value(ContextFile::from(&context())).unwrap();
        let edits = [
            ("chainId", json!("1")),
            ("consumer", json!(value::checksummed(&[1; 20]))),
            ("subject", json!(value::checksummed(&[1; 20]))),
            ("nonce", json!("0")),
            ("deadline", json!("1900000001")),
            ("action", json!(Word::ZERO)),
            ("context", json!(Word::ONE)),
        ];
        for (part, value) in edits {
            let mut edited = good.clone();
            edited[part] = value;
            let error = parse(&edited).unwrap_err().to_string();
            assert!(error.contains("its parts give"), "{part}: {error}");
        }
    }

    #[test]
    fn malformed_files_are_refused_with_what_is_wrong() {
        let good = serde_json::to_value(ContextFile::from(&context())).unwrap();
        let edits = [
            ("chainId", json!("18446744073709551616"), "chainId"),
            ("chainId", json!("anvil"), "chainId"),
            ("chainId", json!(-1), "a number as text"),
            ("nonce", json!(1.5), "a number as text"),
            ("nonce", json!(1e30), "a number as text"),
            ("deadline", json!("0x"), "deadline"),
            ("consumer", json!("0xab"), "consumer"),
            ("subject", json!("0xCdCDcdcdcdCdcdcDcdCDcDcdcDcdcDCdcDcDcdCD"), "EIP-55"),
            ("action", json!("0x01"), "a word is"),
            ("memo", json!("hello"), "unknown field `memo`"),
        ];
        for (part, value, words) in edits {
            let mut edited = good.clone();
            edited[part] = value;
            let error = parse(&edited).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("context.json"), "{part}: {error}");
        }
        for part in good.as_object().unwrap().keys() {
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(part);
            let error = parse(&without).unwrap_err().to_string();
            assert!(error.contains("missing field"), "{part}: {error}");
        }
        let twice = good.to_string().replacen('{', "{\"nonce\":\"1\",", 1);
        assert!(
            ContextFile::parse(Path::new("c"), twice.as_bytes())
                .unwrap_err()
                .to_string()
                .contains("duplicate")
        );
        for junk in [b"".as_slice(), b"[]", b"\xff\xfe", b"{}"] {
            assert!(ContextFile::parse(Path::new("c"), junk).is_err());
        }
    }
}
