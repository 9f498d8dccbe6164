//! How a statement is tied to its surroundings: shared by Rust, Solidity and the browser.

use crate::{Word, keccak256};

/// Text whose Keccak-256 names the proof system.
pub const PROOF_SYSTEM: &str = "halo2-kzg-shplonk-bn254-v1";
/// EIP-712 type of what an input commitment covers.
pub const INPUT_TYPE: &str = "ZKMLInput(bytes32 dataCommitment,bytes32 context)";
/// EIP-712 type of a bound inference.
pub const CONTEXT_TYPE: &str = "ZKMLInference(address subject,uint256 nonce,uint256 deadline,bytes32 action)";
/// EIP-712 domain type; name and version are [`DOMAIN_NAME`] and [`DOMAIN_VERSION`].
pub const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
/// EIP-712 domain name.
pub const DOMAIN_NAME: &str = "zkml-chain";
/// EIP-712 domain version.
pub const DOMAIN_VERSION: &str = "1";
/// Bits of a context: fewer than the scalar field's 254, so that every context is a canonical instance.
pub const CONTEXT_BITS: u32 = 253;

/// First four bytes of the Keccak-256 of [`PROOF_SYSTEM`].
pub fn proof_system_id() -> [u8; 4] {
    let [a, b, c, d, ..] = keccak256([PROOF_SYSTEM.as_bytes()]).0;
    [a, b, c, d]
}

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
    /// The EIP-712 digest, masked to [`CONTEXT_BITS`]: instance 0 of a bound proof.
    pub fn digest(&self) -> Word {
        let domain = keccak256([
            keccak256([DOMAIN_TYPE.as_bytes()]).0.as_slice(),
            &keccak256([DOMAIN_NAME.as_bytes()]).0,
            &keccak256([DOMAIN_VERSION.as_bytes()]).0,
            &Word::from_u64(self.chain_id).0,
            &address_word(&self.consumer).0,
        ]);
        let message = keccak256([
            keccak256([CONTEXT_TYPE.as_bytes()]).0.as_slice(),
            &address_word(&self.subject).0,
            &self.nonce.0,
            &self.deadline.0,
            &self.action.0,
        ]);
        let mut digest = keccak256([b"\x19\x01".as_slice(), &domain.0, &message.0]);
        digest.0[0] &= 0xff >> (256 - CONTEXT_BITS);
        digest
    }
}

fn address_word(address: &[u8; 20]) -> Word {
    let mut word = Word::ZERO;
    word.0[12..].copy_from_slice(address);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_system_id_is_the_published_one() {
        assert_eq!(proof_system_id(), [0xcf, 0x71, 0xbc, 0xa1]);
    }

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
}
