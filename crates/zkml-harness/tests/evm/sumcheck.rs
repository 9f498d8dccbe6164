//! Printed sumcheck verifiers: they say what the Rust verifier says, in both pipelines of the compiler.

use std::{collections::BTreeSet, sync::Arc};

use halo2curves::bn256::Fr;
use zkml_codegen::{Favour, sumcheck_verifier_source, verifier_source};
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
use zkml_sumcheck::{
    Options, lay_out,
    testing::{self as sumcheck, Message},
};
use zkml_verifier::sumcheck::{VerifyError, verify};

pub(crate) struct Proven {
    pub(crate) name: String,
    /// Proofs with one false message, by provers who go on from there.
    false_messages: Vec<Message>,
    pub(crate) program: Program,
    pub(crate) proof: Vec<u8>,
    pub(crate) instances: Vec<Word>,
}

/// A proof of a case, its inputs committed to where they are in the graph.
fn proven(case: &Case, number: usize) -> Proven {
    let system = case.graph.system();
    let options = Options { whole: number.is_multiple_of(2), ..Options::default() };
    let layout = lay_out(&system, &options).expect("it is laid out");
    let values = system.assign(&case.trace().expect("it runs")).expect("all values");
    let salts: Vec<Fr> = (0..layout.commitments()).map(|salt| Fr::from(1_000 + salt as u64)).collect();
    let key = sumcheck::key(&layout);
    let private = (!case.weights.is_empty()).then(|| {
        let private = key.commit_to_weights(layout.private_values(&values), &Word::from_u64(5));
        Arc::new(private.expect("committed"))
    });
    let witness = layout.witness_with(&system, &values, Fr::from(77), &salts, private).expect("a witness");
    let proof = sumcheck::proof(&key, &witness);
    let mut program = key.program().clone();
    program.statement.model_name = format!("case {number}");
    let instances: Vec<Word> = witness.instances.iter().map(scalar_word).collect();
    // The model's name is not part of the digest.
    verify(&program, &proof, &instances).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let false_messages = if number == 0 { sumcheck::false_messages(&key, &witness, 1) } else { vec![] };
    Proven { name: case.name.clone(), false_messages, program, proof, instances }
}

/// A prover that states another commitment to private weights than that of its points, and is honest otherwise.
#[test]
fn a_contract_compares_the_commitment_to_private_weights() {
    let case = testing::cases().into_iter().find(|case| !case.weights.is_empty()).expect("a case");
    let system = case.graph.system();
    let layout = lay_out(&system, &Options::default()).expect("it is laid out");
    let values = system.assign(&case.trace().expect("it runs")).expect("all values");
    let salts: Vec<Fr> = (0..layout.commitments()).map(|salt| Fr::from(1_000 + salt as u64)).collect();
    let key = sumcheck::key(&layout);
    let [registered, other] = [5, 6].map(|salt| {
        let private = key.commit_to_weights(layout.private_values(&values), &Word::from_u64(salt));
        let private = Some(Arc::new(private.expect("committed")));
        layout.witness_with(&system, &values, Fr::from(77), &salts, private).expect("a witness")
    });
    let at = key.program().system.private.expect("private weights").instance as usize;
    let mut lying = other.clone();
    lying.instances[at] = registered.instances[at];
    let proven = |witness: &zkml_sumcheck::prover::Witness| {
        let instances: Vec<Word> = witness.instances.iter().map(scalar_word).collect();
        (sumcheck::proof(&key, witness), instances)
    };
    let source = verifier_source(key.program()).unwrap();
    let name = zkml_codegen::names::contracts(key.program()).verifier;
    let sources = [(format!("{name}.sol"), source)];
    let sources: Vec<(&str, &str)> = sources.iter().map(|(f, s)| (f.as_str(), s.as_str())).collect();
    let compiled = Solc::find().unwrap().compile(&sources, &Settings::default()).unwrap();
    let mut evm = Evm::default();
    let address = evm.deploy(&compiled.contract(&name).unwrap().creation).unwrap().address;
    for (witness, accepted) in [(&registered, true), (&other, true), (&lying, false)] {
        let (proof, instances) = proven(witness);
        let said = verify(key.program(), &proof, &instances);
        assert_eq!(said, if accepted { Ok(()) } else { Err(VerifyError::OtherWeights) });
        let call = evm.call(address, &zkml_contracts::verify_proof_unchecked(&proof, &instances)).unwrap();
        assert_eq!(call.is_true(), accepted);
        assert!(accepted || call.describe().starts_with("ProofRejected"), "{}", call.describe());
    }
}

