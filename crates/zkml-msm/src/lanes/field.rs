//! Eight elements of the base field side by side, as five limbs of 52 bits in Montgomery form with the radix `2^260`.
//!
//! Values are kept below a small multiple of the modulus `p`, which each operation states. Limbs that go into a product are
//! below `2^52`; between carries they are signed.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srai_epi64, _mm512_storeu_si512,
    _mm512_sub_epi64,
};
use std::sync::OnceLock;

use ff::{Field, PrimeField};
use halo2curves::{bn256::Fq, serde::SerdeObject};

/// Elements side by side.
pub(super) const LANES: usize = 8;
/// Limbs of an element.
pub(super) const LIMBS: usize = 5;
/// Bits of a limb.
const BITS: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;

/// An element: its limbs, the lowest first.
pub(super) type Limbs = [u64; LIMBS];
/// Eight elements, limb by limb.
pub(super) type Rows = [[u64; LANES]; LIMBS];
/// Eight elements in registers.
pub(super) type Wide = [__m512i; LIMBS];

/// An array of one value for each limb, written out: iterators and closures of the standard library are compiled without the
/// instructions, and calls of them stay calls.
macro_rules! limbs {
    ($limb:ident => $value:expr) => {
        [
            {
                const $limb: usize = 0;
                $value
            },
            {
                const $limb: usize = 1;
                $value
            },
            {
                const $limb: usize = 2;
                $value
            },
            {
                const $limb: usize = 3;
                $value
            },
            {
                const $limb: usize = 4;
                $value
            },
        ]
    };
}
pub(super) use limbs;

/// Numbers that follow from the modulus.
#[derive(Debug)]
pub(super) struct Constants {
    modulus: Limbs,
    /// Four times the modulus.
    four: Limbs,
    /// `−p⁻¹` modulo `2^52`.
    inverse: u64,
    /// The highest limb of a value times this, divided by `2^52`, is the number of moduli in it, or one less.
    quotient: u64,
    /// `2^264`: a product with it makes the radix `2^260` of the radix `2^256`.
    enter: Limbs,
    /// `2^256`: a product with it goes back.
    leave: Limbs,
}

impl Constants {
    /// The constants, computed once.
    pub(super) fn get() -> &'static Self {
        static CONSTANTS: OnceLock<Constants> = OnceLock::new();
        CONSTANTS.get_or_init(|| {
            let number = |x: Fq| limbs_of(&words(x.to_repr().as_ref()));
            // p − 1 is even: one is added without a carry.
            let mut modulus = number(-Fq::ONE);
            modulus[0] += 1;
            let mut inverse = 1u64;
            for _ in 0..6 {
                inverse = inverse.wrapping_mul(2u64.wrapping_sub(modulus[0].wrapping_mul(inverse)));
            }
            let power = |bits: u64| number(Fq::from(2).pow_vartime([bits]));
            Self {
                modulus,
                four: carried(modulus.map(|limb| limb << 2)),
                inverse: inverse.wrapping_neg() & MASK,
                quotient: (1 << BITS) / (modulus[LIMBS - 1] + 1),
                enter: power(264),
                leave: power(256),
            }
        })
    }
}

/// Words of 64 bits from bytes, the lowest first.
fn words(bytes: &[u8]) -> [u64; 4] {
    let mut out = [0; 4];
    for (word, bytes) in out.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |acc, b| acc << 8 | u64::from(*b));
    }
    out
}

/// Limbs of 52 bits of a number below `2^256`.
fn limbs_of(words: &[u64; 4]) -> Limbs {
    let bits = |i: usize| {
        let (word, shift) = (i * BITS as usize / 64, i as u32 * BITS % 64);
        let pair = |at: usize| u128::from(words.get(at).copied().unwrap_or(0));
        ((pair(word) | pair(word + 1) << 64) >> shift) as u64 & MASK
    };
    [bits(0), bits(1), bits(2), bits(3), bits(4)]
}

/// The number below `2^256` of limbs.
fn words_of(limbs: &Limbs) -> [u64; 4] {
    let mut out = [0u64; 4];
    for (i, limb) in limbs.iter().enumerate() {
        let (word, shift) = (i * BITS as usize / 64, i as u32 * BITS % 64);
        let shifted = u128::from(*limb) << shift;
        out[word] |= shifted as u64;
        if let Some(next) = out.get_mut(word + 1) {
            *next |= (shifted >> 64) as u64;
        }
    }
    out
}

