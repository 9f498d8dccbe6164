//! A task, as a worker is told of it. Nothing in it is secret: an input that is committed to is sealed, and elsewhere.

use super::{FleetKey, Objects, objects::sha256};
use crate::error::Result;
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use zkml::opening::Opening;
use zkml_protocol::Word;

/// Most bytes of a sealed input.
pub(super) const MOST_SEALED: u64 = 1 << 30;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskJob {
    pub(super) version: u32,
    /// The context that the proof is bound to.
    pub(super) context: Word,
    /// The words of public inputs, in hexadecimal digits.
    pub(super) input: String,
    /// Place of an input that is committed to.
    pub(super) sealed: Option<Sealed>,
}

/// What every version of a task has.
#[derive(Deserialize)]
pub(super) struct Version {
    pub(super) version: u32,
}

/// A sealed input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    /// Its random name: only who is told it finds it.
    pub(super) name: String,
    pub(super) sha256: String,
}

/// What is sealed: an input, and what opens the commitment to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    /// The request, so that nobody puts another's input under its name.
    pub(super) request: Word,
    pub(super) inputs: Vec<Vec<i64>>,
    pub(super) openings: Vec<Opening>,
}

impl Sealed {
    /// Seals a secret and puts it into object storage.
    pub(super) fn put(objects: &Objects, key: &FleetKey, secret: &Secret) -> Result<Self> {
        let plain = serde_json::to_vec(secret).map_err(|e| objects.damaged("an input", e.to_string()))?;
        let sealed = key.seal(&plain)?;
        let mut name = [0; 16];
        OsRng.fill_bytes(&mut name);
        let put = Self { name: hex::encode(name), sha256: sha256(&sealed) };
        objects.put(&put.object(), sealed)?;
        Ok(put)
    }

    pub(super) fn object(&self) -> String {
        format!("sealed/{}", self.name)
    }

    /// Whether its name is one that we give.
    pub(super) fn is_ours(&self) -> bool {
        self.name.len() == 32 && self.name.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}
