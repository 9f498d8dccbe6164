//! Chooses the shape of a circuit by an explicit cost model.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use zkml_graph::{Optimize, System, intervals::Proven};

use crate::{
    block::{Grouping, Placed, Slot},
    blueprint::{Blocks, Sketch, Survey, sketch},
    contraction::Method,
    error::{ProverError, Result},
    gate::Gate,
    shape::{MAX_DEGREE, Shape},
    statement,
};

/// Largest circuit that is considered.
pub const MAX_K: u32 = 20;
/// Calls of the hash that alone make a circuit large.
const MANY_CALLS: usize = 200;

/// A chosen shape with what it is expected to cost. Rows and commitments are exact; gas, time and memory are
/// estimates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What was made cheap.
    pub optimize: Optimize,
    /// Columns.
    pub shape: Shape,
    /// Binary logarithm of the number of rows.
    pub k: u32,
    /// Rows used (at most).
    pub rows: usize,
    /// Entries of the lookup table.
    pub table_rows: usize,
    /// Public field elements, the context included.
    pub instances: usize,
    /// Calls of the hash behind commitments.
    pub hash_calls: usize,
    /// Points in the verifier's sum: columns, products, quotient pieces, blinding.
    pub commitments: usize,
    /// Evaluations in a proof.
    pub evaluations: usize,
    /// Size of a proof in bytes.
    pub proof_bytes: usize,
    /// Expected gas of a transaction that verifies a proof.
    pub gas_estimate: u64,
    /// Expected length of the verifier's code, in bytes.
    pub code_bytes_estimate: u64,
    /// Expected time of a proof on two cores, in seconds.
    pub seconds_estimate: f64,
    /// Expected peak memory of proving, in megabytes.
    pub memory_mb_estimate: u64,
    /// Size of the proving key in bytes, nearly.
    pub key_bytes_estimate: u64,
    /// Number of contractions by method: direct, folded, pairs.
    pub methods: [usize; 3],
}

impl Plan {
    /// Products per row of a contraction: weight lanes when folded, operand lanes otherwise.
    pub fn lanes(&self) -> usize {
        if self.shape.fold { self.shape.w_columns } else { self.shape.a_columns.min(self.shape.w_columns) }
    }
}

/// Plans the circuit of a system.
///
/// # Errors
/// [`ProverError::TooLarge`] when no shape fits, else the first thing that cannot be laid out in any.
pub fn plan(system: &System, optimize: Optimize) -> Result<Plan> {
    let survey = Survey::new(system);
    let mut tallest: Option<usize> = None;
    let mut best: Option<(f64, Plan)> = None;
    let mut error = None;
    let sizes: Vec<u32> = limb_sizes(&survey).collect();
    let proven: Vec<_> = sizes.par_iter().map(|b| survey.proven(*b)).collect();
    let grouping = |(b, p): (&u32, &Result<Proven>)| p.as_ref().ok().map(|p| Grouping::new(system, p, *b));
    let groupings: Vec<_> = sizes.iter().zip(&proven).map(grouping).collect();
    let families = families(system, &survey);
    let drawn: Vec<_> = families
        .par_iter()
        .flat_map_iter(|family| {
            let at = sizes.iter().position(|b| *b == family.limb_bits).unwrap_or(0);
            match (&proven[at], &groupings[at]) {
                (Ok(proven), Some(grouping)) => draw(&survey, proven, grouping, family, optimize),
                // Errors are not cloneable; deriving one again is cheap and happens only on the way to failure.
                _ => survey.proven(family.limb_bits).err().map(Err).into_iter().collect(),
            }
        })
        .collect();
    for d in drawn {
        match d {
            Ok((cost, p)) if p.k <= MAX_K => {
                if best.as_ref().is_none_or(|(c, _)| cost < *c) {
                    best = Some((cost, p));
                }
            }
            Ok((_, p)) => tallest = Some(tallest.map_or(p.rows, |t| t.min(p.rows))),
            Err(e) => error = error.or(Some(e)),
        }
    }
    if let Some((_, p)) = best {
        return Ok(p);
    }
    if let Some(rows) = tallest {
        return Err(ProverError::TooLarge { max_k: MAX_K, rows });
    }
    Err(error.unwrap_or(ProverError::TooLarge { max_k: MAX_K, rows: 0 }))
}

