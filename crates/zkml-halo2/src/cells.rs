//! What the cells under the permutation argument hold.

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::wiring::Elem;

use crate::polynomial::{field, pow2};

/// What a cell under the permutation argument shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// An element of the system, or a constant.
    Elem(Elem),
    /// A field element that several values share.
    Packed(u32),
    /// The salt of a commitment.
    Salt(u32),
    /// The result of a call of the hash.
    Link(u32),
}

/// A field element that several values share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The values, the first in the lowest bits.
    pub members: Vec<Elem>,
    /// Bits per value.
    pub width: u32,
    /// Added to each value.
    pub offset: i64,
}

impl Packed {
    /// The field element, given the value of each member.
    pub fn value(&self, element: impl Fn(Elem) -> Fr) -> Fr {
        let (step, offset) = (pow2(self.width), field(self.offset.into()));
        self.members.iter().rev().fold(Fr::ZERO, |acc, e| acc * step + element(*e) + offset)
    }
}
