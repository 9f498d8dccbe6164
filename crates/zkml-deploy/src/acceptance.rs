//! Results under policies at a contract that inherits `ZKMLAcceptance`: where they stand, and what nobody should spend money on.

use std::ops::RangeInclusive;

use alloy::{
    primitives::B256,
    rpc::types::{Log, TransactionReceipt},
    sol_types::SolCall,
};
use zkml_contracts::{
    acceptance::{
        ATTESTATION_TYPE, ATTESTED, Attestation, OPTIMISTIC, Policy, Posted, RESULT_POSTED, ResultEvent,
        SAMPLED, Status, status_of,
    },
    errors::describe,
    requests::topic,
};
use zkml_protocol::{Word, keccak256};

use crate::{
    Address, DeployError, Result,
    error::AcceptanceError,
    interfaces::{ZkmlAcceptance, ZkmlAttestors, ZkmlBeacon},
    rpc::{Answer, Rpc},
};

/// Windows that contracts take, in seconds: as `ZKMLPolicy` has them.
pub const WINDOWS: RangeInclusive<u32> = 300..=2_592_000;
/// The most signatures, likewise.
const MAX_SIGNATURES: u8 = 16;
/// One, with 18 decimals.
const WAD: u64 = 1_000_000_000_000_000_000;

/// A result with all that calls about it need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedResult {
    /// Its id.
    pub id: Word,
    /// The result.
    pub result: Posted,
    /// Its policy.
    pub policy: Policy,
    /// The words of the output section.
    pub output: Vec<u8>,
}

/// Randomness of a beacon's round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// It does not exist yet, or nobody has handed it in yet.
    Waiting,
    /// It is known, or never will be: results of the round can be drawn.
    Decided,
}

/// A contract that takes results under policies.
#[derive(Debug, Clone, Copy)]
pub struct Acceptance<'a> {
    rpc: &'a Rpc,
    address: Address,
}

impl<'a> Acceptance<'a> {
    /// The contract at an address.
    ///
    /// # Errors
    /// [`DeployError::NoCode`], [`AcceptanceError::NoAcceptance`], and those of the endpoint.
    pub async fn at(rpc: &'a Rpc, address: Address) -> Result<Self> {
        if rpc.code(address).await?.is_empty() {
            return Err(DeployError::NoCode { address: address.to_string(), chain_id: rpc.chain_id() });
        }
        let asked = ZkmlAcceptance::ATTESTATION_TYPEHASHCall {};
        match rpc.view(address, "ATTESTATION_TYPEHASH", asked).await {
            Ok(found) if found.0 == keccak256([ATTESTATION_TYPE.as_bytes()]).0 => Ok(Self { rpc, address }),
            Ok(_) | Err(DeployError::Reverted { .. } | DeployError::Answer { .. }) => {
                Err(AcceptanceError::NoAcceptance { consumer: address }.into())
            }
            Err(other) => Err(other),
        }
    }

