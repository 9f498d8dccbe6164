//! Early columns from a forged assignment: what a prover would commit to before the challenges.

use std::sync::Arc;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_graph::{
    Relation, VarId,
    wiring::{Elem, Wiring},
};
use zkml_halo2::{
    block::{Limb, Slot, Term},
    cells::Source,
    circuit::ModelCircuit,
    polynomial::{field, pow2},
    poseidon_rows,
    witness::Witness,
};

use super::judge::Circuit;
use crate::{Assignment, Target};

/// Columns committed to before the challenges, and the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Advice columns by row; those that come later stay empty.
    pub early: Vec<Vec<Fr>>,
    /// The instance column.
    pub instance: Vec<Fr>,
}

/// Choice of the limbs of a forged value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// Limbs for which all gates hold: the highest takes what is left, however large.
    Follow,
    /// Limbs that are all in their table: what is left is dropped.
    Wrap,
    /// Limbs that add up and are all in their table, however short they have to be.
    Loose,
    /// Those of the honest run.
    Keep,
}

impl Response {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::Follow, Self::Wrap, Self::Loose, Self::Keep];
}

/// Lays assignments into the columns of a circuit.
#[derive(Debug, Clone)]
pub struct Filler<'a> {
    target: &'a Target,
    /// The circuit with its layout.
    pub model: ModelCircuit,
    salts: Vec<Fr>,
}

impl<'a> Filler<'a> {
    /// Columns of a target's circuit.
    pub fn new(target: &'a Target, model: ModelCircuit) -> Self {
        let salts =
            (0..model.layout.statement.hash_chains.len() as u64).map(|i| Fr::from(1_000_003 + i)).collect();
        Self { target, model, salts }
    }

    /// Results of contractions that share a field element, the first in the lowest bits, and the bits of each.
    pub fn packed_results(&self) -> Vec<(Vec<Elem>, u32)> {
        let (system, mut out) = (&self.target.system, Vec::new());
        let wiring = Wiring::new(system);
        for c in &self.model.layout.blueprint.contractions {
            let Relation::Contract { y, .. } = &system.relations[c.relation].1 else { continue };
            let (results, d) = (wiring.elements(y), c.dims);
            // Results of one position lie side by side, or a position apart where the operands were exchanged.
            let at = |b: usize, p: usize, o: usize| match c.swapped {
                true => results[(b * d.n + o) * d.m + p],
                false => results[(b * d.m + p) * d.n + o],
            };
            let positions = (0..d.batch).flat_map(|b| (0..d.m).map(move |p| (b, p)));
            for (b, p) in positions {
                let all: Vec<Elem> = (0..d.n).map(|o| at(b, p, o)).collect();
                out.extend(all.chunks(c.slots.max(1)).map(|group| (group.to_vec(), c.width)));
            }
        }
        out
    }

    /// The same with the salts that are among these columns: they are the prover's to choose.
    pub fn with_salts_of(&self, columns: &Columns) -> Self {
        let mut out = self.clone();
        for (c, row, source) in &self.model.layout.placements {
            if let Source::Salt(i) = source {
                out.salts[*i as usize] = columns.early[usize::from(*c)][*row as usize];
            }
        }
        out
    }

    /// Values of the system as they lie in columns; honest ones where no cell shows them.
    pub fn read(&self, columns: &Columns) -> Assignment {
        let mut read = self.target.honest.clone();
        let mut seen = std::collections::HashSet::new();
        for (c, row, source) in &self.model.layout.placements {
            if let Source::Elem(Elem::Cell(var, i)) = source
                && seen.insert((*var, *i))
            {
                read[var.0 as usize][*i as usize] = columns.early[usize::from(*c)][*row as usize];
            }
        }
        self.meaning(&read, columns)
    }

    /// Chooses all limbs again for the values that the columns hold, all but those of one cell.
    pub fn split_again(
        &self,
        columns: &mut Columns,
        kept: (usize, usize),
        response: Response,
        circuit: &Circuit,
    ) {
        let values = self.read(columns);
        let before = columns.early.get(kept.0).map(|c| c[kept.1]);
        self.limbs(&mut columns.early, &values, response, circuit.shape.a_columns);
        if let (Some(v), Some(column)) = (before, columns.early.get_mut(kept.0)) {
            column[kept.1] = v;
        }
        multiplicities(&mut columns.early, circuit);
    }

    /// Rows of a looked-up column that hold limbs or keys.
    pub fn used(&self, column: usize) -> Vec<usize> {
        let layout = &self.model.layout;
        let first = layout.blueprint.shape.a_columns;
        let mut rows = Vec::new();
        for ((_, group), base) in layout.blueprint.groups.iter().zip(&layout.bases) {
            for (slot, _) in &group.limbs {
                let Slot::U(c, r) = slot else { continue };
                if first + usize::from(*c) == column {
                    let at = |i: usize| *base as usize + i * group.template.height + usize::from(*r);
                    rows.extend((0..group.count).map(at));
                }
            }
        }
        rows.sort_unstable();
        rows
    }

