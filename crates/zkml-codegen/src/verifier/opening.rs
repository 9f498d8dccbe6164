//! Prints the opening check (SHPLONK): values folded to one, commitments folded to one point, one pairing.

use zkml_protocol::{Challenge, Commitment, G1, OpeningSet, Program, SlotId, Word, field};

use super::{
    checks::fail,
    memory::{Cell, Map, PROOF},
};
use crate::{
    CodegenError, errors,
    text::{Text, at, literal},
};

/// The opening sets with the points that they are opened at.
#[derive(Debug)]
pub(crate) struct Opening {
    sets: Vec<OpeningSet>,
    /// Union of all rotations, ascending: distance `i` belongs to the i-th.
    rotations: Vec<i32>,
}

impl Opening {
    pub(crate) fn new(program: &Program) -> Self {
        let sets = program.opening_sets();
        let mut rotations: Vec<i32> = sets.iter().flat_map(|set| set.rotations.clone()).collect();
        rotations.sort_unstable();
        rotations.dedup();
        Self { sets, rotations }
    }

    /// Cells that have to be inverted for the opening.
    pub(crate) fn denominators(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        if self.sets.iter().any(|set| set.rotations.len() > 1) {
            cells.push(Cell::XInverse);
        }
        if self.outside(0).next().is_some() {
            cells.push(Cell::OutsideFirst);
        }
        cells
    }

