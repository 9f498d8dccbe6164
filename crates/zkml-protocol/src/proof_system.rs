//! Which proof systems there are.

use crate::{Statement, Word, keccak256};

/// Separates the model commitment.
const MODEL_TAG: &[u8] = b"zkml-chain/model-commitment/v1";

/// A way to prove a statement. Contracts register models with its [`id`](ProofSystem::id), so that a proof of one system is
/// never taken for one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProofSystem {
    /// Columns, gates and copies, opened by KZG with SHPLONK: [`plonk`](crate::plonk).
    Plonk,
    /// Sumchecks over vectors of small integers, opened by KZG with Mercury: [`sumcheck`](crate::sumcheck).
    Sumcheck,
}

impl ProofSystem {
    /// Its full name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plonk => "halo2-kzg-shplonk-bn254-v1",
            Self::Sumcheck => "sumcheck-kzg-mercury-bn254-v1",
        }
    }

    /// First four bytes of the Keccak-256 of its name.
    pub fn id(self) -> [u8; 4] {
        let [a, b, c, d, ..] = keccak256([self.name().as_bytes()]).0;
        [a, b, c, d]
    }
}

/// What a contract pins: Keccak-256 of a tag, the digest of the verifier program and the model's hash.
pub fn model_commitment(vk_digest: &Word, statement: &Statement) -> Word {
    keccak256([MODEL_TAG, &vk_digest.0, &statement.model_hash.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_published_ones() {
        assert_eq!(ProofSystem::Plonk.id(), [0xcf, 0x71, 0xbc, 0xa1]);
        assert_eq!(ProofSystem::Sumcheck.id(), [0x0b, 0xe5, 0xa8, 0x2c]);
    }
}
