//! How a statement is tied to its surroundings: shared by Rust, Solidity and the browser.

use crate::{Word, keccak256};

/// EIP-712 type of what an input commitment covers.
pub const INPUT_TYPE: &str = "ZKMLInput(bytes32 dataCommitment,bytes32 context)";
/// EIP-712 type of a bound inference.
pub const CONTEXT_TYPE: &str = "ZKMLInference(address subject,uint256 nonce,uint256 deadline,bytes32 action)";
/// Type of a request; its hash is the request's id, and the nonce of the context that its proof is bound to.
pub const REQUEST_TYPE: &str =
    "ZKMLRequest(address subject,uint256 sequence,uint256 deadline,bytes32 action,bytes32 dataCommitment)";
/// Type of a request with a reward; its hash is the request's id.
pub const REWARD_TYPE: &str = "ZKMLReward(uint256 requestId,address payer,address asset,uint256 amount,uint64 callbackGas,uint32 confirmations)";
/// Type of what a proof is bound to that is worth a reward; its hash is the nonce of the proof's context.
pub const FULFILMENT_TYPE: &str = "ZKMLFulfilment(uint256 requestId,address prover)";
/// EIP-712 type of a model's identity in a registry.
pub const COMMITMENT_TYPE: &str =
    "ZKMLModelCommitment(bytes32 modelHash,bytes32 circuitHash,bytes32 vkHash,bytes4 proofSystemId)";
/// EIP-712 type of a model's id in a registry.
pub const MODEL_ID_TYPE: &str = "ZKMLModelId(address owner,bytes32 commitment)";
/// EIP-712 domain type; name and version are [`DOMAIN_NAME`] and [`DOMAIN_VERSION`].
pub const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
/// EIP-712 domain name.
pub const DOMAIN_NAME: &str = "zkml-chain";
/// EIP-712 domain version.
pub const DOMAIN_VERSION: &str = "1";
/// Bits of a context: fewer than the scalar field's 254, so that every context is a canonical instance.
pub const CONTEXT_BITS: u32 = 253;

/// `keccak256(abi.encode(INPUT_TYPEHASH, dataCommitment, context))`: the `inputCommitment` of ERC-7992.
pub fn input_commitment(data_commitment: &Word, context: &Word) -> Word {
    let type_hash = keccak256([INPUT_TYPE.as_bytes()]);
    keccak256([type_hash.as_bytes().as_slice(), data_commitment.as_bytes(), context.as_bytes()])
}

/// The data commitment of public inputs: Keccak-256 over the input section's instances.
pub fn public_data_commitment(inputs: &[Word]) -> Word {
    keccak256(inputs.iter().map(|word| word.0.as_slice()))
}

/// Who may use a proof, where and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Chain of the consumer.
    pub chain_id: u64,
    /// Address of the consumer contract.
    pub consumer: [u8; 20],
    /// Whom the inference is about.
    pub subject: [u8; 20],
    /// The subject's next nonce at the consumer.
    pub nonce: Word,
    /// Last acceptable block time, in seconds since 1970.
    pub deadline: Word,
    /// What the consumer is asked to do, hashed by it.
    pub action: Word,
}

impl Context {
    /// The EIP-712 domain separator of the consumer.
    pub fn domain_separator(&self) -> Word {
        keccak256([
            keccak256([DOMAIN_TYPE.as_bytes()]).0.as_slice(),
            &keccak256([DOMAIN_NAME.as_bytes()]).0,
            &keccak256([DOMAIN_VERSION.as_bytes()]).0,
            &Word::from_u64(self.chain_id).0,
            &address_word(&self.consumer).0,
        ])
    }

    /// The EIP-712 hash of the message: whom, how often, until when, what for.
    pub fn struct_hash(&self) -> Word {
        keccak256([
            keccak256([CONTEXT_TYPE.as_bytes()]).0.as_slice(),
            &address_word(&self.subject).0,
            &self.nonce.0,
            &self.deadline.0,
            &self.action.0,
        ])
    }

