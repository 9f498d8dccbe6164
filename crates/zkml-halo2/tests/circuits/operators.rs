//! Every operator's cases through the circuit: honest values pass, and every single changed cell fails.

use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use zkml_graph::{
    Graph, Visibility,
    testing::{self, Case},
};
use zkml_halo2::{
    Optimize, Plan, cells::Source, circuit::ModelCircuit, contraction::Method, keys, plan, prove::assign,
    shape::Shape,
};

use crate::networks::{Net, binding, inputs};

/// All cases, with public inputs: hashing them in every one would only take time.
fn cases() -> Vec<Case> {
    let mut cases = testing::cases();
    cases.iter_mut().flat_map(|c| &mut c.graph.inputs).for_each(|i| i.1 = Visibility::Public);
    cases
}

fn assigned(case: &Case, optimize: Optimize) -> (ModelCircuit, Vec<Fr>, Plan) {
    let system = case.graph.system();
    let plan = plan(&system, optimize).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let circuit = keys::circuit(&system, &plan).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let trace = case.trace().expect("evaluates");
    let (circuit, instances) = assign(&system, &circuit, &trace, &binding(&case.graph, 3))
        .unwrap_or_else(|e| panic!("{}: {e}", case.name));
    (circuit, instances, plan)
}

#[test]
fn honest_values_pass() {
    for optimize in [Optimize::Prover, Optimize::Gas] {
        for case in cases() {
            let (circuit, instances, plan) = assigned(&case, optimize);
            let mock = MockProver::run(plan.k, &circuit, vec![instances]).expect("runs");
            if let Err(e) = mock.verify() {
                panic!("{} ({optimize:?}): {} failures, first: {}", case.name, e.len(), e[0]);
            }
        }
    }
}

/// How many cells of each kind are tampered with per case; every case of every operator is visited.
const SAMPLES: usize = 6;

/// Up to [`SAMPLES`] members, spread over the whole.
fn spread<T: Copy>(all: &[T]) -> Vec<T> {
    let step = all.len().div_ceil(SAMPLES).max(1);
    all.iter().copied().step_by(step).collect()
}

fn refused(plan: &Plan, circuit: &ModelCircuit, instances: &[Fr]) -> bool {
    MockProver::run(plan.k, circuit, vec![instances.to_vec()]).is_ok_and(|m| m.verify().is_err())
}

#[test]
fn a_changed_value_is_refused() {
    for case in cases() {
        let (circuit, instances, plan) = assigned(&case, Optimize::Prover);
        // A value changed wherever it is shown, so that copies still agree; constants are pinned, too.
        let mut sources: Vec<_> = circuit.layout.placements.iter().map(|p| p.2).collect();
        let mut seen = std::collections::HashSet::new();
        sources.retain(|s| seen.insert(*s));
        for source in spread(&sources) {
            let bad = with_changed(&circuit, source);
            assert!(refused(&plan, &bad, &instances), "{}: {source:?} may be changed", case.name);
        }
    }
}

/// The circuit with one value increased wherever it is shown.
fn with_changed(circuit: &ModelCircuit, source: Source) -> ModelCircuit {
    let mut w = (*circuit.witness.clone().expect("assigned")).clone();
    for (v, p) in w.placed.iter_mut().zip(&circuit.layout.placements) {
        if p.2 == source {
            *v += Fr::one();
        }
    }
    ModelCircuit { witness: Some(w.into()), ..circuit.clone() }
}

/// Networks whose contractions are folded with challenges, in shapes that make them so.
fn folded() -> Vec<(Case, Shape, Method)> {
    let shape = Shape {
        a_columns: 2,
        u_columns: 2,
        w_columns: 2,
        limb_bits: 6,
        max_height: 4,
        fold: true,
        sweep: false,
        table_outputs: 0,
    };
    let case = |(graph, weights): (Graph, Vec<Vec<i64>>)| {
        let mut graph = graph;
        graph.inputs.iter_mut().for_each(|i| i.1 = Visibility::Public);
        let inputs = inputs(&graph, 3);
        Case { weights, name: graph.name.clone(), graph, inputs, expected: vec![] }
    };
    let cnn = |mut n: Net, channels| {
        let x = n.input(&[1, 6, 6]);
        let y = n.conv(x, [1, 6, 6], channels, 3, 1);
        let y = n.rescale(y);
        let x = n.relu(y);
        n.finish_private(x)
    };
    let public = || cnn(Net::new("folded_cnn"), 12);
    let wide = Shape { a_columns: 3, w_columns: 3, ..shape };
    let swept = Shape { sweep: true, ..shape };
    let mlp = (Net::mlp("folded_mlp", &[40, 60, 2], false), vec![]);
    vec![
        (case(mlp), Shape { w_columns: 4, ..shape }, Method::Fold),
        (case(public()), swept, Method::Fold),
        (case(public()), Shape { sweep: true, ..wide }, Method::Fold),
        (case(Net::private_mlp("private_mlp", &[6, 9, 5], 1)), shape, Method::FoldCells),
        (case(cnn(Net::private("private_cnn", 1), 5)), swept, Method::FoldCells),
    ]
}

