//! Every operator's cases through layout, prover and verifier.

use ff::Field;
use halo2curves::bn256::Fr;
use zkml_curve::scalar_word;
use zkml_graph::{
    Bounds, Graph, GraphBuilder, Map, Visibility,
    map::Axis,
    ops::{Contract, Linear, Max, MaxOperand},
    testing,
};
use zkml_lanes::{Choice, Portable};
use zkml_protocol::{Word, commitment::Role};

use crate::{
    Error, Options, lay_out,
    naive::violation,
    prover::{Masks, Proof, ProvingKey, adversary::Honest, prove},
    testing::{key, proof},
};

pub(crate) fn verdict(key: &ProvingKey, proof: &[u8], instances: &[Fr]) -> Result<(), String> {
    let words: Vec<Word> = instances.iter().map(scalar_word).collect();
    zkml_verifier::sumcheck::verify(&key.program, proof, &words).map_err(|e| e.to_string())
}

/// The graph with everything in the open.
fn public(mut graph: Graph) -> Graph {
    graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Public);
    graph.outputs.iter_mut().for_each(|o| o.visibility = Visibility::Public);
    graph
}

#[test]
fn every_case_is_proven_and_false_outputs_are_refused() {
    let (mut proven, mut skipped) = (0, vec![]);
    for (number, case) in testing::cases().into_iter().enumerate() {
        if !case.weights.is_empty() {
            continue;
        }
        let graph = public(case.graph.clone());
        let system = graph.system();
        // Each case with the options of a plan, and with one of two others in turn.
        let other = [(5, 1, 4), (6, 2, 16)][number % 2];
        for (limb_bits, lookups_per_helper, columns) in [(8, 3, 8), other] {
            // Blocks share rows as they do in large systems.
            let shared = Options { unshared_bits: 0, ..Options::default() };
            let options = Options { limb_bits, lookups_per_helper, columns, ..shared };
            let layout = match lay_out(&system, &options) {
                Ok(layout) => layout,
                Err(e) => {
                    skipped.push(format!("{}: {e}", case.name));
                    continue;
                }
            };
            let trace = graph.eval(&case.inputs).expect("it runs");
            let values = system.assign(&trace).expect("all values");
            let witness = layout.witness(&system, &values, Fr::from(77), &[]).expect("a witness");
            assert_eq!(violation(&layout, &witness), None, "{} {options:?}", case.name);
            let key = key(&layout);
            let proof = proof(&key, &witness);
            verdict(&key, &proof, &witness.instances).unwrap_or_else(|e| panic!("{}: {e}", case.name));
            let mut other = witness.instances.clone();
            let last = other.len() - 1;
            other[last] += Fr::ONE;
            assert!(verdict(&key, &proof, &other).is_err(), "{}", case.name);
            proven += 1;
        }
    }
    assert!(skipped.is_empty(), "{proven} proven, {} skipped: {skipped:#?}", skipped.len());
}

/// Lanes are a matter of speed: one machine's proof is another's.
#[test]
fn every_machine_makes_the_same_proof() {
    let mut compared = 0;
    for case in testing::cases().into_iter().filter(|case| case.weights.is_empty()).step_by(5) {
        let graph = public(case.graph.clone());
        let system = graph.system();
        let layout = lay_out(&system, &Options::default()).expect("a layout");
        let values = system.assign(&graph.eval(&case.inputs).expect("it runs")).expect("all values");
        let witness = layout.witness(&system, &values, Fr::from(77), &[]).expect("a witness");
        let key = key(&layout);
        let masks = Masks::random(&key.shape, &key.program.opening, &mut rand_core::OsRng);
        let best = prove(&key, &witness, &masks, &|_| ()).expect("a proof");
        let proof =
            Proof { key: &key, witness: &witness, masks: &masks, adversary: &mut Honest, begins: &|_| () };
        assert_eq!(proof.with(Portable).expect("a proof"), best, "{}", case.name);
        compared += 1;
    }
    assert!(compared > 10, "{compared} compared");
}

