//! Chooses the options of a layout by what they cost, before any key exists.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use zkml_graph::System as Relations;
use zkml_protocol::{
    G1, G2, Srs, Statement, Word,
    sumcheck::{Base, Opening, PROTOCOL_VERSION, Program, SlotId, System, Weights},
};

use crate::{
    Integers, Options,
    error::{Error, Result},
    layout::Drafts,
};

/// Chosen options with what they are expected to cost. Sizes and counts are exact; gas, code, time and memory are estimates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The options.
    pub options: Options,
    /// Binary logarithm of the powers that a setup must have.
    pub k: u32,
    /// Cells of the run that are committed to.
    pub cells: u64,
    /// Elements that were committed to before: weights, constants, outputs of functions.
    pub weights: u64,
    /// Public field elements, the context included.
    pub instances: usize,
    /// Points in the verifier's sum.
    pub commitments: usize,
    /// Operations on field elements in the verifier.
    pub operations: usize,
    /// Size of a proof in bytes.
    pub proof_bytes: usize,
    /// Expected gas of a transaction that verifies a proof.
    pub gas_estimate: u64,
    /// Expected length of the verifier's code, in bytes.
    pub code_bytes_estimate: u64,
    /// Expected time of a proof on two cores with AVX-512 IFMA, in seconds.
    pub seconds_estimate: f64,
    /// Expected peak memory of proving, in megabytes.
    pub memory_mb_estimate: u64,
    /// Size of the proving key in bytes, nearly.
    pub key_bytes_estimate: u64,
}

