//! A consumer on a chain: which model it takes proofs about, what the next one must be bound to, and handing one in.

use std::ops::RangeInclusive;

use alloy::{
    primitives::{Address, B256, U256},
    rpc::types::TransactionReceipt,
    sol_types::SolCall,
};
use zkml_contracts::{
    Submission,
    requests::{
        InferenceAccepted, InferenceRequested, REWARDED_INFERENCE_REQUESTED, RequestState,
        RewardedInferenceRequested, request_state, topic,
    },
};
use zkml_protocol::{
    VerifierProgram, Word,
    binding::{Context, Reward},
};

use crate::{
    DeployError, Result,
    asset::COIN,
    interfaces::{ZkmlConsumer, ZkmlRegistry, ZkmlRewards, ZkmlVerifier},
    rpc::Rpc,
    transaction::Call,
};

/// The model that a consumer takes proofs about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedModel {
    /// Its id in the registry.
    pub id: Word,
    /// The registry.
    pub registry: Address,
    /// Keccak-256 of the compiled model; with private weights the commitment to them.
    pub model_hash: Word,
    /// The verifier's `modelCommitment()`.
    pub circuit_hash: Word,
    /// The verifier's `vkDigest()`.
    pub vk_hash: Word,
    /// No proof of it is accepted any more.
    pub deprecated: bool,
}

impl PinnedModel {
    /// Refuses a model that is out of use, and one that this program does not prove.
    ///
    /// # Errors
    /// [`DeployError::Deprecated`], [`DeployError::OtherModel`].
    pub fn check(&self, consumer: Address, program: &dyn VerifierProgram) -> Result<()> {
        if self.deprecated {
            return Err(DeployError::Deprecated { model_id: self.id.to_string() });
        }
        let pairs = [
            ("verifying key", self.vk_hash, program.vk_digest()),
            ("circuit", self.circuit_hash, program.model_commitment()),
        ];
        match pairs.into_iter().find(|(_, there, here)| there != here) {
            None => Ok(()),
            Some((what, there, here)) => Err(DeployError::OtherModel {
                consumer: consumer.to_string(),
                what,
                there: there.to_string(),
                here: here.to_string(),
            }),
        }
    }
}

/// A contract that inherits `ZKMLConsumer`.
#[derive(Debug, Clone, Copy)]
pub struct Consumer<'a> {
    rpc: &'a Rpc,
    address: Address,
}

