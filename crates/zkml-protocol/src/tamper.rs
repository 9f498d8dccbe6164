//! Every way to spoil a proof that its layout suggests, and which check must notice: for tests of verifiers.
//!
//! Rust verifiers, halo2 and the contracts run the same list, so a check that one of them lost shows up by name.

use crate::{Element, Slot, VerifierProgram, Word, field};

/// What a verifier must say about a spoiled proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Wrong number of bytes.
    Length,
    /// Wrong number of instances.
    InstanceCount,
    /// The instance of this index is not below the order.
    InstanceRange(usize),
    /// A scalar is not below the order.
    ScalarRange,
    /// A coordinate is not below the base field's modulus.
    CoordinateRange,
    /// A point is not on the curve.
    OffCurve,
    /// A point is the identity.
    Identity,
    /// All is well-formed, but the proof does not hold.
    Rejected,
}

/// A spoiled copy of a valid proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tampering {
    /// What was done.
    pub name: String,
    /// The public instances to present.
    pub instances: Vec<Word>,
    /// The proof to present.
    pub proof: Vec<u8>,
    /// Which check must refuse it.
    pub refusal: Refusal,
}

/// All tamperings of a proof that is valid for `program` and `instances`.
pub fn matrix(program: &dyn VerifierProgram, instances: &[Word], proof: &[u8]) -> Vec<Tampering> {
    let mut matrix = Matrix { instances, proof, tamperings: Vec::new() };
    matrix.lengths();
    matrix.instances();
    for slot in &program.slots() {
        for offset in (0..slot.count).filter_map(|index| slot.at(index)) {
            match slot.element {
                Element::Point => matrix.point(slot, offset),
                Element::Scalar => matrix.scalar(slot, offset),
            }
        }
    }
    matrix.tamperings
}

struct Matrix<'a> {
    instances: &'a [Word],
    proof: &'a [u8],
    tamperings: Vec<Tampering>,
}

impl Matrix<'_> {
    fn push(&mut self, name: String, refusal: Refusal, spoil: impl FnOnce(&mut Vec<Word>, &mut Vec<u8>)) {
        let (mut instances, mut proof) = (self.instances.to_vec(), self.proof.to_vec());
        spoil(&mut instances, &mut proof);
        self.tamperings.push(Tampering { name, instances, proof, refusal });
    }

    fn lengths(&mut self) {
        let length = self.proof.len();
        for shorter in [1, 32, 64, length] {
            let name = format!("proof shortened by {shorter} bytes");
            self.push(name, Refusal::Length, |_, proof| proof.truncate(length.saturating_sub(shorter)));
        }
        for longer in [1, 32] {
            let name = format!("proof extended by {longer} zero bytes");
            self.push(name, Refusal::Length, |_, proof| proof.resize(length.saturating_add(longer), 0));
        }
        self.push("one instance more".into(), Refusal::InstanceCount, |words, _| words.push(Word::ZERO));
        self.push("one instance less".into(), Refusal::InstanceCount, |words, _| {
            words.truncate(words.len().saturating_sub(1))
        });
    }

    fn instances(&mut self) {
        for (index, value) in self.instances.iter().copied().enumerate() {
            let name = format!("instance {index} plus 1");
            self.push(name, Refusal::Rejected, |words, _| words[index] = field::add(value, Word::ONE));
            let mut alias = value;
            for times in 1.. {
                let Some(next) = field::checked_add(alias, field::SCALAR_MODULUS) else { break };
                alias = next;
                let name = format!("instance {index} plus {times} times the order");
                self.push(name, Refusal::InstanceRange(index), |words, _| words[index] = next);
            }
        }
    }

    fn scalar(&mut self, slot: &Slot<String>, offset: usize) {
        let value = word_at(self.proof, offset);
        let name = |what| format!("{} at byte {offset}: {what}", slot.id);
        let other = field::add(value, Word::ONE);
        self.push(name("plus 1"), Refusal::Rejected, |_, proof| set_word(proof, offset, other));
        if let Some(alias) = field::checked_add(value, field::SCALAR_MODULUS) {
            self.push(name("plus the order"), Refusal::ScalarRange, |_, proof| {
                set_word(proof, offset, alias)
            });
        }
        let all_ones = Word([0xff; 32]);
        self.push(name("all ones"), Refusal::ScalarRange, |_, proof| set_word(proof, offset, all_ones));
        if !value.is_zero() {
            self.push(name("zero"), Refusal::Rejected, |_, proof| set_word(proof, offset, Word::ZERO));
        }
    }

    fn point(&mut self, slot: &Slot<String>, offset: usize) {
        let y_offset = offset + 32;
        let name = |what| format!("{} at byte {offset}: {what}", slot.id);
        let (x, y) = (word_at(self.proof, offset), word_at(self.proof, y_offset));
        self.push(name("zero"), Refusal::Identity, |_, proof| proof[offset..offset + 64].fill(0));
        self.push(name("lowest bit of x"), Refusal::OffCurve, |_, proof| proof[offset + 31] ^= 1);
        self.push(name("lowest bit of y"), Refusal::OffCurve, |_, proof| proof[y_offset + 31] ^= 1);
        for (what, at, value) in [("x plus the modulus", offset, x), ("y plus the modulus", y_offset, y)] {
            if let Some(alias) = field::checked_add(value, field::BASE_MODULUS) {
                self.push(name(what), Refusal::CoordinateRange, |_, proof| set_word(proof, at, alias));
            }
        }
        if let Some(opposite) = field::checked_sub(field::BASE_MODULUS, y) {
            self.push(name("negated"), Refusal::Rejected, |_, proof| set_word(proof, y_offset, opposite));
        }
        let (one, two) = (Word::ONE, Word::from_u64(2));
        self.push(name("replaced by the generator"), Refusal::Rejected, |_, proof| {
            set_word(proof, offset, one);
            set_word(proof, y_offset, two);
        });
    }
}

fn word_at(bytes: &[u8], offset: usize) -> Word {
    let mut word = Word::ZERO;
    word.0.copy_from_slice(&bytes[offset..offset + 32]);
    word
}

fn set_word(bytes: &mut [u8], offset: usize, word: Word) {
    bytes[offset..offset + 32].copy_from_slice(&word.0);
}
