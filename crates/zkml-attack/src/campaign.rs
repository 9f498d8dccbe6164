//! Runs the forger over the zoo within a budget, and counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use halo2_proofs::halo2curves::bn256::Fr;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use zkml_graph::{Relation, VarId};
use zkml_halo2::polynomial::{field, pow2};

use crate::{
    Backend, Judgement, Prepared, Target,
    cells::{Board, Cell},
    forge::{Change, Repair, Spared, forge, values},
    oracle::{self, Finding},
    zoo::Recipe,
};

/// Findings that a report keeps; more of them say nothing new.
const MAX_FINDINGS: usize = 40;
/// Forged values per cell, spared constraint and way to repair.
const VALUES: usize = 2;
/// Forgeries of one graph in one layout.
const MAX_FORGERIES: usize = 4000;

/// Numbers of forgeries of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Forged assignments.
    pub tried: u64,
    /// Those that the back end refused.
    pub refused: u64,
    /// Those that it accepted, rightly: another true statement.
    pub rightly: u64,
    /// Those that it accepted although they are false.
    pub wrongly: u64,
}

impl Tally {
    /// Adds the counts of another.
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.refused += other.refused;
        self.rightly += other.rightly;
        self.wrongly += other.wrongly;
    }
}

/// A false statement that was accepted, with all that is needed to see it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The graph.
    pub graph: String,
    /// Seed of the graph.
    pub seed: u64,
    /// Way in which it was laid out.
    pub variant: usize,
    /// The variable that was forged.
    pub variable: String,
    /// The relation that was left broken.
    pub broken: String,
    /// The false part.
    pub finding: Finding,
}

/// Kind of a forgery: what was forged, and which kind of relation alone could object.
pub type Kind = (&'static str, &'static str);

/// Counts and findings of a campaign.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Name of the back end.
    pub backend: String,
    /// Graphs that were attacked.
    pub graphs: u64,
    /// Graphs whose operators do not go together, or that the back end does not take.
    pub skipped: u64,
    /// Returns true if every single operator and every pair was attacked.
    pub complete: bool,
    /// Counts by kind.
    #[serde(serialize_with = "by_name")]
    pub kinds: BTreeMap<Kind, Tally>,
    /// False statements that were accepted.
    pub findings: Vec<Found>,
    /// Graphs that the back end does not take, with its reason; honest runs that it refuses.
    pub refusals: Vec<String>,
}

fn by_name<S: serde::Serializer>(kinds: &BTreeMap<Kind, Tally>, s: S) -> Result<S::Ok, S::Error> {
    s.collect_map(kinds.iter().map(|((forged, broken), t)| (format!("{forged} / {broken}"), t)))
}

impl Report {
    /// Counts of all kinds together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.kinds.values().for_each(|t| total.add(*t));
        total
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.graphs += other.graphs;
        self.skipped += other.skipped;
        other.kinds.into_iter().for_each(|(k, t)| self.kinds.entry(k).or_default().add(t));
        self.findings.extend(other.findings);
        self.findings.truncate(MAX_FINDINGS);
        self.refusals.extend(other.refusals);
    }
}

/// Order of a campaign: its time, seed and size.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Time after which no further graph is begun.
    pub budget: Duration,
    /// Seed of graphs and forgeries.
    pub seed: u64,
    /// Largest number of random graphs, after all single operators and pairs.
    pub random: u64,
    /// Of the forgeries of a graph, every so many-th is tried.
    pub stride: usize,
}

