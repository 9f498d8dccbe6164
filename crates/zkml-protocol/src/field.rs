//! Slow, obvious arithmetic modulo BN254's scalar field order, for constants.
//!
//! Deriving or printing a program needs a few powers and inverses; this saves those crates a curve library.
//! It is not constant-time and not fast: never use it on secrets or in a prover.

use crate::Word;

/// Order `r` of BN254's groups, the modulus of scalars, evaluations, challenges and instances.
pub const SCALAR_MODULUS: Word = Word([
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x28,
    0x33, 0xe8, 0x48, 0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
]);

/// Modulus `q` of BN254's base field, the bound of point coordinates.
pub const BASE_MODULUS: Word = Word([
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x97,
    0x81, 0x6a, 0x91, 0x68, 0x71, 0xca, 0x8d, 0x3c, 0x20, 0x8c, 0x16, 0xd8, 0x7c, 0xfd, 0x47,
]);

type Limbs = [u64; 4];

/// [`SCALAR_MODULUS`], least significant limb first.
const SCALAR_LIMBS: Limbs =
    [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// Limbs, least significant first.
fn limbs(word: Word) -> Limbs {
    let mut out = [0u64; 4];
    for (limb, bytes) in out.iter_mut().zip(word.0.rchunks_exact(8)) {
        *limb = bytes.iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte));
    }
    out
}

fn word(limbs: Limbs) -> Word {
    let mut out = [0u8; 32];
    for (bytes, limb) in out.rchunks_exact_mut(8).zip(limbs) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    Word(out)
}

/// `a + b` and the carry out of 256 bits.
fn add_wide(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut carry = false;
    let mut out = [0u64; 4];
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        let (sum, first) = a.overflowing_add(b);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        *out = sum;
        carry = first || second;
    }
    (out, carry)
}

/// `a − b` and the borrow.
fn sub_wide(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut borrow = false;
    let mut out = [0u64; 4];
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        let (difference, first) = a.overflowing_sub(b);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        *out = difference;
        borrow = first || second;
    }
    (out, borrow)
}

/// True when `value` is a canonical scalar, that is below `r`.
pub fn is_canonical(value: &Word) -> bool {
    *value < SCALAR_MODULUS
}

/// `value mod r` for any 256-bit word.
pub fn reduce(value: Word) -> Word {
    let mut rest = limbs(value);
    // 2^256 < 6r, so this ends after at most five rounds.
    loop {
        match sub_wide(rest, SCALAR_LIMBS) {
            (smaller, false) => rest = smaller,
            (_, true) => return word(rest),
        }
    }
}

/// `a + b mod r`; operands are reduced first.
pub fn add(a: Word, b: Word) -> Word {
    word(add_limbs(limbs(reduce(a)), limbs(reduce(b))))
}

/// `a + b mod r` of operands below `r`.
fn add_limbs(a: Limbs, b: Limbs) -> Limbs {
    let (sum, carry) = add_wide(a, b);
    debug_assert!(!carry, "two canonical scalars stay below 2^255");
    let (reduced, below) = sub_wide(sum, SCALAR_LIMBS);
    if below { sum } else { reduced }
}

/// `−a mod r`.
pub fn neg(a: Word) -> Word {
    reduce(word(sub_wide(SCALAR_LIMBS, limbs(reduce(a))).0))
}

/// `a − b mod r`.
pub fn sub(a: Word, b: Word) -> Word {
    add(a, neg(b))
}

/// The element of an integer: negative ones are `r − |v|`.
pub fn from_i64(value: i64) -> Word {
    let magnitude = Word::from_u64(value.unsigned_abs());
    if value < 0 { neg(magnitude) } else { magnitude }
}

/// A canonical field element as a signed integer: `r − |v|` stands for a negative one. `None` beyond 64 bits.
pub fn to_i64(element: &Word) -> Option<i64> {
    let small = |w: &Word| {
        let (high, low) = w.0.split_at(24);
        let low = i64::from_be_bytes(low.try_into().ok()?);
        (high.iter().all(|b| *b == 0) && low >= 0).then_some(low)
    };
    if !is_canonical(element) {
        return None;
    }
    small(element).or_else(|| small(&neg(*element)).map(|v| -v))
}

