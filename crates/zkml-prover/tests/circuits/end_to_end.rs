//! Small networks from graph to proof, judged by halo2 and by the independent verifier.

use crate::networks::{Net, inputs};
use zkml_graph::Graph;
use zkml_protocol::Word;
use zkml_prover::{Optimize, Srs, keys, plan, prove, verify};

fn run(graph: &Graph, optimize: Optimize) {
    let system = graph.system();
    let plan = plan(&system, optimize).expect("plans");
    let srs = Srs::dev(plan.k).expect("setup");
    let keys = keys::setup(graph, &system, &plan, &srs, "dev").expect("keys");
    let trace = graph.eval(&inputs(graph, 1)).expect("evaluates");
    let proof = prove(&system, &keys, &trace, &Word::default()).expect("proves");
    verify(&keys, &proof).expect("halo2 accepts");
    zkml_verifier::verify(&keys.program, &proof.bytes, &proof.instances).expect("the verifier accepts");
    let mut wrong = proof.clone();
    wrong.instances[1].0[31] ^= 1;
    assert!(verify(&keys, &wrong).is_err());
    zkml_verifier::verify(&keys.program, &proof.bytes, &wrong.instances).expect_err("another output");
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