    /// Indices of the rotations that set `set` does not have.
    fn outside(&self, set: usize) -> impl Iterator<Item = usize> + '_ {
        let of_set = self.sets.get(set).map(|set| set.rotations.as_slice()).unwrap_or_default();
        self.rotations.iter().enumerate().filter(|(_, t)| !of_set.contains(t)).map(|(index, _)| index)
    }

    fn inside(&self, set: &OpeningSet) -> Vec<usize> {
        set.rotations.iter().filter_map(|t| self.rotations.binary_search(t).ok()).collect()
    }

    /// Prints `u − x·ω^t` for every opening point and what is inverted later.
    pub(crate) fn distances(&self, text: &mut Text, map: &mut Map, program: &Program) {
        text.section("Distances of u from the opening points x w^t.");
        text.open("{");
        text.line(format_args!("let u := {}", map.load(Cell::Challenge(Challenge::OpenU))));
        for (index, rotation) in self.rotations.iter().enumerate() {
            let point = match rotation {
                0 => "x".to_owned(),
                t => format!("mulmod(x, {}, r)", literal(&program.domain.rotation(*t))),
            };
            let store = map.store(Cell::Distance(index), &format!("add(u, sub(r, {point}))"));
            text.line(format_args!("{store} // t = {rotation}"));
        }
        for cell in self.denominators() {
            let value = match cell {
                Cell::XInverse => "x".to_owned(),
                _ => product(map, self.outside(0)),
            };
            text.line(map.store(cell, &value));
        }
        text.close("}");
    }

    /// Prints the weights `v^i · D_i` and folds all claimed values into the local `value`.
    pub(crate) fn values(
        &self,
        text: &mut Text,
        map: &mut Map,
        program: &Program,
    ) -> Result<(), CodegenError> {
        text.section("Opening: weight of each set, and the claimed values folded into one.");
        text.line("let value := 0");
        text.open("{");
        let challenge = map.load(Cell::Challenge(Challenge::OpenY));
        text.line(format_args!("y := {challenge}"));
        text.line(format_args!("let v := {}", map.load(Cell::Challenge(Challenge::OpenV))));
        text.line("let w := 1");
        text.line("let e");
        for (index, set) in self.sets.iter().enumerate() {
            text.line(format_args!("// Set {index}: rotations {:?}.", set.rotations));
            if index == 1 {
                text.line("w := v");
            } else if index > 1 {
                text.line("w := mulmod(w, v, r)");
            }
            self.weight(text, map, index);
            self.set_value(text, map, program, set)?;
        }
        text.close("}");
        Ok(())
    }

    /// Leaves the set's weight in its cell; set 0 has weight 1.
    fn weight(&self, text: &mut Text, map: &mut Map, index: usize) {
        if index == 0 {
            return;
        }
        let mut weight = "w".to_owned();
        for distance in self.outside(index) {
            weight = format!("mulmod({weight}, {}, r)", map.load(Cell::Distance(distance)));
        }
        if self.outside(0).next().is_some() {
            weight = format!("mulmod({weight}, {}, r)", map.load(Cell::OutsideFirst));
        }
        text.line(map.store(Cell::Weight(index), &weight));
    }

    /// Adds `weight · Σ_a ℓ_a(u) · Σ_j y^j value_ja` to `value`.
    fn set_value(
        &self,
        text: &mut Text,
        map: &mut Map,
        program: &Program,
        set: &OpeningSet,
    ) -> Result<(), CodegenError> {
        let index = self.sets.iter().position(|other| std::ptr::eq(other, set)).unwrap_or_default();
        let distances = self.inside(set);
        let single = set.rotations.len() == 1;
        if !single {
            text.line("t := 0");
        }
        for (place, rotation) in set.rotations.iter().enumerate() {
            fold(text, map, set, place)?;
            if single {
                text.line("t := e");
                continue;
            }
            let others = distances.iter().enumerate().filter(|(other, _)| *other != place);
            let others: Vec<usize> = others.map(|(_, distance)| *distance).collect();
            let basis = product(map, others.into_iter());
            let constant = literal(&basis_constant(program, set, *rotation)?);
            text.line(format_args!("t := add(mod(t, r), mulmod(mulmod(e, {constant}, r), {basis}, r))"));
        }
        for _ in 1..set.rotations.len() {
            let inverse = map.load(Cell::XInverse);
            text.line(format_args!("t := mulmod(t, {inverse}, r)"));
        }
        let weighted = match index {
            0 => "t".to_owned(),
            _ => format!("mulmod(t, {}, r)", map.load(Cell::Weight(index))),
        };
        text.line(format_args!("value := addmod(value, {weighted}, r)"));
        Ok(())
    }

    /// Folds all commitments into one point and checks the pairing.
    pub(crate) fn check(
        &self,
        text: &mut Text,
        map: &mut Map,
        program: &Program,
    ) -> Result<(), CodegenError> {
        text.section("Commitments folded into one point: acc at the buffer's start, a term behind it.");
        let mut msm = Msm { text, area: map.buffer(), first: true, measured: false };
        for (index, set) in self.sets.iter().enumerate() {
            if index == 0 {
                msm.text.line("let s := 1");
            } else {
                let weight = map.load(Cell::Weight(index));
                msm.text.line(format_args!("s := {weight}"));
            }
            for (place, member) in set.members.iter().enumerate() {
                if place > 0 {
                    msm.text.line("s := mulmod(s, y, r)");
                }
                let unit = index == 0 && place == 0;
                self.member(&mut msm, map, program, member.commitment, unit)?;
            }
        }
        self.finish_sum(&mut msm, map, program)?;
        pairing(text, map, program)
    }

    fn member(
        &self,
        msm: &mut Msm<'_>,
        map: &mut Map,
        program: &Program,
        commitment: Commitment,
        unit: bool,
    ) -> Result<(), CodegenError> {
        let missing = || CodegenError::Inconsistent(format!("no commitment {commitment:?}"));
        let note = format!("{commitment:?}");
        let scalar = if unit { None } else { Some("s") };
        let constant = match commitment {
            Commitment::Fixed(column) => program.fixed_commitments.get(column as usize),
            Commitment::Sigma(column) => program.sigma_commitments.get(column as usize),
            _ => {
                let offset = map.layout.commitment_offset(commitment).ok_or_else(missing)?;
                msm.calldata(PROOF + offset, scalar, &note);
                for piece in 1..program.quotient_pieces as usize {
                    if commitment != Commitment::Quotient {
                        break;
                    }
                    let previous = if piece == 1 { "s" } else { "t" };
                    let pow = map.load(Cell::XPowN);
                    msm.text.line(format_args!("t := mulmod({previous}, {pow}, r)"));
                    msm.calldata(PROOF + offset + 64 * piece, Some("t"), &format!("{note}, piece {piece}"));
                }
                return Ok(());
            }
        };
        msm.constant(constant.ok_or_else(missing)?, scalar, &note);
        Ok(())
    }

    /// The generator with the folded value, and both opening commitments.
    fn finish_sum(&self, msm: &mut Msm<'_>, map: &mut Map, program: &Program) -> Result<(), CodegenError> {
        let first = self.sets.first().map(|set| self.inside(set)).unwrap_or_default();
        let vanishing = product(map, first.into_iter());
        msm.constant(&program.srs.g1, Some("sub(r, value)"), "generator");
        let negated = format!("sub(r, mod({vanishing}, r))");
        msm.calldata(point_of(map, SlotId::OpeningW)?, Some(&negated), "W");
        let u = map.load(Cell::Challenge(Challenge::OpenU));
        msm.calldata(point_of(map, SlotId::OpeningW2)?, Some(&u), "W'");
        Ok(())
    }
}

/// Leaves `Σ_j y^j value_j` at the set's rotation `place` in `e`.
fn fold(text: &mut Text, map: &mut Map, set: &OpeningSet, place: usize) -> Result<(), CodegenError> {
    for (turn, member) in set.members.iter().rev().enumerate() {
        let missing = || CodegenError::Inconsistent(format!("{:?} lacks a value", member.commitment));
        let value = map.eval(*member.evals.get(place).ok_or_else(missing)?)?;
        if turn == 0 {
            text.line(format_args!("e := {value}"));
        } else {
            text.line(format_args!("e := add(mulmod(e, y, r), {value})"));
        }
    }
    Ok(())
}

