//! Words of the protocol from field elements and points of BN254, and back.
//!
//! A word is canonical: the number is below the modulus, big-endian. (0, 0) stands for the identity.

#![forbid(unsafe_code)]

use ff::PrimeField;
use halo2curves::CurveAffine;
use halo2curves::bn256::{Fq, Fq2, Fr, G1Affine, G2Affine};
use zkml_protocol::{G1, G2, Word};

/// The canonical word of a scalar.
pub fn scalar_word(scalar: &Fr) -> Word {
    big_endian(scalar.to_repr())
}

/// The scalar of a word, if the word is below the order.
pub fn scalar_from_word(word: &Word) -> Option<Fr> {
    Option::from(Fr::from_repr(little_endian(word)))
}

/// The words of a point; (0, 0) for the identity.
pub fn g1_words(point: &G1Affine) -> G1 {
    G1 { x: big_endian(point.x.to_repr()), y: big_endian(point.y.to_repr()) }
}

/// The point of two words, if they are canonical and the point lies on the curve; (0, 0) is the identity.
pub fn g1_from_words(words: &G1) -> Option<G1Affine> {
    let x = Option::from(Fq::from_repr(little_endian(&words.x)))?;
    let y = Option::from(Fq::from_repr(little_endian(&words.y)))?;
    Option::from(G1Affine::from_xy(x, y))
}

/// The words of a point of the second group, in the EVM's order.
pub fn g2_words(point: &G2Affine) -> G2 {
    let words = |c: &Fq2| [big_endian(c.c1.to_repr()), big_endian(c.c0.to_repr())];
    G2 { x: words(&point.x), y: words(&point.y) }
}

/// The point of the second group of these words, if they are canonical and the point lies on the curve; zeros are the identity.
/// It may lie outside of the subgroup that pairings are about: whoever did not make it asks for that.
pub fn g2_from_words(words: &G2) -> Option<G2Affine> {
    let element = |[c1, c0]: &[Word; 2]| {
        let part = |word| Option::from(Fq::from_repr(little_endian(word)));
        Some(Fq2 { c0: part(c0)?, c1: part(c1)? })
    };
    Option::from(G2Affine::from_xy(element(&words.x)?, element(&words.y)?))
}

fn big_endian(mut repr: [u8; 32]) -> Word {
    repr.reverse();
    Word(repr)
}

fn little_endian(word: &Word) -> [u8; 32] {
    let mut repr = word.0;
    repr.reverse();
    repr
}
