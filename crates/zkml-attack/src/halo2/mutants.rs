//! Removed checks: each thing that a circuit demands is taken away in turn, as data, and attacked where it was.
//!
//! A check that can be removed without any forgery being accepted is either implied by others, or the forger is blind;
//! both have to be known. One build serves all mutants, since constraints are data here.

use std::collections::BTreeMap;

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use zkml_graph::{Relation, testing};
use zkml_prover::{layout::Source, sym::field, wiring::Elem};

use super::{
    Halo2, Laid,
    cellwise::{Classes, Order, Place, forge},
    columns::{Columns, Response},
    judge::Circuit,
};
use crate::{
    Judgement, Prepared, Target,
    campaign::changes,
    cells::Board,
    forge, oracle,
    zoo::{Kind, Recipe, Role},
};

/// Rows of a removed polynomial at which it is attacked.
const ROWS: usize = 4;
/// Copies of each kind that are removed per circuit.
const COPIES: usize = 3;

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Removal {
    /// A polynomial.
    Poly(usize),
    /// A copy.
    Copy(usize),
    /// A looked-up column is not looked up.
    Column(usize),
    /// A key's row does not say which table is meant.
    Tag(usize),
    /// A wrong entry is added to a table, for a key that this row looks up.
    Entry(usize),
    /// Multiplicities are chosen after the challenges.
    Multiplicities,
}

/// Outcomes of one mutant over all circuits in which it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Number of circuits or places in which it was removed.
    pub removed: usize,
    /// Number of those in which a forgery was then accepted, or the layout refused.
    pub noticed: usize,
    /// What noticed it first.
    pub by: String,
    /// Where nothing noticed it.
    pub survived: Vec<String>,
}

impl Outcome {
    fn add(&mut self, place: &str, noticed: Option<String>) {
        self.removed += 1;
        match noticed {
            Some(by) => {
                self.noticed += 1;
                if self.by.is_empty() {
                    self.by = by;
                }
            }
            None => self.survived.push(place.into()),
        }
    }
}

/// Outcomes by mutant.
pub type Outcomes = BTreeMap<String, Outcome>;

/// Circuits that have every gate: each operator with private and public operands, and small networks.
pub fn targets() -> Vec<Target> {
    let mut out = Vec::new();
    for kind in Kind::ALL {
        let last = kind.arity() - 1;
        for role in [Role::Input, Role::Varied, Role::Weight] {
            let roles = (0..kind.arity()).map(|i| if i == last && i > 0 { role } else { Role::Intermediate });
            out.extend(Recipe::Single(kind, roles.collect()).build(5).ok());
            if last == 0 {
                break;
            }
        }
    }
    let networks = testing::cases().into_iter().filter(|c| c.name.starts_with("network"));
    out.extend(networks.filter_map(|c| Target::new(&c.name, c.graph, &c.inputs, &c.weights).ok()));
    out
}

/// Removes every check of every circuit of the given targets.
pub fn run(backend: &Halo2, targets: &[Target], mut step: impl FnMut(&str, &Outcomes) -> bool) -> Outcomes {
    let mut out = Outcomes::new();
    for (t, target) in targets.iter().enumerate() {
        for variant in 0..super::super::Backend::variants(backend) {
            let Ok(model) = backend.circuit(target, variant) else { continue };
            let Ok(laid) = Laid::new(target, model) else { continue };
            let place = format!("{}, layout {variant}", target.name);
            for (id, removal) in removals(&laid) {
                let noticed = attack(&laid, &removal);
                out.entry(id).or_default().add(&place, noticed);
            }
            if variant == t % 5 {
                relations(backend, target, variant, &mut out);
            }
            if !step(&place, &out) {
                return out;
            }
        }
    }
    out
}