/// `Π_{b ≠ a} 1 / (ω^a − ω^b)`: the constant part of the Lagrange basis over a set's points.
fn basis_constant(program: &Program, set: &OpeningSet, rotation: i32) -> Result<Word, CodegenError> {
    let here = program.domain.rotation(rotation);
    let others = set.rotations.iter().filter(|other| **other != rotation);
    let denominator = others.fold(Word::ONE, |product, other| {
        field::mul(product, field::sub(here, program.domain.rotation(*other)))
    });
    field::invert(denominator)
        .ok_or_else(|| CodegenError::Inconsistent("two rotations name one row".to_owned()))
}

/// Product of distances as an expression; 1 for none, unreduced for a single one.
fn product(map: &mut Map, distances: impl Iterator<Item = usize>) -> String {
    let loads: Vec<String> = distances.map(|index| map.load(Cell::Distance(index))).collect();
    let product = loads.into_iter().reduce(|product, load| format!("mulmod({product}, {load}, r)"));
    product.unwrap_or_else(|| "1".to_owned())
}

fn point_of(map: &Map, slot: SlotId) -> Result<usize, CodegenError> {
    let offset = map.layout.slot_of(slot).and_then(|slot| slot.at(0));
    offset.map(|offset| PROOF + offset).ok_or_else(|| CodegenError::Inconsistent(format!("no slot {slot:?}")))
}

/// A sum of multiples of points: `acc` in the first two words of the area, a term in the next three.
struct Msm<'a> {
    text: &'a mut Text,
    area: usize,
    first: bool,
    /// Whether both precompiles have shown that they exist.
    measured: bool,
}

impl Msm<'_> {
    /// A term whose point is in the proof.
    fn calldata(&mut self, from: usize, scalar: Option<&str>, note: &str) {
        let to = at(self.target(scalar));
        self.text.line(format_args!("calldatacopy({to}, {}, 64) // {note}", at(from)));
        self.term(scalar);
    }

    /// A term whose point is a constant; the identity adds nothing.
    fn constant(&mut self, point: &G1, scalar: Option<&str>, note: &str) {
        if point.is_identity() {
            self.text.line(format_args!("// {note} commits to zero"));
            return;
        }
        let to = self.target(scalar);
        self.text.line(format_args!("mstore({}, {}) // {note}", at(to), literal(&point.x)));
        self.text.line(format_args!("mstore({}, {})", at(to + 32), literal(&point.y)));
        self.term(scalar);
    }

    /// Where the next term's point goes: straight into `acc` if it is the first and has no factor.
    fn target(&self, scalar: Option<&str>) -> usize {
        if self.first && scalar.is_none() { self.area } else { self.area + 64 }
    }

    fn term(&mut self, scalar: Option<&str>) {
        let (acc, term, factor) = (at(self.area), at(self.area + 64), at(self.area + 128));
        if let Some(scalar) = scalar {
            let out = if self.first { &acc } else { &term };
            self.text.line(format_args!("mstore({factor}, {scalar})"));
            self.text.line(format_args!("ok := and(ok, staticcall(gas(), 7, {term}, 96, {out}, 64))"));
            self.measure();
        }
        if !self.first {
            self.text.line(format_args!("ok := and(ok, staticcall(gas(), 6, {acc}, 128, {acc}, 64))"));
            if !self.measured {
                self.measure();
                self.measured = true;
            }
        }
        self.first = false;
    }

    /// A call of an address without code succeeds too, so the first result of each precompile is measured.
    fn measure(&mut self) {
        if !self.measured {
            self.text.line("ok := and(ok, eq(returndatasize(), 64)) // the precompile exists");
        }
    }
}

/// `e(acc, G2) · e(−W', s·G2) = 1`.
fn pairing(text: &mut Text, map: &Map, program: &Program) -> Result<(), CodegenError> {
    text.section("Pairing: e(acc, G2) e(-W', s G2) = 1.");
    let area = map.buffer();
    let store = |text: &mut Text, index: usize, word: &str| {
        text.line(format_args!("mstore({}, {word})", at(area + 32 * index)));
    };
    for (index, word) in program.srs.g2.words().iter().enumerate() {
        store(text, 2 + index, &literal(word));
    }
    let w = point_of(map, SlotId::OpeningW2)?;
    store(text, 6, &format!("calldataload({})", at(w)));
    let modulus = literal(&field::BASE_MODULUS);
    store(text, 7, &format!("sub({modulus}, calldataload({}))", at(w + 32)));
    for (index, word) in program.srs.s_g2.words().iter().enumerate() {
        store(text, 8 + index, &literal(word));
    }
    text.line(format_args!("if iszero(ok) {{ {} }}", fail(&errors::PRECOMPILE_FAILED, &[])));
    text.line(format_args!("ok := staticcall(gas(), 8, {}, 384, 0, 32)", at(area)));
    text.line(format_args!(
        "if iszero(and(ok, eq(returndatasize(), 32))) {{ {} }}",
        fail(&errors::PRECOMPILE_FAILED, &[])
    ));
    text.line(format_args!("if iszero(eq(mload(0), 1)) {{ {} }}", fail(&errors::PROOF_REJECTED, &[])));
    Ok(())
}
