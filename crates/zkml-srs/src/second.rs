//! The powers `τ^2, τ^4, …, τ^(2^(k−1))` in G2: openings that divide a vector into rows of `2^j` elements check against one of
//! them. Old files, and setups inside proving keys that need none, are without.

use ff::Field;
use halo2_proofs::poly::commitment::ParamsProver;
use halo2curves::{
    bn256::{Fr, G1, G1Affine, G2, G2Affine},
    group::{Curve, Group},
    serde::SerdeObject,
};
use rand_core::OsRng;
use zkml_curve::g2_words;

use super::{
    Srs, check, dev,
    error::{IN_G2, Result as Checked, SrsError},
    failure::{Error, Result},
    origin::Origin,
    points::{self, G2_BYTES},
};

/// How many there are for `2^k` powers in the first group.
fn count(k: u32) -> usize {
    k.saturating_sub(1) as usize
}

/// Those of the development setup.
pub(super) fn dev(k: u32) -> Vec<G2Affine> {
    let squares = std::iter::successors(Some(dev::secret().square()), |s| Some(s.square()));
    squares.take(count(k)).map(|s| (G2Affine::generator() * s).to_affine()).collect()
}

/// The first of them, for fewer powers.
pub(super) fn cut(all: &[G2Affine], k: u32) -> Vec<G2Affine> {
    all.iter().take(count(k)).copied().collect()
}

/// Place of the `i`-th among all powers in G2.
pub(super) fn exponents(k: u32) -> impl Iterator<Item = u64> {
    (1..=count(k) as u32).map(|j| 1 << j)
}

/// Checks that they are those of the powers in the first group, by one random combination; points one by one before.
pub(super) fn check(g: &[G1Affine], in_g2: &[G2Affine]) -> Checked<()> {
    let rho = Fr::random(OsRng);
    let mut weight = rho;
    let (mut first, mut second) = (G1::identity(), G2::identity());
    for (exponent, point) in exponents(g.len().ilog2()).zip(in_g2) {
        let Some(power) = g.get(exponent as usize) else { break };
        let mut raw = [0; G2_BYTES];
        raw.copy_from_slice(&point.to_raw_bytes());
        points::g2(&raw, IN_G2, exponent)?;
        first += *power * weight;
        second += *point * weight;
        weight *= rho;
    }
    if check::same_point(&first, &second) { Ok(()) } else { Err(SrsError::Ratio { part: IN_G2 }) }
}

/// As bytes, to follow the record of where a setup comes from.
pub(super) fn to_bytes(in_g2: &[G2Affine]) -> Vec<u8> {
    in_g2.iter().flat_map(SerdeObject::to_raw_bytes).collect()
}

/// What [`to_bytes`] wrote; nothing for other lengths than those of none and of all.
pub(super) fn from_bytes(bytes: &[u8], k: u32) -> Option<Vec<G2Affine>> {
    if bytes.is_empty() {
        return Some(vec![]);
    }
    let all = bytes.chunks_exact(G2_BYTES).map(G2Affine::from_raw_bytes);
    (bytes.len() == count(k) * G2_BYTES).then(|| all.collect()).flatten()
}

impl Srs {
    /// `[τ^(2^j)]₂` for `0 ≤ j < k`, in the words of a verifier.
    ///
    /// # Errors
    /// [`Error::TooSmall`] beyond that, [`Error::NoPowersInG2`] for a setup that was stored without them. `path` names it.
    pub fn power_in_g2(&self, j: u32, path: &str) -> Result<zkml_protocol::G2> {
        if j >= self.k() {
            return Err(Error::TooSmall { path: path.into(), have: self.k(), need: j + 1 });
        }
        let Some(at) = (j as usize).checked_sub(1) else { return Ok(g2_words(&self.params.s_g2())) };
        let computed;
        let all = if self.in_g2.is_empty() && self.origin == Origin::Dev {
            computed = dev(self.k());
            &computed
        } else {
            &self.in_g2
        };
        let found = all.get(at).map(g2_words);
        found.ok_or_else(|| Error::NoPowersInG2 { path: path.into() })
    }

    /// Checks them against the powers in the first group; there may be none.
    pub(super) fn check_second(&self) -> Checked<()> {
        check(self.params.get_g(), &self.in_g2)
    }
}
