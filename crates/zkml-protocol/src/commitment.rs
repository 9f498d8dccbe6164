//! What a commitment to private inputs, weights or outputs covers, word by word.
//!
//! A commitment is a chain of circomlib's Poseidon hash with three inputs over BN254's scalar field:
//!
//! ```text
//! h ← domain(role, number of parts)
//! h ← Poseidon(h, w₀, w₁);  h ← Poseidon(h, w₂, w₃);  …          the last h is the commitment
//! w = salt, then for each part (tensor): header(number of values, code), its values packed
//! ```
//!
//! with a zero word at the end where the number of words is odd. The domain and the headers determine how many words
//! follow and how they unpack, so that two different lists of tensors never give the same words: finding two with
//! the same commitment is finding a collision of Poseidon. The salt hides values that could be guessed; it has
//! to be uniform below the field's order, and new for every commitment.
//!
//! Poseidon: Grassi, Khovratovich, Rechberger, Roy, Schofnegger, <https://eprint.iacr.org/2019/458>.

use serde::{Deserialize, Serialize};

use crate::Word;

/// Bits of a field element that are filled with values: fewer than the order has, so that packing is injective.
pub const WORD_BITS: u32 = 253;
/// Words that one Poseidon call takes in besides the chain.
pub const WORDS_PER_CALL: usize = 2;
/// The letters `zk` and the version of this format, in front of role and number of parts.
const TAG: u64 = 0x7a6b01;

/// What is committed to. Each role has its own domain: a commitment of one role means nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An input tensor.
    Input = 1,
    /// All private weights of a model.
    Model = 2,
    /// An output tensor.
    Output = 3,
}

/// How integers are written as unsigned numbers of equal width, several to a field element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Width of a value in bits, 1 to 62.
    pub bits: u32,
    /// The unsigned number is `v + 2^(bits − 1)` when negative values occur, else `v`.
    pub signed: bool,
}

impl Code {
    /// Values per field element.
    pub fn per_word(self) -> u32 {
        WORD_BITS / self.bits.clamp(1, WORD_BITS)
    }

    /// Added to a value to make it unsigned.
    pub fn offset(self) -> i64 {
        if self.signed { 1 << (self.bits.clamp(1, 62) - 1) } else { 0 }
    }

    /// The unsigned number of a value, if the code can write it.
    fn unsigned(self, v: i64) -> Option<u64> {
        let shifted = u64::try_from(v.checked_add(self.offset())?).ok()?;
        ((1..=62).contains(&self.bits) && shifted >> self.bits == 0).then_some(shifted)
    }

    /// Whether the code can write a value.
    pub fn writes(self, v: i64) -> bool {
        self.unsigned(v).is_some()
    }

    /// Values as field elements, the first value of each in the lowest bits; absent places are zero. The error is
    /// the index of the first value that does not fit.
    ///
    /// # Errors
    /// The index of the first value that does not fit.
    pub fn pack(self, values: &[i64]) -> Result<Vec<Word>, usize> {
        let per_word = self.per_word() as usize;
        let mut out = vec![Word::ZERO; values.len().div_ceil(per_word)];
        for (i, v) in values.iter().enumerate() {
            let unsigned = self.unsigned(*v).ok_or(i)?;
            let shift = (i % per_word) as u32 * self.bits;
            place(&mut out[i / per_word], unsigned, shift);
        }
        Ok(out)
    }

    /// The values of [`Code::pack`]; `None` when the words are not those of exactly `count` values.
    pub fn unpack(self, words: &[Word], count: usize) -> Option<Vec<i64>> {
        let per_word = self.per_word() as usize;
        let value = |i: usize| {
            let shift = (i % per_word) as u32 * self.bits;
            let unsigned = take(words.get(i / per_word)?, shift, self.bits);
            i64::try_from(unsigned).ok()?.checked_sub(self.offset())
        };
        let values: Vec<i64> = (0..count).map(value).collect::<Option<_>>()?;
        (self.pack(&values).ok()? == words).then_some(values)
    }
}

/// Adds `value << shift` into bits of a word that are zero.
fn place(word: &mut Word, value: u64, shift: u32) {
    let wide = u128::from(value) << (shift % 8);
    for (j, byte) in wide.to_le_bytes().into_iter().enumerate() {
        if let Some(slot) = 31usize.checked_sub(shift as usize / 8 + j) {
            word.0[slot] |= byte;
        }
    }
}

/// `bits` bits of a word from `shift` up.
fn take(word: &Word, shift: u32, bits: u32) -> u64 {
    let byte = |j: usize| 31usize.checked_sub(shift as usize / 8 + j).map_or(0, |i| word.0[i]);
    let wide = (0..9).rev().fold(0u128, |acc, j| acc << 8 | u128::from(byte(j)));
    ((wide >> (shift % 8)) & ((1u128 << bits) - 1)) as u64
}