    /// The assignment as the circuit understands it: constants are what the model says, wired elements what they
    /// are wired to, and what has no cell follows from what has, whatever was forged.
    pub fn meaning(&self, forged: &Assignment, columns: &Columns) -> Assignment {
        let wiring = Wiring::new(&self.target.system);
        let element = |var: usize, i: usize| match wiring.element(VarId(var as u32), i) {
            Elem::Const(v) => field(v.into()),
            Elem::Cell(var, i) => forged[var.0 as usize][i as usize],
        };
        let all = forged.iter().enumerate();
        let all = all.map(|(var, values)| (0..values.len()).map(|i| element(var, i)).collect());
        let mut out: Assignment = all.collect();
        let layout = &self.model.layout;
        let (na, groups) = (layout.blueprint.shape.a_columns, layout.blueprint.groups.iter());
        for ((_, group), base) in groups.zip(&layout.bases) {
            for d in &group.defined {
                for i in 0..group.count {
                    let row = *base as usize + i * group.template.height;
                    let term = |t: &Term| match t {
                        Term::Cell(Slot::A(c, r)) => columns.early[usize::from(*c)][row + usize::from(*r)],
                        Term::Cell(Slot::U(c, r)) => {
                            columns.early[na + usize::from(*c)][row + usize::from(*r)]
                        }
                        Term::Free(f) => forged[group.free[usize::from(*f)].var.0 as usize][i],
                    };
                    let terms = d.value.0.iter().map(|(m, c)| *c * m.iter().map(term).product::<Fr>());
                    out[d.view.var.0 as usize][i] = terms.sum();
                }
            }
        }
        out
    }

    /// A circuit that holds these columns, to make a real proof of; with the public values. `None` if a looked-up
    /// cell is no small integer: a prover could commit to it, but no table holds it.
    pub fn circuit(&self, columns: &Columns) -> Option<(ModelCircuit, Vec<Fr>)> {
        let small = |v: &Fr| {
            let v = crate::target::integer(*v)?;
            u64::try_from(v).ok()
        };
        let layout = &self.model.layout;
        let shape = &layout.blueprint.shape;
        let looked_up = &columns.early[shape.a_columns..shape.a_columns + shape.u_columns];
        let looked_up: Option<Vec<Vec<u64>>> = looked_up
            .iter()
            .map(|column| column[..self.model.last_row].iter().map(small).collect())
            .collect();
        let multiplicity: Option<Vec<u64>> = columns.early[shape.a_columns + shape.u_columns]
            [..self.model.last_row]
            .iter()
            .map(small)
            .collect();
        let at = |c: u8, row: u32| columns.early[usize::from(c)][row as usize];
        let instances = columns.instance[..layout.blueprint.instances].to_vec();
        let all = (0..shape.a_columns as u8).flat_map(|c| (0..layout.rows as u32).map(move |r| (c, r)));
        let hashed = !layout.hashes.is_empty();
        let witness = Witness {
            context: columns.instance[0],
            instances: instances.clone(),
            placed: layout.placements.iter().map(|(c, row, _)| at(*c, *row)).collect(),
            hash_cells: all.filter(|_| hashed).map(|(c, r)| (c, r, at(c, r))).collect(),
            looked_up: looked_up?,
            multiplicity: multiplicity?,
        };
        Some((ModelCircuit { witness: Some(Arc::new(witness)), ..self.model.clone() }, instances))
    }

    /// The early columns for a forged assignment, the statement computed from it.
    pub fn fill(&self, forged: &Assignment, response: Response, circuit: &Circuit) -> Columns {
        let layout = &self.model.layout;
        let shape = &circuit.shape;
        let mut early = vec![vec![]; circuit.unknown.len()];
        early[..=shape.a_columns + shape.u_columns].fill(vec![Fr::ZERO; circuit.rows]);
        let element = |e: Elem| match e {
            Elem::Const(v) => field(v.into()),
            Elem::Cell(var, i) => forged[var.0 as usize][i as usize],
        };
        let packed: Vec<Fr> = layout.packed.iter().map(|p| p.value(element)).collect();
        let links = self.hash(&mut early, &packed, &element);
        let shown = |s: &Source| match s {
            Source::Elem(e) => element(*e),
            Source::Packed(i) => packed[*i as usize],
            Source::Salt(i) => self.salts[*i as usize],
            Source::Link(i) => links[*i as usize],
        };
        for (c, row, source) in &layout.placements {
            early[*c as usize][*row as usize] = shown(source);
        }
        let mut instance = vec![Fr::ZERO; circuit.rows];
        // The context is nobody's concern here, but it is a word of the statement like any other.
        let context = Fr::from(77);
        (instance[0], early[0][0]) = (context, context);
        for (i, s) in layout.statement.instances.iter().enumerate() {
            instance[i + 1] = shown(s);
        }
        self.limbs(&mut early, forged, response, shape.a_columns);
        multiplicities(&mut early, circuit);
        Columns { early, instance }
    }

