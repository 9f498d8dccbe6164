//! Prints the commitments' half of the opening check: one sum of multiples of points, and the pairing.

use zkml_protocol::plonk::{Challenge, Commitment, Program, SlotId};

use super::{
    super::{
        checks::PROOF,
        points::{self, Msm, Point},
    },
    memory::{Cell, Map},
    opening::Opening,
};
use crate::{CodegenError, text::Text};

/// Folds all commitments into one point.
pub(crate) fn fold(
    text: &mut Text,
    map: &mut Map,
    program: &Program,
    opening: &Opening,
) -> Result<(), CodegenError> {
    text.section("Commitments folded into one point. In memory: the sum, a term's point, the term's factor.");
    let mut msm = Msm::new(text, map.buffer());
    let factor = format!("mload({})", msm.factor());
    for (index, set) in opening.sets().iter().enumerate() {
        // What the next member's factor is y times of.
        let mut base = "1".to_owned();
        for (place, member) in set.members.iter().enumerate() {
            match (index, place) {
                (0, 0) => {}
                (0, 1) => msm.scale("y"),
                (_, 0) => msm.scale(&map.load(Cell::Weight(index))),
                _ => msm.scale(&format!("mulmod({base}, y, r)")),
            }
            let unit = index == 0 && place == 0;
            base = if unit { "1".to_owned() } else { factor.clone() };
            let note = format!("{:?}", member.commitment);
            msm.add(&point(map, program, member.commitment)?, !unit, &note);
            if member.commitment == Commitment::Quotient && program.quotient_pieces > 1 {
                pieces(&mut msm, map, program, &base)?;
                base = "t".to_owned();
            }
        }
    }
    msm.scale("sub(r, value)");
    msm.add(&Point::Constant(program.srs.g1), true, "generator");
    let vanishing = map.load(Cell::VanishingFirst);
    msm.scale(&format!("sub(r, mod({vanishing}, r))"));
    msm.add(&Point::Calldata(slot(map, SlotId::OpeningW)?), true, "W");
    msm.scale(&map.load(Cell::Challenge(Challenge::OpenU)));
    msm.add(&Point::Calldata(slot(map, SlotId::OpeningW2)?), true, "W'");
    Ok(())
}

/// The pieces of the quotient after the first, whose factor stays in `t`.
fn pieces(msm: &mut Msm<'_>, map: &mut Map, program: &Program, base: &str) -> Result<(), CodegenError> {
    msm.text.line(format_args!("t := {base}"));
    let offset = map.layout.commitment_offset(Commitment::Quotient).unwrap_or_default();
    let pow = map.load(Cell::XPowN);
    for piece in 1..program.quotient_pieces as usize {
        let previous = if piece == 1 { "t".to_owned() } else { format!("mload({})", msm.factor()) };
        msm.scale(&format!("mulmod({previous}, {pow}, r)"));
        msm.add(&Point::Calldata(PROOF + offset + 64 * piece), true, &format!("piece {piece}"));
    }
    Ok(())
}

/// `e(sum, G2) · e(−W', s·G2) = 1`, or revert.
pub(crate) fn pairing(text: &mut Text, map: &Map, program: &Program) -> Result<(), CodegenError> {
    text.section("Pairing: e(sum, G2) e(-W', s G2) = 1.");
    let w = slot(map, SlotId::OpeningW2)?;
    points::pairing(text, map.buffer(), &program.srs.g2, &[(w, &program.srs.s_g2)]);
    Ok(())
}

/// Where a commitment comes from.
fn point(map: &Map, program: &Program, commitment: Commitment) -> Result<Point, CodegenError> {
    let constant = match commitment {
        Commitment::Fixed(column) => program.fixed_commitments.get(column as usize),
        Commitment::Sigma(column) => program.sigma_commitments.get(column as usize),
        _ => None,
    };
    let in_proof = map.layout.commitment_offset(commitment).map(|offset| Point::Calldata(PROOF + offset));
    constant
        .map(|point| Point::Constant(*point))
        .or(in_proof)
        .ok_or_else(|| CodegenError::Inconsistent(format!("no commitment {commitment:?}")))
}

/// Calldata offset of a slot's first element.
fn slot(map: &Map, slot: SlotId) -> Result<usize, CodegenError> {
    let offset = map.layout.slot_of(slot).and_then(|slot| slot.at(0));
    offset.map(|offset| PROOF + offset).ok_or_else(|| CodegenError::Inconsistent(format!("no slot {slot:?}")))
}
