//! Multi-scalar multiplication over BN254's first group.
//!
//! [`small`] is for vectors of small integers, [`full`] for field elements. Both are deterministic, and neither is constant in
//! time: they are for provers on machines of their own.

#![deny(unsafe_code)]

mod buckets;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod read;

pub use read::{POINT_BYTES, points_from_raw};

use ff::{Field, PrimeField};
use halo2curves::{
    bn256::{Fr, G1, G1Affine},
    group::{Group, prime::PrimeCurveAffine},
};
use rayon::prelude::*;

/// Fewer scalars than these are multiplied one by one.
const FEW: usize = 8;
/// Fewer points than these are not worth being brought into another form.
#[cfg(target_arch = "x86_64")]
const MANY: usize = 64;
/// Points of windows that are summed together, so that they stay in a processor's cache.
#[cfg(target_arch = "x86_64")]
const TOGETHER: usize = 1 << 14;
/// Bits of a scalar, one more than the field has for the carry of signed digits.
const SCALAR_BITS: u32 = Fr::NUM_BITS + 1;

/// The machine's way to add points.
struct Points<'a> {
    bases: &'a [G1Affine],
    /// Numbers of the bases that count.
    used: Vec<u32>,
    /// The same points for eight additions at once, where the machine can do that.
    #[cfg(target_arch = "x86_64")]
    wide: Option<Vec<lanes::Point>>,
}

impl<'a> Points<'a> {
    fn new(bases: &'a [G1Affine], used: Vec<u32>, portable: bool) -> Self {
        #[cfg(target_arch = "x86_64")]
        let wide = (!portable && used.len() >= MANY).then(|| lanes::points(bases, &used)).flatten();
        #[cfg(not(target_arch = "x86_64"))]
        let _ = portable;
        Self {
            bases,
            used,
            #[cfg(target_arch = "x86_64")]
            wide,
        }
    }

    /// `Σ digit · base` for each list of digits, of magnitude up to `count`, a power of two.
    fn weighted_sums(&self, digits: &[Vec<i32>], count: usize) -> Vec<G1> {
        #[cfg(target_arch = "x86_64")]
        if let Some(sums) = self.wide.as_ref().and_then(|points| lanes::weighted_sums(points, digits, count))
        {
            return sums;
        }
        let sum = |digits: &Vec<i32>| {
            let entries: Vec<(u32, i32)> = self.used.iter().copied().zip(digits.iter().copied()).collect();
            buckets::weighted_sum(&entries, self.bases, count)
        };
        digits.iter().map(sum).collect()
    }

    /// Windows that are worth being summed together, of this many.
    fn together(&self, windows: u32) -> u32 {
        #[cfg(target_arch = "x86_64")]
        if self.wide.is_some() {
            let in_cache = (TOGETHER / self.used.len().max(1)) as u32;
            let for_each = windows.div_ceil(rayon::current_num_threads() as u32);
            return in_cache.min(for_each).max(1);
        }
        windows.min(1)
    }

    /// Additions, in place of one of a point to a bucket, that a bucket costs in the end.
    fn bucket_cost(&self) -> f64 {
        #[cfg(target_arch = "x86_64")]
        if self.wide.is_some() {
            return 1.5;
        }
        5.0
    }
}

/// `Σ scalar · base`. Zeros cost nothing.
///
/// # Panics
/// If there are fewer bases than scalars up to the last that is not zero.
pub fn full(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    full_by(scalars, bases, false)
}

/// As [`full`], by instructions that every machine has.
///
/// # Panics
/// As [`full`].
pub fn full_portable(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    full_by(scalars, bases, true)
}

fn full_by(scalars: &[Fr], bases: &[G1Affine], portable: bool) -> G1 {
    let used = used(bases, scalars.iter().map(|s| *s != Fr::ZERO));
    if used.len() < FEW {
        return used.iter().map(|i| bases[*i as usize] * scalars[*i as usize]).sum();
    }
    let numbers: Vec<[u64; 5]> = used.par_iter().map(|i| limbs(&scalars[*i as usize])).collect();
    let points = Points::new(bases, used, portable);
    let c = window_bits(&points, SCALAR_BITS);
    windows(&points, SCALAR_BITS.div_ceil(c), c, |w| {
        numbers.iter().map(|number| digit_of(number, w * c, c)).collect()
    })
}

