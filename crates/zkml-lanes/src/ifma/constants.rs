//! Numbers that follow from the modulus, and elements as limbs.

use ff::PrimeField;
use halo2curves::{
    bn256::{Fq, Fr},
    serde::SerdeObject,
};
use std::sync::OnceLock;

use super::{Arithmetic, BITS, LIMBS, Limbs, MASK};

/// A field whose modulus has 254 bits.
pub trait Base: PrimeField + SerdeObject {
    /// Its arithmetic, or nothing where the instructions are missing.
    fn arithmetic() -> Option<&'static Arithmetic>;
    /// Numbers that follow from its modulus.
    fn constants() -> &'static Constants;
}

macro_rules! base {
    ($field:ty) => {
        impl Base for $field {
            fn arithmetic() -> Option<&'static Arithmetic> {
                static ARITHMETIC: OnceLock<Option<Arithmetic>> = OnceLock::new();
                ARITHMETIC.get_or_init(Arithmetic::of::<Self>).as_ref()
            }

            fn constants() -> &'static Constants {
                static CONSTANTS: OnceLock<Constants> = OnceLock::new();
                CONSTANTS.get_or_init(Constants::of::<Self>)
            }
        }
    };
}

base!(Fq);
base!(Fr);

/// Numbers that follow from the modulus `p`.
#[derive(Debug)]
pub struct Constants {
    pub(super) modulus: Limbs,
    /// Four times the modulus, with limbs that are larger than those of any element but the highest.
    pub(super) four: Limbs,
    /// `−p⁻¹` modulo `2^52`.
    pub(super) inverse: u64,
    /// The highest limb of a value times this, divided by `2^52`, is the number of moduli in it, or one less.
    pub(super) quotient: u64,
    /// `2^264`: a product with it makes the radix `2^260` of the radix `2^256`.
    pub(super) enter: Limbs,
    /// `2^256`: a product with it goes back.
    pub(super) leave: Limbs,
    /// `2^520`: a product with it makes the radix `2^260` of a plain number.
    pub(super) plain: Limbs,
}

impl Constants {
    fn of<F: Base>() -> Self {
        let number = |x: F| limbs_of(&words(x.to_repr().as_ref()));
        // p − 1 is even: one is added without a carry.
        let mut modulus = number(-F::ONE);
        modulus[0] += 1;
        let mut inverse = 1u64;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(modulus[0].wrapping_mul(inverse)));
        }
        let mut four = carried(modulus.map(|limb| limb << 2));
        for i in 0..LIMBS - 1 {
            four[i] += 2 << BITS;
            four[i + 1] -= 2;
        }
        let power = |bits: u64| number(F::from(2).pow_vartime([bits]));
        Self {
            modulus,
            four,
            inverse: inverse.wrapping_neg() & MASK,
            quotient: (1 << BITS) / (modulus[LIMBS - 1] + 1),
            enter: power(264),
            leave: power(256),
            plain: power(520),
        }
    }
}

/// Words of 64 bits from bytes, the lowest first.
pub(super) fn words(bytes: &[u8]) -> [u64; 4] {
    let mut out = [0; 4];
    for (word, bytes) in out.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |acc, b| acc << 8 | u64::from(*b));
    }
    out
}

/// Limbs of 52 bits of a number below `2^256`.
#[inline(always)]
pub(super) fn limbs_of([a, b, c, d]: &[u64; 4]) -> Limbs {
    [a & MASK, (a >> 52 | b << 12) & MASK, (b >> 40 | c << 24) & MASK, (c >> 28 | d << 36) & MASK, d >> 16]
}

/// The number below `2^256` of limbs.
#[inline(always)]
pub(super) fn words_of([a, b, c, d, e]: &Limbs) -> [u64; 4] {
    [a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16]
}

/// Limbs below `2^52`, of the same number.
#[inline(always)]
pub(super) fn carried(mut limbs: Limbs) -> Limbs {
    for i in 0..LIMBS - 1 {
        limbs[i + 1] = limbs[i + 1].wrapping_add(((limbs[i] as i64) >> BITS) as u64);
        limbs[i] &= MASK;
    }
    limbs
}

/// The words of an element's Montgomery form with the radix `2^256`.
#[inline(always)]
pub fn enter<F: Base>(element: &F) -> Limbs {
    let mut bytes = [0u8; 32];
    // Writing into an array of this length does not fail.
    let _ = element.write_raw(&mut bytes.as_mut_slice());
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    limbs_of(&words)
}

/// The element whose Montgomery form with the radix `2^256` is this number below `2p`.
#[inline(always)]
pub fn leave<F: Base>(limbs: &Limbs) -> F {
    let modulus = &F::constants().modulus;
    let mut less = *limbs;
    less.iter_mut().zip(modulus).for_each(|(l, p)| *l = l.wrapping_sub(*p));
    let less = carried(less);
    let below = (less[LIMBS - 1] as i64) < 0;
    let mut bytes = [0u8; 32];
    let words = words_of(if below { limbs } else { &less });
    bytes.chunks_exact_mut(8).zip(words).for_each(|(b, w)| b.copy_from_slice(&w.to_le_bytes()));
    F::from_raw_bytes_unchecked(&bytes)
}

/// `2p − y` of a number between zero and `2p`.
pub fn negated<F: Base>(y: &Limbs) -> Limbs {
    let modulus = &F::constants().modulus;
    carried(super::limbs!(I => (modulus[I] << 1).wrapping_sub(y[I])))
}
