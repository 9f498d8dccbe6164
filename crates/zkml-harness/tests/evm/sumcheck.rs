//! Printed sumcheck verifiers: they say what the Rust verifier says, in both pipelines of the compiler.

use std::collections::BTreeSet;

use halo2curves::bn256::Fr;
use zkml_codegen::verifier_source;
use zkml_curve::scalar_word;
use zkml_graph::{
    Visibility,
    testing::{self, Case},
};
use zkml_harness::{Contract, Evm, Settings, Solc, self_check};
use zkml_protocol::{
    Word,
    sumcheck::Program,
    tamper::{self, Refusal},
};
use zkml_sumcheck::{Options, lay_out, testing as sumcheck};
use zkml_verifier::sumcheck::verify;

struct Proven {
    name: String,
    program: Program,
    proof: Vec<u8>,
    instances: Vec<Word>,
}

/// A proof of a case, its inputs committed to where they are in the graph.
fn proven(case: &Case, number: usize) -> Proven {
    let system = case.graph.system();
    let layout = lay_out(&system, &Options::default()).expect("it is laid out");
    let values = system.assign(&case.graph.eval(&case.inputs).expect("it runs")).expect("all values");
    let committed = case.graph.inputs.iter().filter(|(_, v)| *v == Visibility::Committed).count();
    let salts: Vec<Fr> = (0..committed).map(|salt| Fr::from(1_000 + salt as u64)).collect();
    let witness = layout.witness(&system, &values, Fr::from(77), &salts).expect("a witness");
    let key = sumcheck::key(&layout);
    let proof = sumcheck::proof(&key, &witness);
    let mut program = key.program().clone();
    program.statement.model_name = format!("case {number}");
    let instances: Vec<Word> = witness.instances.iter().map(scalar_word).collect();
    // The model's name is not part of the digest.
    verify(&program, &proof, &instances).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    Proven { name: case.name.clone(), program, proof, instances }
}

/// The first case of each operator, with committed inputs; the first of all with public ones, too.
fn all() -> Vec<Proven> {
    let mut operators = BTreeSet::new();
    let operator = |case: &Case| case.name.split(' ').next().unwrap_or_default().to_owned();
    let mut cases: Vec<Case> = testing::cases();
    cases.retain(|case| case.weights.is_empty() && operators.insert(operator(case)));
    let mut public = cases[0].clone();
    public.graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Public);
    cases.push(public);
    cases.iter().enumerate().map(|(number, case)| proven(case, number)).collect()
}

fn compiled(all: &[Proven], settings: &Settings) -> Vec<Contract> {
    let sources: Vec<(String, String)> = all
        .iter()
        .map(|p| (zkml_codegen::names::contracts(&p.program).verifier, verifier_source(&p.program).unwrap()))
        .map(|(name, source)| (format!("{name}.sol"), source))
        .collect();
    let sources: Vec<(&str, &str)> =
        sources.iter().map(|(file, source)| (file.as_str(), source.as_str())).collect();
    let compiled = Solc::find().unwrap().compile(&sources, settings).unwrap();
    assert_eq!(compiled.warnings, Vec::<String>::new());
    let contract =
        |p: &Proven| compiled.contract(&zkml_codegen::names::contracts(&p.program).verifier).unwrap().clone();
    all.iter().map(contract).collect()
}

#[test]
fn printed_verifiers_agree_with_the_rust_verifier() {
    let all = all();
    assert!(all.len() >= 9, "{} operators", all.len());
    for (p, contract) in all.iter().zip(compiled(&all, &Settings::default())) {
        self_check(&contract, &p.program, &p.proof, &p.instances)
            .unwrap_or_else(|e| panic!("{}: {e}", p.name));
    }
}

/// The error of a contract for each refusal.
fn error(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Length => "WrongProofLength",
        Refusal::InstanceCount => "WrongInstanceCount",
        Refusal::InstanceRange(_) => "ScalarOutOfRange",
        Refusal::ScalarRange => "EvaluationOutOfRange",
        Refusal::CoordinateRange | Refusal::OffCurve | Refusal::Identity => "InvalidPoint",
        Refusal::Rejected => "ProofRejected",
    }
}

#[test]
fn every_spoiled_element_is_refused_with_its_error_in_both_pipelines() {
    let mut all = all();
    let public = all.pop().expect("the public one");
    all.truncate(1);
    all.push(public);
    let via_ir = Settings { via_ir: true, ..Settings::default() };
    for settings in [Settings::default(), via_ir] {
        for (p, contract) in all.iter().zip(compiled(&all, &settings)) {
            let mut evm = Evm::default();
            let address = evm.deploy(&contract.creation).unwrap().address;
            let mut call = |proof: &[u8], instances: &[Word]| {
                evm.call(address, &zkml_contracts::verify_proof_unchecked(proof, instances)).unwrap()
            };
            let honest = call(&p.proof, &p.instances);
            assert!(honest.is_true(), "{}: {}", p.name, honest.describe());
            for spoiled in tamper::matrix(&p.program, &p.instances, &p.proof) {
                let said = call(&spoiled.proof, &spoiled.instances).describe();
                let expected = error(spoiled.refusal);
                assert!(said.starts_with(expected), "{}, {}: {said}", p.name, spoiled.name);
                assert!(verify(&p.program, &spoiled.proof, &spoiled.instances).is_err(), "{}", spoiled.name);
            }
        }
    }
}
