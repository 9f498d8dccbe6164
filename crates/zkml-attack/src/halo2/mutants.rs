//! Removed checks: each thing that a circuit demands is taken away in turn, as data, and attacked where it was.
//!
//! A check that can be removed without any forgery being accepted is either implied by others, or the forger is blind;
//! both have to be known. One build serves all mutants, since constraints are data here.

mod implied;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use ff::Field;
use halo2_proofs::halo2curves::bn256::Fr;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use zkml_graph::{Relation, testing, wiring::Elem};
use zkml_halo2::{
    cells::Source,
    polynomial::{field, pow2},
};

use super::{
    Halo2, Laid,
    cellwise::{Classes, Order, Place, forge},
    columns::{Columns, Response},
    judge::Circuit,
};
use crate::{
    Backend, Judgement, Prepared, Target,
    campaign::{changes, changes_of},
    cells::Board,
    forge::{self, Change},
    oracle,
    target::Choice,
    zoo::{Kind, Recipe, Role},
};

/// Rows of a removed polynomial at which it is attacked first; what survives is attacked at more of them.
const ROWS: usize = 4;
/// Rows at which what survived is attacked.
const MORE_ROWS: usize = 24;
/// Starts of an attack at more rows; fewer where the lookup argument has to be solved for each forgery.
const MAX_STARTS: [usize; 2] = [4, 60];
/// Honest runs with which what survived is attacked again: a forgery may need an even value, or zero.
const OTHERS: [Choice; 5] =
    [Choice::Zero, Choice::Lowest, Choice::Random, Choice::Alternating, Choice::Highest];
/// Rows after a row of a chain in which its result may lie.
const CHAIN: u32 = 10;
/// Copies of each kind that are removed per circuit.
const COPIES: usize = 3;

/// A removed check.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Removal {
    /// A polynomial.
    Poly(usize),
    /// A polynomial in one row: what a missing selector there would leave.
    Row(usize, u32),
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
    /// The first attack that noticed it.
    pub by: String,
    /// Number of those in which the rest of the circuit implies it, by reason; each was found out there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub implied: BTreeMap<String, usize>,
    /// Places in which nothing noticed it, and nothing says why.
    pub survived: Vec<String>,
}

/// Outcome of a removed check in one place.
enum Fate {
    /// A forgery was accepted, or the layout refused.
    Noticed(String),
    /// The rest implies it.
    Implied(&'static str),
    /// Neither.
    Survived,
}

impl Outcome {
    fn add(&mut self, place: &str, fate: Fate) {
        self.removed += 1;
        match fate {
            Fate::Noticed(by) => {
                self.noticed += 1;
                if self.by.is_empty() {
                    self.by = by;
                }
            }
            Fate::Implied(why) => *self.implied.entry(why.into()).or_default() += 1,
            Fate::Survived => self.survived.push(place.into()),
        }
    }

