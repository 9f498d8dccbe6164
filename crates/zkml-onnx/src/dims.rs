//! Sizes of symbolic dimensions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Largest size of an open dimension.
pub(crate) const LARGEST: usize = 1 << 16;

/// Sizes of symbolic dimensions of the inputs, by their names in the model. In JSON `{"seq": 16}`; on a command line `seq=16,tokens=8`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dims(BTreeMap<String, usize>);

impl Dims {
    /// True if no dimension is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and sizes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(name, size)| (name.as_str(), *size))
    }

    /// Size of a dimension.
    pub fn get(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// These, and those of another list, which come first.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.0.extend(other.iter().map(|(name, size)| (name.to_owned(), size)));
        self
    }
}

/// A text that is no list of dimensions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` names no sizes of dimensions: NAME=N,NAME=N,… is expected, each N from 1 to {LARGEST}")]
pub struct NoDims {
    /// The text.
    pub given: String,
}

impl FromStr for Dims {
    type Err = NoDims;

    fn from_str(text: &str) -> Result<Self, NoDims> {
        let bad = || NoDims { given: text.into() };
        let mut out = BTreeMap::new();
        for part in text.split(',') {
            let (name, size) = part.rsplit_once('=').ok_or_else(bad)?;
            let size = size.trim().parse().ok().filter(|n| (1..=LARGEST).contains(n)).ok_or_else(bad)?;
            let name = name.trim();
            if name.is_empty() || out.insert(name.to_owned(), size).is_some() {
                return Err(bad());
            }
        }
        Ok(Self(out))
    }
}

impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(|(name, size)| format!("{name}={size}")).collect();
        f.write_str(&all.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_are_written() {
        let dims: Dims = "seq=16, past length + 1=8".parse().expect("two sizes");
        assert_eq!((dims.get("seq"), dims.get("past length + 1"), dims.get("x")), (Some(16), Some(8), None));
        assert_eq!(dims.to_string().parse(), Ok(dims));
        for bad in ["", "seq", "seq=", "seq=0", "seq=65537", "=3", "seq=1,seq=2", "seq=-1", "seq=1,"] {
            assert!(bad.parse::<Dims>().is_err(), "{bad}");
        }
    }
}
