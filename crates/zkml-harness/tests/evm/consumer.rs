//! The generated consumer: one model, named outputs, one use of each statement.

use std::sync::OnceLock;

use crate::support::{self, Behind, Codes, refused, signed, stack_code, words};
use zkml_codegen::{consumer_source, names};
use zkml_contracts::{check_inference, library};
use zkml_harness::{Address, Outcome, Settings, Solc};
use zkml_protocol::{
    Bounds, Encoding, Field, InstanceLayout, Word, binding::Context, field, keccak256, plonk::Sample,
};

/// Most gas that the check of one output's bounds may cost.
const MAX_BOUNDS: u64 = 500;

/// The first sample, behind a verifier that accepts everything.
pub(crate) fn bound() -> Behind {
    static COMPILED: OnceLock<(Sample, Codes)> = OnceLock::new();
    let (sample, codes) = COMPILED.get_or_init(|| {
        let mut sample = support::samples().remove(0);
        // More than 18 bits, so that rounding shows in 18 decimals.
        sample.program.statement.instances.outputs[0].scale = 20;
        sample.program.statement.instances.outputs[0].bounds = None;
        let outputs = sample.program.statement.instances.outputs_start() as usize;
        sample.instances[outputs..].fill(Word::from_u64(5));
        let codes = Codes::of(&sample.program);
        (sample, codes)
    });
    Behind::deploy(sample.clone(), codes)
}

#[test]
fn a_bound_statement_is_accepted_exactly_once() {
    let mut bound = bound();
    let instances = bound.sample.instances.clone();
    let mut context = bound.context();
    let call = bound.send(&context, &instances);
    let outputs = words(&call);
    let [verified, accepted, told] = call.logs.as_slice() else { panic!("{} events", call.logs.len()) };
    assert_eq!(verified.address, bound.stack.verifier);
    assert_eq!((accepted.address, told.address), (bound.consumer, bound.consumer));
    let count = bound.sample.program.statement.instances.outputs[0].values;
    let signature = format!("OutputsAccepted(address,uint256,(int256[{count}]))");
    assert_eq!(told.topics[0].0, keccak256([signature.as_bytes()]).0);
    assert_eq!(told.topics[1..], [bound.evm.config.sender.into_word()]);
    let nonce_and_outputs: Vec<u8> = [Word::ZERO].iter().chain(&outputs).flat_map(|word| word.0).collect();
    assert_eq!(told.data, nonce_and_outputs);
    refused(&bound.send(&context, &instances), "WrongContext");
    context.nonce = Word::ONE;
    let call = bound.send(&context, &instances);
    assert_eq!(call.logs[2].data[..32], Word::ONE.0);
}

#[test]
fn another_sender_chain_consumer_or_time_is_refused() {
    let mut bound = bound();
    let instances = bound.sample.instances.clone();
    let good = bound.context();
    for wrong in [
        Context { chain_id: 1, ..good },
        Context { consumer: [7; 20], ..good },
        Context { subject: [7; 20], ..good },
        Context { nonce: Word::ONE, ..good },
    ] {
        refused(&bound.send(&wrong, &instances), "WrongContext");
    }
    let late = Context { deadline: Word::from_u64(bound.evm.config.timestamp - 1), ..good };
    refused(&bound.send(&late, &instances), "InferenceExpired");
    let sender = std::mem::replace(&mut bound.evm.config.sender, Address::repeat_byte(9));
    refused(&bound.send(&good, &instances), "WrongContext");
    bound.evm.config.sender = sender;
    // A proof without a context never counts, nor does one for another action than the proven one.
    for (context, action) in [(Word::ZERO, good.action), (good.digest(), Word::from_u64(78))] {
        let mut instances = instances.clone();
        instances[InstanceLayout::CONTEXT] = context;
        let submission = bound.submission(&instances);
        let data = zkml_contracts::verify_inference(&submission, good.deadline, action, &[]);
        refused(&bound.evm.send(bound.consumer, &data).unwrap(), "WrongContext");
    }
    assert!(matches!(bound.send(&good, &instances).outcome, Outcome::Returned(_)));
}

#[test]
fn outputs_are_signed_fixed_point_numbers() {
    let mut bound = bound();
    let layout = bound.sample.program.statement.instances.clone();
    let (start, scale) = (layout.outputs_start() as usize, layout.outputs[0].scale);
    let one = Word::from_u64(1 << scale);
    let smallest = 1_000_000_000_000_000_000 >> scale;
    let cases = [
        (one, 1_000_000_000_000_000_000),
        (field::neg(one), -1_000_000_000_000_000_000),
        (Word::ONE, smallest),
        (field::neg(Word::ONE), -smallest - 1),
        (Word::ZERO, 0),
    ];
    for (element, expected) in cases {
        let mut instances = bound.sample.instances.clone();
        instances[start..].fill(element);
        let expected = vec![signed(expected); instances.len() - start];
        assert_eq!(words(&bound.check(&instances)), expected, "{element}");
    }
    for (element, error) in [
        (field::SCALAR_MODULUS, "NotAFieldElement("),
        (Word([0x10; 32]), "NumberOutOfRange("),
        (field::neg(Word([0x10; 32])), "NumberOutOfRange("),
    ] {
        let mut instances = bound.sample.instances.clone();
        instances[start] = element;
        refused(&bound.check(&instances), error);
    }
}