/// Limbs below `2^52`, of the same number.
fn carried(mut limbs: Limbs) -> Limbs {
    for i in 0..LIMBS - 1 {
        limbs[i + 1] = limbs[i + 1].wrapping_add(((limbs[i] as i64) >> BITS) as u64);
        limbs[i] &= MASK;
    }
    limbs
}

/// The words of an element's Montgomery form with the radix `2^256`.
pub(super) fn enter(element: &Fq) -> Limbs {
    let mut bytes = [0u8; 32];
    // Writing into an array of this length does not fail.
    let _ = element.write_raw(&mut bytes.as_mut_slice());
    limbs_of(&words(&bytes))
}

/// The element whose Montgomery form with the radix `2^256` is this number below `2p`.
pub(super) fn leave(limbs: &Limbs) -> Fq {
    let modulus = &Constants::get().modulus;
    let mut less = *limbs;
    less.iter_mut().zip(modulus).for_each(|(l, p)| *l = l.wrapping_sub(*p));
    let less = carried(less);
    let below = (less[LIMBS - 1] as i64) < 0;
    let mut bytes = [0u8; 32];
    let words = words_of(if below { limbs } else { &less });
    bytes.chunks_exact_mut(8).zip(words).for_each(|(b, w)| b.copy_from_slice(&w.to_le_bytes()));
    Fq::from_raw_bytes_unchecked(&bytes)
}

/// `2p − y` of a number between zero and `2p`.
pub(super) fn negated(y: &Limbs) -> Limbs {
    let modulus = &Constants::get().modulus;
    carried(limbs!(I => (modulus[I] << 1).wrapping_sub(y[I])))
}

/// The constants in registers, and the arithmetic.
#[derive(Clone, Copy)]
pub(super) struct Arithmetic {
    modulus: Wide,
    four: Wide,
    inverse: __m512i,
    quotient: __m512i,
    mask: __m512i,
    /// See [`Constants::enter`].
    pub(super) enter: Wide,
    /// See [`Constants::leave`].
    pub(super) leave: Wide,
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn all(limbs: &Limbs) -> Wide {
    limbs!(I => _mm512_set1_epi64(limbs[I] as i64))
}

/// Reads eight elements.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn load(rows: &Rows) -> Wide {
    // SAFETY: each row is 64 bytes, and any alignment will do.
    #[expect(unsafe_code, reason = "the instruction takes a pointer")]
    unsafe {
        limbs!(I => _mm512_loadu_si512(rows[I].as_ptr().cast()))
    }
}

/// Writes eight elements.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn store(wide: &Wide) -> Rows {
    let mut rows = [[0; LANES]; LIMBS];
    // SAFETY: as above.
    #[expect(unsafe_code, reason = "the instruction takes a pointer")]
    unsafe {
        limbs!(I => _mm512_storeu_si512(rows[I].as_mut_ptr().cast(), wide[I]));
    }
    rows
}

impl Arithmetic {
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn new() -> Self {
        let c = Constants::get();
        Self {
            modulus: all(&c.modulus),
            four: all(&c.four),
            inverse: _mm512_set1_epi64(c.inverse as i64),
            quotient: _mm512_set1_epi64(c.quotient as i64),
            mask: _mm512_set1_epi64(MASK as i64),
            enter: all(&c.enter),
            leave: all(&c.leave),
        }
    }