    /// The EIP-712 digest of the message in the consumer's domain.
    pub fn typed_digest(&self) -> Word {
        keccak256([b"\x19\x01".as_slice(), &self.domain_separator().0, &self.struct_hash().0])
    }

    /// The digest, masked to [`CONTEXT_BITS`]: instance 0 of a bound proof.
    pub fn digest(&self) -> Word {
        let mut digest = self.typed_digest();
        digest.0[0] &= 0xff >> (256 - CONTEXT_BITS);
        digest
    }
}

/// An inference that somebody has asked a contract for, and that anybody may prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// Who asked; whom the inference is about.
    pub subject: [u8; 20],
    /// How many requests the contract had before this one.
    pub sequence: Word,
    /// Last acceptable block time, in seconds since 1970.
    pub deadline: Word,
    /// What the contract is asked to do with the output, hashed.
    pub action: Word,
    /// The commitment to the one input that may be proven.
    pub data_commitment: Word,
}

impl Request {
    /// The id of the request at its contract. It covers all of the request, so that an event that is seen twice, or
    /// again after a reorganisation of the chain, is the same request.
    pub fn id(&self) -> Word {
        keccak256([
            keccak256([REQUEST_TYPE.as_bytes()]).0.as_slice(),
            &address_word(&self.subject).0,
            &self.sequence.0,
            &self.deadline.0,
            &self.action.0,
            &self.data_commitment.0,
        ])
    }

    /// What the request's proof is bound to at this contract: its nonce is the id.
    pub fn context(&self, chain_id: u64, consumer: [u8; 20]) -> Context {
        let Self { subject, deadline, action, .. } = *self;
        Context { chain_id, consumer, subject, nonce: self.id(), deadline, action }
    }
}

/// What a request pays for its proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reward {
    /// Whose money it is.
    pub payer: [u8; 20],
    /// The token; zero for the chain's own coin.
    pub asset: [u8; 20],
    /// How much, in the asset's smallest unit.
    pub amount: Word,
    /// Gas that the contract may use up to act on the output.
    pub callback_gas: u64,
    /// Blocks between the request and its fulfilment, at least.
    pub confirmations: u32,
}

impl Reward {
    /// The id of a request that pays this reward. It covers the request and the reward.
    pub fn id(&self, request: &Request) -> Word {
        keccak256([
            keccak256([REWARD_TYPE.as_bytes()]).0.as_slice(),
            &request.id().0,
            &address_word(&self.payer).0,
            &address_word(&self.asset).0,
            &self.amount.0,
            &Word::from_u64(self.callback_gas).0,
            &Word::from_u64(self.confirmations.into()).0,
        ])
    }

    /// What a proof is bound to that earns `prover` the reward: whoever copies the proof is another.
    pub fn context(
        &self,
        request: &Request,
        prover: &[u8; 20],
        chain_id: u64,
        consumer: [u8; 20],
    ) -> Context {
        let nonce = keccak256([
            keccak256([FULFILMENT_TYPE.as_bytes()]).0.as_slice(),
            &self.id(request).0,
            &address_word(prover).0,
        ]);
        Context { nonce, ..request.context(chain_id, consumer) }
    }
}

/// What a model is registered with: its identity, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Keccak-256 of the compiled model; with private weights the commitment to them.
    pub model_hash: Word,
    /// See [`model_commitment`](crate::model_commitment).
    pub circuit_hash: Word,
    /// [`VerifierProgram::vk_digest`](crate::VerifierProgram::vk_digest).
    pub vk_hash: Word,
    /// [`ProofSystem::id`](crate::ProofSystem::id).
    pub proof_system_id: [u8; 4],
}