/// Of these options, those whose plan weighs least.
///
/// # Errors
/// The first thing that can be laid out with none of them.
pub fn plan(
    relations: &Relations,
    candidates: &[Options],
    weigh: &(dyn Fn(&Plan) -> f64 + Sync),
) -> Result<Plan> {
    // Options that differ in how vectors are opened share all else.
    let key = |options: &Options| Options { parts: 1, whole: false, ..*options };
    let mut keys: Vec<Options> = Vec::new();
    for key in candidates.iter().map(key) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let drafts: Vec<Result<Drafts>> =
        keys.par_iter().map(|options| Drafts::new(relations, options)).collect();
    let drawn = |options: &Options| keys.iter().position(|k| *k == key(options)).map(|at| &drafts[at]);
    let plans = candidates.par_iter().filter_map(|options| match drawn(options) {
        Some(Ok(draft)) => Some(Plan::of(draft, *options)),
        _ => None,
    });
    let mut best: Option<(f64, Plan)> = None;
    let mut refused = None;
    for plan in plans.collect::<Vec<_>>() {
        match plan {
            Ok(plan) => {
                let weight = weigh(&plan);
                if best.as_ref().is_none_or(|(least, _)| weight < *least) {
                    best = Some((weight, plan));
                }
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let refused = drafts.into_iter().find_map(Result::err).or(refused);
    best.map(|(_, plan)| plan)
        .ok_or_else(|| refused.unwrap_or_else(|| Error::Defect("no options were considered".into())))
}

impl Plan {
    /// The costs of a layout.
    fn of(drafts: &Drafts, options: Options) -> Result<Self> {
        let (system, weights) = drafts.parts();
        let program = outline(system, weights, drafts.opening(&options)?);
        let shape = program.shape().ok_or_else(|| Error::Defect("the program has no shape".into()))?;
        let equations =
            program.equations().map_err(|part| Error::Defect(format!("{} do not fit the layout", part.0)))?;
        let proof = program.layout();
        let (system, opening) = (&program.system, &program.opening);
        let length = opening.length();
        let rows = 1u64 << system.row_bits;
        let quotients: usize = crate::prover::quotient_lengths(weights, opening).iter().sum();
        let weights = length * (program.weights.commitments.len() as u64 + u64::from(shape.private_parts));
        let powers = length as usize + 1;
        let key_bytes = 64 * (powers + quotients) as u64;
        let cells = u64::from(system.columns) * rows;
        let work = Work {
            rows: rows as f64,
            lookups: f64::from(shape.groups * system.lookups_per_helper),
            cells: cells as f64,
            helpers: (u64::from(shape.groups) * rows + (1 << system.table.bits)) as f64,
            opened: length.min(cells + system.loose) as f64,
            whole: if opening.is_whole() { length as f64 } else { 0.0 },
            weights: weights as f64,
            vectors: (length * u64::from(shape.parts[0] + shape.parts[1] + 1) + weights) as f64,
            key_bytes: key_bytes as f64,
            hash_calls: drafts.hash_calls() as f64,
        };
        let operations = equations.needed().len();
        let terms = &equations.comparison.terms;
        let points = terms.iter().filter(|(_, base)| *base != Base::Generator).count();
        let multiplied = terms.iter().filter(|(factor, _)| !equations.is_one(*factor)).count();
        Ok(Self {
            options,
            k: powers.next_power_of_two().ilog2(),
            cells: u64::from(shape.parts[0]) * length,
            weights,
            instances: system.instances as usize,
            commitments: points,
            operations,
            proof_bytes: proof.length(),
            gas_estimate: gas(&program, operations, multiplied),
            code_bytes_estimate: code(operations, points),
            // Whole milliseconds are read from JSON as they were written.
            seconds_estimate: (1e3 * work.seconds()).round() / 1e3,
            memory_mb_estimate: work.megabytes() as u64,
            key_bytes_estimate: key_bytes,
        })
    }
}

/// The program of a system without the points that keys have: as many operations, and as long proofs.
fn outline(system: &System, weights: &Integers, opening: Opening) -> Program {
    let parts = (weights.len() as u64).div_ceil(opening.length());
    let (g1, g2) = (G1::default(), G2::default());
    Program {
        version: PROTOCOL_VERSION,
        system: system.clone(),
        opening,
        weights: Weights { commitments: vec![g1; parts as usize] },
        srs: Srs { g1, g2, s_g2: g2, unsafe_dev: true },
        srs_b: g2,
        statement: Statement {
            model_name: String::new(),
            model_hash: Word::ZERO,
            toolkit_version: String::new(),
            instances: zkml_protocol::InstanceLayout::default(),
        },
    }
}

/// Gas of a transaction without anything of a proof, a pairing of two pairs included.
const GAS_BASE: f64 = 125_000.0;
/// Gas of the third pair, where vectors are opened by rows.
const GAS_PAIR: f64 = 34_000.0;
/// Gas of a word of calldata, of which one byte in 256 is zero, with its check and its part of a hash.
const GAS_WORD: f64 = 570.0;
/// Gas of a multiple of a point that is added.
const GAS_POINT: f64 = 6_500.0;
/// Gas of a round.
const GAS_ROUND: f64 = 600.0;
/// Gas of an operation: many are additions, and parts of expressions.
const GAS_OPERATION: f64 = 22.0;
/// Operations that one contract has room for, and the gas of a call of a second.
const ONE_CONTRACT: (usize, f64) = (2_250, 7_300.0);

/// The gas of a verification: fitted to verifiers of 1,800 to 5,200 operations, which it meets within 3 %.
fn gas(program: &Program, operations: usize, multiplied: usize) -> u64 {
    let proof = program.layout();
    let words = proof.length() as f64 / 32.0 + f64::from(program.system.instances);
    let rounds =
        proof.slots().iter().filter(|s| matches!(s.id, SlotId::First(_) | SlotId::Second(_))).count();
    let pair = if program.opening.is_whole() { 0.0 } else { GAS_PAIR };
    let call = if operations > ONE_CONTRACT.0 { ONE_CONTRACT.1 } else { 0.0 };
    let gas = GAS_BASE
        + pair
        + GAS_WORD * words
        + GAS_POINT * multiplied as f64
        + GAS_ROUND * rounds as f64
        + GAS_OPERATION * operations as f64
        + call;
    gas as u64
}

/// The length of a verifier's code, of both contracts if there are two: fitted to the same, which it meets within 4 %.
fn code(operations: usize, points: usize) -> u64 {
    let second = if operations > ONE_CONTRACT.0 { 500.0 } else { 0.0 };
    (4_270.0 + second + 7.5 * operations as f64 + 125.0 * points as f64) as u64
}

/// Sizes that time and memory of proving follow.
struct Work {
    rows: f64,
    /// Lookups of a row.
    lookups: f64,
    /// Cells of columns.
    cells: f64,
    /// Cells of helpers.
    helpers: f64,
    /// Elements of a part, as far as the witness fills them.
    opened: f64,
    /// Elements of a part that is opened as one row.
    whole: f64,
    /// Elements that were committed to before.
    weights: f64,
    /// Elements of all vectors.
    vectors: f64,
    key_bytes: f64,
    /// Calls of the hash behind commitments, whose cells hold elements of any size.
    hash_calls: f64,
}

impl Work {
    /// On two cores with AVX-512 IFMA: fitted to the benchmarked models, of 2^10 to 2^21 elements, which it meets within 10 %. Without these instructions sums
    /// of points take twice as long, and field operations five times.
    fn seconds(&self) -> f64 {
        let load = 0.007 + 4.7e-9 * self.key_bytes + 0.04e-6 * self.weights;
        let commit = 0.004 + 0.19e-6 * self.cells + 0.38e-3 * self.hash_calls;
        let lookups = 0.003 + 1.36e-6 * self.helpers;
        let own = self.vectors - self.weights;
        let sumchecks = 0.004 + 0.18e-6 * self.rows * self.lookups + 0.105e-6 * own + 0.074e-6 * self.weights;
        let opening = 0.008 + if self.whole > 0.0 { 4.5e-6 * self.whole } else { 1.31e-6 * self.opened };
        let run = 0.17e-6 * self.cells;
        0.016 + load + run + commit + lookups + sumchecks + opening
    }

    /// Fitted to the same models, which it meets within 10 %. Public weights stay integers.
    fn megabytes(&self) -> f64 {
        24.6 + 143e-6 * (self.vectors - self.weights) + 37e-6 * self.weights + 340e-6 * self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_graph::testing;

    /// More parts cost gas, fewer lookups per helper cost time: each goal gets what it asks for.
    #[test]
    fn goals_decide() {
        let graph = testing::cases().remove(0).graph;
        let candidates = [Options::PROVER, Options::GAS];
        let of = |weigh: &(dyn Fn(&Plan) -> f64 + Sync)| {
            plan(&graph.system(), &candidates, weigh).expect("a plan")
        };
        let (quick, cheap) = (of(&|p| p.seconds_estimate), of(&|p| p.gas_estimate as f64));
        assert!(quick.seconds_estimate <= cheap.seconds_estimate);
        assert!(quick.gas_estimate >= cheap.gas_estimate);
        let written = serde_json::to_string(&cheap).expect("JSON");
        assert_eq!(serde_json::from_str::<Plan>(&written).expect("the same"), cheap);
        assert!(plan(&graph.system(), &[], &|_| 0.0).is_err());
    }
}
