//! The file: where it is, and what stands in which line.

use super::{
    error::{ConfigError, Misfit, SecretKind},
    keys::{self, Key, Kind},
};
use crate::error::Result;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};
use zkml_workspace::Error as StepError;

/// Its name.
pub const NAME: &str = "zkml.toml";

/// What a `zkml.toml` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigFile {
    /// The file, as seen from the current folder.
    pub path: PathBuf,
    entries: BTreeMap<&'static str, Entry>,
}

/// A value with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As the flag takes it: paths are seen from the current folder.
    pub text: String,
    /// Line, from 1.
    pub line: usize,
}

impl ConfigFile {
    /// Finds the file in the current folder or the nearest one above that has one, and reads it.
    ///
    /// # Errors
    /// [`Io`](StepError::Io) when it cannot be read, [`ConfigError`] when it is refused.
    pub fn find() -> Result<Option<Self>> {
        let Ok(here) = std::env::current_dir() else { return Ok(None) };
        let mut up = PathBuf::new();
        for folder in here.ancestors() {
            if folder.join(NAME).is_file() {
                return Self::read(&up).map(Some);
            }
            up.push("..");
        }
        Ok(None)
    }

    /// Reads the file in a folder.
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&path, &text)?),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                Err(ConfigError::Syntax { path, line: 1, why: "it is not text".into() }.into())
            }
            Err(e) => Err(StepError::io("read", &path, e).into()),
        }
    }

    /// Takes the text of the file at `path`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first line that is refused.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let line = |at: usize| 1 + text.get(..at).unwrap_or(text).matches('\n').count();
        let table = DeTable::parse(text).map_err(|e| ConfigError::Syntax {
            path: path.to_owned(),
            line: e.span().map_or(1, |span| line(span.start)),
            why: e.message().to_owned(),
        })?;
        let mut lines: Vec<_> = table
            .get_ref()
            .iter()
            .map(|(key, value)| (line(key.span().start), key.get_ref().as_ref(), value.get_ref()))
            .collect();
        lines.sort_by_key(|(line, ..)| *line);
        // The chain says which variable a URL belongs into.
        let chain = lines.iter().find(|(_, key, _)| *key == "chain").and_then(|(.., value)| value.as_str());
        let reader = Reader { path, chain };
        let entries = lines.iter().map(|(line, key, value)| reader.entry(*line, key, value));
        Ok(Self { path: path.to_owned(), entries: entries.collect::<Result<_, _>>()? })
    }

    /// What it says of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }
}

struct Reader<'a> {
    path: &'a Path,
    chain: Option<&'a str>,
}

impl Reader<'_> {
    fn entry(
        &self,
        line: usize,
        name: &str,
        value: &DeValue<'_>,
    ) -> Result<(&'static str, Entry), ConfigError> {
        let (path, key) = (self.path.to_owned(), name.to_owned());
        if let Some(kind) = secret(name, value) {
            return Err(ConfigError::Secret { path, line, key, kind, variable: variable(self.chain) });
        }
        let Some(known) = keys::find(name) else { return Err(ConfigError::UnknownKey { path, line, key }) };
        let text = text(known, value).and_then(|text| known.kind.check(&text).map(|()| text));
        let text = text.map_err(|why| ConfigError::Value { path, line, key, why })?;
        let text = match known.kind {
            Kind::Path => self.path.with_file_name(&text).display().to_string(),
            _ => text,
        };
        Ok((known.name, Entry { text, line }))
    }
}

/// The value as a flag would have it.
fn text(key: &Key, value: &DeValue<'_>) -> Result<String, Misfit> {
    match (key.kind.is_number(), value) {
        (true, DeValue::Integer(number)) => Ok(number.as_str().to_owned()),
        (true, DeValue::Float(number)) => Ok(number.as_str().to_owned()),
        (true, _) => Err(Misfit::NoNumber),
        (false, DeValue::String(text)) => Ok(text.as_ref().to_owned()),
        (false, _) => Err(Misfit::NoText),
    }
}