/// Attacks a back end: single operators in every layout, then pairs, then random graphs.
pub fn run(backend: &dyn Backend, order: Order, progress: &(dyn Fn(&Report, u64, u64) + Sync)) -> Report {
    let end = Instant::now() + order.budget;
    let mut jobs: Vec<(Recipe, usize)> = Vec::new();
    let recipes = Recipe::all();
    let (singles, pairs): (Vec<_>, Vec<_>) =
        recipes.iter().partition(|r| matches!(r, Recipe::Single(..) | Recipe::Case(_)));
    for variant in 0..backend.variants() {
        jobs.extend(singles.iter().map(|r| ((*r).clone(), variant)));
    }
    // In another order, so that a short budget sees all operators.
    let mut rng = ChaCha8Rng::seed_from_u64(order.seed);
    jobs.shuffle(&mut rng);
    let mut paired: Vec<_> =
        pairs.iter().enumerate().map(|(i, r)| ((*r).clone(), i % backend.variants())).collect();
    paired.shuffle(&mut rng);
    jobs.extend(paired);
    let listed = jobs.len() as u64;
    jobs.extend((0..order.random).map(|s| {
        let seed = order.seed ^ (s << 8);
        let recipe = if s % 4 == 3 { Recipe::Layers(seed) } else { Recipe::Random(seed) };
        (recipe, s as usize % backend.variants())
    }));
    let report = Mutex::new(Report { backend: backend.name().into(), ..Report::default() });
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    // One job after the other, on all cores.
    let worker = || {
        while let Some((i, (recipe, variant))) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| jobs.get(i).map(|j| (i, j)))
        {
            if Instant::now() > end {
                return;
            }
            let one = attack(backend, recipe, *variant, order.seed.wrapping_add(i as u64), order.stride);
            let n = done.fetch_add(1, Ordering::Relaxed) + 1;
            if let Ok(mut report) = report.lock() {
                report.merge(one);
                progress(&report, n, jobs.len() as u64);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|s| (0..cores).for_each(|_| drop(s.spawn(worker))));
    let mut report = report.into_inner().unwrap_or_default();
    report.complete = done.into_inner() >= listed;
    report
}

/// Attacks one graph in one layout.
pub fn attack(backend: &dyn Backend, recipe: &Recipe, variant: usize, seed: u64, stride: usize) -> Report {
    let skipped = || Report { skipped: 1, ..Report::default() };
    let Ok(target) = recipe.build(seed) else { return skipped() };
    if !backend.takes(&target) {
        return skipped();
    }
    let prepared = match backend.prepare(&target, variant) {
        Ok(p) => p,
        Err(e) => {
            return Report { refusals: vec![format!("{}, layout {variant}: {e}", target.name)], ..skipped() };
        }
    };
    forge_all(&target, prepared.as_ref(), (variant, seed), stride)
}

/// Forges every cell of a system, and judges what is accepted.
pub fn forge_all(
    target: &Target,
    prepared: &dyn Prepared,
    (variant, seed): (usize, u64),
    stride: usize,
) -> Report {
    let board = Board::new(&target.system);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut report = Report { graphs: 1, ..Report::default() };
    let mut all = changes(target, &board, &mut rng);
    all.extend(exchanges(target, &board, prepared, &mut rng));
    // Large graphs have too many cells for all of them.
    let stride = stride.max(all.len().div_ceil(MAX_FORGERIES));
    for (i, change) in all.into_iter().enumerate() {
        if !(i + seed as usize).is_multiple_of(stride) {
            continue;
        }
        let forged = forge(&board, &target.honest, &change);
        let broken = change.spared.relation(&board).map(|r| &target.system.relations[r]);
        let forger = if change.also.is_some() { "neighbours" } else { role(target, change.cell) };
        let kind = (forger, broken.map_or("nothing", |(_, r)| relation(r)));
        let tally = report.kinds.entry(kind).or_default();
        tally.tried += 1;
        let Judgement::Accepted(meaning) = prepared.judge(&forged) else {
            tally.refused += 1;
            continue;
        };
        let Err(finding) = oracle::judge(target, &meaning) else {
            tally.rightly += 1;
            continue;
        };
        tally.wrongly += 1;
        if report.findings.len() < MAX_FINDINGS {
            let graph = target.name.clone();
            let variable = target.system.vars[change.cell.var as usize].name.clone();
            let broken = broken.map_or_else(String::new, |(l, r)| format!("{l}: {r}"));
            report.findings.push(Found { graph, seed, variant, variable, broken, finding });
        }
    }
    report
}

/// All changes of all cells: with every constraint spared in turn, and every way to repair the rest.
pub fn changes(target: &Target, board: &Board<'_>, rng: &mut ChaCha8Rng) -> Vec<Change> {
    changes_of(target, board, board.cells(), VALUES, rng)
}

/// Changes of some cells, each to at most so many values.
pub fn changes_of(
    target: &Target,
    board: &Board<'_>,
    cells: impl IntoIterator<Item = Cell>,
    most: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Change> {
    let mut out = Vec::new();
    for cell in cells {
        let mut forged = values(board, &target.honest, cell, rng);
        let spared = board.touching(cell).iter().map(|i| Spared::Constraint(*i));
        for spared in std::iter::once(Spared::Nothing).chain(spared) {
            for repair in Repair::ALL {
                if repair == Repair::None && spared != Spared::Nothing {
                    continue;
                }
                forged.shuffle(rng);
                let change =
                    |v: &Fr| Change { cell, value: *v, also: None, spared, repair, seed: rng.r#gen() };
                out.extend(forged.iter().take(most).map(change));
            }
        }
    }
    out
}

/// Changes of two cells that share a field element: what is added to one is taken from the other, so that their sum
/// stays what it was. Each relation that speaks of either is spared in turn.
fn exchanges(
    target: &Target,
    board: &Board<'_>,
    prepared: &dyn Prepared,
    rng: &mut ChaCha8Rng,
) -> Vec<Change> {
    let mut out = Vec::new();
    for (low, high, bits) in prepared.neighbours() {
        let both = [low, high].into_iter().flat_map(|c| board.touching(c));
        let relations: BTreeSet<usize> = both.map(|i| board.constraints[*i].0).collect();
        let spared = relations.into_iter().map(Spared::Relation);
        for spared in std::iter::once(Spared::Nothing).chain(spared) {
            for repair in Repair::ALL {
                let amount = field([1, -1, 2, -3][rng.gen_range(0..4)]);
                let value = low.of(&target.honest) + amount * pow2(bits);
                let also = Some((high, high.of(&target.honest) - amount));
                out.push(Change { cell: low, value, also, spared, repair, seed: rng.r#gen() });
            }
        }
    }
    out
}

/// Role of a cell in the model.
fn role(target: &Target, cell: Cell) -> &'static str {
    let (system, graph) = (&target.system, &target.graph);
    let var = VarId(cell.var);
    let is = |t: &zkml_graph::TensorId| t.0 == cell.var;
    if system.vars[cell.var as usize].constant.is_some() {
        "constant"
    } else if graph.weights.iter().any(is) {
        "weight"
    } else if system.inputs.contains(&var) {
        "input"
    } else if graph.outputs.iter().any(|o| is(&o.tensor)) {
        "output"
    } else if (cell.var as usize) < system.tensors {
        "intermediate"
    } else {
        "auxiliary"
    }
}

/// Name of a kind of relation.
pub fn relation(r: &Relation) -> &'static str {
    match r {
        Relation::Contract { .. } => "contract",
        Relation::Linear { .. } => "linear",
        Relation::Product { .. } => "product",
        Relation::Lookup { .. } => "lookup",
        Relation::Range { .. } => "range",
        Relation::Copy { .. } => "copy",
        Relation::Public { .. } => "public",
        Relation::Commit { .. } => "commit",
    }
}