#[test]
fn folded_contractions_pin_every_value() {
    for (case, shape, method) in folded() {
        let system = case.graph.system();
        let plan = Plan { shape, k: 13, ..plan(&system, Optimize::Prover).expect("plans") };
        let circuit = keys::circuit(&system, &plan).expect("lays out");
        let methods = circuit.layout.blueprint.contractions.iter().map(|c| c.method);
        assert!(methods.into_iter().any(|m| m == method), "{}: nothing is folded", case.name);
        let trace = case.trace().expect("evaluates");
        let (circuit, instances) =
            assign(&system, &circuit, &trace, &binding(&case.graph, 3)).expect("assigns");
        assert!(!refused(&plan, &circuit, &instances), "{}: honest values", case.name);
        let sources: Vec<_> = circuit.layout.placements.iter().map(|p| p.2).collect();
        for source in spread(&sources) {
            let bad = with_changed(&circuit, source);
            assert!(refused(&plan, &bad, &instances), "{}: {source:?} may be changed", case.name);
        }
    }
}

#[test]
fn every_cell_of_a_commitment_is_pinned() {
    let case = testing::cases().into_iter().find(|c| !c.weights.is_empty()).expect("a private network");
    for optimize in [Optimize::Prover, Optimize::Gas] {
        let (circuit, instances, plan) = assigned(&case, optimize);
        assert!(!refused(&plan, &circuit, &instances), "honest values");
        let honest = circuit.witness.clone().expect("assigned");
        let step = honest.hash_cells.len() / 40;
        let cells = (0..honest.hash_cells.len()).step_by(step);
        let placed: std::collections::HashSet<_> =
            circuit.layout.placements.iter().map(|p| (p.0, p.1)).collect();
        for i in cells.filter(|i| !placed.contains(&(honest.hash_cells[*i].0, honest.hash_cells[*i].1))) {
            let mut w = (*honest).clone();
            w.hash_cells[i].2 += Fr::one();
            let bad = ModelCircuit { witness: Some(w.into()), ..circuit.clone() };
            // The last state has elements that nothing reads; the gate before pins them all the same.
            assert!(refused(&plan, &bad, &instances), "{:?} may be changed", honest.hash_cells[i]);
        }
        for source in circuit.layout.placements.iter().map(|p| p.2) {
            if matches!(source, Source::Salt(_) | Source::Link(_) | Source::Packed(_)) {
                let bad = with_changed(&circuit, source);
                assert!(refused(&plan, &bad, &instances), "{source:?} may be changed");
            }
        }
    }
}

#[test]
fn a_changed_limb_is_refused() {
    for case in cases() {
        let (circuit, instances, plan) = assigned(&case, Optimize::Prover);
        let honest = circuit.witness.clone().expect("assigned");
        let range = 1u64 << plan.shape.limb_bits;
        let first = circuit.layout.blueprint.instances - 1;
        let keyed: Vec<_> = circuit.layout.keys.iter().map(|k| k.0 as usize).collect();
        let used: Vec<(usize, usize)> = limb_cells(&circuit);
        for (column, row) in spread(&used) {
            if column == 0 && keyed.contains(&row) {
                continue;
            }
            // Another value of the range table, with its multiplicities right: only a gate can object.
            let mut w = (*honest).clone();
            let old = w.looked_up[column][row];
            let new = (old + 1) % range;
            w.looked_up[column][row] = new;
            w.multiplicity[first + old as usize] -= 1;
            w.multiplicity[first + new as usize] += 1;
            let bad = ModelCircuit { witness: Some(w.into()), ..circuit.clone() };
            assert!(
                refused(&plan, &bad, &instances),
                "{}: limb at {column}, {row} may be changed",
                case.name
            );
        }
    }
}

/// Cells of the looked-up columns that hold limbs.
fn limb_cells(circuit: &ModelCircuit) -> Vec<(usize, usize)> {
    use zkml_halo2::block::Slot;
    let groups = circuit.layout.blueprint.groups.iter().zip(&circuit.layout.bases);
    groups
        .flat_map(|((_, g), base)| {
            let cells = g.limbs.iter().filter_map(|(s, _)| match s {
                Slot::U(c, r) => Some((*c as usize, *base as usize + *r as usize)),
                Slot::A(..) => None,
            });
            cells.collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_range_entry_does_not_pass_for_a_function() {
    // With the tag only mixed into the key, a key moved down by the tag's share would meet the range table.
    let case =
        cases().into_iter().find(|c| !c.graph.system().tables.is_empty()).expect("a case with a table");
    let (circuit, instances, plan) = assigned(&case, Optimize::Prover);
    let (row, table) = circuit.layout.keys[0];
    let honest = circuit.witness.clone().expect("assigned");
    for o1 in [Fr::zero(), -Fr::one()] {
        let mut w = (*honest).clone();
        for (v, (c, r, _)) in w.placed.iter_mut().zip(&circuit.layout.placements) {
            if *c == 0 && *r == row {
                *v = o1;
            }
        }
        let key = w.looked_up[0][row as usize];
        let first = circuit.layout.blueprint.instances - 1;
        let at = first + (1usize << plan.shape.limb_bits) + key as usize;
        if table == 0 {
            // The look-up now claims the range entry of the same key.
            w.multiplicity[at] -= 1;
            w.multiplicity[first + key as usize] += 1;
        }
        let bad = ModelCircuit { witness: Some(w.into()), ..circuit.clone() };
        assert!(refused(&plan, &bad, &instances));
    }
}
