//! The entries of a record.

use serde::{Deserialize, Serialize};
use zkml_protocol::{VerifierProgram, Word, keccak256};

use crate::{
    Address, B256, U256,
    package::{Package, Placed},
    rpc::Fees,
    transaction::{Earlier, Signed},
};

/// How far a deployment or a part of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing was sent.
    Planned,
    /// A transaction was signed, and perhaps sent.
    Sent,
    /// It is there, and a transaction of this record put it there.
    Deployed,
    /// It was there already.
    Reused,
    /// It waits for a time, or for somebody else.
    Waiting,
    /// Some parts are there.
    Partial,
    /// All parts are there, and in force.
    Complete,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransactionRecord {
    /// Its hash.
    pub hash: B256,
    /// Who sent it.
    pub from: Address,
    /// Its nonce.
    pub nonce: u64,
    /// What was offered for this nonce before, and may be mined instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<B256>,
    /// Most that it offers for a unit of gas, in wei, until it is mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fee: Option<U256>,
    /// Of it, for the block's producer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_fee: Option<U256>,
    /// Its block, once it is mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u64>,
    /// Gas that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<u64>,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractRecord {
    /// Its name.
    pub name: String,
    /// The file that it lies in, as the compiler's input has it.
    pub file: String,
    /// Its address.
    pub address: Address,
    /// Salt of CREATE2; none for a contract of somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Word>,
    /// Its constructor's arguments, ABI-encoded.
    pub constructor_arguments: String,
    /// Keccak-256 of creation code and arguments.
    pub init_code_hash: Word,
    /// Keccak-256 of the code on the chain; before that, of the compiled code with immutables left zero.
    pub runtime_code_hash: Word,
    /// The transaction that put it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionRecord>,
    /// How far it is.
    pub status: Status,
}

impl TransactionRecord {
    /// An offer that no block has yet; what was offered `before` for its nonce is kept.
    #[must_use]
    pub fn offered(offer: &Signed, from: Address, before: Option<&Self>) -> Self {
        let (hash, nonce) = (offer.hash, offer.nonce);
        let before =
            before.filter(|before| before.block.is_none() && (before.from, before.nonce) == (from, nonce));
        let replaced = before.map(|before| before.hashes().filter(|other| *other != hash).collect());
        let [max_fee, priority_fee] = [offer.fees.max, offer.fees.priority].map(|fee| Some(U256::from(fee)));
        let replaced = replaced.unwrap_or_default();
        Self { hash, from, nonce, replaced, max_fee, priority_fee, block: None, gas: None }
    }

    /// What of it may still be mined, if this account sent it and no block has it.
    #[must_use]
    pub fn waiting(&self, from: Address) -> Option<Earlier> {
        let waits = self.block.is_none() && self.from == from;
        let fees = self
            .max_fee
            .zip(self.priority_fee)
            .map(|(max, priority)| Fees { max: max.saturating_to(), priority: priority.saturating_to() });
        waits.then(|| Earlier { nonce: self.nonce, hashes: self.hashes().collect(), fees })
    }

    /// All that was offered for its nonce, the newest first.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = B256> {
        std::iter::once(self.hash).chain(self.replaced.iter().copied())
    }
}

impl ContractRecord {
    /// A contract that is not there yet.
    #[must_use]
    pub fn planned(placed: &Placed) -> Self {
        Self {
            name: placed.code.name.clone(),
            file: placed.code.file.clone(),
            address: placed.address,
            salt: placed.salt,
            constructor_arguments: format!("0x{}", hex::encode(&placed.arguments)),
            init_code_hash: keccak256([placed.init_code().as_slice()]),
            runtime_code_hash: keccak256([placed.code.runtime.as_slice()]),
            transaction: None,
            status: Status::Planned,
        }
    }
}

/// The route of the model's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteRecord {
    /// First four bytes of the key's digest.
    pub selector: String,
    /// Block time from which it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_from: Option<u64>,
    /// The transaction that proposed it; none where the router was deployed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionRecord>,
    /// How far it is.
    pub status: Status,
}

/// The model's entry in the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistrationRecord {
    /// Its id.
    pub model_id: Word,
    /// Who registers it.
    pub owner: Address,
    /// The hash that consumers pin besides the id.
    pub commitment_hash: Word,
    /// The transaction that registered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionRecord>,
    /// How far it is.
    pub status: Status,
}

/// Digests that name what was deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Digests {
    /// The verifier's `vkDigest()`.
    pub vk: Word,
    /// The verifier's `srsDigest()`.
    pub srs: Word,
    /// The verifier's `modelCommitment()`.
    pub model_commitment: Word,
    /// Keccak-256 of the compiled model; with private weights the commitment to them.
    pub model_hash: Word,
}

impl Digests {
    pub(super) fn of(package: &Package) -> Self {
        let program = &package.program;
        Self {
            vk: program.vk_digest(),
            srs: program.srs().digest(),
            model_commitment: program.model_commitment(),
            model_hash: package.registration.model_hash,
        }
    }
}

/// The contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contracts {
    /// The generated verifier.
    pub verifier: ContractRecord,
    /// `ZKMLEmergencyStop` in front of it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_stop: Option<ContractRecord>,
    /// `ZKMLRegistry`.
    pub registry: ContractRecord,
    /// `ZKMLRouter`.
    pub router: ContractRecord,
    /// `ZKMLVerifier`.
    pub zkml_verifier: ContractRecord,
    /// The consumer.
    pub consumer: ContractRecord,
}

impl Contracts {
    /// All of them, in the order of deployment.
    #[must_use]
    pub fn all(&self) -> Vec<&ContractRecord> {
        let stack = [&self.registry, &self.router, &self.zkml_verifier, &self.consumer];
        std::iter::once(&self.verifier).chain(&self.emergency_stop).chain(stack).collect()
    }
}