/// Numbers of the scalars that are not zero, and whose bases are not the identity.
fn used(bases: &[G1Affine], counts: impl Iterator<Item = bool>) -> Vec<u32> {
    let counts = (0u32..).zip(counts).filter(|(_, counts)| *counts).map(|(i, _)| i);
    counts.filter(|i| !bool::from(bases[*i as usize].is_identity())).collect()
}

/// A scalar as a number, lowest limb first; the last is zero.
fn limbs(scalar: &Fr) -> [u64; 5] {
    let mut out = [0; 5];
    for (limb, bytes) in out.iter_mut().zip(scalar.to_repr().as_ref().chunks_exact(8)) {
        *limb = bytes.iter().rev().fold(0, |acc, b| acc << 8 | u64::from(*b));
    }
    out
}

/// The signed digit of `c` bits from bit `at` on (Booth's): the bits there, and one for the bit below, which the digit below has
/// taken as negative.
fn digit_of(number: &[u64; 5], at: u32, c: u32) -> i32 {
    let bits = |at: u32, count: u32| {
        let (limb, shift) = ((at / 64) as usize, at % 64);
        let pair = |i: usize| u128::from(number.get(i).copied().unwrap_or(0));
        ((pair(limb) | pair(limb + 1) << 64) >> shift) as u64 & ((1 << count) - 1)
    };
    let below = at.checked_sub(1).map_or(0, |below| bits(below, 1));
    let digit = (bits(at, c) + below) as i32;
    if bits(at + c - 1, 1) == 1 { digit - (1 << c) } else { digit }
}

/// `Σ_w 2^(c w) · Σ_i digit(w, i) · point_i`, windows side by side.
fn windows(points: &Points<'_>, count: u32, c: u32, digits: impl Fn(u32) -> Vec<i32> + Sync) -> G1 {
    let together = points.together(count);
    let sums: Vec<G1> = (0..count.div_ceil(together))
        .into_par_iter()
        .flat_map_iter(|part| {
            let part = part * together..((part + 1) * together).min(count);
            points.weighted_sums(&part.map(&digits).collect::<Vec<_>>(), 1 << (c - 1))
        })
        .collect();
    sums.into_iter().rev().fold(G1::identity(), |acc, sum| (0..c).fold(acc, |acc, _| acc.double()) + sum)
}

/// Bits of a window of signed digits, by what additions cost.
fn window_bits(points: &Points<'_>, bits: u32) -> u32 {
    let cost = |c: u32| {
        let windows = f64::from(bits.div_ceil(c));
        let buckets = f64::from(1u32 << (c - 1));
        windows * (points.used.len() as f64 + points.bucket_cost() * buckets + 40.0)
    };
    (2..=14.min(bits.max(2))).min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(1)
}

/// `Σ value · base` for integers: the smaller they are, the cheaper. Zeros cost nothing.
///
/// # Panics
/// If there are fewer bases than values up to the last that is not zero.
pub fn small(values: &[i64], bases: &[G1Affine]) -> G1 {
    small_by(values, bases, false)
}

/// As [`small`], by instructions that every machine has.
///
/// # Panics
/// As [`small`].
pub fn small_portable(values: &[i64], bases: &[G1Affine]) -> G1 {
    small_by(values, bases, true)
}

fn small_by(values: &[i64], bases: &[G1Affine], portable: bool) -> G1 {
    let used = used(bases, values.iter().map(|v| *v != 0));
    let largest = used.iter().map(|i| values[*i as usize].unsigned_abs()).max().unwrap_or(0);
    if largest == 0 {
        return G1::identity();
    }
    let values: Vec<i64> = used.iter().map(|i| values[*i as usize]).collect();
    let points = Points::new(bases, used, portable);
    // One bit more, for the carry of signed digits.
    let bits = u64::BITS - largest.leading_zeros() + 1;
    let c = window_bits(&points, bits);
    let count = bits.div_ceil(c);
    windows(&points, count, c, |w| values.iter().map(|v| signed_digit(*v, w, c, w + 1 == count)).collect())
}

