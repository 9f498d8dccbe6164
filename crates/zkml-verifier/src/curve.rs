//! From words to field elements and points, and the few operations on them.
#![expect(clippy::arithmetic_side_effects, reason = "field and group arithmetic is total")]

use ff::PrimeField;
use halo2curves::CurveAffine;
use halo2curves::bn256::{self, Fq, Fq2, G1Affine, G2Affine, G2Prepared};
use halo2curves::group::cofactor::CofactorGroup;
use halo2curves::group::{Curve, Group};
use halo2curves::pairing::MillerLoopResult;
use zkml_protocol::{G1, G2, Word};

pub(crate) use bn256::Fr;

/// Why two words are no point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPoint {
    Range,
    OffCurve,
}

/// The scalar of a word below the order.
pub(crate) fn scalar(word: &Word) -> Option<Fr> {
    Option::from(Fr::from_repr(little_endian(word)))
}

/// The point of two words; (0, 0) is the identity.
pub(crate) fn point(words: &G1) -> Result<G1Affine, BadPoint> {
    let coordinate = |word| Option::<Fq>::from(Fq::from_repr(little_endian(word))).ok_or(BadPoint::Range);
    Option::from(G1Affine::from_xy(coordinate(&words.x)?, coordinate(&words.y)?)).ok_or(BadPoint::OffCurve)
}

/// A point of the second group that is not the identity and lies in the right subgroup.
pub(crate) fn point2(words: &G2) -> Option<G2Affine> {
    let point = affine2(words)?;
    let curve = bn256::G2::from(point);
    (!bool::from(curve.is_identity()) && bool::from(curve.is_torsion_free())).then_some(point)
}

/// A point of the second group's curve, of any order; zeros are the identity.
pub(crate) fn affine2(words: &G2) -> Option<G2Affine> {
    let coordinate = |[imaginary, real]: &[Word; 2]| {
        let part = |word| Option::<Fq>::from(Fq::from_repr(little_endian(word)));
        Some(Fq2 { c0: part(real)?, c1: part(imaginary)? })
    };
    Option::from(G2Affine::from_xy(coordinate(&words.x)?, coordinate(&words.y)?))
}

/// `a · b + c`.
pub(crate) fn mul_add(a: Fr, b: Fr, c: Fr) -> Fr {
    a * b + c
}

/// Σ scalar · point.
pub(crate) fn combine<'a>(terms: impl IntoIterator<Item = (Fr, &'a G1Affine)>) -> G1Affine {
    let sum = terms.into_iter().fold(bn256::G1::identity(), |sum, (scalar, point)| sum + *point * scalar);
    sum.to_affine()
}

/// Returns true if `e(left, a) = e(right, b)`. `a` and `b` come from [`point2`]: the pairing would panic outside the subgroup.
pub(crate) fn pairings_agree(left: &G1Affine, a: G2Affine, right: &G1Affine, b: G2Affine) -> bool {
    pairing_product_is_one(&[(*left, a), (*right, -b)])
}

/// Returns true if `Π e(left, right) = 1`. Points of the second group come from [`point2`].
pub(crate) fn pairing_product_is_one(pairs: &[(G1Affine, G2Affine)]) -> bool {
    let prepared: Vec<G2Prepared> = pairs.iter().map(|(_, b)| G2Prepared::from_affine(*b)).collect();
    let terms: Vec<(&G1Affine, &G2Prepared)> = pairs.iter().map(|(a, _)| a).zip(&prepared).collect();
    let product = bn256::multi_miller_loop(&terms).final_exponentiation();
    bool::from(product.is_identity())
}

fn little_endian(word: &Word) -> [u8; 32] {
    let mut repr = word.0;
    repr.reverse();
    repr
}
