//! The Keccak-256 transcript, defined once for prover, verifier and Solidity.

use crate::{G1, Word, field, keccak256};

/// Follows a squeeze that absorbed nothing, so that two squeezes in a row differ.
const NOTHING_ABSORBED: u8 = 0x01;

/// Fiat–Shamir state: one contiguous buffer that a contract can keep in memory and hash in place.
///
/// - Absorbing appends 32-byte big-endian words; a point is `x ‖ y`.
/// - Squeezing hashes the buffer; the 32-byte hash becomes the whole new buffer, and the challenge is
///   that hash modulo the scalar field's order.
/// - A squeeze with nothing absorbed since the one before hashes `buffer ‖ 0x01`: 33 bytes, so no
///   sequence of whole words can collide with it.
///
/// A challenge takes any given value with probability at most `6 · 2⁻²⁵⁶`, 1.14 times that of a uniform scalar,
/// so the reduction costs soundness less than one bit.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    buffer: Vec<u8>,
    squeezed: bool,
    trace: Option<Vec<Vec<u8>>>,
}

impl Transcript {
    /// An empty transcript. Proofs start with [`Transcript::beginning`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The state that every proof starts from: the digest of its program and the number of its instances are absorbed.
    pub fn beginning(digest: &Word, instances: u32) -> Self {
        let mut transcript = Self::new();
        transcript.absorb(digest);
        transcript.absorb(&Word::from_u64(u64::from(instances)));
        transcript
    }

    /// Keeps every hash input from now on, for comparison with an EVM trace.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.trace = Some(Vec::new());
        self
    }

    /// Hash inputs so far, one per squeeze; empty unless [`Transcript::traced`].
    pub fn trace(&self) -> &[Vec<u8>] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// Hash inputs, as [`Transcript::trace`], of a transcript that has ended.
    pub(crate) fn into_trace(self) -> Vec<Vec<u8>> {
        self.trace.unwrap_or_default()
    }

    /// Appends one word.
    pub fn absorb(&mut self, word: &Word) {
        self.absorb_bytes(&word.0);
    }

    /// Appends whole words as they stand.
    pub(crate) fn absorb_bytes(&mut self, words: &[u8]) {
        self.buffer.extend_from_slice(words);
        self.squeezed = false;
    }

    /// Appends the words `x` and `y`.
    pub fn absorb_point(&mut self, point: &G1) {
        self.absorb(&point.x);
        self.absorb(&point.y);
    }

    /// Hashes the buffer and returns the challenge, a canonical scalar.
    pub fn squeeze(&mut self) -> Word {
        if self.squeezed {
            self.buffer.push(NOTHING_ABSORBED);
        }
        let hash = keccak256([self.buffer.as_slice()]);
        let input = std::mem::replace(&mut self.buffer, hash.0.to_vec());
        if let Some(trace) = &mut self.trace {
            trace.push(input);
        }
        self.squeezed = true;
        field::reduce(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeezes_chain_and_differ() {
        let mut transcript = Transcript::new().traced();
        transcript.absorb(&Word::from_u64(5));
        let (first, second, third) = (transcript.squeeze(), transcript.squeeze(), transcript.squeeze());
        assert_ne!(first, second);
        assert_ne!(second, third);
        let lengths: Vec<_> = transcript.trace().iter().map(Vec::len).collect();
        assert_eq!(lengths, [32, 33, 33]);
        assert_eq!(transcript.trace()[1][32], 1);
    }

    #[test]
    fn the_hash_starts_the_next_buffer() {
        let mut transcript = Transcript::new().traced();
        transcript.absorb(&Word::from_u64(1));
        transcript.squeeze();
        transcript.absorb_point(&G1 { x: Word::from_u64(2), y: Word::from_u64(3) });
        transcript.squeeze();
        let second = &transcript.trace()[1];
        assert_eq!(second[..32], keccak256([transcript.trace()[0].as_slice()]).0);
        assert_eq!(second[32..64], Word::from_u64(2).0);
        assert_eq!(second[64..], Word::from_u64(3).0);
    }

    #[test]
    fn every_absorbed_word_moves_the_challenge() {
        let challenge = |words: &[u64]| {
            let mut transcript = Transcript::new();
            words.iter().for_each(|word| transcript.absorb(&Word::from_u64(*word)));
            transcript.squeeze()
        };
        assert_ne!(challenge(&[1, 2]), challenge(&[1, 3]));
        assert_ne!(challenge(&[1, 2]), challenge(&[2, 1]));
        assert_ne!(challenge(&[1]), challenge(&[1, 0]));
    }
}