/// Digit `w` of a number in base `2^c`, `c` being at least two, between `−2^(c−1)` and `2^(c−1)`: all digits together are the
/// number, if they have one bit more than it. The last takes no carry from a next one.
fn signed_digit(value: i64, w: u32, c: u32, last: bool) -> i32 {
    let magnitude = i128::from(value.unsigned_abs());
    let half = 1i128 << (c - 1);
    // Carries of the digits below: a digit above half takes one from the next.
    let rounded = |w: u32| (magnitude + carries(w, c, half)) >> (w * c).min(126);
    let carried = if last { 0 } else { rounded(w + 1) << c };
    let digit = (rounded(w) - carried) as i32;
    if value < 0 { -digit } else { digit }
}

/// The number to add so that cutting `w` digits rounds them to the nearest, digit by digit.
fn carries(w: u32, c: u32, half: i128) -> i128 {
    (0..w).fold(0, |acc, i| acc + (half << (i * c).min(120)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2curves::group::Curve;
    use rand::{Rng, SeedableRng};

    fn points(count: usize, rng: &mut impl Rng) -> Vec<G1Affine> {
        let mut out: Vec<G1Affine> =
            (0..count).map(|_| (G1::generator() * Fr::from(rng.r#gen::<u64>())).to_affine()).collect();
        // Equal, opposite and missing points take other formulas; many that are all different take eight additions at once.
        if count > 8 && count < 1000 {
            out[3] = out[2];
            out[5] = -out[4];
            out[7] = G1::identity().to_affine();
        }
        out
    }

    fn field(v: i64) -> Fr {
        let magnitude = Fr::from(v.unsigned_abs());
        if v < 0 { -magnitude } else { magnitude }
    }

    fn plain(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
        scalars.iter().zip(bases).map(|(s, b)| b * s).sum()
    }

    #[test]
    fn digits_add_up_to_the_number() {
        for c in 2..=14 {
            for v in [
                0,
                1,
                -1,
                2,
                7,
                8,
                -8,
                127,
                128,
                255,
                -32768,
                65535,
                i64::from(i32::MAX),
                i64::MAX,
                i64::MIN + 1,
            ] {
                let count = (u64::BITS - v.unsigned_abs().leading_zeros() + 1).div_ceil(c);
                let digits: Vec<i32> = (0..count).map(|w| signed_digit(v, w, c, w + 1 == count)).collect();
                let sum = digits.iter().rev().fold(0i128, |acc, d| (acc << c) + i128::from(*d));
                assert_eq!(sum, i128::from(v), "{v} in base 2^{c}: {digits:?}");
                assert!(digits.iter().all(|d| d.unsigned_abs() <= 1 << (c - 1)), "{digits:?}");
            }
        }
    }

    #[test]
    fn sums_are_those_of_single_multiplications() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for count in [0, 1, 2, 9, 33, 300, 1200] {
            let bases = points(count, &mut rng);
            for bits in [1, 2, 4, 8, 15, 16, 31, 62] {
                let mut values: Vec<i64> =
                    (0..count).map(|_| rng.gen_range(-(1i64 << bits)..1 << bits)).collect();
                values.iter_mut().step_by(5).for_each(|v| *v = 0);
                // The same digit for neighbours that are equal or opposite points.
                if count > 8 {
                    (values[3], values[5]) = (values[2], values[4]);
                }
                let scalars: Vec<Fr> = values.iter().map(|v| field(*v)).collect();
                let sum = plain(&scalars, &bases);
                assert_eq!(small(&values, &bases), sum, "{count} values of {bits} bits");
                assert_eq!(small_portable(&values, &bases), sum, "{count} values of {bits} bits, portable");
            }
            let mut scalars: Vec<Fr> = (0..count).map(|_| Fr::random(&mut rng)).collect();
            scalars.iter_mut().step_by(3).for_each(|s| *s = Fr::ZERO);
            let sum = plain(&scalars, &bases);
            assert_eq!(full(&scalars, &bases), sum, "{count} scalars");
            assert_eq!(full_portable(&scalars, &bases), sum, "{count} scalars, portable");
        }
    }
}