/// A window over what is also added and then pooled: pooling cuts its rows into pairs, and the window carries from one digit to
/// the next.
fn residual() -> Graph {
    let mut b = GraphBuilder::new("residual");
    let x = b.input("image", &[4, 4], 4, Bounds::new(-10, 10), Visibility::Public).expect("an input");
    let w = b.constant("filter", &[1, 3, 3], 2, vec![1, -2, 3, 1, 2, 0, -1, -3, 2]).expect("a constant");
    let whole = || Map::identity(&[1, 4, 4]);
    let positive = Max { a: Map::identity(&[4, 4]), b: MaxOperand::Constant(0) };
    let r = b.node("relu", positive, &[x]).expect("a node");
    let axis = |k: usize, n: usize| Axis {
        offset: -1,
        steps: (0..4).map(|d| i64::from(d == k || d == n)).collect(),
    };
    let window =
        Map { source: vec![4, 4], shape: vec![3, 3, 4, 4], axes: vec![axis(0, 2), axis(1, 3)], pad: Some(0) };
    let (a, y) = (Map::identity(&[1, 3, 3]), whole());
    let conv = Contract { a, b: window, addend: None, ranks: [0, 1, 2, 2], y };
    let c = b.node("conv", conv, &[w, r]).expect("a node");
    let same = Map { source: vec![1, 4, 4], ..whole() };
    let sum = Linear { terms: vec![(1, whole()), (4, same)], constant: 0, scale: b.tensor(c).scale };
    let s = b.node("sum", sum, &[c, r]).expect("a node");
    let corner = |i: i64, j: i64| {
        let axes = [(0, [1, 0, 0]), (i, [0, 2, 0]), (j, [0, 0, 2])];
        let axes = axes.map(|(offset, steps)| Axis { offset, steps: steps.to_vec() }).to_vec();
        Map { source: vec![1, 4, 4], shape: vec![1, 2, 2], axes, pad: None }
    };
    let pair = |i| Max { a: corner(i, 0), b: MaxOperand::View(corner(i, 1)) };
    let upper = b.node("pool.upper", pair(0), &[s, s]).expect("a node");
    let lower = b.node("pool.lower", pair(1), &[s, s]).expect("a node");
    let half = || Map::identity(&[1, 2, 2]);
    let pool =
        b.node("pool", Max { a: half(), b: MaxOperand::View(half()) }, &[upper, lower]).expect("a node");
    b.output("y", pool, Visibility::Public);
    b.finish().expect("a graph")
}

#[test]
fn a_window_may_carry_from_one_digit_to_the_next() {
    let graph = residual();
    let system = graph.system();
    let inputs = vec![vec![3, -7, 5, 0, 9, 2, -4, 1, -8, 6, 7, -3, 4, -1, 0, 8]];
    let values = system.assign(&graph.eval(&inputs).expect("it runs")).expect("all values");
    let layout = lay_out(&system, &Options::default()).expect("it is laid out");
    let witness = layout.witness(&system, &values, Fr::ZERO, &[]).expect("a witness");
    assert_eq!(violation(&layout, &witness), None);
    let key = key(&layout);
    let honest = proof(&key, &witness);
    assert_eq!(verdict(&key, &honest, &witness.instances), Ok(()));
    // Every value that a relation may read through the window, changed alone.
    let relu = system.vars.iter().position(|v| v.name == "relu").expect("it is there");
    for element in 0..16 {
        let mut changed = values.clone();
        changed[relu][element] += 1;
        let forged = layout.witness(&system, &changed, Fr::ZERO, &[]).expect("cells");
        assert!(verdict(&key, &proof(&key, &forged), &forged.instances).is_err(), "element {element}");
    }
}

/// A run with one value changed, and the statement made of the changed values: the relations refuse it, or the verifier does.
#[test]
fn a_run_with_one_other_value_is_refused() {
    let (mut by_relations, mut by_verifier, mut without_cells) = (0, 0, 0);
    for case in testing::cases().into_iter().filter(|c| c.weights.is_empty()) {
        let graph = public(case.graph.clone());
        let system = graph.system();
        let layout =
            lay_out(&system, &Options { limb_bits: 6, ..Options::default() }).expect("it is laid out");
        let values = system.assign(&graph.eval(&case.inputs).expect("it runs")).expect("all values");
        let honest = layout.witness(&system, &values, Fr::ZERO, &[]).expect("a witness");
        let key = key(&layout);
        for (var, element) in case.cells(&system) {
            for by in [1, -1, 64] {
                let mut changed = values.clone();
                changed[var][element] += by;
                let Ok(forged) = layout.witness(&system, &changed, Fr::ZERO, &[]) else { continue };
                let place = format!("{}: `{}` {element} by {by}", case.name, system.vars[var].name);
                let same_cells = (&forged.grid, &forged.loose) == (&honest.grid, &honest.loose);
                if same_cells && forged.instances == honest.instances {
                    // A value that a sum determines has no cell: there is nothing to change.
                    without_cells += 1;
                } else if !same_cells && violation(&layout, &forged).is_some() {
                    by_relations += 1;
                } else {
                    assert!(verdict(&key, &proof(&key, &forged), &forged.instances).is_err(), "{place}");
                    by_verifier += 1;
                }
            }
        }
    }
    let counts =
        format!("{by_relations} by relations, {by_verifier} by the verifier, {without_cells} without cells");
    assert!(by_relations > 1000 && by_verifier > 20, "{counts}");
}