/// Sees whether a line looks like a secret. No value of a key that there is looks so.
fn secret(name: &str, value: &DeValue<'_>) -> Option<SecretKind> {
    let text = value.as_str().unwrap_or_default();
    if text.contains("://") {
        return Some(SecretKind::Url);
    }
    let digits = text.trim().trim_start_matches("0x");
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(SecretKind::Key);
    }
    if keys::find(name).is_some() {
        return None;
    }
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["url", "rpc", "endpoint"]) {
        return Some(SecretKind::Url);
    }
    has(&["key", "private", "secret", "password", "passphrase", "mnemonic", "token"])
        .then_some(SecretKind::Key)
}

/// The variable that the URL of a chain comes from.
#[cfg(feature = "chain")]
fn variable(chain: Option<&str>) -> String {
    let chains = zkml_deploy::chain::Chains::load(None).ok();
    let known = chain.zip(chains.as_ref()).and_then(|(chain, chains)| chains.find(chain).ok());
    known.map_or_else(usual, |chain| chain.rpc.clone())
}

#[cfg(not(feature = "chain"))]
fn variable(_: Option<&str>) -> String {
    usual()
}

fn usual() -> String {
    "SEPOLIA_RPC_URL for the chain sepolia; deploy/chains.toml names the variable of each chain".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, ConfigError> {
        ConfigFile::parse(Path::new("up/zkml.toml"), text)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let file =
            parse("# a comment\nmodel = \"model/a.onnx\"\n\ndata = \"/abs/b.json\"\nbatch = 4\n").unwrap();
        assert_eq!(file.get("model"), Some(&Entry { text: "up/model/a.onnx".into(), line: 2 }));
        assert_eq!(file.get("data"), Some(&Entry { text: "/abs/b.json".into(), line: 4 }));
        assert_eq!(file.get("batch"), Some(&Entry { text: "4".into(), line: 5 }));
        assert_eq!(file.get("dir"), None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("\noptimise = \"gas\"", "config-key", "up/zkml.toml:2", "`optimize`"),
            ("\n[chain]\nname = \"sepolia\"", "config-value", ":2: `chain`", ""),
            ("model = \"a\"\nmodel = \"b\"", "config-syntax", ":2", ""),
            ("inputs = \"nobody\"", "config-value", "nobody", ""),
            ("batch = \"4\"", "config-value", "without quotes", ""),
            ("weights = true", "config-value", "in quotes", ""),
            ("weights = [", "config-syntax", ":1", ""),
        ];
        for (text, name, message, way_out) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error.name(), name, "{text}");
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.way_out().unwrap_or_default().contains(way_out), "{error:?}");
        }
    }

    #[test]
    fn secrets_are_refused_and_never_shown() {
        let key = "4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d";
        let cases = [
            ("rpc = \"https://node.example/v2/s3cr3t\"".to_owned(), "RPC_URL"),
            ("rpc-url = \"s3cr3t\"".to_owned(), "RPC_URL"),
            ("chain = \"https://node.example/v2/s3cr3t\"".to_owned(), "RPC_URL"),
            ("private_key = \"s3cr3t\"".to_owned(), "--keystore"),
            (format!("owner = \"0x{key}\""), "--key-env"),
            ("mnemonic = \"s3cr3t s3cr3t\"".to_owned(), "--keystore"),
            ("[secrets]\na = 1".to_owned(), "--keystore"),
        ];
        for (text, way_out) in cases {
            let error = parse(&text).unwrap_err();
            assert_eq!(error.name(), "config-secret", "{text}");
            let said = format!("{error} {}", error.way_out().unwrap_or_default());
            assert!(said.contains(way_out) && said.contains(":1:"), "{said}");
            assert!(!said.contains("s3cr3t") && !said.contains(key), "{said}");
        }
    }

    #[cfg(feature = "chain")]
    #[test]
    fn the_chain_names_its_variable() {
        let error = parse("chain = \"base-sepolia\"\nrpc = \"wss://a\"").unwrap_err();
        assert!(error.way_out().unwrap_or_default().contains("BASE_SEPOLIA_RPC_URL"), "{error:?}");
    }
}
