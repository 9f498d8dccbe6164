//! Prints the commitments' half of the opening check: one sum of multiples of points, and the pairing.

use zkml_contracts::errors;
use zkml_protocol::{
    G1, field,
    plonk::{Challenge, Commitment, Program, SlotId},
};

use super::{
    checks::fail,
    memory::{Cell, Map, PROOF},
    opening::Opening,
};
use crate::{
    CodegenError,
    text::{Text, at, literal},
};

/// Where a term's point comes from.
enum Point {
    /// This offset of the calldata.
    Calldata(usize),
    /// A constant of the program.
    Constant(G1),
}

/// A sum of multiples of points. In memory from `area` on: the sum, a term's point, the term's factor.
struct Msm<'a> {
    text: &'a mut Text,
    area: usize,
    /// No term was added yet.
    empty: bool,
    /// Whether both precompiles have shown that they exist: a call of an address without code succeeds too.
    precompiles_shown: bool,
}

/// Folds all commitments into one point.
pub(crate) fn fold(
    text: &mut Text,
    map: &mut Map,
    program: &Program,
    opening: &Opening,
) -> Result<(), CodegenError> {
    text.section("Commitments folded into one point. In memory: the sum, a term's point, the term's factor.");
    let mut msm = Msm { text, area: map.buffer(), empty: true, precompiles_shown: false };
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
                msm.pieces(map, program, &base)?;
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

impl Msm<'_> {
    fn factor(&self) -> String {
        at(self.area + 128)
    }

    /// Sets the factor of the next term.
    fn scale(&mut self, scalar: &str) {
        let factor = self.factor();
        self.text.line(format_args!("mstore({factor}, {scalar})"));
    }

    /// The pieces of the quotient after the first, whose factor stays in `t`.
    fn pieces(&mut self, map: &mut Map, program: &Program, base: &str) -> Result<(), CodegenError> {
        self.text.line(format_args!("t := {base}"));
        let offset = map.layout.commitment_offset(Commitment::Quotient).unwrap_or_default();
        let pow = map.load(Cell::XPowN);
        for piece in 1..program.quotient_pieces as usize {
            let previous = if piece == 1 { "t".to_owned() } else { format!("mload({})", self.factor()) };
            self.scale(&format!("mulmod({previous}, {pow}, r)"));
            self.add(&Point::Calldata(PROOF + offset + 64 * piece), true, &format!("piece {piece}"));
        }
        Ok(())
    }

    /// Adds a term: the point as it is, or times the factor.
    fn add(&mut self, point: &Point, scaled: bool, note: &str) {
        if matches!(point, Point::Constant(point) if point.is_identity()) {
            self.text.line(format_args!("// {note} commits to zero"));
            return;
        }
        let (sum, term) = (at(self.area), at(self.area + 64));
        let first = std::mem::replace(&mut self.empty, false);
        self.load(point, if first && !scaled { self.area } else { self.area + 64 }, note);
        let out = if first { &sum } else { &term };
        let add = format!("staticcall(gas(), 6, {sum}, 128, {sum}, 64)");
        let mul = format!("staticcall(gas(), 7, {term}, 96, {out}, 64)");
        match (scaled, first) {
            (false, true) => {}
            (true, true) => self.text.line(format_args!("ok := and(ok, {mul})")),
            (false, false) => self.text.line(format_args!("ok := and(ok, {add})")),
            // Yul evaluates the last argument first: multiply, then add.
            (true, false) if self.precompiles_shown => {
                self.text.line(format_args!("ok := and(and(ok, {add}), {mul})"))
            }
            (true, false) => {
                self.precompiles_shown = true;
                for call in [mul, add] {
                    self.text.line(format_args!("ok := and(ok, {call})"));
                    self.text.line("ok := and(ok, eq(returndatasize(), 64)) // the precompile exists");
                }
            }
        }
    }

    fn load(&mut self, point: &Point, to: usize, note: &str) {
        match point {
            Point::Calldata(from) => {
                self.text.line(format_args!("calldatacopy({}, {}, 64) // {note}", at(to), at(*from)));
            }
            Point::Constant(point) => {
                self.text.line(format_args!("mstore({}, {}) // {note}", at(to), literal(&point.x)));
                self.text.line(format_args!("mstore({}, {})", at(to + 32), literal(&point.y)));
            }
        }
    }
}

/// `e(sum, G2) · e(−W', s·G2) = 1`, or revert.
pub(crate) fn pairing(text: &mut Text, map: &Map, program: &Program) -> Result<(), CodegenError> {
    text.section("Pairing: e(sum, G2) e(-W', s G2) = 1.");
    let area = map.buffer();
    let w = slot(map, SlotId::OpeningW2)?;
    let modulus = literal(&field::BASE_MODULUS);
    let mut words: Vec<String> = program.srs.g2.words().iter().map(literal).collect();
    words.push(format!("calldataload({})", at(w)));
    words.push(format!("sub({modulus}, calldataload({}))", at(w + 32)));
    words.extend(program.srs.s_g2.words().iter().map(literal));
    for (index, word) in words.iter().enumerate() {
        text.line(format_args!("mstore({}, {word})", at(area + 64 + 32 * index)));
    }
    let failed = fail(&errors::PRECOMPILE_FAILED, &[]);
    text.line(format_args!("if iszero(ok) {{ {failed} }}"));
    text.line(format_args!("ok := staticcall(gas(), 8, {}, 384, 0, 32)", at(area)));
    text.line(format_args!("if iszero(and(ok, eq(returndatasize(), 32))) {{ {failed} }}"));
    text.line(format_args!("if iszero(eq(mload(0), 1)) {{ {} }}", fail(&errors::PROOF_REJECTED, &[])));
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
