//! The equation between points in which all equations end.
#![expect(clippy::arithmetic_side_effects, reason = "group arithmetic is total")]

use ff::Field;
use halo2curves::bn256::G1Affine;
use zkml_protocol::{
    G1,
    sumcheck::{Base, Equations, Program, SlotId},
};

use super::{VerifyError, decode::Decoded, evaluate::Values};
use crate::curve::{Fr, combine, pairing_product_is_one, point, point2};

/// Checks that equation, and that what the proof says is an inverse is one.
pub(super) fn check(
    program: &Program,
    decoded: &Decoded,
    equations: &Equations,
    values: &Values,
) -> Result<(), VerifyError> {
    let comparison = &equations.comparison;
    if values.at(comparison.one)? != Fr::ONE {
        return Err(VerifyError::Rejected);
    }
    let terms = comparison
        .terms
        .iter()
        .map(|(factor, base)| Ok((values.at(*factor)?, place(program, decoded, *base)?)));
    let terms: Vec<(Fr, G1Affine)> = terms.collect::<Result<_, VerifyError>>()?;
    let first = combine(terms.iter().map(|(scalar, point)| (*scalar, point)));
    let second = decoded.point(SlotId::W2, 0)?;
    let second_group = |what, words| point2(words).ok_or(VerifyError::ProgramPoint { what, index: 0 });
    let srs = &program.srs;
    let (g2, s_g2) = (second_group("second generator", &srs.g2)?, second_group("setup point", &srs.s_g2)?);
    let mut pairs = vec![(first, g2), (-second, s_g2)];
    if comparison.by_rows {
        let b_g2 = second_group("setup point of the rows", &program.srs_b)?;
        pairs.push((-decoded.point(SlotId::Quotient, 0)?, b_g2));
    }
    let agree = pairing_product_is_one(&pairs);
    if agree { Ok(()) } else { Err(VerifyError::Rejected) }
}

fn place(program: &Program, decoded: &Decoded, base: Base) -> Result<G1Affine, VerifyError> {
    match base {
        Base::Proof(slot, at) => decoded.point(slot, at as usize),
        Base::Generator => program_point("generator", 0, &program.srs.g1),
        Base::Weights(part) => {
            let words = program.weights.commitments.get(part as usize);
            let words = words.ok_or(VerifyError::Inconsistent("commitment to weights"))?;
            program_point("commitment to weights", part as usize, words)
        }
    }
}

fn program_point(what: &'static str, index: usize, words: &G1) -> Result<G1Affine, VerifyError> {
    point(words).map_err(|_| VerifyError::ProgramPoint { what, index })
}
