//! The SHPLONK opening (<https://eprint.iacr.org/2020/081>), normalised to the first set as halo2 does.
#![expect(clippy::arithmetic_side_effects, reason = "field and group arithmetic is total")]

use crate::curve::{Fr, combine, pairings_agree, point, point2};
use crate::plonk::constraints::{AtX, invert};
use crate::plonk::decode::Decoded;
use crate::plonk::{Rules, VerifyError};
use ff::Field;
use halo2curves::bn256::G1Affine;
use std::collections::BTreeMap;
use zkml_protocol::{
    G1,
    plonk::{Challenge, Commitment, Eval, OpeningSet, Program, SlotId},
};

/// Checks that all commitments open to the claimed values, `quotient` being the quotient's.
pub(crate) fn check(
    rules: &Rules<'_>,
    decoded: &Decoded,
    at_x: &AtX,
    quotient: Fr,
    challenge: impl Fn(Challenge) -> Result<Fr, VerifyError>,
) -> Result<(), VerifyError> {
    let (w2, right) = sides(rules, decoded, at_x, quotient, challenge)?;
    let srs = &rules.program.srs;
    let second = |what, words| point2(words).ok_or(VerifyError::ProgramPoint { what, index: 0 });
    let g2 = second("second generator", &srs.g2)?;
    let s_g2 = second("setup point", &srs.s_g2)?;
    if pairings_agree(&w2, s_g2, &right, g2) { Ok(()) } else { Err(VerifyError::Rejected) }
}

/// The points of the first group in `e(W', s·G2) = e(right, G2)`.
pub(crate) fn sides(
    Rules { program, sets, .. }: &Rules<'_>,
    decoded: &Decoded,
    at_x: &AtX,
    quotient: Fr,
    challenge: impl Fn(Challenge) -> Result<Fr, VerifyError>,
) -> Result<(G1Affine, G1Affine), VerifyError> {
    let (y, v, u) =
        (challenge(Challenge::OpenY)?, challenge(Challenge::OpenV)?, challenge(Challenge::OpenU)?);
    let points = Points::new(sets, at_x, u);
    let eval = |eval| if eval == Eval::Quotient { Ok(quotient) } else { decoded.eval(eval) };

    let first = sets.first().ok_or(VerifyError::Inconsistent("opening set"))?;
    let scale = invert(points.outside(first)).ok_or(VerifyError::OpeningPoints)?;
    let mut weights: Vec<(Commitment, Fr)> = Vec::new();
    let mut value = Fr::ZERO;
    let mut set_weight = Fr::ONE;
    for set in sets {
        let basis = points.lagrange(set).ok_or(VerifyError::OpeningPoints)?;
        let mut weight = set_weight * points.outside(set) * scale;
        for member in &set.members {
            for (claimed, basis) in member.evals.iter().zip(&basis) {
                value += weight * basis * eval(*claimed)?;
            }
            weights.push((member.commitment, weight));
            weight *= y;
        }
        set_weight *= v;
    }

    let g1 = program_point("generator", 0, &program.srs.g1)?;
    let (w, w2) = (decoded.point_of(SlotId::OpeningW)?, decoded.point_of(SlotId::OpeningW2)?);
    let mut terms = gather(program, decoded, at_x, &weights)?;
    terms.extend([(-value, g1), (-points.inside(first), *w), (u, *w2)]);
    Ok((*w2, combine(terms.iter().map(|(scalar, point)| (*scalar, point)))))
}

/// Commitments with their weights; the quotient becomes its pieces.
fn gather(
    program: &Program,
    decoded: &Decoded,
    at_x: &AtX,
    weights: &[(Commitment, Fr)],
) -> Result<Vec<(Fr, G1Affine)>, VerifyError> {
    let constant = |what: &'static str, table: &[G1], index: u32| {
        let words = table.get(index as usize).ok_or(VerifyError::Inconsistent(what))?;
        program_point(what, index as usize, words)
    };
    let mut terms = Vec::new();
    for (commitment, weight) in weights {
        let point = match *commitment {
            Commitment::Fixed(index) => constant("fixed commitment", &program.fixed_commitments, index)?,
            Commitment::Sigma(index) => {
                constant("permutation commitment", &program.sigma_commitments, index)?
            }
            Commitment::Quotient => {
                let mut weight = *weight;
                for piece in decoded.points_of(SlotId::Quotient)? {
                    terms.push((weight, *piece));
                    weight *= at_x.x_to_n;
                }
                continue;
            }
            other => *decoded.commitment(other).ok_or(VerifyError::Inconsistent("commitment"))?,
        };
        terms.push((*weight, point));
    }
    Ok(terms)
}

fn program_point(what: &'static str, index: usize, words: &G1) -> Result<G1Affine, VerifyError> {
    point(words).map_err(|_| VerifyError::ProgramPoint { what, index })
}

/// The opening points by rotation, and the point `u` at which they are compared.
struct Points {
    by_rotation: BTreeMap<i32, Fr>,
    u: Fr,
}

impl Points {
    fn new(sets: &[OpeningSet], at_x: &AtX, u: Fr) -> Self {
        let rotations = sets.iter().flat_map(|set| &set.rotations);
        Self { by_rotation: rotations.map(|rotation| (*rotation, at_x.rotated(*rotation))).collect(), u }
    }

    /// `Π (u − point)` over the set's points.
    fn inside(&self, set: &OpeningSet) -> Fr {
        self.vanishing(|rotation| set.rotations.contains(rotation))
    }

    /// `Π (u − point)` over all other points.
    fn outside(&self, set: &OpeningSet) -> Fr {
        self.vanishing(|rotation| !set.rotations.contains(rotation))
    }

    fn vanishing(&self, of: impl Fn(&i32) -> bool) -> Fr {
        let points = self.by_rotation.iter().filter(|(rotation, _)| of(rotation));
        points.fold(Fr::ONE, |product, (_, point)| product * (self.u - point))
    }

    /// The Lagrange basis of the set's points at `u`, in the set's order.
    fn lagrange(&self, set: &OpeningSet) -> Option<Vec<Fr>> {
        let points: Vec<Fr> = set
            .rotations
            .iter()
            .map(|rotation| self.by_rotation.get(rotation).copied())
            .collect::<Option<_>>()?;
        let basis = points.iter().enumerate().map(|(at, point)| {
            let others = points.iter().enumerate().filter(|(index, _)| *index != at);
            let (above, below) = others.fold((Fr::ONE, Fr::ONE), |(above, below), (_, other)| {
                (above * (self.u - other), below * (point - other))
            });
            Some(above * invert(below)?)
        });
        basis.collect()
    }
}
