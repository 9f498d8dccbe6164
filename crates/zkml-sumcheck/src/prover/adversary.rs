//! What a prover may choose: hooks for those who choose otherwise, in tests.

use halo2curves::bn256::Fr;
use std::collections::BTreeMap;
use zkml_protocol::sumcheck::{Challenge, Claim, SlotId, Source, Step};

/// Challenges that exist so far.
pub(crate) type Known = BTreeMap<Challenge, Fr>;

/// Everything that a prover chooses, in the order in which it does. Each hook gets what is about to be used, and the challenges
/// that exist by then; the prover goes on with what it leaves.
pub(crate) trait Adversary {
    /// The vectors `T` and `H` before they are committed to. Returns true if cells were changed.
    fn vector(&mut self, _: Source, _: &mut [Fr], _: &Known) -> bool {
        false
    }

    /// Scalars before they are sent.
    fn scalars(&mut self, _: SlotId, _: &mut [Fr], _: &Known) {}

    /// A polynomial of the opening before it is committed to; that of the quotient is without the parts of `W`.
    fn polynomial(&mut self, _: SlotId, _: &mut Vec<Fr>, _: &Known) {}

    /// Claims about the vectors.
    fn claims(&self, claims: Vec<Claim>) -> Vec<Claim> {
        claims
    }

    /// Returns false for a move of the transcript that is left out: elements are sent, but not absorbed.
    fn absorbs(&self, _: &Step) -> bool {
        true
    }

    /// A challenge instead of the transcript's.
    fn challenge(&self, _: Challenge) -> Option<Fr> {
        None
    }

    /// Returns true if the identity is sent like other points.
    fn sends_identity(&self) -> bool {
        false
    }
}

/// Chooses nothing otherwise.
pub(crate) struct Honest;

impl Adversary for Honest {}