/// A tensor of outputs that the circuit confines to `-7..=12`.
fn confined(name: &str, values: u32) -> Field {
    let bounds = Some(Bounds { lowest: -7, highest: 12 });
    Field { name: name.to_owned(), values, scale: 4, encoding: Encoding::Signed, bounds }
}

#[test]
fn impossible_outputs_are_refused_even_when_they_are_proven() {
    let free = Field { bounds: None, ..confined("free", 1) };
    let hidden = Field { encoding: Encoding::Commitment, ..free.clone() };
    let outputs = vec![free, confined("score", 1), hidden, confined("reasons", 3)];
    let sample = support::stating(InstanceLayout { outputs, ..Default::default() });
    let codes = Codes::of(&sample.program);
    // Words: context, free, score, hidden, three reasons.
    let good = [0, 1_000, 12, 1_000, 0, 1, 2].map(Word::from_u64);
    for index in [2, 4, 5, 6] {
        for (number, bad) in [
            (Word::from_u64(12), false),
            (Word::from_u64(13), true),
            (field::neg(Word::from_u64(7)), false),
            (field::neg(Word::from_u64(8)), true),
        ] {
            let mut bound = Behind::deploy(sample.clone(), &codes);
            let context = bound.context();
            let mut instances = good;
            instances[index] = number;
            let call = bound.send(&context, &instances);
            if bad {
                let value = if number == Word::from_u64(13) { 13 } else { -8 };
                refused(&call, &format!("OutputOutOfBounds({}, {value})", index - 1));
            } else {
                assert!(matches!(call.outcome, Outcome::Returned(_)), "{}", call.describe());
            }
        }
    }
}

/// The check of bounds reads words without looking at the length again, so it looks once.
#[test]
fn bounds_are_checked_on_whole_outputs_only() {
    let sample = support::stating(InstanceLayout { outputs: vec![confined("y", 2)], ..Default::default() });
    let consumer = names::contracts(&sample.program).consumer;
    let source = consumer_source(&sample.program).unwrap();
    let child = format!(
        "// SPDX-License-Identifier: MIT OR Apache-2.0\npragma solidity ^0.8.20;\n\
         import {{{consumer}, IZKMLVerifier}} from \"./Consumer.sol\";\n\
         contract Child is {consumer} {{\n\
         constructor(IZKMLVerifier verifier, uint256 id, address owner_) {consumer}(verifier, id, owner_) {{}}\n\
         function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal override {{}}\n\
         function validate(bytes calldata output) external {{ _validateOutput(msg.sender, output); }}\n\
         }}"
    );
    let files = [("Consumer.sol", source.as_str()), ("Child.sol", &child)];
    let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    let codes = Codes::of(&sample.program).with_consumer(compiled.contract("Child").unwrap());
    let mut bound = Behind::deploy(sample, &codes);
    let words = [5, 6].map(|n| Word::from_u64(n).0).concat();
    assert!(matches!(bound.read("validate", &words).outcome, Outcome::Returned(_)));
    for wrong in [&words[..32], &words[..63], &[words.as_slice(), &[0; 32]].concat(), &[]] {
        refused(&bound.read("validate", wrong), &format!("WrongOutputLength({}, 64)", wrong.len()));
    }
}

/// Who forgets to say where inputs come from is told by the compiler.
#[test]
fn a_contract_without_provenance_does_not_compile() {
    let sample = support::stating(InstanceLayout { outputs: vec![confined("y", 1)], ..Default::default() });
    let consumer = names::contracts(&sample.program).consumer;
    let source = consumer_source(&sample.program).unwrap();
    let compile = |answer: &str| {
        let child = format!(
            "// SPDX-License-Identifier: MIT OR Apache-2.0\npragma solidity ^0.8.20;\n\
             import {{{consumer}, IZKMLVerifier}} from \"./Consumer.sol\";\n\
             contract Child is {consumer} {{\n\
             constructor(IZKMLVerifier verifier, uint256 id, address owner_) {consumer}(verifier, id, owner_) {{}}\n\
             {answer}\n\
             }}"
        );
        Solc::find()
            .unwrap()
            .compile(&[("Consumer.sol", source.as_str()), ("Child.sol", &child)], &Settings::default())
    };
    let error = compile("").unwrap_err().to_string();
    assert!(error.contains("_checkProvenance") && error.contains("abstract"), "{error}");
    compile("function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal pure override { revert(); }")
        .unwrap();
}