impl<'a> Consumer<'a> {
    /// The consumer at an address.
    ///
    /// # Errors
    /// [`DeployError::NoCode`] when there is no contract, and those of the endpoint.
    pub async fn at(rpc: &'a Rpc, address: Address) -> Result<Self> {
        if rpc.code(address).await?.is_empty() {
            return Err(DeployError::NoCode { address: address.to_string(), chain_id: rpc.chain_id() });
        }
        Ok(Self { rpc, address })
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

    /// The model that it takes proofs about.
    ///
    /// # Errors
    /// [`DeployError::Answer`] when the contract is no consumer, and those of the endpoint.
    pub async fn model(&self) -> Result<PinnedModel> {
        let id = self.rpc.view(self.address, "modelId", ZkmlConsumer::modelIdCall {}).await?;
        let verifier =
            self.rpc.view(self.address, "ZKML_VERIFIER", ZkmlConsumer::ZKML_VERIFIERCall {}).await?;
        let registry = self.rpc.view(verifier, "registry", ZkmlVerifier::registryCall {}).await?;
        let entry =
            self.rpc.view(registry, "identityOf", ZkmlRegistry::identityOfCall { modelId: id }).await?;
        Ok(PinnedModel {
            id: Word(id.to_be_bytes()),
            registry,
            model_hash: Word(entry.identity.modelHash.0),
            circuit_hash: Word(entry.identity.circuitHash.0),
            vk_hash: Word(entry.identity.vkHash.0),
            deprecated: entry.deprecated,
        })
    }

    /// What the next proof about a subject must be bound to.
    ///
    /// # Errors
    /// [`DeployError::OtherContext`] when the contract says something else than this program computes from the same
    /// parts, and those of [`Consumer::model`].
    pub async fn next_context(&self, subject: Address, deadline: u64, action: Word) -> Result<Context> {
        let nonce = self.rpc.view(self.address, "nonces", ZkmlConsumer::noncesCall { subject }).await?;
        let context = Context {
            chain_id: self.rpc.chain_id(),
            consumer: self.address.into_array(),
            subject: subject.into_array(),
            nonce: Word(nonce.to_be_bytes()),
            deadline: Word::from_u64(deadline),
            action,
        };
        self.agrees(&context).await?;
        Ok(context)
    }

    /// Whether the contract comes to the same context from the same parts.
    async fn agrees(&self, context: &Context) -> Result<()> {
        let call = ZkmlConsumer::contextOfCall {
            subject: Address::from(context.subject),
            nonce: U256::from_be_bytes(context.nonce.0),
            deadline: U256::from_be_bytes(context.deadline.0),
            action: B256::from(context.action.0),
        };
        let there = Word(self.rpc.view(self.address, "contextOf", call).await?.0);
        let here = context.digest();
        if there == here {
            return Ok(());
        }
        let (consumer, there, here) = (self.address.to_string(), there.to_string(), here.to_string());
        Err(DeployError::OtherContext { consumer, there, here })
    }

    /// Refuses a context that this consumer would not take now.
    ///
    /// # Errors
    /// [`DeployError::Unusable`] with the part that differs, and as [`Consumer::next_context`].
    pub async fn check_context(&self, subject: Address, context: &Context) -> Result<()> {
        let refuse = |part, found: String, expected: String| DeployError::Unusable { part, found, expected };
        if context.chain_id != self.rpc.chain_id() {
            let (found, expected) = (context.chain_id.to_string(), self.rpc.chain_id().to_string());
            return Err(refuse("chain", found, expected));
        }
        for (part, found, expected) in [
            ("consumer", Address::from(context.consumer), self.address),
            ("subject", Address::from(context.subject), subject),
        ] {
            if found != expected {
                return Err(refuse(part, found.to_string(), expected.to_string()));
            }
        }
        let nonce = self.rpc.view(self.address, "nonces", ZkmlConsumer::noncesCall { subject }).await?;
        let found = U256::from_be_bytes(context.nonce.0);
        if found != nonce {
            return Err(refuse("nonce", found.to_string(), nonce.to_string()));
        }
        let (deadline, now) = (U256::from_be_bytes(context.deadline.0), self.rpc.now().await?);
        if deadline < U256::from(now) {
            return Err(refuse(
                "deadline",
                deadline.to_string(),
                format!("at least {now}, the last block's time"),
            ));
        }
        self.agrees(context).await
    }

    /// The transaction that hands a proof in: the generated consumer's `verifyInference`.
    #[must_use]
    pub fn hand_in(&self, submission: &Submission, context: &Context, provenance: &[u8]) -> Call {
        let data = zkml_contracts::verify_inference(submission, context.deadline, context.action, provenance);
        Call::new("verifyInference", self.address, data)
    }

    /// The data commitment of the inference that a transaction had accepted.
    ///
    /// # Errors
    /// [`DeployError::Answer`] when the receipt holds no such event of this consumer for this context.
    pub fn accepted(&self, receipt: &TransactionReceipt, context: &Context) -> Result<Word> {
        let wanted = (context.subject, context.nonce, context.action);
        self.events(receipt, InferenceAccepted::decode)
            .find(|event| (event.subject, event.nonce, event.action) == wanted)
            .map(|event| event.data_commitment)
            .ok_or_else(|| self.without(receipt, "verifyInference", "InferenceAccepted"))
    }

    /// The id of the request about this data that a transaction of the subject made.
    ///
    /// # Errors
    /// [`DeployError::Answer`] when the receipt holds no such event of this contract.
    pub fn requested(
        &self,
        receipt: &TransactionReceipt,
        subject: Address,
        data_commitment: Word,
    ) -> Result<Word> {
        let wanted = (subject.into_array(), data_commitment);
        self.events(receipt, InferenceRequested::decode)
            .find(|event| (event.request.subject, event.request.data_commitment) == wanted)
            .map(|event| event.id)
            .ok_or_else(|| self.without(receipt, "requestInference", "InferenceRequested"))
    }

    /// Refuses a consumer that takes no requests.
    ///
    /// # Errors
    /// [`DeployError::NoRequests`], and those of the endpoint.
    pub async fn takes_requests(&self) -> Result<()> {
        match self.request_state(Word::ZERO).await {
            Ok(_) => Ok(()),
            Err(DeployError::Reverted { .. } | DeployError::Answer { .. }) => {
                Err(DeployError::NoRequests { consumer: self.address.to_string() })
            }
            Err(other) => Err(other),
        }
    }

    /// The request with this reward about this data that a transaction of the subject made.
    ///
    /// # Errors
    /// [`DeployError::Answer`] when the receipt holds no such event of this contract.
    pub fn requested_rewarded(
        &self,
        receipt: &TransactionReceipt,
        subject: Address,
        data_commitment: Word,
        reward: &Reward,
    ) -> Result<RewardedInferenceRequested> {
        let wanted = (subject.into_array(), data_commitment, *reward);
        self.events(receipt, RewardedInferenceRequested::decode)
            .find(|event| (event.request.subject, event.request.data_commitment, event.reward) == wanted)
            .ok_or_else(|| self.without(receipt, "requestRewarded", "RewardedInferenceRequested"))
    }

    /// Refuses a contract that pays no rewards.
    ///
    /// # Errors
    /// [`DeployError::NoRewards`], and those of the endpoint.
    pub async fn pays_rewards(&self) -> Result<()> {
        match self.funds(Address::ZERO, COIN).await {
            Ok(_) => Ok(()),
            Err(DeployError::Reverted { .. } | DeployError::Answer { .. }) => {
                Err(DeployError::NoRewards { consumer: self.address.to_string() })
            }
            Err(other) => Err(other),
        }
    }

    /// What is an account's in the contract, of an asset: what it has paid in, earned or got back.
    ///
    /// # Errors
    /// [`DeployError::Answer`] when the contract pays no rewards, and those of the endpoint.
    pub async fn funds(&self, account: Address, asset: Address) -> Result<U256> {
        self.rpc.view(self.address, "fundsOf", ZkmlRewards::fundsOfCall { account, asset }).await
    }

    /// How much of a payer's deposit a spender may use for rewards.
    ///
    /// # Errors
    /// As [`Consumer::funds`].
    pub async fn spending_limit(&self, payer: Address, spender: Address, asset: Address) -> Result<U256> {
        let call = ZkmlRewards::spendingLimitOfCall { payer, spender, asset };
        self.rpc.view(self.address, "spendingLimitOf", call).await
    }

    /// The transaction that pays tokens in, which it may take from the sender.
    #[must_use]
    pub fn deposit(&self, asset: Address, amount: U256) -> Call {
        Call::new("deposit", self.address, ZkmlRewards::depositCall { asset, amount }.abi_encode())
    }

    /// Requests with rewards that this contract has taken in these blocks, in ranges of at most `range` blocks, which is halved while the
    /// endpoint refuses. What is no such event is left out.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub async fn rewarded_requests(
        &self,
        blocks: RangeInclusive<u64>,
        mut range: u64,
    ) -> Result<Vec<RewardedInferenceRequested>> {
        let topic = B256::from(topic(REWARDED_INFERENCE_REQUESTED).0);
        let (mut from, last) = blocks.into_inner();
        let mut found = Vec::new();
        while from <= last {
            let to = from.saturating_add(range.max(1) - 1).min(last);
            match self.rpc.logs(self.address, &[topic], from, to).await {
                Ok(logs) => {
                    let own = logs.iter().filter(|log| log.address() == self.address && !log.removed);
                    found.extend(own.filter_map(|log| {
                        let topics: Vec<Word> = log.topics().iter().map(|topic| Word(topic.0)).collect();
                        RewardedInferenceRequested::decode(&topics, &log.data().data).ok()
                    }));
                    from = to + 1;
                }
                Err(DeployError::Rpc { .. }) if to > from => range = (to - from).div_ceil(2).max(1),
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }

    /// Where a request stands.
    ///
    /// # Errors
    /// [`DeployError::Answer`] when the contract takes no requests, and those of the endpoint.
    pub async fn request_state(&self, id: Word) -> Result<RequestState> {
        let what = "requestState";
        let bytes = self.rpc.call(None, Some(self.address), &request_state(id)).await?.returned(what)?;
        RequestState::decode(&bytes).map_err(|e| DeployError::Answer {
            what: what.to_owned(),
            address: self.address.to_string(),
            answer: e.to_string(),
            expected: "a state of a request".to_owned(),
        })
    }

    /// This contract's logs of one event.
    fn events<T, E>(
        &self,
        receipt: &TransactionReceipt,
        decode: impl Fn(&[Word], &[u8]) -> std::result::Result<T, E>,
    ) -> impl Iterator<Item = T> {
        receipt.inner.logs().iter().filter(|log| log.address() == self.address).filter_map(move |log| {
            let topics: Vec<Word> = log.topics().iter().map(|topic| Word(topic.0)).collect();
            decode(&topics, &log.data().data).ok()
        })
    }

    fn without(&self, receipt: &TransactionReceipt, what: &str, event: &str) -> DeployError {
        DeployError::Answer {
            what: what.to_owned(),
            address: self.address.to_string(),
            answer: format!("without its event in transaction {}", receipt.transaction_hash),
            expected: event.to_owned(),
        }
    }
}