/// Inputs and outputs behind commitments: those of the hash, and no others are accepted.
#[test]
fn commitments_are_those_of_the_hash() {
    let (mut proven, mut calls) = (0, std::collections::BTreeSet::new());
    for case in testing::cases().into_iter().filter(|c| c.weights.is_empty()) {
        let mut graph = case.graph.clone();
        graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Committed);
        graph.outputs.iter_mut().for_each(|o| o.visibility = Visibility::Committed);
        let system = graph.system();
        let layout = lay_out(&system, &Options::default()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let values = system.assign(&graph.eval(&case.inputs).expect("it runs")).expect("all values");
        let count = graph.inputs.len() + graph.outputs.len();
        let salts: Vec<Fr> = (0..count).map(|i| -Fr::from(i as u64 + 1)).collect();
        let witness = layout.witness(&system, &values, Fr::ZERO, &salts).expect("a witness");
        assert_eq!(violation(&layout, &witness), None, "{}", case.name);
        let inputs = graph.inputs.iter().map(|(t, _)| (Role::Input, *t));
        let outputs = graph.outputs.iter().map(|o| (Role::Output, o.tensor));
        for (i, (role, tensor)) in inputs.chain(outputs).enumerate() {
            let code = zkml_graph::Code::of(graph.tensor(tensor).bounds);
            let code = zkml_protocol::Code { bits: code.bits, signed: code.signed };
            let parts = [(code, values[tensor.0 as usize].as_slice())];
            let commitment = zkml_poseidon::commit(role, &scalar_word(&salts[i]), &parts).expect("it fits");
            assert_eq!(scalar_word(&witness.instances[i + 1]), commitment, "{}", case.name);
        }
        calls.insert(layout.system.linears.len());
        let key = key(&layout);
        let honest = proof(&key, &witness);
        verdict(&key, &honest, &witness.instances).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let mut salts = salts;
        salts[0] += Fr::ONE;
        let other = layout.witness(&system, &values, Fr::ZERO, &salts).expect("a witness");
        assert!(verdict(&key, &honest, &other.instances).is_err(), "{}: another salt", case.name);
        assert!(verdict(&key, &proof(&key, &other), &witness.instances).is_err(), "{}", case.name);
        proven += 1;
    }
    assert!(proven > 40 && calls.len() > 3, "{proven}: {calls:?}");
}

/// Any other element of a call's state makes a proof that is refused.
#[test]
fn a_call_with_one_other_cell_is_refused() {
    let case = testing::cases().into_iter().find(|c| c.weights.is_empty()).expect("a case");
    let mut graph = case.graph.clone();
    graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Committed);
    let system = graph.system();
    let layout = lay_out(&system, &Options::default()).expect("it is laid out");
    let values = system.assign(&graph.eval(&case.inputs).expect("it runs")).expect("all values");
    let salts = vec![Fr::from(5); graph.inputs.len()];
    let honest = layout.witness(&system, &values, Fr::ZERO, &salts).expect("a witness");
    assert!(layout.witness(&system, &values, Fr::ZERO, &salts[1..]).is_err(), "a salt is missing");
    let key = key(&layout);
    for cell in (0..honest.wide.len()).step_by(honest.wide.len() / 60) {
        let mut forged = honest.clone();
        forged.wide[cell].1 += Fr::ONE;
        assert!(violation(&layout, &forged).is_some(), "cell {cell}");
        assert!(verdict(&key, &proof(&key, &forged), &forged.instances).is_err(), "cell {cell}");
    }
}

/// A plan may come from anybody: such numbers divided by zero, shifted too far, and asked for all memory.
#[test]
fn options_that_no_plan_has_are_refused() {
    let graph = testing::cases().remove(0).graph;
    let changes: [fn(&mut Options); 10] = [
        |o| o.limb_bits = 0,
        |o| o.limb_bits = 17,
        |o| o.limb_bits = 64,
        |o| o.lookups_per_helper = 0,
        |o| o.lookups_per_helper = u32::MAX,
        |o| o.columns = 0,
        |o| o.columns = usize::MAX,
        |o| o.parts = 0,
        |o| o.parts = u32::MAX,
        |o| o.unshared_bits = 33,
    ];
    for change in changes {
        let mut options = Options::PROVER;
        change(&mut options);
        let refused = lay_out(&graph.system(), &options).err();
        assert!(matches!(refused, Some(Error::Options { .. })), "{options:?}: {refused:?}");
    }
}

/// Models of one number: all relations fit into one row, and a sumcheck over no variables compared what it sums with masked values.
#[test]
fn models_of_one_number_are_proven() {
    let graph = |name: &str, op: zkml_graph::Op, inputs: usize| {
        let mut b = GraphBuilder::new(name);
        let x = b.input("x", &[1], 4, Bounds::new(-10, 10), Visibility::Public).expect("an input");
        let y = b.node("y", op, &vec![x; inputs]).expect("a node");
        b.output("y", y, Visibility::Public);
        b.finish().expect("a graph")
    };
    let one = || Map::identity(&[1]);
    let affine = Linear { terms: vec![(3, one())], constant: 2, scale: 4 };
    let relu = Max { a: one(), b: MaxOperand::Constant(0) };
    for graph in [graph("affine", affine.into(), 1), graph("relu", relu.into(), 1)] {
        let relations = graph.system();
        let layout = lay_out(&relations, &Options::PROVER).expect("a layout");
        assert!(layout.system.row_bits > 0, "{}", graph.name);
        let values = relations.assign(&graph.eval(&[vec![7]]).expect("it runs")).expect("all values");
        let witness = layout.witness(&relations, &values, Fr::from(77), &[]).expect("a witness");
        let key = key(&layout);
        verdict(&key, &proof(&key, &witness), &witness.instances)
            .unwrap_or_else(|e| panic!("{}: {e}", graph.name));
    }
}