    /// The same where it is known to be there.
    #[must_use]
    pub fn known(rpc: &'a Rpc, address: Address) -> Self {
        Self { rpc, address }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The state of a result.
    ///
    /// # Errors
    /// [`DeployError::Abi`] when the contract answers something else, and those of the endpoint.
    pub async fn status(&self, id: Word) -> Result<Status> {
        let answer = self.rpc.call(None, Some(self.address), &status_of(id)).await?.returned("statusOf")?;
        Ok(Status::decode(&answer)?)
    }

    /// The state of a result at a block that was the last one a moment ago.
    ///
    /// # Errors
    /// As [`Acceptance::status`].
    pub async fn status_at(&self, block: u64, id: Word) -> Result<Status> {
        let answer = self.rpc.call_at(block, self.address, &status_of(id)).await?.returned("statusOf")?;
        Ok(Status::decode(&answer)?)
    }

    /// Refuses a policy whose beacon or registry of keys has no code: whoever posted under it would wait for nothing.
    ///
    /// # Errors
    /// [`DeployError::NoCode`], and those of the endpoint.
    pub async fn check_contracts(&self, policy: &Policy) -> Result<()> {
        let named = [(SAMPLED, policy.beacon), (ATTESTED, policy.attestors)];
        for address in named.into_iter().filter(|(path, _)| policy.has(*path)).map(|(_, named)| named) {
            let address = Address::from(address);
            if self.rpc.code(address).await?.is_empty() {
                let (address, chain_id) = (address.to_string(), self.rpc.chain_id());
                return Err(DeployError::NoCode { address, chain_id });
            }
        }
        Ok(())
    }

    /// The account that has demanded the proof of a result; zero if nobody has.
    ///
    /// # Errors
    /// As [`Acceptance::status`].
    pub async fn challenger(&self, id: Word) -> Result<Address> {
        let call = ZkmlAcceptance::challengerOfCall { resultId: B256::from(id.0) };
        self.rpc.view(self.address, "challengerOf", call).await
    }

    /// True if the contract would take this call of an account at the last block.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub async fn would_take(&self, from: Address, data: &[u8]) -> Result<bool> {
        let answer = self.rpc.call(Some(from), Some(self.address), data).await?;
        Ok(matches!(answer, Answer::Returned(_)))
    }

    /// A beacon's word on a round.
    ///
    /// # Errors
    /// [`DeployError::Answer`] or [`DeployError::Reverted`] for what is no beacon, and those of the endpoint.
    pub async fn round(&self, beacon: Address, round: u64) -> Result<Round> {
        let answer = self.rpc.view(beacon, "randomnessOf", ZkmlBeacon::randomnessOfCall { round }).await?;
        Ok(if answer.state == 0 { Round::Waiting } else { Round::Decided })
    }

    /// The result of an id, as its event has it; the last blocks are looked at first, in ranges of at most `range`, which is halved while the
    /// endpoint refuses.
    ///
    /// # Errors
    /// [`AcceptanceError::NoSuchResult`], and those of the endpoint.
    pub async fn find(&self, id: Word, blocks: RangeInclusive<u64>, mut range: u64) -> Result<PostedResult> {
        let (first, mut last) = blocks.into_inner();
        let topics = [B256::from(topic(RESULT_POSTED).0)];
        loop {
            let from = last.saturating_sub(range.max(1) - 1).max(first);
            match self.rpc.logs(self.address, &topics, from, last).await {
                Ok(logs) => {
                    let mut all = logs.iter().filter_map(|log| self.posted(log));
                    if let Some(found) = all.find(|found| found.id == id) {
                        return Ok(found);
                    }
                    if from <= first {
                        let consumer = self.address;
                        return Err(AcceptanceError::NoSuchResult { id, consumer, from: first }.into());
                    }
                    last = from - 1;
                }
                Err(DeployError::Rpc { .. }) if last > from => range = (last - from).div_ceil(2).max(1),
                Err(other) => return Err(other),
            }
        }
    }

    /// The result about this data that a transaction of the poster has posted.
    ///
    /// # Errors
    /// [`DeployError::Answer`] when the receipt holds no such event of this contract.
    pub fn of_receipt(
        &self,
        receipt: &TransactionReceipt,
        poster: Address,
        data_commitment: Word,
    ) -> Result<PostedResult> {
        let wanted = (poster.into_array(), data_commitment);
        let mut all = receipt.inner.logs().iter().filter_map(|log| self.posted(log));
        all.find(|found| (found.result.poster, found.result.data_commitment) == wanted).ok_or_else(|| {
            DeployError::Answer {
                what: "postResult".to_owned(),
                address: self.address.to_string(),
                answer: format!("without its event in transaction {}", receipt.transaction_hash),
                expected: "ResultPosted".to_owned(),
            }
        })
    }