fn removals(laid: &Laid<'_>) -> Vec<(String, Removal)> {
    let mut out = Vec::new();
    for (i, p) in laid.circuit.polys.iter().enumerate().filter(|(_, p)| !p.rows.is_empty()) {
        out.push((format!("gate: {} ({})", p.gate, p.index), Removal::Poly(i)));
    }
    let sources: std::collections::HashMap<Place, Source> = laid
        .filler
        .model
        .layout
        .placements
        .iter()
        .map(|(c, r, s)| ((usize::from(*c), *r as usize), *s))
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, [_, b]) in laid.circuit.copies.iter().enumerate() {
        let kind = match sources.get(b) {
            Some(Source::Elem(Elem::Const(_))) => "of a constant",
            Some(Source::Elem(Elem::Cell(..))) => "of an element",
            Some(Source::Packed(_)) => "of a packed word",
            Some(Source::Salt(_)) => "of a salt",
            Some(Source::Link(_)) => "of a link",
            None => "of nothing",
        };
        let count = counts.entry(kind).or_default();
        *count += 1;
        if *count <= COPIES {
            out.push((format!("copy: {kind}"), Removal::Copy(i)));
        }
    }
    for u in 0..laid.circuit.shape.u_columns {
        out.push(("lookup: a column".into(), Removal::Column(u)));
    }
    for (row, _) in laid.filler.model.layout.keys.iter().take(2) {
        out.push(("lookup: the tag of a key".into(), Removal::Tag(*row as usize)));
        out.push(("table: one wrong entry more".into(), Removal::Entry(*row as usize)));
    }
    out.push(("phase: multiplicities after the challenges".into(), Removal::Multiplicities));
    out
}

/// Removes something; returns the cells at which to attack.
fn remove(laid: &Laid<'_>, circuit: &mut Circuit, removal: &Removal) -> Vec<Place> {
    let na = circuit.shape.a_columns;
    match removal {
        Removal::Poly(i) => {
            let p = &circuit.polys[*i];
            let step = p.rows.len().div_ceil(ROWS).max(1);
            let rows: Vec<u32> = p.rows.iter().copied().step_by(step).collect();
            circuit.lookup_intact &= !p.lookup;
            let starts = rows.iter().flat_map(|r| circuit.places(*i, *r as usize)).collect();
            circuit.polys[*i].rows.clear();
            circuit.refresh_without(*i);
            starts
        }
        Removal::Copy(i) => {
            let pair = circuit.copies.swap_remove(*i);
            pair.to_vec()
        }
        Removal::Column(u) => {
            circuit.unlooked = Some(*u);
            let used = laid.filler.used(na + u);
            let step = used.len().div_ceil(2 * ROWS).max(1);
            used.into_iter().step_by(step).map(|row| (na + u, row)).collect()
        }
        Removal::Tag(row) => {
            if let Some(tag) = circuit.tag_column() {
                circuit.fixed[tag][*row] = Fr::ZERO;
            }
            circuit.refresh();
            circuit.shape.output_slots().iter().map(|(c, r)| (*c, row + r)).collect()
        }
        Removal::Entry(row) => {
            let mut entry = circuit.entry(0, *row, &laid.honest.early);
            entry[2] += entry[1];
            // Rows after the table repeat its first entry.
            let free = circuit.looked_up.end - 1;
            circuit.table_columns().zip(entry).for_each(|(c, v)| circuit.fixed[c][free] = v);
            circuit.refresh();
            circuit.shape.output_slots().iter().take(1).map(|(c, r)| (*c, row + r)).collect()
        }
        Removal::Multiplicities => {
            let column = na + circuit.shape.u_columns;
            circuit.unknown[column] = Some(circuit.unknowns);
            circuit.unknowns += 1;
            circuit.lookup_intact = false;
            circuit.polys.iter_mut().filter(|p| p.lookup).for_each(|p| p.late = true);
            let used = laid.filler.used(na);
            used.into_iter().take(2 * ROWS).map(|row| (na, row)).collect()
        }
    }
}