/// `a + b` as plain integers, or nothing beyond 256 bits.
pub(crate) fn checked_add(a: Word, b: Word) -> Option<Word> {
    let (sum, carry) = add_wide(limbs(a), limbs(b));
    (!carry).then(|| word(sum))
}

/// `a − b` as plain integers, or nothing below zero.
pub(crate) fn checked_sub(a: Word, b: Word) -> Option<Word> {
    let (difference, borrow) = sub_wide(limbs(a), limbs(b));
    (!borrow).then(|| word(difference))
}

/// `a · b mod r`, by doubling; operands are reduced first.
pub fn mul(a: Word, b: Word) -> Word {
    word(mul_limbs(limbs(reduce(a)), limbs(reduce(b))))
}

/// `a · b mod r` of operands below `r`.
fn mul_limbs(a: Limbs, b: Limbs) -> Limbs {
    fold_bits(&b, [0; 4], |acc| add_limbs(acc, acc), |acc| add_limbs(acc, a))
}

/// `base ^ exponent mod r`; the exponent is a plain 256-bit integer.
pub fn pow(base: Word, exponent: Word) -> Word {
    let base = limbs(reduce(base));
    word(fold_bits(&limbs(exponent), [1, 0, 0, 0], |acc| mul_limbs(acc, acc), |acc| mul_limbs(acc, base)))
}

/// `1 / a mod r`, or nothing for zero.
pub fn invert(a: Word) -> Option<Word> {
    let a = reduce(a);
    let exponent = word(sub_wide(SCALAR_LIMBS, [2, 0, 0, 0]).0);
    (!a.is_zero()).then(|| pow(a, exponent))
}

/// Walks the bits of `bits` from the highest that is set: `double` for each but the first, `step` where one is set.
fn fold_bits(
    bits: &Limbs,
    start: Limbs,
    double: impl Fn(Limbs) -> Limbs,
    step: impl Fn(Limbs) -> Limbs,
) -> Limbs {
    let mut acc = start;
    let mut started = false;
    for limb in bits.iter().rev() {
        for shift in (0..64).rev() {
            if started {
                acc = double(acc);
            }
            if limb >> shift & 1 == 1 {
                acc = step(acc);
                started = true;
            }
        }
    }
    acc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_integers_come_back_with_their_sign() {
        let minus = |value: u64| neg(Word::from(value));
        assert_eq!(to_i64(&Word::from(7u64)), Some(7));
        assert_eq!(to_i64(&minus(7)), Some(-7));
        assert_eq!(to_i64(&Word::ZERO), Some(0));
        assert_eq!(to_i64(&SCALAR_MODULUS), None, "zero has one form");
        assert_eq!(to_i64(&Word([1; 32])), None);
        assert_eq!((to_i64(&Word::from(1u64 << 63)), to_i64(&minus(1 << 63))), (None, None));
    }

    #[test]
    fn small_numbers_behave() {
        let word = Word::from_u64;
        assert_eq!(add(word(5), word(7)), word(12));
        assert_eq!(mul(word(1 << 40), word(3)), word(3 << 40));
        assert_eq!(sub(word(3), word(5)), neg(word(2)));
        assert_eq!(pow(word(3), word(5)), word(243));
        assert_eq!(pow(word(3), word(0)), word(1));
    }

    #[test]
    fn reduction_wraps_at_the_order() {
        assert_eq!(limbs(SCALAR_MODULUS), SCALAR_LIMBS);
        assert_eq!(reduce(SCALAR_MODULUS), Word::ZERO);
        assert_eq!(add(neg(Word::ONE), Word::ONE), Word::ZERO);
        assert_eq!(neg(Word::ZERO), Word::ZERO);
        assert!(!is_canonical(&SCALAR_MODULUS));
        assert!(is_canonical(&neg(Word::ONE)));
        assert!(is_canonical(&reduce(Word([0xff; 32]))));
    }

    #[test]
    fn inverses_multiply_to_one() {
        for value in [1, 2, 3, 1 << 50] {
            let value = Word::from_u64(value);
            assert_eq!(mul(value, invert(value).unwrap()), Word::ONE);
        }
        assert_eq!(invert(Word::ZERO), None);
        assert_eq!(invert(SCALAR_MODULUS), None);
    }
}
