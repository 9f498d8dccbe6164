//! Polynomials as vectors of coefficients, lowest first, and commitments to them by a secret that only tests may know.

use super::toy;
use crate::curve::{Fr, scalar};
use ff::{Field, PrimeField};
use halo2curves::bn256::G1Affine;
use halo2curves::group::Curve;
use zkml_protocol::{G1, Word, field, keccak256};

/// Rows.
pub(super) const N: usize = 16;
/// A column: one value a row.
pub(super) type Values = [Fr; N];
pub(super) type Poly = Vec<Fr>;

/// The setup's secret.
pub(super) fn secret() -> Fr {
    dice(0x5ec2e7)
}

/// Numbers that look random, the same in every run.
pub(super) fn dice(seed: u64) -> Fr {
    scalar(&field::reduce(keccak256([Word::from_u64(seed).as_bytes().as_slice()]))).unwrap()
}

/// Generator of the rows.
pub(super) fn omega() -> Fr {
    Fr::ROOT_OF_UNITY.pow([1 << (Fr::S - N.ilog2())])
}

/// `ω^rotation`.
pub(super) fn rotate(rotation: i32) -> Fr {
    omega().pow([rotation.rem_euclid(N as i32) as u64])
}

/// The commitment. It is made with the secret for brevity; the powers of a setup give the same point.
pub(super) fn commit(poly: &Poly) -> G1 {
    assert!(poly.len() <= N, "the setup has {N} powers");
    exponent(at(poly, secret()))
}

/// A multiple of the generator.
pub(super) fn exponent(factor: Fr) -> G1 {
    toy::words((G1Affine::generator() * factor).to_affine())
}

pub(super) fn at(poly: &[Fr], x: Fr) -> Fr {
    poly.iter().rev().fold(Fr::ZERO, |acc, coefficient| acc * x + coefficient)
}

/// `target ← target + factor · poly`.
pub(super) fn add_scaled(target: &mut Poly, poly: &[Fr], factor: Fr) {
    target.resize(target.len().max(poly.len()), Fr::ZERO);
    target.iter_mut().zip(poly).for_each(|(target, value)| *target += factor * value);
}

/// `poly / (X − root)` without its remainder.
pub(super) fn divide(poly: &[Fr], root: Fr) -> Poly {
    let mut quotient = vec![Fr::ZERO; poly.len().saturating_sub(1)];
    let mut carry = Fr::ZERO;
    for (index, coefficient) in poly.iter().enumerate().skip(1).rev() {
        carry = carry * root + coefficient;
        quotient[index - 1] = carry;
    }
    quotient
}

/// The polynomial of least degree with these values on the rows.
pub(super) fn interpolate(values: &Values) -> Poly {
    from_roots(values, omega(), Fr::ONE)
}

/// The polynomial with `values[i]` at `shift · root^i`, where `root` has the order `values.len()`.
pub(super) fn from_roots(values: &[Fr], root: Fr, shift: Fr) -> Poly {
    let inverse = Fr::from(values.len() as u64).invert().unwrap();
    let (root, shift) = (root.invert().unwrap(), shift.invert().unwrap());
    let powers = |base: Fr| std::iter::successors(Some(Fr::ONE), move |power| Some(*power * base));
    let coefficients = powers(root).zip(powers(shift)).take(values.len());
    coefficients.map(|(point, shift)| at(values, point) * shift * inverse).collect()
}

/// The root of a function that is affine, or nothing if it is not.
pub(super) fn root_of(function: impl Fn(Fr) -> Fr) -> Option<Fr> {
    let (zero, one) = (function(Fr::ZERO), function(Fr::ONE));
    let root = -zero * Option::<Fr>::from((one - zero).invert())?;
    (function(root) == Fr::ZERO).then_some(root)
}