    /// Nodes may say anything: an event counts only if it is this contract's, and whole.
    fn posted(&self, log: &Log) -> Option<PostedResult> {
        if log.address() != self.address || log.removed {
            return None;
        }
        let topics: Vec<Word> = log.topics().iter().map(|topic| Word(topic.0)).collect();
        let (chain, consumer) = (self.rpc.chain_id(), self.address.into_array());
        match ResultEvent::decode(&topics, &log.data().data, chain, consumer) {
            Ok(ResultEvent::Posted { id, result, policy, output }) => {
                Some(PostedResult { id, result, policy, output })
            }
            _ => None,
        }
    }

    /// Refuses signatures that the contract would refuse now: their number, order and times, and what the registry of keys says of each.
    ///
    /// # Errors
    /// [`AcceptanceError`], and those of the endpoint.
    pub async fn check_attestations(
        &self,
        result: &Posted,
        policy: &Policy,
        attestations: &[Attestation],
    ) -> Result<()> {
        let found = attestations.len();
        if found != usize::from(policy.signatures) {
            let expected = policy.signatures.to_string();
            return Err(AcceptanceError::Signatures { found, expected }.into());
        }
        let now = self.rpc.now().await?;
        let mut last = Word::ZERO;
        for each in attestations {
            let Attestation { key_id, issued_at, valid_until, .. } = *each;
            if key_id.0 <= last.0 {
                return Err(AcceptanceError::KeysNotAscending { key_id }.into());
            }
            last = key_id;
            if now < issued_at || now > valid_until {
                let refused = AcceptanceError::AttestationTime { key_id, issued_at, valid_until, now };
                return Err(refused.into());
            }
            self.check_signature(result, policy, each).await?;
        }
        Ok(())
    }

    async fn check_signature(&self, result: &Posted, policy: &Policy, each: &Attestation) -> Result<()> {
        let (chain, consumer) = (self.rpc.chain_id(), self.address.into_array());
        let digest = result.attestation_digest(chain, consumer, each.issued_at, each.valid_until);
        let call = ZkmlAttestors::checkCall {
            keyId: B256::from(each.key_id.0),
            digest: B256::from(digest.0),
            signature: each.signature.clone().into(),
        };
        let attestors = Address::from(policy.attestors);
        match self.rpc.call(None, Some(attestors), &call.abi_encode()).await? {
            Answer::Returned(_) => Ok(()),
            Answer::Reverted(bytes) => {
                let reason = describe(&bytes);
                Err(AcceptanceError::Key { key_id: each.key_id, attestors, reason }.into())
            }
        }
    }
}

/// Refuses a policy that contracts refuse, before anybody pays for learning it: as `ZKMLPolicy` does.
///
/// # Errors
/// [`AcceptanceError`], with the flag that mends it.
pub fn check_policy(policy: &Policy, poster: Address) -> Result<(), AcceptanceError> {
    let paths = policy.paths.count_ones();
    if policy.required == 0 || u32::from(policy.required) > paths {
        return Err(AcceptanceError::Required { required: policy.required, paths });
    }
    if policy.has(ATTESTED) {
        if policy.signatures == 0 || policy.signatures > MAX_SIGNATURES {
            let (found, expected) = (policy.signatures.into(), format!("1 to {MAX_SIGNATURES}"));
            return Err(AcceptanceError::Signatures { found, expected });
        }
        if policy.attestors == [0; 20] {
            let what = "the registry of its keys: --attestors ADDRESS";
            return Err(AcceptanceError::NotNamed { path: "attested", what });
        }
    }
    // Also where nothing can be lost: contracts refuse it on every path.
    if policy.beneficiary == poster.into_array() {
        return Err(AcceptanceError::OwnBeneficiary { beneficiary: poster });
    }
    if policy.has(OPTIMISTIC | SAMPLED) { check_bonded(policy) } else { Ok(()) }
}

