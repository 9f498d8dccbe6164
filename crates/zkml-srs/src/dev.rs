//! The development setup: deterministic, insecure, and quick to make, because its secret is known.

use halo2curves::{
    bn256::{Fr, G2Affine},
    group::Curve,
};
use sha3::{Digest, Keccak256};

#[cfg(feature = "setup")]
mod points;
#[cfg(feature = "setup")]
pub(super) use points::{params, powers};

/// Anybody can compute the secret from this; that is the point.
const SEED: &[u8] = b"zkml-chain insecure development setup, version 1";

/// The secret that everybody knows.
pub(super) fn secret() -> Fr {
    let half = |tag: u8| -> [u8; 32] {
        let mut h = Keccak256::new();
        h.update(SEED);
        h.update([tag]);
        h.finalize().into()
    };
    let mut wide = [0u8; 64];
    wide[..32].copy_from_slice(&half(0));
    wide[32..].copy_from_slice(&half(1));
    <Fr as ff::FromUniformBytes<64>>::from_uniform_bytes(&wide)
}

/// The secret in G2.
pub(super) fn s_g2() -> G2Affine {
    (G2Affine::generator() * secret()).to_affine()
}