/// Where the chain starts.
pub fn domain(role: Role, parts: u32) -> Word {
    Word::from_u64(TAG << 40 | (role as u64) << 32 | u64::from(parts))
}

/// What precedes the words of a tensor.
pub fn header(values: u32, code: Code) -> Word {
    Word::from_u64(u64::from(code.signed) << 40 | u64::from(code.bits) << 32 | u64::from(values))
}

/// A tensor whose values do not fit its code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "value {value} (part {part}, element {index}) is outside the {bits} bits that the commitment gives it"
)]
pub struct DoesNotFit {
    /// Index of the tensor.
    pub part: usize,
    /// Index of the value.
    pub index: usize,
    /// The value.
    pub value: i64,
    /// Width of the tensor's code.
    pub bits: u32,
}

/// The words that the chain takes in, an even number: salt, headers and packed values.
///
/// # Errors
/// [`DoesNotFit`] for the first value that its code cannot write.
pub fn words(salt: &Word, parts: &[(Code, &[i64])]) -> Result<Vec<Word>, DoesNotFit> {
    let mut out = vec![*salt];
    for (part, (code, values)) in parts.iter().enumerate() {
        out.push(header(values.len() as u32, *code));
        let packed = code.pack(values).map_err(|index| DoesNotFit {
            part,
            index,
            value: values[index],
            bits: code.bits,
        })?;
        out.extend(packed);
    }
    out.resize(out.len().next_multiple_of(WORDS_PER_CALL), Word::ZERO);
    Ok(out)
}

/// Poseidon calls of a commitment to tensors of so many values.
pub fn calls(parts: impl IntoIterator<Item = (Code, usize)>) -> usize {
    let packed = parts.into_iter().map(|(code, n)| 1 + n.div_ceil(code.per_word() as usize));
    (1 + packed.sum::<usize>()).div_ceil(WORDS_PER_CALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_words() {
        for (code, values) in [
            (Code { bits: 1, signed: false }, vec![1, 0, 1, 1]),
            (Code { bits: 16, signed: true }, (0..40).map(|i| i * 1600 - 32768).collect()),
            (Code { bits: 23, signed: false }, vec![(1 << 23) - 1; 25]),
            (Code { bits: 62, signed: true }, vec![-(1 << 61), (1 << 61) - 1, 0, 1, -1]),
        ] {
            let words = code.pack(&values).expect("they fit");
            assert_eq!(words.len(), values.len().div_ceil(code.per_word() as usize));
            assert_eq!(code.unpack(&words, values.len()), Some(values.clone()));
            assert!(words.iter().all(|w| w.0[0] < 0x20), "below 2^253");
            assert_eq!(code.unpack(&words, values.len() + 1000), None);
        }
    }

    #[test]
    fn spare_bits_are_refused() {
        let code = Code { bits: 8, signed: false };
        let mut words = code.pack(&[1, 2, 3]).expect("they fit");
        words[0].0[28] = 1;
        assert_eq!(code.unpack(&words, 3), None);
        assert!(code.unpack(&words, 4).is_some());
    }

    #[test]
    fn values_outside_a_code_are_refused() {
        let code = Code { bits: 8, signed: true };
        assert_eq!(code.pack(&[127, -128]).map(|w| w.len()), Ok(1));
        assert_eq!(code.pack(&[0, 128]), Err(1));
        assert_eq!(code.pack(&[-129]), Err(0));
        assert_eq!(Code { bits: 8, signed: false }.pack(&[-1]), Err(0));
        assert_eq!([127, 128, -128, -129].map(|v| code.writes(v)), [true, false, true, false]);
        let error = words(&Word::ONE, &[(code, &[1]), (code, &[2, 300])]).expect_err("300 needs nine bits");
        assert_eq!((error.part, error.index, error.value), (1, 1, 300));
    }

    #[test]
    fn shapes_of_the_preimage_are_told_apart() {
        let code = Code { bits: 8, signed: false };
        let of = |parts: &[(Code, &[i64])]| words(&Word::ONE, parts).expect("they fit");
        let all = [
            of(&[(code, &[1, 0])]),
            of(&[(code, &[1])]),
            of(&[(code, &[1]), (code, &[])]),
            of(&[(Code { bits: 16, signed: false }, &[1])]),
            of(&[(Code { bits: 8, signed: true }, &[1 - 128])]),
        ];
        let mut seen = all.to_vec();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all.len());
        assert_eq!(calls([(code, 2)]), 2);
        assert_eq!(of(&[(code, &[1, 0])]).len(), 2 * WORDS_PER_CALL);
        // As the published vectors have them.
        assert_eq!(domain(Role::Input, 1), Word::from_u64(0x7a6b_0101_0000_0001));
        assert_eq!(domain(Role::Output, 0x203), Word::from_u64(0x7a6b_0103_0000_0203));
        assert_eq!(header(3, code), Word::from_u64(0x0008_0000_0003));
        assert_eq!(header(2, Code { bits: 16, signed: true }), Word::from_u64(0x0110_0000_0002));
    }
}
