//! Small networks from graph to proof, judged by halo2 and by the independent verifier.

use crate::networks::{Net, binding, inputs};
use zkml_graph::{Code, Graph};
use zkml_halo2::{Binding, Optimize, ProverError, keys, plan, prove, verify};
use zkml_protocol::{
    Word,
    commitment::{self, Role},
};
use zkml_srs::Srs;

fn run(graph: &Graph, optimize: Optimize) {
    let system = graph.system();
    let plan = plan(&system, optimize).expect("plans");
    let srs = Srs::dev(plan.k).expect("setup");
    let keys = keys::setup(graph, &system, &plan, &srs, "dev").expect("keys");
    let trace = graph.eval(&inputs(graph, 1)).expect("evaluates");
    let proof = prove(&system, &keys, &trace, &binding(graph, 1)).expect("proves");
    verify(&keys, &proof).expect("halo2 accepts");
    zkml_verifier::plonk::verify(&keys.program, &proof.bytes, &proof.instances)
        .expect("the verifier accepts");
    let mut wrong = proof.clone();
    wrong.instances[1].0[31] ^= 1;
    assert!(verify(&keys, &wrong).is_err());
    zkml_verifier::plonk::verify(&keys.program, &proof.bytes, &wrong.instances).expect_err("another output");
}

#[test]
fn credit() {
    let graph = Net::mlp("credit_mlp", &[16, 32, 16, 1], true);
    run(&graph, Optimize::Prover);
    run(&graph, Optimize::Gas);
}

#[test]
fn mnist() {
    let graph = Net::mlp("mnist_mlp", &[784, 128, 10], false);
    run(&graph, Optimize::Prover);
}

#[test]
fn convolutions() {
    // LeNet's layers at a size that suits a test.
    let mut n = Net::new("small_cnn");
    let x = n.input(&[1, 8, 8]);
    let y = n.conv(x, [1, 8, 8], 4, 3, 1);
    let y = n.pool(y, [4, 8, 8]);
    let y = n.rescale(y);
    let x = n.relu(y);
    let y = n.conv(x, [4, 4, 4], 6, 3, 0);
    let y = n.rescale(y);
    let x = n.relu(y);
    let y = n.dense(x, 24, 10);
    let y = n.rescale(y);
    run(&n.finish(y), Optimize::Prover);
}

#[test]
fn the_smallest_circuits_prove() {
    // Hardly any constraint: the quotient must keep all its pieces nevertheless.
    let mut n = Net::new("identity");
    let x = n.input(&[3]);
    run(&n.finish(x), Optimize::Prover);
    for optimize in [Optimize::Prover, Optimize::Gas] {
        run(&Net::mlp("tiny", &[2, 1], false), optimize);
    }
}

/// The code of each part of a commitment to private weights, with its values.
fn parts<'a>(graph: &Graph, weights: &'a [Vec<i64>]) -> Vec<(zkml_protocol::Code, &'a [i64])> {
    let code = |t: &zkml_graph::TensorId| {
        let Code { bits, signed } = Code::of(graph.tensor(*t).bounds);
        zkml_protocol::Code { bits, signed }
    };
    graph.weights.iter().zip(weights).map(|(t, w)| (code(t), w.as_slice())).collect()
}

#[test]
fn one_verifier_serves_every_model_of_an_architecture() {
    let (graph, first) = Net::private_mlp("private", &[16, 32, 16, 1], 1);
    let (same, second) = Net::private_mlp("private", &[16, 32, 16, 1], 2);
    assert_eq!(graph.to_bytes(), same.to_bytes(), "the graph holds no weights");
    assert_ne!(first, second);
    let system = graph.system();
    let plan = plan(&system, Optimize::Prover).expect("plans");
    let srs = Srs::dev(plan.k).expect("setup");
    let keys = keys::setup(&graph, &system, &plan, &srs, "dev").expect("keys");
    let layout = &keys.program.statement.instances;
    assert_eq!((layout.inputs_start(), layout.model_start(), layout.outputs_start()), (1, 2, 3));
    let mut proofs = Vec::new();
    for (seed, weights) in [(1, &first), (2, &second)] {
        let trace = graph.eval_with(&inputs(&graph, 1), weights).expect("evaluates");
        let bound = binding(&graph, seed);
        let proof = prove(&system, &keys, &trace, &bound).expect("proves");
        zkml_verifier::plonk::verify(&keys.program, &proof.bytes, &proof.instances).expect("accepted");
        let wanted =
            zkml_poseidon::commit(Role::Model, &bound.salts[1], &parts(&graph, weights)).expect("fits");
        assert_eq!(proof.instances[2], wanted, "the commitment that anybody can recompute");
        let x = &inputs(&graph, 1)[0];
        let code = Code::of(graph.tensor(graph.inputs[0].0).bounds);
        let code = zkml_protocol::Code { bits: code.bits, signed: code.signed };
        let wanted = zkml_poseidon::commit(Role::Input, &bound.salts[0], &[(code, x)]).expect("fits");
        assert_eq!(proof.instances[1], wanted);
        proofs.push(proof);
    }
    // Each proof is refused under the commitment to the other weights.
    for (proof, other) in [(&proofs[0], &proofs[1]), (&proofs[1], &proofs[0])] {
        let mut swapped = proof.clone();
        swapped.instances[2] = other.instances[2];
        assert!(verify(&keys, &swapped).is_err());
        zkml_verifier::plonk::verify(&keys.program, &swapped.bytes, &swapped.instances)
            .expect_err("other weights");
    }
    let trace = graph.eval_with(&inputs(&graph, 1), &first).expect("evaluates");
    let unsalted = Binding { context: Word::ZERO, salts: vec![] };
    let error = prove(&system, &keys, &trace, &unsalted).expect_err("salts are missing");
    assert!(matches!(error, ProverError::Witness(_)), "{error}");
}

#[test]
fn a_thousand_committed_weights_add_few_rows() {
    let build = |mut n: Net| {
        let x = n.input(&[1, 100]);
        let y = n.dense(x, 100, 10);
        let y = n.rescale(y);
        n.finish_private(y).0
    };
    let rows = |graph: &Graph| plan(&graph.system(), Optimize::Prover).expect("plans");
    let (public, private) = (rows(&build(Net::new("public"))), rows(&build(Net::private("private", 1))));
    let added = private.rows - public.rows;
    println!("{} rows, {} with private weights: {added} more", public.rows, private.rows);
    // 1,000 weights of 16 bits and ten of 24.
    assert!(added <= 10_000, "{added} rows more");
    let code = |bits| zkml_protocol::Code { bits, signed: true };
    let calls = commitment::calls([(code(16), 1000), (code(24), 10)]);
    assert_eq!(private.hash_calls, public.hash_calls + calls);
}
