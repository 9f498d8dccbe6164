//! The terms of a policy as people name them, and the policy that follows.

use crate::{error::Result, steps::funding};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};
use zkml_contracts::acceptance::{ATTESTED, Attestation, OPTIMISTIC, Policy, SAMPLED};
use zkml_deploy::{Address, U256, acceptance::check_policy, asset::Asset};
use zkml_protocol::Word;

use crate::error::Error;

/// A policy whose amounts are written as people write them. What a path does not need is left at zero.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The paths, as a set.
    pub paths: u8,
    /// Number of paths that have to hold; all of them if none is named.
    pub required: Option<u8>,
    /// Number of keys that have to sign.
    pub signatures: u8,
    /// Seconds in which the proof can be demanded.
    pub challenge_window: u32,
    /// Seconds in which a proof has to come that is due.
    pub answer_window: u32,
    /// Probability of being drawn, 18 decimals.
    pub rate: u64,
    /// The poster's bond.
    pub bond: Option<String>,
    /// A challenger's deposit.
    pub deposit: Option<String>,
    /// The token of both; the chain's own coin if none is named.
    pub token: Option<Address>,
    /// Receiver of what a challenger does not get of a lost bond.
    pub beneficiary: Option<Address>,
    /// Draws.
    pub beacon: Option<Address>,
    /// Knows the keys.
    pub attestors: Option<Address>,
}

impl Terms {
    /// The policy, if contracts take it.
    ///
    /// # Errors
    /// [`AcceptanceError`](zkml_deploy::error::AcceptanceError), and [`DeployError::Argument`](zkml_deploy::DeployError::Argument) for what is no amount.
    pub fn policy(&self, asset: &Asset, poster: Address) -> Result<Policy> {
        let amount = |what, text: &Option<String>| -> Result<Word> {
            match text {
                Some(text) if text.bytes().all(|byte| matches!(byte, b'0' | b'.')) => Ok(Word::ZERO),
                Some(text) => Ok(Word(funding::amount(what, asset, text)?.to_be_bytes())),
                None => Ok(Word::ZERO),
            }
        };
        let bytes = |address: Option<Address>| address.unwrap_or_default().into_array();
        let (bond, deposit) = (amount("bond", &self.bond)?, amount("deposit", &self.deposit)?);
        let has = |path: u8| self.paths & path != 0;
        let policy = Policy {
            paths: self.paths,
            required: self.required.unwrap_or(u8::try_from(self.paths.count_ones()).unwrap_or(u8::MAX)),
            signatures: if has(ATTESTED) { self.signatures } else { 0 },
            challenge_window: if has(OPTIMISTIC) { self.challenge_window } else { 0 },
            answer_window: if has(OPTIMISTIC | SAMPLED) { self.answer_window } else { 0 },
            rate: if has(SAMPLED) { self.rate } else { 0 },
            bond,
            deposit,
            asset: asset.address.into_array(),
            beneficiary: bytes(self.beneficiary),
            beacon: bytes(self.beacon),
            attestors: bytes(self.attestors),
        };
        check_policy(&policy, poster).map_err(zkml_deploy::DeployError::from)?;
        Ok(policy)
    }
}

/// The set of paths that these names stand for, with commas between them.
///
/// # Errors
/// The sentence that says which name is none, or is there twice.
pub fn paths_named(text: &str) -> Result<u8, String> {
    let mut all = 0;
    for name in text.split(',').map(str::trim) {
        let path = match name {
            "optimistic" => OPTIMISTIC,
            "sampled" => SAMPLED,
            "attested" => ATTESTED,
            other => {
                return Err(format!("{other:?} is no path: optimistic, sampled, attested, or proven alone"));
            }
        };
        if all & path != 0 {
            return Err(format!("{name} is named twice"));
        }
        all |= path;
    }
    Ok(all)
}

/// An amount of a policy.
pub(super) fn units(word: Word) -> U256 {
    U256::from_be_bytes(word.0)
}

/// An attestation as its file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AttestationFile {
    key_id: Word,
    issued_at: u64,
    valid_until: u64,
    signature: String,
}

/// One attestation, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Attestations {
    One(AttestationFile),
    Many(Vec<AttestationFile>),
}

/// Reads a file of attestations, `{"keyId", "issuedAt", "validUntil", "signature"}` or a list of them, ascending by key.
///
/// # Errors
/// [`Error::Io`], and [`Error::Content`] for something else.
pub fn attestations(path: &Path) -> Result<Vec<Attestation>> {
    let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
    let form = "an attestation is {\"keyId\": \"0x…\", \"issuedAt\": N, \"validUntil\": N, \"signature\": \"0x…\"}, or a list of such";
    let all = match serde_json::from_slice(&bytes) {
        Ok(Attestations::One(one)) => vec![one],
        Ok(Attestations::Many(many)) => many,
        Err(_) => return Err(Error::content(path, form)),
    };
    let read = |each: AttestationFile| {
        let AttestationFile { key_id, issued_at, valid_until, signature } = each;
        let signature = crate::value::bytes(&signature).map_err(|e| Error::content(path, e.to_string()))?;
        Ok(Attestation { key_id, issued_at, valid_until, signature: signature.to_vec() })
    };
    all.into_iter().map(read).collect()
}
