//! Records of posted results: all that a later call about them needs, and no secret.

use crate::{
    artifacts::{Artifacts, write_whole},
    error::{Error, Result, Why},
    json,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zkml_contracts::acceptance::{Policy, Posted};
use zkml_deploy::{Address, U256, acceptance::PostedResult};
use zkml_protocol::{Word, keccak256};

use super::RESULTS;

/// A posted result, as its file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordFile {
    chain_id: u64,
    consumer: Address,
    id: Word,
    result: ResultFile,
    policy: PolicyFile,
    /// The words of the output section.
    output: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResultFile {
    poster: Address,
    subject: Address,
    nonce: U256,
    deadline: U256,
    action: Word,
    data_commitment: Word,
    output_hash: Word,
    model_id: U256,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyFile {
    paths: u8,
    required: u8,
    signatures: u8,
    challenge_window: u32,
    answer_window: u32,
    rate: u64,
    bond: U256,
    deposit: U256,
    asset: Address,
    beneficiary: Address,
    beacon: Address,
    attestors: Address,
}

/// Writes a result down.
///
/// # Errors
/// [`Error::Io`].
pub fn keep(
    artifacts: &Artifacts,
    chain_id: u64,
    consumer: Address,
    posted: &PostedResult,
) -> Result<PathBuf> {
    let path = path_of(artifacts, chain_id, &posted.id);
    let output = format!("0x{}", hex::encode(&posted.output));
    let (result, policy) = (ResultFile::from(&posted.result), PolicyFile::from(&posted.policy));
    let file = RecordFile { chain_id, consumer, id: posted.id, result, policy, output };
    write_whole(&path, &json::pretty(&file))?;
    Ok(path)
}

/// The result of an id, if it was posted from this folder.
///
/// # Errors
/// [`Error::Io`], and [`Error::Content`] for a file that is no record of this result.
pub fn find(
    artifacts: &Artifacts,
    chain_id: u64,
    consumer: Address,
    id: Word,
) -> Result<Option<PostedResult>> {
    read(&path_of(artifacts, chain_id, &id), chain_id, consumer, id)
}

/// Results of which a folder has records.
#[derive(Debug, Default)]
pub struct Records {
    /// Those that were posted from the folder, by id, whatever became of them.
    pub known: Vec<PostedResult>,
    /// The reasons why a record cannot be read, each with its file: the others are not worth less for it.
    pub unread: Vec<Error>,
}

/// All results that were posted from this folder at a contract, whatever became of them. A record that is damaged is one of those that cannot be read.
///
/// # Errors
/// [`Error::Io`] for the folder itself.
pub fn all(artifacts: &Artifacts, chain_id: u64, consumer: Address) -> Result<Records> {
    let folder = artifacts.path(RESULTS);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Records::default()),
        Err(e) => return Err(Error::io("read", &folder, e)),
    };
    let mut all = Records::default();
    for entry in entries {
        let path = entry.map_err(|e| Error::io("read", &folder, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let id = name.strip_suffix(".json").and_then(|name| name.strip_prefix(&format!("{chain_id}-")));
        if let Some(id) = id.and_then(|id| crate::value::word(id).ok()) {
            // Those at other contracts have another id there.
            match read(&path, chain_id, consumer, id) {
                Ok(known) => all.known.extend(known),
                Err(error) => all.unread.push(error),
            }
        }
    }
    all.known.sort_unstable_by_key(|posted| posted.id.0);
    Ok(all)
}

fn read(path: &Path, chain_id: u64, consumer: Address, id: Word) -> Result<Option<PostedResult>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("read", path, e)),
    };
    let no_record = |cause| Error::content(path, Why::NotA { what: "a record of a result", cause });
    let file: RecordFile = serde_json::from_slice(&bytes).map_err(no_record)?;
    let output = crate::value::bytes(&file.output)
        .map_err(|cause| Error::content(path, Why::Value { part: "output", cause }))?;
    if file.consumer != consumer {
        return Ok(None);
    }
    let (result, policy) = (Posted::from(&file.result), Policy::from(&file.policy));
    let here = result.id(&policy, chain_id, consumer.into_array());
    if here != id || keccak256([&*output]) != result.output_hash {
        let why = format!("what it says hashes to the result {here} at {consumer}, not to {id}");
        return Err(Error::content(path, why));
    }
    Ok(Some(PostedResult { id, result, policy, output: output.to_vec() }))
}

fn path_of(artifacts: &Artifacts, chain_id: u64, id: &Word) -> PathBuf {
    artifacts.path(RESULTS).join(format!("{chain_id}-{id}.json"))
}

fn word(number: U256) -> Word {
    Word(number.to_be_bytes())
}

fn number(word: Word) -> U256 {
    U256::from_be_bytes(word.0)
}

impl From<&Posted> for ResultFile {
    fn from(result: &Posted) -> Self {
        Self {
            poster: result.poster.into(),
            subject: result.subject.into(),
            nonce: number(result.nonce),
            deadline: number(result.deadline),
            action: result.action,
            data_commitment: result.data_commitment,
            output_hash: result.output_hash,
            model_id: number(result.model_id),
        }
    }
}

impl From<&ResultFile> for Posted {
    fn from(file: &ResultFile) -> Self {
        Self {
            poster: file.poster.into_array(),
            subject: file.subject.into_array(),
            nonce: word(file.nonce),
            deadline: word(file.deadline),
            action: file.action,
            data_commitment: file.data_commitment,
            output_hash: file.output_hash,
            model_id: word(file.model_id),
        }
    }
}

impl From<&Policy> for PolicyFile {
    fn from(policy: &Policy) -> Self {
        Self {
            paths: policy.paths,
            required: policy.required,
            signatures: policy.signatures,
            challenge_window: policy.challenge_window,
            answer_window: policy.answer_window,
            rate: policy.rate,
            bond: number(policy.bond),
            deposit: number(policy.deposit),
            asset: policy.asset.into(),
            beneficiary: policy.beneficiary.into(),
            beacon: policy.beacon.into(),
            attestors: policy.attestors.into(),
        }
    }
}

impl From<&PolicyFile> for Policy {
    fn from(file: &PolicyFile) -> Self {
        Self {
            paths: file.paths,
            required: file.required,
            signatures: file.signatures,
            challenge_window: file.challenge_window,
            answer_window: file.answer_window,
            rate: file.rate,
            bond: word(file.bond),
            deposit: word(file.deposit),
            asset: file.asset.into_array(),
            beneficiary: file.beneficiary.into_array(),
            beacon: file.beacon.into_array(),
            attestors: file.attestors.into_array(),
        }
    }
}