/// Attacks a circuit from which something was removed; returns the forgery that was accepted.
fn attack(laid: &Laid<'_>, removal: &Removal) -> Option<String> {
    let mut circuit = laid.circuit.clone();
    let starts = remove(laid, &mut circuit, removal);
    let classes = Classes::new(&circuit);
    let top = Fr::from(1 << (circuit.shape.limb_bits - 1));
    for start in starts {
        // Within its table, a limb may be any; anything else may be far away.
        let deltas = match circuit.is_looked_up(start.0) {
            true => [Fr::ONE, -Fr::ONE, top, field(1 << 40)],
            false => [Fr::ONE, -Fr::ONE, Fr::from(0x9e37_79b9_7f4a_7c15), top],
        };
        for order in Order::ALL {
            for delta in deltas {
                let columns = forge(&circuit, &classes, &laid.honest, (start, delta), order);
                if circuit.accepts(&columns, Some(&laid.honest)).is_ok() {
                    if let Some(what) = laid.falsehood(&columns) {
                        return Some(format!("cells: {what}"));
                    }
                }
            }
        }
    }
    values(&Laid { circuit, ..laid.clone() }, laid.target)
}

/// Forges values of the system against a circuit.
fn values(mutant: &dyn Prepared, target: &Target) -> Option<String> {
    let board = Board::new(&target.system);
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let all = changes(target, &board, &mut rng);
    let step = (all.len() / 600).max(1);
    for (change, salt) in all.into_iter().step_by(step) {
        let forged = forge::forge(&board, &target.honest, &change, salt);
        if let Judgement::Accepted(meaning) = mutant.judge(&forged) {
            if let Err(finding) = oracle::judge(target, &meaning) {
                return Some(format!("values: {}", kind(&finding)));
            }
        }
    }
    None
}

/// What a finding is about, without its numbers.
fn kind(finding: &oracle::Finding) -> &'static str {
    match finding {
        oracle::Finding::Far { .. } => "a value is no small integer",
        oracle::Finding::NoRun { .. } => "the model does not run",
        oracle::Finding::Output { .. } => "another output",
        oracle::Finding::Relation { .. } => "a relation does not hold",
    }
}

/// Removes or weakens every relation of a system before it is laid out.
fn relations(backend: &Halo2, target: &Target, variant: usize, out: &mut Outcomes) {
    let place = format!("{}, layout {variant}", target.name);
    for (i, (_, relation)) in target.system.relations.iter().enumerate() {
        if matches!(relation, Relation::Public { .. } | Relation::Commit { .. }) {
            continue;
        }
        let mut without = target.clone();
        without.system.relations.remove(i);
        let id = format!("relation: {}", name(relation));
        let noticed = match backend.circuit(&without, variant).map(|m| Laid::new(&without, m)) {
            Ok(Ok(laid)) => values(&laid, target),
            Ok(Err(e)) | Err(e) => Some(format!("layout: {}", e.split(':').next_back().unwrap_or("").trim())),
        };
        out.entry(id).or_default().add(&format!("{place}: {relation}"), noticed);
    }
}

fn name(relation: &Relation) -> String {
    match relation {
        Relation::Range { kind, .. } => format!("range ({kind:?})"),
        other => crate::campaign::relation(other).into(),
    }
}

impl Laid<'_> {
    /// What is false about columns that a circuit accepts; `None` if they are another true statement.
    fn falsehood(&self, columns: &Columns) -> Option<String> {
        let mut read = self.target.honest.clone();
        let mut seen = std::collections::HashSet::new();
        let layout = &self.filler.model.layout;
        for (c, row, source) in &layout.placements {
            if let Source::Elem(Elem::Cell(var, i)) = source {
                if seen.insert((*var, *i)) {
                    read[var.0 as usize][*i as usize] = columns.early[usize::from(*c)][*row as usize];
                }
            }
        }
        let meaning = self.filler.meaning(&read, columns);
        if let Err(finding) = oracle::judge(self.target, &meaning) {
            return Some(kind(&finding).into());
        }
        let filler = self.filler.with_salts_of(columns);
        let statement = filler.fill(&meaning, Response::Follow, &self.circuit).instance;
        // The context is whatever the prover says.
        (statement[1..] != columns.instance[1..]).then(|| "the statement is not that of its values".into())
    }
}