    fn merge(&mut self, other: Self) {
        self.removed += other.removed;
        self.noticed += other.noticed;
        if self.by.is_empty() {
            self.by = other.by;
        }
        self.survived.extend(other.survived);
        other.implied.into_iter().for_each(|(why, n)| *self.implied.entry(why).or_default() += n);
    }
}

/// Returns true for a check that may be removed everywhere without a forgery being accepted.
pub fn may_go(id: &str) -> bool {
    id == "relation: range (Sound)"
}

/// Outcomes by mutant.
pub type Outcomes = BTreeMap<String, Outcome>;

/// Places and wrong reasons by mutant.
pub type Needed = BTreeMap<String, (usize, Vec<&'static str>)>;

/// Circuits that have every gate: each operator with private and public operands, and small networks.
pub fn targets() -> Vec<Target> {
    let mut out = Vec::new();
    for kind in Kind::ALL {
        let last = kind.arity() - 1;
        for role in [Role::Input, Role::Varied, Role::Weight] {
            let roles = (0..kind.arity()).map(|i| if i == last && i > 0 { role } else { Role::Intermediate });
            let recipe = Recipe::Single(kind, roles.collect());
            // Some draws go together and others do not.
            out.extend((5..25).find_map(|seed| recipe.build(seed).ok()));
            if last == 0 {
                break;
            }
        }
    }
    let networks = testing::cases().into_iter().filter(|c| c.name.starts_with("network"));
    out.extend(networks.filter_map(|c| Target::new(&c.name, c.graph, &c.inputs, &c.weights).ok()));
    out
}

/// Removes every check of every circuit of the given targets, until `end`; tells of each circuit.
pub fn run(
    backend: &Halo2,
    targets: &[Target],
    end: Instant,
    step: &(dyn Fn(&str, &Outcomes) + Sync),
) -> Outcomes {
    let count = backend.variants();
    // All targets in one layout, then all in the next, so that a short run sees every operator.
    let jobs: Vec<(usize, usize)> =
        (0..count).flat_map(|turn| (0..targets.len()).map(move |t| (t, (t + turn) % count))).collect();
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Outcomes::new()));
    let worker = || {
        while let Some((t, variant)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let mut one = Outcomes::new();
            let going = |_: &str| Instant::now() < end;
            circuit(backend, &targets[t], variant, variant == t % count, &going, &mut one);
            let Ok(mut all) = all.lock() else { return };
            one.into_iter().for_each(|(id, o)| all.entry(id).or_default().merge(o));
            step(&format!("{}, layout {variant}", targets[t].name), &all);
            if Instant::now() >= end {
                return;
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|s| (0..cores).for_each(|_| drop(s.spawn(worker))));
    all.into_inner().unwrap_or_default()
}

/// Removes every check of one circuit whose id is wanted, and with `systems` every relation of its system.
pub fn circuit(
    backend: &Halo2,
    target: &Target,
    variant: usize,
    systems: bool,
    wanted: &dyn Fn(&str) -> bool,
    out: &mut Outcomes,
) {
    let Ok(laid) = backend.circuit(target, variant).and_then(|model| Laid::new(target, model)) else {
        return;
    };
    let place = format!("{}, layout {variant}", target.name);
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let others: Vec<Target> =
        OTHERS.iter().filter_map(|choice| target.another_run(*choice, &mut rng).ok()).collect();
    for (id, removal) in removals(&laid) {
        if !wanted(&id) {
            continue;
        }
        let fate = fate(&laid, &others, &removal);
        out.entry(id).or_default().add(&format!("{place}: {}", laid.name_of(&removal)), fate);
    }
    if systems {
        relations(backend, target, variant, wanted, out);
    }
}

/// Checks of one circuit that are needed, by id: the number of places in which a false statement is accepted without
/// one, and the reasons to do without it that are given there all the same. Each of those is wrong.
///
/// # Errors
/// The reason not to lay the circuit out, printed.
pub fn needed(
    backend: &Halo2,
    target: &Target,
    variant: usize,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Needed, String> {
    let laid = Laid::new(target, backend.circuit(target, variant)?)?;
    let mut out = Needed::new();
    for (id, removal) in removals(&laid).into_iter().filter(|(id, _)| wanted(id)) {
        // What has a reason is not searched at more rows: where it is right, that takes long and finds nothing.
        let reason = laid.implied(&removal);
        let more = || reason.is_none().then(|| attack(&laid, &removal, MORE_ROWS)).flatten();
        if attack(&laid, &removal, ROWS).or_else(more).is_some() {
            let (places, reasons) = out.entry(id).or_default();
            *places += 1;
            reasons.extend(reason);
        }
    }
    Ok(out)
}

/// Outcome of a removal: what survives the attacks on one honest run, and is not implied, is attacked with others.
fn fate(laid: &Laid<'_>, others: &[Target], removal: &Removal) -> Fate {
    let once = |rows| attack(laid, removal, rows);
    if let Some(by) = once(ROWS).or_else(|| once(MORE_ROWS)) {
        return Fate::Noticed(by);
    }
    if let Some(why) = laid.implied(removal) {
        return Fate::Implied(why);
    }
    let again = |rows| others.iter().find_map(|run| attack(&laid.with_run(run), removal, rows));
    again(ROWS).or_else(|| again(MORE_ROWS)).map_or(Fate::Survived, Fate::Noticed)
}

fn removals(laid: &Laid<'_>) -> Vec<(String, Removal)> {
    let mut out = Vec::new();
    for (i, p) in laid.circuit.polys.iter().enumerate().filter(|(_, p)| !p.rows.is_empty()) {
        out.push((format!("gate: {} ({})", p.gate, p.index), Removal::Poly(i)));
        // In the first row and in one in the middle; those of the lookup argument are all alike.
        if p.rows.len() > 1 && !p.lookup {
            let at = [0, p.rows.len() / 2].map(|n| p.rows[n]);
            let one = |row: u32| (format!("row of a gate: {} ({})", p.gate, p.index), Removal::Row(i, row));
            out.extend(at.into_iter().collect::<BTreeSet<_>>().into_iter().map(one));
        }
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
    let used = |u: &usize| !laid.filler.used(laid.circuit.shape.a_columns + u).is_empty();
    for u in (0..laid.circuit.shape.u_columns).filter(used) {
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
fn remove(laid: &Laid<'_>, circuit: &mut Circuit, removal: &Removal, most: usize) -> Vec<Place> {
    let na = circuit.shape.a_columns;
    match removal {
        Removal::Poly(i) | Removal::Row(i, _) => {
            let p = &circuit.polys[*i];
            let only = if let Removal::Row(_, row) = removal { Some(*row) } else { None };
            let step = p.rows.len().div_ceil(most).max(1);
            let rows: Vec<u32> = match only {
                Some(row) => vec![row],
                None => p.rows.iter().copied().step_by(step).collect(),
            };
            circuit.lookup_intact &= !p.lookup;
            let mut starts: Vec<Place> = rows.iter().flat_map(|r| circuit.places(*i, *r as usize)).collect();
            if starts.is_empty() {
                // What chains begin and end with speaks of no early cell: those of the chain before and after move.
                let after = if most > ROWS { CHAIN } else { 3 };
                let near = rows.iter().flat_map(|r| (r.saturating_sub(2)..r + after).map(|r| r as usize));
                starts =
                    near.filter(|r| *r < circuit.rows).flat_map(|r| (0..na).map(move |c| (c, r))).collect();
            }
            circuit.polys[*i].rows.retain(|r| only.is_some_and(|row| row != *r));
            circuit.forget(*i, only);
            starts
        }
        Removal::Copy(i) => {
            let pair = circuit.copies.swap_remove(*i);
            pair.to_vec()
        }
        Removal::Column(u) => {
            circuit.unlooked = Some(*u);
            let used = laid.filler.used(na + u);
            let step = used.len().div_ceil(2 * most).max(1);
            // Limbs of one value check each other, in whatever column they are.
            let columns = na..na + circuit.shape.u_columns;
            let rows = used.into_iter().step_by(step);
            rows.flat_map(|row| columns.clone().map(move |c| (c, row))).collect()
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
            used.into_iter().take(2 * most).map(|row| (na, row)).collect()
        }
    }
}

/// Attacks a circuit from which something was removed; returns the forgery that was accepted.
fn attack(laid: &Laid<'_>, removal: &Removal, rows: usize) -> Option<String> {
    let mut circuit = laid.circuit.clone();
    let mut starts = remove(laid, &mut circuit, removal, rows);
    if rows > ROWS {
        starts.truncate(MAX_STARTS[usize::from(circuit.lookup_intact)]);
    }
    let orders = if rows > ROWS { &Order::ALL[..] } else { &Order::ALL[..3] };
    let classes = Classes::new(&circuit);
    let top = Fr::from(1 << (circuit.shape.limb_bits - 1));
    for start in starts {
        // Within its table, a limb may be any; anything else may be far away.
        let mut deltas = match circuit.is_looked_up(start.0) {
            true => vec![Fr::ONE, -Fr::ONE, top, field(1 << 40)],
            false => vec![Fr::ONE, -Fr::ONE, Fr::from(0x9e37_79b9_7f4a_7c15), top],
        };
        if rows > ROWS {
            // What is scaled to fill its table comes back whole from a fraction.
            let fraction = |bits| Option::<Fr>::from(pow2(bits).invert());
            deltas.extend((1..circuit.shape.limb_bits).filter_map(fraction));
            // Out of a narrow range and still in the table.
            deltas.extend((1..circuit.shape.limb_bits).flat_map(|bits| [pow2(bits), -pow2(bits)]));
        }
        for order in orders {
            for delta in deltas.iter().copied() {
                let columns = forge(&circuit, &classes, &laid.honest, (start, delta), *order);
                let split = |response| {
                    let mut again = columns.clone();
                    laid.filler.split_again(&mut again, start, response, &circuit);
                    again
                };
                for columns in [columns.clone(), split(Response::Follow), split(Response::Loose)] {
                    let accepted = circuit.accepts(&columns, Some(&laid.honest)).is_ok();
                    if let Some(what) = accepted.then(|| laid.falsehood(&columns)).flatten() {
                        return Some(format!("cells: {what}"));
                    }
                }
            }
        }
    }
    let mutant = Laid { circuit, ..laid.clone() };
    if rows == ROWS { values(&mutant, laid.target) } else { values_near(&mutant, removal) }
}

/// Forges values of the system against a circuit.
fn values(mutant: &dyn Prepared, target: &Target) -> Option<String> {
    let board = Board::new(&target.system);
    let all = changes(target, &board, &mut ChaCha8Rng::seed_from_u64(11));
    try_changes(mutant, target, &board, all, 600)
}

/// The same with all values of all variables that the removed check is about.
fn values_near(mutant: &Laid<'_>, removal: &Removal) -> Option<String> {
    let (target, board) = (mutant.target, Board::new(&mutant.target.system));
    let relations = mutant.relations_at(removal);
    let views = relations.iter().flat_map(|i| target.system.relations[*i].1.views());
    let near: BTreeSet<u32> = views.map(|v| v.var.0).collect();
    let cells = board.cells().into_iter().filter(|cell| near.is_empty() || near.contains(&cell.var));
    let all = changes_of(target, &board, cells, usize::MAX, &mut ChaCha8Rng::seed_from_u64(12));
    try_changes(mutant, target, &board, all, if near.is_empty() { 1200 } else { 6000 })
}

/// Tries about so many of the changes; returns the first false statement that is accepted.
fn try_changes(
    mutant: &dyn Prepared,
    target: &Target,
    board: &Board<'_>,
    all: Vec<Change>,
    most: usize,
) -> Option<String> {
    let step = (all.len() / most).max(1);
    for change in all.into_iter().step_by(step) {
        let forged = forge::forge(board, &target.honest, &change);
        if let Judgement::Accepted(meaning) = mutant.judge(&forged)
            && let Err(finding) = oracle::judge(target, &meaning)
        {
            return Some(format!("values: {}", kind(&finding)));
        }
    }
    None
}

/// Kind of a finding, without its numbers.
fn kind(finding: &oracle::Finding) -> &'static str {
    match finding {
        oracle::Finding::Far { .. } => "a value is no small integer",
        oracle::Finding::NoRun { .. } => "the model does not run",
        oracle::Finding::Output { .. } => "another output",
        oracle::Finding::Relation { .. } => "a relation does not hold",
    }
}

/// Removes or weakens every relation of a system before it is laid out.
fn relations(
    backend: &Halo2,
    target: &Target,
    variant: usize,
    wanted: &dyn Fn(&str) -> bool,
    out: &mut Outcomes,
) {
    let place = format!("{}, layout {variant}", target.name);
    for (i, (_, relation)) in target.system.relations.iter().enumerate() {
        let id = format!("relation: {}", name(relation));
        if matches!(relation, Relation::Public { .. } | Relation::Commit { .. }) || !wanted(&id) {
            continue;
        }
        let mut without = target.clone();
        without.system.relations.remove(i);
        let noticed = match backend.circuit(&without, variant).map(|m| Laid::new(&without, m)) {
            Ok(Ok(laid)) => values(&laid, target),
            Ok(Err(e)) | Err(e) => Some(format!("layout: {}", e.split(':').next_back().unwrap_or("").trim())),
        };
        let fate = match noticed {
            Some(by) => Fate::Noticed(by),
            None if implied::derived(target, i, &backend.shapes[variant]) => Fate::Implied(implied::DERIVED),
            None => Fate::Survived,
        };
        out.entry(id).or_default().add(&format!("{place}: {relation}"), fate);
    }
}

fn name(relation: &Relation) -> String {
    match relation {
        Relation::Range { kind, .. } => format!("range ({kind:?})"),
        other => crate::campaign::relation(other).into(),
    }
}

impl Laid<'_> {
    /// Place of a removal, in words.
    fn name_of(&self, removal: &Removal) -> String {
        let block = || {
            let named = self.relations_at(removal).into_iter();
            named.map(|i| self.target.system.relations[i].1.to_string()).collect::<Vec<_>>().join("; ")
        };
        match removal {
            Removal::Poly(i) if self.circuit.polys[*i].gate == "element-wise relations" => block(),
            Removal::Poly(i) => format!("row {}", self.circuit.polys[*i].rows[0]),
            Removal::Row(_, row) => format!("row {row} {}", block()),
            Removal::Copy(i) => format!("{:?}", self.circuit.copies[*i]),
            Removal::Column(u) => format!("column {u}: {}", block()),
            Removal::Tag(row) | Removal::Entry(row) => format!("row {row}"),
            Removal::Multiplicities => String::new(),
        }
    }

    /// Falsehood of columns that a circuit accepts; `None` if they are another true statement.
    fn falsehood(&self, columns: &Columns) -> Option<String> {
        let meaning = self.filler.read(columns);
        if let Err(finding) = oracle::judge(self.target, &meaning) {
            return Some(kind(&finding).into());
        }
        let filler = self.filler.with_salts_of(columns);
        let statement = filler.fill(&meaning, Response::Follow, &self.circuit).instance;
        // The context is whatever the prover says.
        (statement[1..] != columns.instance[1..]).then(|| "the statement is not that of its values".into())
    }
}