fn check_bonded(policy: &Policy) -> Result<(), AcceptanceError> {
    if policy.bond == Word::ZERO {
        return Err(AcceptanceError::ZeroBond);
    }
    let path = if policy.has(OPTIMISTIC) { "optimistic" } else { "sampled" };
    if policy.beneficiary == [0; 20] {
        let what = "who gets what is lost of a bond: --beneficiary ADDRESS";
        return Err(AcceptanceError::NotNamed { path, what });
    }
    check_window("an answer window", policy.answer_window)?;
    if policy.has(OPTIMISTIC) {
        if policy.deposit == Word::ZERO {
            return Err(AcceptanceError::ZeroDeposit);
        }
        check_window("a challenge window", policy.challenge_window)?;
    }
    if policy.has(SAMPLED) {
        if policy.rate == 0 || policy.rate > WAD {
            return Err(AcceptanceError::Rate);
        }
        if policy.beacon == [0; 20] {
            let what = "what draws it: --beacon ADDRESS";
            return Err(AcceptanceError::NotNamed { path: "sampled", what });
        }
    }
    Ok(())
}

fn check_window(what: &'static str, seconds: u32) -> Result<(), AcceptanceError> {
    let (shortest, longest) = WINDOWS.into_inner();
    if WINDOWS.contains(&seconds) {
        return Ok(());
    }
    Err(AcceptanceError::Window { what, seconds, shortest, longest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_contracts::library;

    const POSTER: Address = Address::new([9; 20]);

    fn policy() -> Policy {
        Policy {
            paths: OPTIMISTIC | SAMPLED | ATTESTED,
            required: 3,
            signatures: 1,
            challenge_window: 300,
            answer_window: 300,
            rate: 1,
            bond: Word::ONE,
            deposit: Word::ONE,
            beneficiary: [1; 20],
            beacon: [2; 20],
            attestors: [3; 20],
            ..Policy::default()
        }
    }

    #[test]
    fn each_defect_of_a_policy_has_its_error() {
        assert!(check_policy(&policy(), POSTER).is_ok());
        let attested = Policy { paths: ATTESTED, required: 1, bond: Word::ZERO, ..policy() };
        assert!(check_policy(&attested, POSTER).is_ok(), "keys that sign need no bond");
        let cases = [
            ("required", Policy { required: 0, ..policy() }),
            ("required", Policy { required: 4, ..policy() }),
            ("required", Policy { paths: 0, ..policy() }),
            ("signatures", Policy { signatures: 0, ..policy() }),
            ("signatures", Policy { signatures: 17, ..policy() }),
            ("not-named", Policy { attestors: [0; 20], ..policy() }),
            ("zero-bond", Policy { bond: Word::ZERO, ..policy() }),
            ("not-named", Policy { beneficiary: [0; 20], ..policy() }),
            ("own-beneficiary", Policy { beneficiary: [9; 20], ..policy() }),
            ("own-beneficiary", Policy { paths: ATTESTED, required: 1, beneficiary: [9; 20], ..policy() }),
            ("window", Policy { answer_window: 299, ..policy() }),
            ("window", Policy { challenge_window: 2_592_001, ..policy() }),
            ("zero-deposit", Policy { deposit: Word::ZERO, ..policy() }),
            ("rate", Policy { rate: 0, ..policy() }),
            ("rate", Policy { rate: WAD + 1, ..policy() }),
            ("not-named", Policy { beacon: [0; 20], ..policy() }),
        ];
        for (name, policy) in cases {
            let refused = check_policy(&policy, POSTER).unwrap_err();
            assert!(refused.name() == name && refused.is_usage(), "{name}: {refused}");
        }
    }

    #[test]
    fn limits_are_the_contracts() {
        let source = library::source("@zkml-chain/contracts/src/libraries/ZKMLPolicy.sol").unwrap();
        for line in [
            "MIN_WINDOW = 5 minutes;",
            "MAX_WINDOW = 30 days;",
            &format!("MAX_SIGNATURES = {MAX_SIGNATURES};"),
            "WAD = 1e18;",
        ] {
            assert!(source.contains(line), "{line}");
        }
    }
}
