//! Multiplication in G1 by scalars that are used often, through the curve's endomorphism.
//!
//! `λ·(x, y) = (ζ·x, y)` for a cube root of unity `λ` of the scalar field, so `s·P = s₁·P + s₂·λP` with halves of about 127 bits
//! (Gallant, Lambert, Vanstone, *Faster point multiplication on elliptic curves with efficient endomorphisms*, 2001).
//! With the curve's parameter `x`, the lattice of pairs with `u + λ·v = 0` has the basis `(A, B), (C, −A)` for
//! `A = 2x + 1`, `B = 6x² + 4x + 1`, `C = 6x² + 2x`; rounding in it gives the halves.

use ff::PrimeField;
use halo2curves::{
    CurveExt,
    bn256::{Fr, G1},
    group::Group,
};

const A: u128 = 0x89d3_2568_94d2_13e3;
const B: u128 = 0x6f4d_8248_eeb8_59fd_0be4_e154_1221_250b;
const C: u128 = 0x6f4d_8248_eeb8_59fc_8211_bbeb_7d4f_1128;
/// `⌊2^256·A / r⌋` and `⌊2^256·B / r⌋`, little-endian.
const A_BY_R: [u64; 3] = [0xd91d_232e_c7e0_b3d7, 2, 0];
const B_BY_R: [u64; 3] = [0x5398_fd03_00ff_6565, 0x4cce_f014_a773_d2d2, 2];

/// Digits are odd and below `2^WINDOW` in size, with at least `WINDOW` zeros after each.
const WINDOW: u32 = 4;

/// A scalar, ready for multiplications.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    first: u128,
    second: u128,
    second_negative: bool,
}

impl Split {
    pub(super) fn new(s: &Fr) -> Self {
        let limbs = limbs(s);
        let (c1, c2) = (times_shifted(&limbs, &A_BY_R), times_shifted(&limbs, &B_BY_R));
        let [a, b, c, c1, c2] = [A, B, C, c1, c2].map(Fr::from_u128);
        let (first, second) = (*s - c1 * a - c2 * c, c2 * a - c1 * b);
        // Rounding down leaves the first half positive; the second may be negative, and is then near the modulus.
        let second_negative = low(&second).is_none();
        let size = if second_negative { -second } else { second };
        match (low(&first), low(&size)) {
            (Some(first), Some(second)) => Self { first, second, second_negative },
            _ => unreachable!("both halves are below 2^128 for every scalar"),
        }
    }

    /// `s·point`.
    pub(super) fn times(&self, point: &G1) -> G1 {
        let double = point.double();
        let mut odd = [*point; 1 << (WINDOW - 1)];
        for i in 1..odd.len() {
            odd[i] = odd[i - 1] + double;
        }
        let moved = odd.map(|p| if self.second_negative { -p.endo() } else { p.endo() });
        let (first, second) = (digits(self.first), digits(self.second));
        let mut sum = G1::identity();
        let top = first.1.max(second.1);
        for at in (0..top).rev() {
            sum = sum.double();
            add(&mut sum, &odd, first.0[at]);
            add(&mut sum, &moved, second.0[at]);
        }
        sum
    }
}

fn add(sum: &mut G1, odd: &[G1], digit: i8) {
    let entry = || &odd[usize::from(digit.unsigned_abs() / 2)];
    match digit {
        0 => {}
        1.. => *sum += entry(),
        _ => *sum -= entry(),
    }
}

/// Signed odd digits, least significant first, and how many there are.
fn digits(mut s: u128) -> ([i8; 130], usize) {
    let mut out = [0; 130];
    let (mut at, mut length) = (0, 0);
    let mut carry = 0u128;
    // The value still to write is `s + carry`, at position `at`.
    while s != 0 || carry != 0 {
        if (s & 1) + carry == 1 {
            let window = ((s & ((2 << WINDOW) - 1)) + carry) as i8;
            let negative = window > 1 << WINDOW;
            out[at] = if negative { window - (2 << WINDOW) } else { window };
            carry = u128::from(negative);
            length = at + 1;
            (s, at) = (s >> (WINDOW + 1), at + WINDOW as usize + 1);
        } else {
            // 0 + 0 or 1 + 1: the digit is zero, and the carry stays what it is.
            (s, at) = (s >> 1, at + 1);
        }
    }
    (out, length)
}

fn limbs(s: &Fr) -> [u64; 4] {
    let repr = s.to_repr();
    std::array::from_fn(|i| u64::from_le_bytes(std::array::from_fn(|b| repr[8 * i + b])))
}

/// The value, when it is below `2^128`.
fn low(s: &Fr) -> Option<u128> {
    let l = limbs(s);
    (l[2] == 0 && l[3] == 0).then(|| u128::from(l[0]) | u128::from(l[1]) << 64)
}

/// `⌊s·factor / 2^256⌋`, for results below `2^128`.
fn times_shifted(s: &[u64; 4], factor: &[u64; 3]) -> u128 {
    let mut product = [0u64; 8];
    for (i, a) in s.iter().enumerate() {
        let mut carry = 0u128;
        for (j, b) in factor.iter().enumerate() {
            carry += u128::from(product[i + j]) + u128::from(*a) * u128::from(*b);
            product[i + j] = carry as u64;
            carry >>= 64;
        }
        product[i + factor.len()] = carry as u64;
    }
    u128::from(product[4]) | u128::from(product[5]) << 64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::{Field, WithSmallOrderMulGroup};
    use rand::SeedableRng;

    #[test]
    fn products_are_those_of_the_curve_library() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let point = G1::random(&mut rng);
        let edges =
            [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(2), Fr::from(31), Fr::from(33), Fr::ZETA, -Fr::ZETA];
        let lattice = [A, B, C].map(Fr::from_u128);
        let around =
            lattice.iter().chain(&edges).flat_map(|s| [*s, *s + Fr::ONE, *s - Fr::ONE, s.double(), -s]);
        let roots = (0..=28).map(|i| Fr::ROOT_OF_UNITY.pow_vartime([1 << i]));
        let random: Vec<Fr> = (0..200).map(|_| Fr::random(&mut rng)).collect();
        for s in around.chain(roots).chain(random) {
            assert_eq!(Split::new(&s).times(&point), point * s, "{s:?}");
        }
        assert_eq!(Split::new(&-Fr::from(7)).times(&G1::identity()), G1::identity());
    }
}