impl Registration {
    /// What a consumer pins besides the id: the hash of all four.
    pub fn commitment_hash(&self) -> Word {
        // A bytes4 fills its word from the left.
        let mut system = Word::ZERO;
        system.0[..4].copy_from_slice(&self.proof_system_id);
        keccak256([
            keccak256([COMMITMENT_TYPE.as_bytes()]).0.as_slice(),
            &self.model_hash.0,
            &self.circuit_hash.0,
            &self.vk_hash.0,
            &system.0,
        ])
    }

    /// The id of the model, in every registry, when this account registers it.
    pub fn model_id(&self, owner: &[u8; 20]) -> Word {
        let type_hash = keccak256([MODEL_ID_TYPE.as_bytes()]);
        keccak256([&type_hash.0, &address_word(owner).0, &self.commitment_hash().0].map(|w| w.as_slice()))
    }
}

/// An address as a word: the last 20 of its bytes.
pub fn address_word(address: &[u8; 20]) -> Word {
    let mut word = Word::ZERO;
    word.0[12..].copy_from_slice(address);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_context_moves_its_digest() {
        let base = Context { chain_id: 31337, ..Context::default() };
        let one = Word::ONE;
        let variants = [
            Context { chain_id: 1, ..base },
            Context { consumer: [1; 20], ..base },
            Context { subject: [1; 20], ..base },
            Context { nonce: one, ..base },
            Context { deadline: one, ..base },
            Context { action: one, ..base },
        ];
        for variant in variants {
            assert_ne!(variant.digest(), base.digest(), "{variant:?}");
            assert!(variant.digest().0[0] < 0x20);
        }
    }

    #[test]
    fn every_part_of_a_request_moves_its_id_and_its_context() {
        let (base, one) = (Request::default(), Word::ONE);
        let variants = [
            Request { subject: [1; 20], ..base },
            Request { sequence: one, ..base },
            Request { deadline: one, ..base },
            Request { action: one, ..base },
            Request { data_commitment: one, ..base },
        ];
        let context = |request: &Request| request.context(31337, [7; 20]).digest();
        for variant in variants {
            assert_ne!(variant.id(), base.id(), "{variant:?}");
            assert_ne!(context(&variant), context(&base), "{variant:?}");
        }
        assert_ne!(base.context(1, [7; 20]).digest(), context(&base), "the chain");
        assert_ne!(base.context(31337, [8; 20]).digest(), context(&base), "the contract");
    }

    #[test]
    fn every_part_of_a_reward_moves_its_id_and_its_context() {
        let (base, request) = (Reward::default(), Request::default());
        let variants = [
            Reward { payer: [1; 20], ..base },
            Reward { asset: [1; 20], ..base },
            Reward { amount: Word::ONE, ..base },
            Reward { callback_gas: 1, ..base },
            Reward { confirmations: 1, ..base },
        ];
        let context = |reward: &Reward, prover| reward.context(&request, prover, 31337, [7; 20]).digest();
        for variant in variants {
            assert_ne!(variant.id(&request), base.id(&request), "{variant:?}");
            assert_ne!(context(&variant, &[9; 20]), context(&base, &[9; 20]), "{variant:?}");
        }
        assert_ne!(context(&base, &[8; 20]), context(&base, &[9; 20]), "the prover");
        assert_ne!(base.id(&request), request.id(), "a request without a reward is another");
        let other = Request { action: Word::ONE, ..request };
        assert_ne!(base.id(&other), base.id(&request), "the request");
    }

    #[test]
    fn a_request_is_bound_to_all_that_it_says() {
        let word = Word::from_u64;
        let request = Request {
            subject: [1; 20],
            sequence: word(2),
            deadline: word(3),
            action: word(4),
            data_commitment: word(5),
        };
        let expected = Context {
            chain_id: 6,
            consumer: [7; 20],
            subject: [1; 20],
            nonce: request.id(),
            deadline: word(3),
            action: word(4),
        };
        assert_eq!(request.context(6, [7; 20]), expected);
    }
}
