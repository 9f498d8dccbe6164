//! What every layout keeps, whatever the planner chose.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use crate::networks::Net;
use zkml_graph::{Graph, testing};
use zkml_halo2::{
    Optimize,
    circuit::ModelCircuit,
    contraction::{FIELD_BITS, Method},
    gate::{Gate, RowOp},
    keys, plan,
};

fn graphs() -> Vec<Graph> {
    let cases = testing::cases().into_iter().map(|c| c.graph);
    let private = Net::private_mlp("private", &[16, 32, 16, 1], 1).0;
    let networks = [Net::mlp("mlp", &[16, 32, 16, 1], true), Net::mlp("wide", &[64, 40, 3], false), private];
    cases.chain(networks).collect()
}

static CIRCUITS: LazyLock<Vec<(String, ModelCircuit)>> = LazyLock::new(|| {
    let mut out = Vec::new();
    for g in graphs() {
        let system = g.system();
        for optimize in [Optimize::Prover, Optimize::Gas] {
            let plan = plan(&system, optimize).expect("plans");
            let circuit = keys::circuit(&system, &plan).expect("lays out");
            assert!(circuit.layout.rows <= plan.rows, "{}: more rows than planned", g.name);
            out.push((g.name.clone(), circuit));
        }
    }
    out
});

#[test]
fn chains_have_no_gap_and_end_checked() {
    for (name, c) in CIRCUITS.iter() {
        let chain = &c.layout.accumulator;
        let Some((_, last)) = chain.last() else { continue };
        // The accumulator of each chain is checked by the row that follows it, so rows must be consecutive
        // and the last one must be a check.
        assert!(chain.windows(2).all(|w| w[0].0 + 1 == w[1].0), "{name}: a gap in the chains");
        assert_eq!(chain[0].1, RowOp::Start, "{name}");
        assert_eq!(*last, RowOp::Start, "{name}");
        let gates: HashMap<u32, usize> = c.layout.active.iter().copied().collect();
        let at = |row: u32| gates.get(&row).map(|g| &c.layout.blueprint.gates[*g]);
        for (row, op) in chain {
            let wanted = match op {
                RowOp::Start => Some(&Gate::Start),
                RowOp::Dot => Some(&Gate::Dot),
                RowOp::Pairs => Some(&Gate::Pairs),
                RowOp::FoldCells => Some(&Gate::FoldCells),
                RowOp::Shift => Some(&Gate::Shift),
                RowOp::Next | RowOp::Fold | RowOp::Sweep => None,
            };
            assert_eq!(at(*row), wanted, "{name}: row {row}");
        }
    }
}

#[test]
fn gates_do_not_overlap() {
    for (name, c) in CIRCUITS.iter() {
        let shape = c.layout.blueprint.shape;
        let mut taken = HashSet::new();
        for (row, gate) in &c.layout.active {
            let height = match &c.layout.blueprint.gates[*gate] {
                // A step of the hash also reads the state that the next one begins with.
                Gate::Hash(step) => step.height(shape.a_columns, shape.w_columns),
                gate => gate.height(&shape),
            } as u32;
            assert!((*row..row + height).all(|r| taken.insert(r)), "{name}: row {row} serves two gates");
        }
        let free: Vec<u32> =
            c.layout.accumulator.iter().filter(|(_, op)| op.fold_code() != 0).map(|(r, _)| *r).collect();
        assert!(free.iter().all(|r| taken.insert(*r)), "{name}: a folding row serves a gate, too");
        assert!(taken.iter().all(|r| (*r as usize) < c.last_row), "{name}");
    }
}

#[test]
fn every_cell_has_one_meaning() {
    for (name, c) in CIRCUITS.iter() {
        let mut cells = HashSet::new();
        assert!(c.layout.placements.iter().all(|(col, row, _)| cells.insert((*col, *row))), "{name}");
    }
}

#[test]
fn multiplied_lanes_are_pinned() {
    // A lane of a folding row that shows nothing would be the prover's to choose.
    for (name, c) in CIRCUITS.iter() {
        let placed: HashSet<(u8, u32)> = c.layout.placements.iter().map(|p| (p.0, p.1)).collect();
        let lanes = c.layout.blueprint.shape.a_columns as u8;
        let weighted: HashSet<(u8, u32)> = c.layout.weights.iter().map(|w| (w.0, w.1)).collect();
        for (row, op) in &c.layout.accumulator {
            let demanded: Vec<u8> = match op {
                RowOp::Next | RowOp::Sweep | RowOp::FoldCells | RowOp::Shift => (0..lanes).collect(),
                RowOp::Pairs => (0..lanes / 2 * 2).collect(),
                RowOp::Dot => (0..lanes).filter(|l| weighted.contains(&(*l, *row))).collect(),
                RowOp::Start | RowOp::Fold => vec![],
            };
            assert!(demanded.iter().all(|l| placed.contains(&(*l, *row))), "{name}: {op:?} in row {row}");
        }
    }
}

#[test]
fn packed_results_cannot_carry_or_wrap() {
    let mut packed = 0;
    for (name, c) in CIRCUITS.iter() {
        for k in &c.layout.blueprint.contractions {
            assert!(k.width * k.slots as u32 <= FIELD_BITS, "{name}");
            packed += usize::from(k.slots > 1 && k.method != Method::Pairs);
        }
    }
    assert!(packed > 0, "no layout packs anything");
}