/// Evaluates shapes of the same columns, which share most of their blocks.
fn draw(
    survey: &Survey<'_>,
    proven: &Proven,
    grouping: &Grouping<'_>,
    family: &Family,
    optimize: Optimize,
) -> Vec<Result<(f64, Plan)>> {
    if let Err(e) = statement::check(survey.system, proven) {
        return vec![Err(e)];
    }
    let mut placed = Placed::default();
    let mut out = Vec::new();
    for shapes in &family.shapes {
        let drawn = match shapes.first().map(|s| grouping.drawn(s, &mut placed)) {
            Some(Ok(drawn)) => drawn,
            Some(Err(e)) => {
                out.push(Err(e));
                continue;
            }
            None => continue,
        };
        let blocks = Blocks::new(survey, &drawn);
        let one = |s: &Shape| sketch(survey, proven, s, &blocks).map(|b| evaluate(&b, optimize));
        out.extend(shapes.iter().map(one));
    }
    out
}

/// Sizes of limbs that are considered: large ones only where the circuit is large anyway.
fn limb_sizes(survey: &Survey<'_>) -> std::ops::RangeInclusive<u32> {
    5..=if survey.statement.calls >= MANY_CALLS { 16 } else { 14 }
}

/// Shapes with the same columns and limbs: for each height of blocks, those that differ only in how they contract.
struct Family {
    limb_bits: u32,
    shapes: Vec<Vec<Shape>>,
}

/// Shapes by what they have in common.
fn families(system: &System, survey: &Survey<'_>) -> Vec<Family> {
    let table_outputs = system.tables.iter().map(|t| t.columns.len()).max().unwrap_or(0);
    let pairs = survey.outlines.iter().any(|o| o.pairs);
    let sweep = survey.outlines.iter().any(zkml_graph::contraction::Outline::has_positions);
    let folds: &[bool] = if survey.outlines.is_empty() { &[false] } else { &[false, true] };
    let mut out = Vec::new();
    // Hashing many weights takes cells by the hundred thousand; other circuits gain nothing from more columns.
    let wide: &[usize] = if survey.statement.calls >= MANY_CALLS { &[8, 12] } else { &[] };
    let narrow = [1usize, 2, 3, 4, 6];
    for a_columns in narrow.iter().chain(wide).copied().filter(|a| !pairs || *a >= 2) {
        for u_columns in [1usize, 2, 3, 4, 6, 8] {
            if u_columns > 2 * a_columns + 1 || a_columns > 3 * u_columns {
                continue;
            }
            for limb_bits in limb_sizes(survey) {
                let mut shapes = Vec::new();
                for max_height in [4usize, 6, 10] {
                    let mut alike = Vec::new();
                    for &fold in folds {
                        let lanes: &[usize] = if fold { &[1, 2, 3, 4, 6, 8, 10, 12, 16] } else { &[0] };
                        for &w in lanes {
                            let w_columns = if fold { w } else { a_columns };
                            let sweep = sweep && fold;
                            alike.push(Shape {
                                a_columns,
                                u_columns,
                                w_columns,
                                limb_bits,
                                max_height,
                                fold,
                                sweep,
                                table_outputs,
                            });
                        }
                    }
                    shapes.push(alike);
                }
                out.push(Family { limb_bits, shapes });
            }
        }
    }
    out
}

/// Rows at the end that hide the witness, plus the row before them and the end of the lookup argument.
fn reserved(height: usize) -> usize {
    height.max(3) + 2 + 2
}