    /// Cells of the hash; returns the result of every call.
    fn hash(&self, early: &mut [Vec<Fr>], packed: &[Fr], element: &dyn Fn(Elem) -> Fr) -> Vec<Fr> {
        let layout = &self.model.layout;
        let shape = &layout.blueprint.shape;
        let (na, nw) = (shape.a_columns, shape.w_columns);
        let mut links = Vec::new();
        for chain in &layout.statement.hash_chains {
            let word = |s: &Source| match s {
                Source::Elem(e) => element(*e),
                Source::Packed(i) => packed[*i as usize],
                Source::Salt(i) => self.salts[*i as usize],
                // A chain takes in no link but the one before, which is added below.
                Source::Link(_) => Fr::ZERO,
            };
            let words: Vec<Fr> = chain.words.iter().map(word).collect();
            let mut link = field(chain.domain.into());
            for (pair, base) in words.chunks(2).zip(&layout.hashes[chain.first as usize..]) {
                let states = poseidon_rows::values([Fr::ZERO, link, pair[0], pair[1]]);
                let heights = poseidon_rows::steps().map(|(s, _)| s.height(na, nw)).chain([0]);
                let mut row = *base as usize;
                for (values, height) in states.iter().zip(heights) {
                    for (i, v) in values.iter().enumerate() {
                        early[i % na][row + i / na] = *v;
                    }
                    row += height;
                }
                link = zkml_poseidon::chain(link, pair)[0];
                links.push(link);
            }
        }
        links
    }

    fn limbs(&self, early: &mut [Vec<Fr>], forged: &Assignment, response: Response, first: usize) {
        let layout = &self.model.layout;
        let values = if response == Response::Keep { &self.target.honest } else { forged };
        for ((_, group), base) in layout.blueprint.groups.iter().zip(&layout.bases) {
            for (slot, limb) in &group.limbs {
                let Slot::U(c, r) = slot else { continue };
                let system = &self.target.system.vars[limb.view.var.0 as usize];
                let pad = field(limb.view.map.pad.unwrap_or(0).into());
                for (i, at) in limb.view.map.iter().enumerate() {
                    let v = match (at, &system.constant) {
                        (Some(at), Some(c)) => field(c[at].into()),
                        (Some(at), None) => values[limb.view.var.0 as usize][at],
                        (None, _) => pad,
                    };
                    let row = *base as usize + i * group.template.height + *r as usize;
                    early[first + *c as usize][row] = part(limb, v, response);
                }
            }
        }
    }
}

/// The limb of a value.
fn part(limb: &Limb, v: Fr, response: Response) -> Fr {
    let offset = v - field(limb.lo.into());
    let highest = limb.shift + limb.bits == limb.total;
    let rest = shifted(offset, limb.shift);
    let masked = low(rest, limb.bits);
    let wrap = response == Response::Wrap || (response == Response::Loose && limb.scale > 0);
    let kept = if highest && !wrap { rest } else { masked };
    kept * pow2(limb.scale)
}

fn words(v: Fr) -> [u64; 4] {
    let bytes = v.to_bytes();
    std::array::from_fn(|i| bytes[8 * i..8 * i + 8].iter().rev().fold(0, |acc, b| acc << 8 | u64::from(*b)))
}

/// `⌊v / 2^by⌋` of the canonical integer.
fn shifted(v: Fr, by: u32) -> Fr {
    let (words, skip, bits) = (words(v), (by / 64) as usize, by % 64);
    let at = |i: usize| words.get(i).copied().unwrap_or(0);
    Fr::from_raw(std::array::from_fn(|i| {
        let high = if bits == 0 { 0 } else { at(i + skip + 1) << (64 - bits) };
        at(i + skip) >> bits | high
    }))
}

/// The lowest bits of the canonical integer.
fn low(v: Fr, bits: u32) -> Fr {
    let mut words = words(v);
    for (i, w) in words.iter_mut().enumerate() {
        let here = bits.saturating_sub(64 * i as u32).min(64);
        if here < 64 {
            *w &= (1 << here) - 1;
        }
    }
    Fr::from_raw(words)
}

/// Counts what is looked up. What is in no table is not counted: no multiplicity would help.
pub fn multiplicities(early: &mut [Vec<Fr>], circuit: &Circuit) {
    let column = circuit.shape.a_columns + circuit.shape.u_columns;
    if circuit.unknown[column].is_some() {
        return;
    }
    let mut counts = vec![0u64; circuit.rows];
    for row in circuit.looked_up.clone() {
        for u in 0..circuit.shape.u_columns {
            if let Some(at) = circuit.find(&circuit.entry(u, row, early)) {
                counts[at] += 1;
            }
        }
    }
    early[column] = counts.into_iter().map(Fr::from).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_canonical_integer() {
        let v = field(0x1_2345_6789_abcd_ef01);
        assert_eq!(low(v, 12), field(0xf01));
        assert_eq!(shifted(v, 12), field(0x0012_3456_789a_bcde));
        assert_eq!(low(v, 65), v);
        assert_eq!(shifted(v, 0), v);
        let top = shifted(-Fr::ONE, 250);
        assert!(top.to_bytes()[0] > 0 && top.to_bytes()[1..].iter().all(|b| *b == 0));
    }
}
