//! The self-check of contracts that take requests fails when any of the checks is missing that it is about.

use crate::support::{Behind, Codes, stack_code, stating};
use zkml_codegen::{any_input_request_consumer_source, consumer_source, names, request_consumer_source};
use zkml_contracts::library;
use zkml_harness::{Contract, HarnessError, Settings, Solc, self_check_consumer, self_check_requests};
use zkml_protocol::{Encoding, Field, InstanceLayout, Word, plonk::Sample};

/// The contract of a sample, with one text replaced in a file of the library.
fn altered(sample: &Sample, file: &str, before: &str, after: &str) -> Contract {
    let names = names::contracts(&sample.program);
    let mut files = vec![
        (format!("{}.sol", names.consumer), consumer_source(&sample.program).unwrap()),
        (format!("{}.sol", names.request_consumer), request_consumer_source(&sample.program).unwrap()),
        ("AnyInput.sol".to_owned(), any_input_request_consumer_source(&sample.program).unwrap()),
    ];
    // Instead of the file of this name that the compiler would find.
    files.extend(library::source(file).map(|text| (file.to_owned(), text.to_owned())));
    let (_, text) = files.last_mut().expect("a file");
    assert!(file.is_empty() || text.matches(before).count() == 1, "{before}");
    *text = text.replace(before, after);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    compiled.contract(&names.any_input_request_consumer).unwrap().clone()
}

pub(crate) fn intact(sample: &Sample) -> Contract {
    altered(sample, "", "", "")
}

/// A sample with a verifier that takes its statement and no other.
fn taken(sample: Sample) -> (Sample, Contract) {
    let exact = Codes::of(&sample.program).exact(&sample);
    (sample, exact)
}

fn check(sample: &Sample, verifier: &Contract, contract: &Contract) -> Result<(), HarnessError> {
    let Sample { program, proof, instances, .. } = sample;
    self_check_consumer(stack_code(), verifier, contract, program, proof, instances)?;
    self_check_requests(stack_code(), verifier, contract, program, proof, instances)
}

/// One output, and inputs of this encoding.
pub(crate) fn of_inputs(encoding: Encoding) -> Sample {
    let field =
        |name: &str, encoding| Field { name: name.to_owned(), values: 2, scale: 4, encoding, bounds: None };
    let (inputs, outputs) = (vec![field("x", encoding)], vec![field("y", Encoding::Signed)]);
    stating(InstanceLayout { inputs, outputs, ..Default::default() })
}

#[test]
fn requests_of_all_kinds_of_inputs_pass_the_self_check() {
    for encoding in [Encoding::Signed, Encoding::Commitment] {
        let (sample, verifier) = taken(of_inputs(encoding));
        check(&sample, &verifier, &intact(&sample)).unwrap();
    }
}

#[test]
fn a_missing_check_fails_the_self_check_of_requests() {
    let requests: &[(&str, &str, &str)] = &[
        (
            "if (context != expected) revert WrongContext(context, expected);",
            "expected;",
            "a proof of another context does not fulfil a request",
        ),
        (
            "if (data != request.dataCommitment) revert WrongInput(data, request.dataCommitment);",
            "",
            "a proof of another input does not fulfil a request",
        ),
        (
            "if (state != RequestState.Pending) revert RequestNotPending(requestId, state);",
            "state;",
            "what nobody has asked for is not fulfilled",
        ),
        (" states[requestId] = next;", "next;", "a request is fulfilled once"),
        ("_moveOn(requestId, RequestState.Cancelled);", "", "a request that was withdrawn is not fulfilled"),
        ("_beforeInference();", "", "nothing is fulfilled while the contract is paused"),
        (
            "emit InferenceRequested(requestId, subject, sequence, deadline, action, dataCommitment, input);",
            "emit InferenceRequested(requestId, subject, sequence, deadline, action, dataCommitment, provenance);",
            "the contract takes a request and says so",
        ),
        (
            "_verifyProof(data, context, output, proof);",
            "",
            "a proof of another statement does not fulfil a request",
        ),
        (
            "emit InferenceFulfilled(requestId, request.subject, msg.sender);",
            "",
            "a proof fulfils its request",
        ),
    ];
    // Public inputs: the words in the event are looked at, too.
    let (sample, verifier) = taken(of_inputs(Encoding::Signed));
    check(&sample, &verifier, &intact(&sample)).unwrap();
    for (before, after, expected) in requests {
        let contract = altered(&sample, "@zkml-chain/contracts/src/ZKMLRequests.sol", before, after);
        let Err(HarnessError::SelfCheck { check, .. }) = check(&sample, &verifier, &contract) else {
            panic!("{before}")
        };
        assert_eq!(check, *expected, "{before}");
    }
}

/// What is asked about has the shape of the model's inputs, or nobody could prove it.
#[test]
fn what_is_asked_about_has_the_shape_of_inputs() {
    let asks = |encoding, length| {
        let sample = of_inputs(encoding);
        let code = Codes::of(&sample.program).with_consumer(&intact(&sample));
        let Behind { mut evm, consumer, .. } = Behind::deploy(sample, &code);
        let late = Word([0xff; 32]);
        let data = zkml_contracts::requests::request_inference(late, late, late, &vec![1; length], &[]);
        evm.send(consumer, &data).unwrap().describe()
    };
    assert!(asks(Encoding::Signed, 64).starts_with("WrongInput("));
    assert_eq!(asks(Encoding::Signed, 32), "WrongInputLength(32, 64)");
    assert_eq!(asks(Encoding::Commitment, 64), "WrongInputLength(64, 0)");
    assert!(asks(Encoding::Commitment, 0).starts_with("NotAFieldElement("));
}
