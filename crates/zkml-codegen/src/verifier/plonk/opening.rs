//! Prints the values' half of the opening check (SHPLONK): weights of the sets, and all claimed values folded to one.

use zkml_protocol::{
    Word, field,
    plonk::{Challenge, OpeningSet, Program},
};

use super::memory::{Cell, Map};
use crate::{
    CodegenError,
    text::{Text, horner, literal, product},
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
                _ => vanishing(text, map, self.outside(0)),
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
        let challenge = map.load(Cell::Challenge(Challenge::OpenY));
        text.line(format_args!("let y := {challenge}"));
        text.line("let value := 0");
        text.open("{");
        text.line(format_args!("let v := {}", map.load(Cell::Challenge(Challenge::OpenV))));
        text.line("let w");
        text.line("let d");
        text.line("let e");
        for (index, set) in self.sets.iter().enumerate() {
            text.line(format_args!("// Set {index}: rotations {:?}.", set.rotations));
            self.weight(text, map, index);
            self.set_value(text, map, program, index, set)?;
        }
        text.close("}");
        Ok(())
    }

    /// Leaves the set's weight `v^i · Z_{T∖S_i}(u) / Z_{T∖S_0}(u)` in its cell; set 0 has weight 1.
    fn weight(&self, text: &mut Text, map: &mut Map, index: usize) {
        // `w` is v^i over the denominator that all sets but the first share.
        match index {
            0 => return,
            1 if self.outside(0).next().is_some() => {
                let inverse = map.load(Cell::OutsideFirst);
                text.line(format_args!("w := mulmod(v, {inverse}, r)"));
            }
            1 => text.line("w := v"),
            _ => text.line("w := mulmod(w, v, r)"),
        }
        let factors: Vec<String> = self.outside(index).map(|t| map.load(Cell::Distance(t))).collect();
        let weight = product(text, "e", "w", &factors);
        text.line(map.store(Cell::Weight(index), &weight));
    }

    /// Adds `weight · Σ_a ℓ_a(u) · Σ_j y^j value_ja` to `value`.
    ///
    /// With `d_a = u − x·ω^a`, `ℓ_a(u) = c_a · x^-(m−1) · Π_{b ≠ a} d_b` over the set's `m` points. The sum grows
    /// point by point like a fraction: `t ← t·d_a + c_a·value_a·d`, `d ← d·d_a`.
    fn set_value(
        &self,
        text: &mut Text,
        map: &mut Map,
        program: &Program,
        index: usize,
        set: &OpeningSet,
    ) -> Result<(), CodegenError> {
        let last = set.rotations.len().saturating_sub(1);
        for (place, (rotation, distance)) in set.rotations.iter().zip(self.inside(set)).enumerate() {
            let distance = map.load(Cell::Distance(distance));
            let value = folded(text, map, set, place)?;
            let value = match last {
                0 => value,
                _ => format!("mulmod({}, {value}, r)", literal(&basis_constant(program, set, *rotation)?)),
            };
            if place == 0 {
                text.line(format_args!("t := {value}"));
                if last > 0 || index == 0 {
                    text.line(format_args!("d := {distance}"));
                }
                continue;
            }
            text.line(format_args!("t := add(mulmod(t, {distance}, r), mulmod(d, {value}, r))"));
            if place < last || index == 0 {
                text.line(format_args!("d := mulmod(d, {distance}, r)"));
            }
        }
        if index == 0 {
            text.line(map.store(Cell::VanishingFirst, "d"));
        }
        let mut factors = vec![map.load(Cell::XInverse); last];
        if index > 0 {
            factors.push(map.load(Cell::Weight(index)));
        }
        let weighted = product(text, "t", "t", &factors);
        text.line(format_args!("value := addmod(value, {weighted}, r)"));
        Ok(())
    }

    /// All sets in order; set 0 has weight 1.
    pub(crate) fn sets(&self) -> &[OpeningSet] {
        &self.sets
    }
}

/// `Σ_j y^j value_j` at the set's rotation `place` as an expression; a long one goes through `e`.
fn folded(text: &mut Text, map: &mut Map, set: &OpeningSet, place: usize) -> Result<String, CodegenError> {
    let mut values = Vec::with_capacity(set.members.len());
    for member in set.members.iter().rev() {
        let missing = || CodegenError::Inconsistent(format!("{:?} lacks a value", member.commitment));
        values.push(map.eval(*member.evals.get(place).ok_or_else(missing)?)?);
    }
    if let [value] = values.as_slice() {
        return Ok(value.clone());
    }
    horner(text, "e", "y", &values);
    Ok("e".to_owned())
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
fn vanishing(text: &mut Text, map: &mut Map, distances: impl Iterator<Item = usize>) -> String {
    let loads: Vec<String> = distances.map(|index| map.load(Cell::Distance(index))).collect();
    match loads.split_first() {
        None => "1".to_owned(),
        Some((first, rest)) => product(text, "t", first, rest),
    }
}
