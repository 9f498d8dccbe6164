//! The equation between points in which all equations end.
#![expect(clippy::arithmetic_side_effects, reason = "group arithmetic is total")]

use halo2curves::bn256::G1Affine;
use zkml_protocol::{
    G1,
    sumcheck::{Base, Equations, Program, SlotId},
};

use super::{VerifyError, decode::Decoded, evaluate::Values};
use crate::curve::{Fr, combine, pairing_product_is_one, point, point2};

/// Checks that equation.
pub(super) fn check(
    program: &Program,
    decoded: &Decoded,
    equations: &Equations,
    values: &Values,
) -> Result<(), VerifyError> {
    let terms = equations
        .terms
        .iter()
        .map(|(factor, base)| Ok((values.at(*factor)?, place(program, decoded, *base)?)));
    let terms: Vec<(Fr, G1Affine)> = terms.collect::<Result<_, VerifyError>>()?;
    let first = combine(terms.iter().map(|(scalar, point)| (*scalar, point)));
    let quotient = decoded.point(SlotId::Quotient, 0)?;
    let scaled = combine([(values.at(equations.quotient)?, &quotient)]);
    let second = decoded.point(SlotId::W2, 0)?;
    let second_group = |what, words| point2(words).ok_or(VerifyError::ProgramPoint { what, index: 0 });
    let srs = &program.srs;
    let (g2, s_g2) = (second_group("second generator", &srs.g2)?, second_group("setup point", &srs.s_g2)?);
    let b_g2 = second_group("setup point of the rows", &program.srs_b)?;
    let agree = pairing_product_is_one(&[(first, g2), (-second, s_g2), (scaled, b_g2)]);
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