/// Ten outputs are checked, so their consumer costs more than one without bounds: by how much?
#[test]
fn checking_bounds_costs_little() {
    let gas = |bounds| {
        let outputs = (0..10).map(|i| Field { bounds, ..confined(&format!("y{i}"), 1) }).collect();
        let mut sample = support::stating(InstanceLayout { outputs, ..Default::default() });
        sample.instances[1..].fill(field::neg(Word::from_u64(5)));
        let codes = Codes::of(&sample.program);
        let mut bound = Behind::deploy(sample, &codes);
        let (context, instances) = (bound.context(), bound.sample.instances.clone());
        let call = bound.send(&context, &instances);
        assert!(matches!(call.outcome, Outcome::Returned(_)), "{}", call.describe());
        call.gas.execution
    };
    let [with, without] = [Some(Bounds { lowest: -7, highest: 12 }), None].map(gas);
    let each = (with - without) / 10;
    println!("{each} gas for the bounds of an output");
    assert!(each > 0 && each < MAX_BOUNDS, "{each}");
}

#[test]
fn real_proofs_reach_the_real_verifier() {
    for mut fixture in support::fixtures().into_iter().take(1) {
        let sample = fixture.sample.clone();
        let codes = Codes::of(&sample.program);
        let stack = zkml_harness::Stack::deploy(&mut fixture.evm, stack_code(), &[fixture.address]).unwrap();
        let registration =
            zkml_protocol::binding::Registration::of(&sample.program, &sample.instances).unwrap();
        let id = stack.register(&mut fixture.evm, &registration).unwrap();
        let consumer =
            stack.deploy_consumer(&mut fixture.evm, &sample.program, &codes.consumer, id).unwrap().address;
        let mut check = |proof: &[u8]| {
            let submission =
                zkml_contracts::Submission::new(&sample.program, proof, &sample.instances).unwrap();
            fixture.evm.call(consumer, &check_inference(&submission)).unwrap()
        };
        // Outputs of random circuits need not be numbers that a model would compute.
        let call = check(&sample.proof);
        let accepted = matches!(call.outcome, Outcome::Returned(_));
        assert!(accepted || call.describe().starts_with("NumberOutOfRange"), "{}", call.describe());
        let mut changed = sample.proof.clone();
        let offset = sample.program.layout().scalar_offsets()[0];
        changed[offset + 31] ^= 1;
        refused(&check(&changed), "ProofRejected");
    }
}

/// What a developer copies first.
#[test]
fn the_application_in_the_readme_compiles() {
    let readme = include_str!("../../../../README.md");
    let blocks = readme.split("```solidity\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
    let application = blocks.into_iter().find(|block| block.contains("contract Lender")).expect("the block");
    let layout =
        InstanceLayout { outputs: vec![confined("probability_of_default", 1)], ..Default::default() };
    let mut program = support::stating(layout).program;
    program.statement.model_name = "credit".to_owned();
    let source = consumer_source(&program).unwrap();
    let imports = [
        ("./CreditConsumer.sol", "CreditConsumer"),
        ("@zkml-chain/contracts/src/interfaces/IZKMLVerifier.sol", "IZKMLVerifier"),
        ("@zkml-chain/contracts/src/provenance/SignedDataRoot.sol", "SignedDataRoot"),
    ];
    let imports = imports.map(|(file, name)| format!("import {{{name}}} from \"{file}\";\n")).concat();
    let licence = "// SPDX-License-Identifier: MIT OR Apache-2.0\npragma solidity ^0.8.20;\n";
    let application = [licence, &imports, application].concat();
    let files = [("CreditConsumer.sol", source.as_str()), ("Lender.sol", &application)];
    let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    assert_eq!(compiled.warnings, Vec::<String>::new());
    compiled.contract("Lender").unwrap();
}

/// Whatever our contracts revert with has a name.
#[test]
fn all_errors_of_the_library_are_described() {
    let source = consumer_source(&support::samples()[0].program).unwrap();
    let files: Vec<(&str, &str)> =
        library::SOURCES.iter().copied().chain([("Consumer.sol", source.as_str())]).collect();
    let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    assert_eq!(compiled.warnings, Vec::<String>::new());
    let mut described = 0;
    for contract in compiled.contracts.values() {
        for error in contract.abi.as_array().unwrap().iter().filter(|entry| entry["type"] == "error") {
            let name = error["name"].as_str().unwrap();
            let inputs = error["inputs"].as_array().unwrap();
            let types: Vec<&str> = inputs.iter().map(|input| input["type"].as_str().unwrap()).collect();
            let selector = zkml_contracts::errors::selector(&format!("{name}({})", types.join(",")));
            let revert = [selector.as_slice(), &vec![0; 32 * types.len()]].concat();
            let said = zkml_contracts::errors::describe(&revert);
            assert!(said.starts_with(&format!("{name}(")), "{name} of {}: {said}", contract.name);
            assert_eq!(said.matches(", ").count() + 1, types.len().max(1), "{said}");
            described += 1;
        }
    }
    assert!(described > 60, "{described}");
}
