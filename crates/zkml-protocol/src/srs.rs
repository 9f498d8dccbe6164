//! The verifier's part of a trusted setup.

use crate::{G1, G2, Word, keccak256};
use serde::{Deserialize, Serialize};

/// Separates the digest of a trusted setup.
const SRS_TAG: &[u8] = b"zkml-chain/srs/v1";

/// Verifier part of a powers-of-tau setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Srs {
    /// Generator of the first group.
    pub g1: G1,
    /// Generator of the second group.
    pub g2: G2,
    /// `s · g2` for the setup's secret `s`.
    pub s_g2: G2,
    /// True when somebody knows `s`: proofs can be forged, and the contract refuses to live on a real chain.
    pub unsafe_dev: bool,
}

impl Srs {
    /// Names the setup: Keccak-256 over a tag and the words of the three points.
    ///
    /// `s · g2` fixes the secret, so two setups with equal digests have equal powers.
    pub fn digest(&self) -> Word {
        let g1 = [self.g1.x, self.g1.y];
        let words = g1.into_iter().chain(self.g2.words()).chain(self.s_g2.words());
        let words: Vec<[u8; 32]> = words.map(|word| word.0).collect();
        keccak256(std::iter::once(SRS_TAG).chain(words.iter().map(|word| word.as_slice())))
    }
}