    /// Carries of signed limbs, so that all are below `2^52`, of a number that is not negative.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn carry(&self, [a, b, c, d, e]: Wide) -> Wide {
        let b = _mm512_add_epi64(b, _mm512_srai_epi64::<BITS>(a));
        let c = _mm512_add_epi64(c, _mm512_srai_epi64::<BITS>(b));
        let d = _mm512_add_epi64(d, _mm512_srai_epi64::<BITS>(c));
        let e = _mm512_add_epi64(e, _mm512_srai_epi64::<BITS>(d));
        let cut = |limb| _mm512_and_si512(limb, self.mask);
        [cut(a), cut(b), cut(c), cut(d), e]
    }

    /// One.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn one(&self) -> Wide {
        self.mul(&self.enter, &self.leave)
    }

    /// `a b 2^−260`: below `1.2p` for factors of which one is below `6p` and the other below `1.2p`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn mul(&self, a: &Wide, b: &Wide) -> Wide {
        let zero = _mm512_setzero_si512();
        let acc = self.step([zero; LIMBS], a, b[0]);
        let acc = self.step(acc, a, b[1]);
        let acc = self.step(acc, a, b[2]);
        let acc = self.step(acc, a, b[3]);
        self.carry(self.step(acc, a, b[4]))
    }

    /// `(acc + a · factor + q p) 2^−52`, with the `q` that makes the lowest limb zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn step(&self, acc: Wide, a: &Wide, factor: __m512i) -> Wide {
        let zero = _mm512_setzero_si512();
        let p = &self.modulus;
        let acc = limbs!(I => _mm512_madd52lo_epu64(acc[I], a[I], factor));
        let q = _mm512_madd52lo_epu64(zero, acc[0], self.inverse);
        let acc = limbs!(I => _mm512_madd52lo_epu64(acc[I], q, p[I]));
        let carry = _mm512_srai_epi64::<BITS>(acc[0]);
        let acc = [_mm512_add_epi64(acc[1], carry), acc[2], acc[3], acc[4], zero];
        let acc = limbs!(I => _mm512_madd52hi_epu64(acc[I], a[I], factor));
        limbs!(I => _mm512_madd52hi_epu64(acc[I], q, p[I]))
    }

    /// `a − b + 4p`, for `b` up to `4p`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn sub(&self, a: &Wide, b: &Wide) -> Wide {
        self.carry(limbs!(I => _mm512_sub_epi64(_mm512_add_epi64(a[I], self.four[I]), b[I])))
    }

    /// The same modulo `p`, below `1.2p`, of a number below `16p`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn reduced(&self, a: &Wide) -> Wide {
        let zero = _mm512_setzero_si512();
        let q = _mm512_madd52hi_epu64(zero, a[LIMBS - 1], self.quotient);
        let low = limbs!(I => _mm512_madd52lo_epu64(zero, q, self.modulus[I]));
        let high = limbs!(I => _mm512_madd52hi_epu64(zero, q, self.modulus[I]));
        let [a, b, c, d, e] = limbs!(I => _mm512_sub_epi64(a[I], low[I]));
        let less = |limb, high| _mm512_sub_epi64(limb, high);
        self.carry([a, less(b, high[0]), less(c, high[1]), less(d, high[2]), less(e, high[3])])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Products, differences and reductions against the curve library, at the bounds that are stated.
    #[test]
    fn arithmetic_is_that_of_the_field() {
        if !super::super::available() {
            return;
        }
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut random = || [(); LANES].map(|()| Fq::random(&mut rng));
        for _ in 0..200 {
            let (mut a, mut b) = (random(), random());
            (a[0], a[1], a[2]) = (Fq::ZERO, -Fq::ONE, Fq::ONE);
            (b[1], b[2], b[3]) = (-Fq::ONE, Fq::ZERO, a[3]);
            // SAFETY: the instructions are there.
            #[expect(unsafe_code, reason = "the instructions are there")]
            let [product, difference, same] = unsafe { results(&a, &b) };
            for i in 0..LANES {
                assert_eq!(product[i], a[i] * b[i]);
                assert_eq!(difference[i], a[i] - b[i]);
                assert_eq!(same[i], a[i]);
                let of = limbs_of(&words(a[i].to_repr().as_ref()));
                assert_eq!(words_of(&of), words(a[i].to_repr().as_ref()));
                if a[i] != Fq::ZERO {
                    assert_eq!(leave(&negated(&enter(&a[i]))), -a[i]);
                }
            }
        }
    }

    /// A product, a difference, and the first factor after twelve moduli were added to it and taken off again.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn results(a: &[Fq; LANES], b: &[Fq; LANES]) -> [[Fq; LANES]; 3] {
        let math = Arithmetic::new();
        let wide = |v: &[Fq; LANES]| {
            let mut rows = [[0; LANES]; LIMBS];
            for (lane, x) in v.iter().enumerate() {
                enter(x).iter().zip(&mut rows).for_each(|(limb, row)| row[lane] = *limb);
            }
            math.mul(&load(&rows), &math.enter)
        };
        let (a, b) = (wide(a), wide(b));
        let zero = math.reduced(&math.sub(&a, &a));
        let more = math.sub(&math.sub(&math.sub(&a, &zero), &zero), &zero);
        [math.mul(&math.sub(&a, &zero), &b), math.sub(&a, &b), math.reduced(&more)].map(|wide| {
            let rows = store(&math.mul(&wide, &math.leave));
            std::array::from_fn(|lane| leave(&rows.map(|row| row[lane])))
        })
    }
}