/// Expected cost of a sketch, with its plan.
fn evaluate(b: &Sketch, optimize: Optimize) -> (f64, Plan) {
    let shape = &b.shape;
    let height = b.gates.iter().map(|g| g.height(shape)).max().unwrap_or(1);
    let needed = b.rows.max(b.table_rows + b.instances) + reserved(height);
    let k = needed.next_power_of_two().trailing_zeros().max(4);
    let n = (1u64 << k) as f64;
    let contracts = b.gates.contains(&Gate::Start);
    let advice = shape.advice_columns() - usize::from(!contracts);
    let fixed = shape.fixed_columns() + b.sharing.columns.len();
    let products = shape.permutation_products();
    let commitments = advice + fixed + shape.a_columns + products + (MAX_DEGREE - 1) + 1 + 2;
    // One evaluation per column, one more per rotation, three per product but the last, which has two.
    let used: usize = b.gates.iter().map(|g| rotations(g, shape)).max().unwrap_or(0);
    let evaluations =
        advice + fixed + shape.a_columns + 3 * products - 1 + 1 + used + 1 + 2 * usize::from(shape.fold);
    let points = advice + products + (MAX_DEGREE - 1) + 1 + 2;
    let proof_bytes = points * 64 + evaluations * 32;
    let second_phase = 1 + shape.lookup_sums().helpers.len() + 2 * usize::from(shape.fold);
    let constraints: usize = b.gates.iter().map(gate_terms).sum();
    let gas = 21_000.0
        + 113_100.0
        + 6_350.0 * commitments as f64
        + 15.6 * (proof_bytes + 32 * b.instances + 160) as f64
        + 160.0 * evaluations as f64
        + 60.0 * constraints as f64
        + 300.0 * b.instances as f64
        + 9_000.0;
    let columns = advice + fixed + shape.a_columns + products;
    let small = (shape.a_columns + shape.u_columns + 1) as f64 * 0.6;
    let large = (second_phase + products + MAX_DEGREE - 1 + 1 + 2) as f64 * 2.3;
    let transforms = columns as f64 * 0.05 * f64::from(k);
    let seconds = n * (small + large + transforms + 0.06 * constraints as f64) * 0.6e-6 + 0.01;
    let memory =
        n * 32.0 * (2.0 * (fixed + shape.a_columns) as f64 + 4.5 * advice as f64 + 14.0) / 1e6 + 25.0;
    let cost = optimize.weigh(seconds, gas, memory);
    let count = |m: Method| b.contractions.iter().filter(|c| c.method == m).count();
    let plan = Plan {
        optimize,
        shape: *shape,
        k,
        rows: b.rows,
        table_rows: b.table_rows,
        instances: b.instances,
        hash_calls: b.calls,
        commitments,
        evaluations,
        proof_bytes,
        gas_estimate: gas as u64,
        code_bytes_estimate: 12_170 + (55 * evaluations + 9 * constraints / 2 + 30 * commitments) as u64,
        // Whole processes of benchmarked models, on two cores; whole milliseconds are read from JSON as they were written.
        seconds_estimate: (100.0 + 2_900.0 * seconds).round() / 1e3,
        memory_mb_estimate: (1.55 * memory - 17.0) as u64,
        key_bytes_estimate: (n * 32.0 * (2 * (fixed + shape.a_columns) + shape.a_columns + 3) as f64) as u64,
        methods: [
            count(Method::Direct),
            count(Method::Fold) + count(Method::FoldCells),
            count(Method::Pairs),
        ],
    };
    (cost, plan)
}

fn rotations(gate: &Gate, shape: &Shape) -> usize {
    match gate {
        Gate::Block(t) => {
            let mut slots: Vec<Slot> = t.polys.iter().flat_map(|p| p.0.keys().flatten().copied()).collect();
            slots.sort_unstable();
            slots.dedup();
            slots.iter().filter(|s| matches!(s, Slot::U(_, r) | Slot::A(_, r) if *r > 0)).count()
        }
        Gate::Pack { slots, .. } => slots + 1 - shape.a_columns.min(*slots + 1),
        Gate::Hash(step) => {
            let beyond = |n: usize, columns: usize| n - columns.min(n);
            let shown = step.cells() + zkml_poseidon::WIDTH;
            beyond(shown, shape.a_columns) + beyond(step.constants(), shape.w_columns)
        }
        _ => 0,
    }
}

fn gate_terms(gate: &Gate) -> usize {
    match gate {
        Gate::Block(t) => t.polys.iter().map(|p| p.0.len()).sum(),
        Gate::Pack { slots, .. } => slots + 1,
        Gate::Hash(crate::poseidon_rows::Step::Full) => 36,
        Gate::Hash(crate::poseidon_rows::Step::Partial) => 60,
        _ => 4,
    }
}