/// The first case of each operator, with committed inputs; one with private weights; the first of all with public inputs, too.
pub(crate) fn all() -> Vec<Proven> {
    let mut operators = BTreeSet::new();
    let operator = |case: &Case| case.name.split(' ').next().unwrap_or_default().to_owned();
    let mut cases: Vec<Case> = testing::cases();
    cases.retain(|case| case.weights.is_empty() && operators.insert(operator(case)));
    let private = testing::cases().into_iter().find(|case| !case.weights.is_empty());
    for mut shown in private.into_iter().chain([cases[0].clone()]) {
        shown.graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Public);
        shown.graph.outputs.iter_mut().for_each(|o| o.visibility = Visibility::Public);
        cases.push(shown);
    }
    cases.iter().enumerate().map(|(number, case)| proven(case, number)).collect()
}

pub(crate) fn compiled(all: &[Proven], settings: &Settings) -> Vec<Contract> {
    compiled_from(all, settings, |p| verifier_source(&p.program).unwrap())
}

pub(crate) fn compiled_from(
    all: &[Proven],
    settings: &Settings,
    source: impl Fn(&Proven) -> String,
) -> Vec<Contract> {
    let sources: Vec<(String, String)> = all
        .iter()
        .map(|p| (zkml_codegen::names::contracts(&p.program).verifier, source(p)))
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

/// Operations for which the contracts of these tests have room: too few for any of the programs, or for some.
const ROOMS: [usize; 2] = [0, 600];

#[test]
fn verifiers_with_loops_and_of_two_contracts_agree_with_the_rust_verifier() {
    let all = all();
    let favours = [(Favour::Size, usize::MAX), (Favour::Gas, ROOMS[0]), (Favour::Gas, ROOMS[1])];
    let (mut second, mut flat) = (0, 0);
    for (favour, room) in favours {
        let source = |p: &Proven| sumcheck_verifier_source(&p.program, favour, room).unwrap();
        let halves: Vec<String> = all.iter().map(source).filter(|s| s.contains("Rest()")).collect();
        second += halves.len();
        flat += halves.iter().filter(|s| !s.contains("function rows(")).count();
        for (p, contract) in all.iter().zip(compiled_from(&all, &Settings::default(), source)) {
            self_check(&contract, &p.program, &p.proof, &p.instances)
                .unwrap_or_else(|e| panic!("{}, {favour:?}, {room}: {e}", p.name));
        }
    }
    assert!(flat > 0 && second > all.len(), "{second} verifiers are of two contracts, {flat} without loops");
}

/// Creation code that first creates a contract with `child` as its code, if any, and then becomes `runtime`.
fn creation(child: Option<&[u8]>, runtime: &[u8]) -> Vec<u8> {
    let copy = |length: usize, from: usize| {
        let [a, b] = (length as u16).to_be_bytes();
        let [c, d] = (from as u16).to_be_bytes();
        vec![0x61, a, b, 0x61, c, d, 0x5f, 0x39]
    };
    let length = |n: usize| [&[0x61][..], &(n as u16).to_be_bytes()].concat();
    // CODECOPY, RETURN of what follows: 13 bytes.
    let becomes =
        |code: &[u8], head: usize| [copy(code.len(), head), length(code.len()), vec![0x5f, 0xf3]].concat();
    let inner = child.map(|code| [becomes(code, 13), code.to_vec()].concat()).unwrap_or_default();
    // CODECOPY, CREATE, POP: 15 bytes.
    let head = if child.is_some() { 15 } else { 0 };
    let create =
        [copy(inner.len(), head + 13 + runtime.len()), length(inner.len()), vec![0x5f, 0x5f, 0xf0, 0x50]]
            .concat();
    let first = if child.is_some() { create } else { vec![] };
    assert_eq!(first.len(), head);
    [first, becomes(runtime, head + 13), runtime.to_vec(), inner].concat()
}

#[test]
fn a_verifier_takes_no_other_rest_than_its_own() {
    let all = all();
    let p = &all[0];
    let source = |p: &Proven| sumcheck_verifier_source(&p.program, Favour::Gas, ROOMS[0]).unwrap();
    let contract = compiled_from(&all[..1], &Settings::default(), source).remove(0);
    assert!(contract.immutables.is_empty(), "the whole runtime code is known");
    let data = zkml_contracts::verify_proof_unchecked(&p.proof, &p.instances);
    let mut evm = Evm::default();
    let genuine = evm.deploy(&contract.creation).unwrap();
    assert!(genuine.runtime == contract.runtime, "as it was compiled");
    assert!(evm.call(genuine.address, &data).unwrap().is_true());
    let rest = evm.code(genuine.address.create(1));
    assert_eq!(genuine.code_bytes, contract.runtime.len() + rest.len());
    // Its own code, put there by somebody else's constructor.
    for (child, expected) in [
        (None, "RestMissing()"),
        (Some(vec![0x00]), "RestMissing()"),
        (Some([&rest[..], &[0]].concat()), "RestMissing()"),
        (Some(rest), "true"),
    ] {
        let address = evm.deploy(&creation(child.as_deref(), &contract.runtime)).unwrap().address;
        assert!(evm.code(address) == contract.runtime);
        let call = evm.call(address, &data).unwrap();
        let said = if call.is_true() { "true".to_owned() } else { call.describe() };
        assert_eq!(said, expected);
    }
}

/// The cheats of the specification with single messages, consistent from there on: the contract refuses what the Rust verifier does.
#[test]
fn every_false_message_is_refused() {
    let all = all();
    let p = &all[0];
    let contract = compiled(&all[..1], &Settings::default()).remove(0);
    let mut evm = Evm::default();
    let address = evm.deploy(&contract.creation).unwrap().address;
    let mut said = std::collections::BTreeMap::<String, usize>::new();
    for message in &p.false_messages {
        let data = zkml_contracts::verify_proof_unchecked(&message.proof, &p.instances);
        let call = evm.call(address, &data).unwrap();
        let expected = if message.name == "the identity" { "InvalidPoint" } else { "ProofRejected" };
        assert!(
            !call.is_true() && call.describe().starts_with(expected),
            "{}: {}",
            message.name,
            call.describe()
        );
        assert!(verify(&p.program, &message.proof, &p.instances).is_err(), "{}", message.name);
        *said.entry(expected.into()).or_default() += 1;
    }
    assert!(said["InvalidPoint"] == 1 && said["ProofRejected"] > 80, "{said:?}");
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
    let private = all.pop().expect("the one with private weights");
    all.truncate(1);
    all.extend([private, public]);
    let via_ir = Settings { via_ir: true, ..Settings::default() };
    let whole = |p: &Proven| verifier_source(&p.program).unwrap();
    let halves = |p: &Proven| sumcheck_verifier_source(&p.program, Favour::Size, ROOMS[1]).unwrap();
    type Source<'a> = &'a dyn Fn(&Proven) -> String;
    let ways: [(&Settings, Source<'_>); 4] = [
        (&Settings::default(), &whole),
        (&via_ir, &whole),
        (&Settings::default(), &halves),
        (&via_ir, &halves),
    ];
    for (settings, source) in ways {
        for (p, contract) in all.iter().zip(compiled_from(&all, settings, source)) {
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
