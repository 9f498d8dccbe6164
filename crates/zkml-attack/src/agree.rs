//! Agreement: of random graphs, `eval`, the relations, the circuit and the contract say the same, on ordinary inputs and
//! on those at the ends of their ranges; and no honest proof is refused.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use zkml_harness::Solc;

use crate::{
    Backend as _, Judgement, Target,
    campaign::changes,
    cells::Board,
    forge::forge,
    halo2::{
        Halo2, Laid,
        columns::Response,
        real::{Real, Verdicts},
    },
    oracle,
    target::Choice,
    zoo::Recipe,
};

/// Forged proofs that are shown to the verifiers for one graph.
const FORGED: usize = 3;

/// Numbers of what was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Graphs.
    pub graphs: u64,
    /// Draws whose operators do not go together.
    pub skipped: u64,
    /// Runs that `eval`, the relations and the circuit were compared on.
    pub runs: u64,
    /// Graphs with real keys and a deployed contract.
    pub contracts: u64,
    /// Real proofs of honest runs.
    pub honest: u64,
    /// Real proofs of false statements.
    pub forged: u64,
    /// Disagreements, each with its graph and layout.
    pub findings: Vec<String>,
}

impl Agreement {
    fn merge(&mut self, other: Self) {
        self.graphs += other.graphs;
        self.skipped += other.skipped;
        self.runs += other.runs;
        self.contracts += other.contracts;
        self.honest += other.honest;
        self.forged += other.forged;
        self.findings.extend(other.findings);
    }
}

/// Size of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Number of graphs.
    pub graphs: u64,
    /// Every so many-th of them has real proofs and a contract; zero for none.
    pub every: u64,
    /// Time after which no further graph is begun.
    pub budget: Duration,
    /// Seed of the first graph.
    pub seed: u64,
}

/// Compares on random graphs, until there are as many as wanted or the budget ends.
pub fn run(backend: &Halo2, order: Order, progress: &(dyn Fn(&Agreement) + Sync)) -> Agreement {
    let end = Instant::now() + order.budget;
    let (next, all) = (AtomicU64::new(0), Mutex::new(Agreement::default()));
    let worker = || {
        while Instant::now() < end {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let one = compare(backend, order.seed.wrapping_add(i), order.every > 0 && i % order.every == 0);
            let Ok(mut all) = all.lock() else { return };
            all.merge(one);
            progress(&all);
            if all.graphs >= order.graphs {
                return;
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|s| (0..cores).for_each(|_| drop(s.spawn(worker))));
    all.into_inner().unwrap_or_default()
}

/// Compares on one random graph.
pub fn compare(backend: &Halo2, seed: u64, with_contract: bool) -> Agreement {
    let recipe = if seed.is_multiple_of(3) { Recipe::Layers(seed) } else { Recipe::Random(seed) };
    let Ok(target) = recipe.build(seed) else { return Agreement { skipped: 1, ..Agreement::default() } };
    let variant = (seed / 3) as usize % backend.variants();
    let mut out = Agreement { graphs: 1, ..Agreement::default() };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut judged = runs(backend, &target, variant, &mut rng, &mut out);
    if judged.is_ok() && with_contract {
        judged = contract(backend, &target, variant, &mut rng, &mut out);
    }
    if let Err(e) = judged {
        out.findings.push(format!("{}, layout {variant}: {e}", target.name));
    }
    out
}

fn runs(
    backend: &Halo2,
    target: &Target,
    variant: usize,
    rng: &mut ChaCha8Rng,
    out: &mut Agreement,
) -> Result<(), String> {
    let prepared = backend.prepare(target, variant)?;
    out.runs += 1;
    for choice in Choice::ALL {
        let run = target.another_run(choice, rng).map_err(|e| format!("{choice:?} values: {e}"))?;
        out.runs += 1;
        let Judgement::Accepted(meaning) = prepared.judge(&run.honest) else {
            return Err(format!("{choice:?} values: the circuit refuses an honest run"));
        };
        if meaning != run.honest {
            return Err(format!("{choice:?} values: the circuit understands other values"));
        }
    }
    Ok(())
}

fn contract(
    backend: &Halo2,
    target: &Target,
    variant: usize,
    rng: &mut ChaCha8Rng,
    out: &mut Agreement,
) -> Result<(), String> {
    let (_, plan) = backend.plan(target, variant)?;
    let solc = Solc::find().map_err(|e| e.to_string())?;
    let mut real = Real::new(target, &plan, &solc)?;
    out.contracts += 1;
    let proof = real.prove_honestly(rng)?;
    let verdicts = real.verdicts(&proof)?;
    out.honest += 1;
    if verdicts != Verdicts::all(true) {
        return Err(format!("an honest proof: {verdicts:?}"));
    }
    for columns in false_columns(&real.laid, target, rng) {
        let Some(proof) = real.prove_columns(&columns)? else { continue };
        let verdicts = real.verdicts(&proof)?;
        out.forged += 1;
        if verdicts != Verdicts::all(false) {
            return Err(format!("a proof of a false statement: {verdicts:?}"));
        }
    }
    Ok(())
}

/// A few forgeries that mean something false.
fn false_columns(
    laid: &Laid<'_>,
    target: &Target,
    rng: &mut ChaCha8Rng,
) -> Vec<crate::halo2::columns::Columns> {
    let board = Board::new(&target.system);
    let mut all = changes(target, &board, rng);
    let mut out = Vec::new();
    while out.len() < FORGED && !all.is_empty() {
        let change = all.swap_remove(rng.gen_range(0..all.len()));
        let forged = forge(&board, &target.honest, &change);
        let columns = laid.filler.fill(&forged, Response::Loose, &laid.circuit);
        let small = laid.filler.circuit(&columns).is_some();
        if small && oracle::judge(target, &laid.filler.meaning(&forged, &columns)).is_err() {
            out.push(columns);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_graphs_agree_down_to_the_contract() {
        let backend = Halo2::new().expect("plans");
        let order = Order { graphs: 60, every: 30, budget: Duration::from_secs(600), seed: 1 };
        let done = run(&backend, order, &|_| {});
        assert!(done.findings.is_empty(), "{:?}", done.findings);
        assert!(done.graphs >= 60 && done.runs >= 5 * done.graphs && done.contracts >= 1, "{done:?}");
        assert!(done.honest == done.contracts && done.forged > 0, "{done:?}");
    }

    /// A constant that shows one value everywhere, through a view with padding that nothing reads, was refused.
    #[test]
    fn padding_that_is_not_read_is_no_objection() {
        let done = compare(&Halo2::new().expect("plans"), 5680, false);
        assert!(done.graphs == 1 && done.findings.is_empty(), "{done:?}");
    }
}
