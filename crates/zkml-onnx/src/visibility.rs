//! Who sees which input or output.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zkml_graph::Visibility;

use crate::{Error, Port};

/// Who sees the inputs, or the outputs, of a model: one answer for all, and others for those that are named.
///
/// In JSON `"committed"`, or `{"x": "public", "*": "committed"}`; on a command line `committed` or
/// `committed,x=public`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Visibilities {
    /// Who sees those that are not named; nothing leaves it to the context.
    pub all: Option<Visibility>,
    /// Who sees those that are.
    pub named: BTreeMap<String, Visibility>,
}

/// As it is written in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    All(Visibility),
    Each(BTreeMap<String, Visibility>),
}

/// Stands for all that are not named.
const OTHERS: &str = "*";

impl From<Written> for Visibilities {
    fn from(written: Written) -> Self {
        match written {
            Written::All(v) => v.into(),
            Written::Each(mut named) => Self { all: named.remove(OTHERS), named },
        }
    }
}

impl From<Visibilities> for Written {
    fn from(v: Visibilities) -> Self {
        match v.all {
            Some(all) if v.named.is_empty() => Self::All(all),
            all => Self::Each(v.named.into_iter().chain(all.map(|all| (OTHERS.into(), all))).collect()),
        }
    }
}

impl From<Visibility> for Visibilities {
    fn from(v: Visibility) -> Self {
        Self { all: Some(v), named: BTreeMap::new() }
    }
}

/// A text that does not say who sees what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no visibility: `public`, `committed`, or NAME=public,NAME=committed,… is expected")]
pub struct NoVisibility {
    /// The text.
    pub given: String,
}

impl FromStr for Visibilities {
    type Err = NoVisibility;

    fn from_str(text: &str) -> Result<Self, NoVisibility> {
        let bad = || NoVisibility { given: text.into() };
        let mut out = Self { all: None, named: BTreeMap::new() };
        for part in text.split(',') {
            let (name, who) = part.rsplit_once('=').unwrap_or((OTHERS, part));
            let who = visibility(who.trim()).ok_or_else(bad)?;
            let before = match name.trim() {
                OTHERS => out.all.replace(who),
                "" => return Err(bad()),
                name => out.named.insert(name.into(), who),
            };
            if before.is_some() {
                return Err(bad());
            }
        }
        Ok(out)
    }
}

impl fmt::Display for Visibilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.named.iter().map(|(name, v)| format!("{name}={}", word(*v)));
        let all: Vec<String> = self.all.map(|v| word(v).to_owned()).into_iter().chain(named).collect();
        f.write_str(&all.join(","))
    }
}

impl Visibilities {
    /// Who sees an input or output.
    pub fn of(&self, name: &str, otherwise: Visibility) -> Visibility {
        self.named.get(name).copied().or(self.all).unwrap_or(otherwise)
    }

    /// Takes over what `other` says and keeps the rest.
    pub fn update(&mut self, other: &Self) {
        if other.all.is_some() {
            // An answer for all replaces earlier exceptions too.
            self.clone_from(other);
        } else {
            self.named.extend(other.named.iter().map(|(n, v)| (n.clone(), *v)));
        }
    }

    /// Refuses names that the model does not have; `what` is `input` or `output`.
    pub(crate) fn fit(&self, what: &'static str, ports: &[Port]) -> Result<(), Error> {
        match self.named.keys().find(|n| ports.iter().all(|p| p.name != **n)) {
            None => Ok(()),
            Some(name) => {
                let expected = ports.iter().map(|p| p.name.clone()).collect();
                Err(Error::UnknownPort { what, name: name.clone(), expected })
            }
        }
    }
}

/// `public` or `committed`.
pub(crate) fn word(v: Visibility) -> &'static str {
    match v {
        Visibility::Public => "public",
        Visibility::Committed => "committed",
    }
}

fn visibility(text: &str) -> Option<Visibility> {
    [Visibility::Public, Visibility::Committed].into_iter().find(|v| word(*v) == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Visibility::{Committed, Public};

    #[test]
    fn reads_what_it_writes() {
        for text in ["public", "committed,x=public", "x=public,y=committed"] {
            let v: Visibilities = text.parse().expect("reads");
            assert_eq!(v.to_string(), text);
            let json = serde_json::to_string(&v).expect("writes");
            assert_eq!(serde_json::from_str::<Visibilities>(&json).expect("reads"), v);
        }
        let v: Visibilities = serde_json::from_str(r#"{"x": "public", "*": "committed"}"#).expect("reads");
        assert_eq!((v.of("x", Public), v.of("y", Public)), (Public, Committed));
        for bad in ["", "x", "x=", "=public", "x=hidden", "public,committed", "x=public,x=public"] {
            assert!(bad.parse::<Visibilities>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Visibilities>(r#""hidden""#).is_err());
    }

    #[test]
    fn names_are_checked_and_updates_keep_the_rest() {
        let port = |n: &str| Port { name: n.into(), shape: vec![1], kind: "f32".into() };
        let mut v: Visibilities = "committed,x=public".parse().expect("reads");
        let error = v.fit("input", &[port("y"), port("z")]).expect_err("no such input").to_string();
        assert!(error.contains("`x`") && error.contains("\"y\", \"z\""), "{error}");
        v.fit("input", &[port("x")]).expect("an input");
        v.update(&"y=public".parse().expect("reads"));
        assert_eq!(v.to_string(), "committed,x=public,y=public");
        v.update(&"public".parse().expect("reads"));
        assert_eq!(v.to_string(), "public");
    }
}
