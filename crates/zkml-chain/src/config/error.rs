//! Everything that is refused in `zkml.toml`.

use super::keys;
use std::path::PathBuf;
use thiserror::Error as ThisError;
use zkml_onnx::{NoDims, NoVisibility};
use zkml_workspace::value::ValueError;

/// Why a `zkml.toml` is not used. Each names file, line and key; none shows a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum ConfigError {
    /// It is not TOML.
    #[error("{}:{line}: this is not TOML: {why}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        why: String,
    },
    /// A key that no command knows.
    #[error("{}:{line}: there is no key `{key}`", .path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// A value that its key does not take.
    #[error("{}:{line}: `{key}`: {why}", .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong with it.
        why: Misfit,
    },
    /// A URL, a key or a password, or what looks like one.
    #[error("{}:{line}: `{key}` looks like a secret ({kind}), and this file is for everybody's eyes", .path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What it looks like.
        kind: SecretKind,
        /// The environment variable that the chain's URL comes from.
        variable: String,
    },
}

/// The reason why a value is not one for its key.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Misfit {
    /// Text without quotes.
    #[error("text in quotes is expected")]
    NoText,
    /// A number in quotes, or something else.
    #[error("a number is expected, without quotes")]
    NoNumber,
    /// No character but space.
    #[error("it is empty")]
    Empty,
    /// None of the words that the key takes.
    #[error("{text:?} is none of: {}", .words.join(", "))]
    Word {
        /// The text.
        text: String,
        /// The words.
        words: &'static [&'static str],
    },
    /// Not a whole number, or one outside its range.
    #[error("a whole number from {lowest} to {highest} is expected")]
    Whole {
        /// The smallest.
        lowest: u64,
        /// The largest.
        highest: u64,
    },
    /// Not a positive number.
    #[error("a positive number is expected")]
    NotPositive,
    /// It does not say who sees what.
    #[error(transparent)]
    Visibility(#[from] NoVisibility),
    /// No sizes of dimensions.
    #[error(transparent)]
    Dims(#[from] NoDims),
    /// It is not written as an address is.
    #[error(transparent)]
    Address(#[from] ValueError),
}

/// What a secret looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A URL: those of endpoints often hold a key.
    Url,
    /// A private key, a password, a phrase.
    Key,
}

impl std::fmt::Display for SecretKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Url => "a URL",
            Self::Key => "a key or password",
        })
    }
}

impl ConfigError {
    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "config-syntax",
            Self::UnknownKey { .. } => "config-key",
            Self::Value { .. } => "config-value",
            Self::Secret { .. } => "config-secret",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn way_out(&self) -> Option<String> {
        Some(match self {
            Self::Syntax { .. } => "write `key = \"value\"`, one a line; `zkml-chain config keys` lists the keys".into(),
            Self::UnknownKey { key, .. } => match keys::nearest(key) {
                Some(near) => format!("is `{near}` meant? `zkml-chain config keys` lists all"),
                None => "`zkml-chain config keys` lists the keys that there are".into(),
            },
            Self::Value { .. } => return None,
            Self::Secret { kind: SecretKind::Url, variable, .. } => {
                format!("remove the line; put the URL into the environment, as {variable}")
            }
            Self::Secret { kind: SecretKind::Key, .. } => {
                "remove the line; name an encrypted keystore with --keystore FILE, or an environment variable that holds the key with --key-env VARIABLE; \
                 a keystore's password comes from ZKML_KEYSTORE_PASSWORD"
                    .into()
            }
        })
    }
}
