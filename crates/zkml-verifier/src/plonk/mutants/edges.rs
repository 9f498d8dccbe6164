//! Points and challenges that no honest setup and no transcript gives: refused for their own sake, not because the proof fails.

use super::poly::dice;
use super::rules::Mutant;
use super::toy::{self, words2};
use super::{Forgery, honest, sample};
use crate::curve::{Fr, affine2, point2, scalar};
use crate::plonk::{Rules, VerifyError, verify};
use ff::Field;
use halo2curves::CurveAffine;
use halo2curves::bn256::{self, Fq, Fq2, G2Affine};
use halo2curves::group::cofactor::CofactorGroup;
use zkml_protocol::{
    G2, Word, field,
    plonk::{Challenge, Sample},
};

/// Points of the curve `y² = x³ + b` over the larger field that are outside the subgroup, as most are.
fn outside_the_subgroup() -> impl Iterator<Item = G2Affine> {
    (1u64..).filter_map(|c0| {
        let x = Fq2 { c0: Fq::from(c0), c1: Fq::from(1) };
        let y: Option<Fq2> = Option::from((x.square() * x + G2Affine::b()).sqrt());
        let point: G2Affine = Option::from(G2Affine::from_xy(x, y?))?;
        (!bool::from(bn256::G2::from(point).is_torsion_free())).then_some(point)
    })
}

#[test]
fn points_outside_the_subgroup_are_no_setup() {
    for point in outside_the_subgroup().take(4) {
        let words = words2(point);
        assert_eq!(point2(&words), None, "{words:?}");
        let program = toy::program();
        let Forgery { proof, instances } = honest(&program);
        for (what, s_g2) in [("second generator", false), ("setup point", true)] {
            let mut program = program.clone();
            *(if s_g2 { &mut program.srs.s_g2 } else { &mut program.srs.g2 }) = words;
            let verdict = verify(&program, &proof, &instances);
            assert_eq!(verdict, Err(VerifyError::ProgramPoint { what, index: 0 }));
        }
    }
}

/// Points of another curve, `(u²·x, u³·y)` on `y² = x³ + u⁶·b`, are refused before anything is computed with them.
#[test]
fn points_of_another_curve_are_no_setup() {
    let good = affine2(&toy::program().srs.s_g2).unwrap();
    let scale = |value: Fq2, factor: Fq| Fq2 { c0: value.c0 * factor, c1: value.c1 * factor };
    for u in [2, 3, 5].map(Fq::from) {
        let other = G2Affine { x: scale(good.x, u.square()), y: scale(good.y, u.square() * u) };
        assert_eq!(affine2(&words2(other)), None);
    }
}

/// Every coordinate has one spelling, and the identity is no setup.
#[test]
fn words_of_a_setup_are_canonical_and_on_the_curve() {
    let good = toy::program().srs.s_g2;
    assert!(point2(&good).is_some());
    assert_eq!(point2(&G2::default()), None, "the identity");
    for (axis, part) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let changed = |change: fn(Word) -> Word| {
            let mut words = good;
            let word = &mut (if axis == 0 { &mut words.x } else { &mut words.y })[part];
            *word = change(*word);
            words
        };
        let alias = changed(|word| plain_sum(word, field::BASE_MODULUS));
        assert_eq!(point2(&alias), None, "a coordinate plus the modulus");
        let off = changed(|mut word| {
            word.0[31] ^= 1;
            word
        });
        assert_eq!(point2(&off), None, "off the curve");
    }
}

/// `a + b` as integers of 256 bits.
fn plain_sum(a: Word, b: Word) -> Word {
    let mut sum = Word::ZERO;
    let mut carry = 0;
    for index in (0..32).rev() {
        let total = u16::from(a.0[index]) + u16::from(b.0[index]) + carry;
        (sum.0[index], carry) = ((total & 0xff) as u8, total >> 8);
    }
    sum
}

/// The verdict on a good proof with one challenge replaced.
fn with(sample: &Sample, challenge: Challenge, value: Fr) -> Result<(), VerifyError> {
    let mut mutant = Mutant::genuine(sample.program.clone());
    mutant.known.push((challenge, value));
    mutant.verdict(&sample.proof, &sample.instances)
}

fn samples() -> Vec<Sample> {
    let program = toy::program();
    let Forgery { proof, instances } = honest(&program);
    let toy = Sample { name: "toy".into(), program, instances, proof };
    ["plain", "two_phases", "random_19"].map(sample).into_iter().chain([toy]).collect()
}

/// Rows of the domain as evaluation point: first, among the instances, in the middle, closing, blinding, last.
#[test]
fn an_evaluation_point_on_the_domain_is_refused() {
    for sample in samples() {
        for row in 0..sample.program.domain.n() as i32 {
            let x = scalar(&sample.program.domain.rotation(row)).unwrap();
            assert_eq!(
                with(&sample, Challenge::X, x),
                Err(VerifyError::PointOnDomain),
                "{}: {row}",
                sample.name
            );
        }
        let outside = with(&sample, Challenge::X, dice(5));
        assert_eq!(outside, Err(VerifyError::Rejected), "{}: any other point", sample.name);
    }
}

/// `u` on a point outside the first set would divide by zero; `x = 0` makes all opening points one.
#[test]
fn coinciding_opening_points_are_refused() {
    for sample in samples() {
        let sets = sample.program.opening_sets();
        let rules = Rules::of(&sample.program);
        assert_eq!(rules.sets, sets);
        let genuine = Mutant::genuine(sample.program.clone());
        let x = genuine.challenge(Challenge::X, &sample.proof, &sample.instances).unwrap();
        for rotation in sets.iter().flat_map(|set| &set.rotations) {
            let u = x * scalar(&sample.program.domain.rotation(*rotation)).unwrap();
            let first = sets[0].rotations.contains(rotation);
            let expected = if first { VerifyError::Rejected } else { VerifyError::OpeningPoints };
            assert_eq!(with(&sample, Challenge::OpenU, u), Err(expected), "{}: {rotation}", sample.name);
        }
        if sets.iter().any(|set| set.rotations.len() > 1) {
            assert_eq!(
                with(&sample, Challenge::X, Fr::ZERO),
                Err(VerifyError::OpeningPoints),
                "{}",
                sample.name
            );
        }
    }
}
