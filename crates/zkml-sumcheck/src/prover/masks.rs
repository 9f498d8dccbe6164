//! All randomness of a proof.

use ff::Field;
use halo2curves::bn256::Fr;
use rand_core::{CryptoRng, RngCore};
use zkml_protocol::sumcheck::{Opening, Shape};

/// What hides the witness. Used for one proof and never again.
#[derive(Clone)]
pub struct Masks {
    /// The vector `R`.
    pub(crate) vector: Vec<Fr>,
    /// The random cell of `H`.
    pub(crate) helper: Fr,
    /// Coefficients at `X^N` of the parts of `T`, those of `H`, and `R`: an opening ignores them.
    pub(crate) blinds: Vec<Fr>,
}

/// Masks are secret.
impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masks").finish_non_exhaustive()
    }
}

impl Masks {
    /// Fresh masks.
    pub fn random(shape: &Shape, opening: &Opening, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut vector = vec![Fr::ZERO; opening.length() as usize];
        let terms = shape.mask_terms.iter().map(|m| m.address);
        let evaluations = shape.evaluations.iter().filter_map(|e| e.mask);
        for address in terms.chain(evaluations).chain(shape.opening_masks.iter().copied()) {
            vector[address as usize] = Fr::random(&mut *rng);
        }
        let parts = shape.parts.iter().sum::<u32>() + 1;
        let blinds = (0..parts).map(|_| Fr::random(&mut *rng)).collect();
        Self { vector, helper: Fr::random(rng), blinds }
    }
}
