//! The self-check of consumers fails when any of the checks is missing that it is about.

use crate::{
    consumer::bound,
    support::{self, Behind, Codes, stack_code},
};
use zkml_codegen::{any_input_consumer_source, consumer_source, names};
use zkml_contracts::library;
use zkml_harness::{Compiled, Contract, HarnessError, Settings, Solc, StackCode, self_check_consumer};
use zkml_protocol::plonk::Sample;

#[test]
fn a_verifier_that_accepts_everything_fails_the_self_check() {
    let Behind { sample, .. } = bound();
    let codes = Codes::of(&sample.program);
    let error = self_check_consumer(
        stack_code(),
        &codes.accepting(&sample.program),
        &codes.consumer,
        &sample.program,
        &sample.proof,
        &sample.instances,
    );
    assert_eq!(failed(error), "the consumer refuses a changed output");
}

/// The check that failed.
fn failed<T: std::fmt::Debug>(result: Result<T, HarnessError>) -> &'static str {
    let Err(HarnessError::SelfCheck { check, .. }) = result else { panic!("{result:?}") };
    check
}

/// A sample of public or of private weights with a verifier that takes its proof.
fn taken(private: bool) -> (Sample, Contract) {
    if private {
        let mut all = support::fixtures().into_iter();
        let wanted = |sample: &Sample| !sample.program.statement.instances.model.is_empty();
        let fixture = all.find(|fixture| wanted(&fixture.sample)).expect("such a sample");
        return (fixture.sample, fixture.contract);
    }
    // No real proof of public weights is about outputs that are numbers of a model.
    let Behind { sample, .. } = bound();
    let exact = Codes::of(&sample.program).exact(&sample);
    (sample, exact)
}

/// The stack and the consumer of a sample, with one text replaced in a file of the library or in the consumer itself.
fn altered(sample: &Sample, file: &str, before: &str, after: &str) -> (StackCode, Contract) {
    let names = names::contracts(&sample.program);
    let mut files = vec![
        (format!("{}.sol", names.consumer), consumer_source(&sample.program).unwrap()),
        ("AnyInput.sol".to_owned(), any_input_consumer_source(&sample.program).unwrap()),
    ];
    files.extend(library::SOURCES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    let (_, text) = files.iter_mut().find(|(name, _)| name.ends_with(file)).expect("the file");
    assert_eq!(text.matches(before).count(), 1, "{before}");
    *text = text.replace(before, after);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let compiled: Compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
    let consumer = compiled.contract(&names.any_input_consumer).unwrap().clone();
    (StackCode::of(&compiled).unwrap(), consumer)
}

/// Each check that the self-check is about, taken away.
#[test]
fn a_missing_check_fails_the_self_check() {
    let another = "the consumer cannot be deployed for another model";
    let public: &[(&str, &str, &str, &str)] = &[
        ("Consumer.sol", "identity.vkHash != VK_DIGEST", "false", another),
        ("Consumer.sol", "identity.circuitHash != MODEL_COMMITMENT", "false", another),
        ("Consumer.sol", "identity.modelHash != MODEL_HASH", "false", another),
        ("Consumer.sol", "identity.proofSystemId != ZKMLStatement.PROOF_SYSTEM_ID", "false", another),
        (
            "/ZKMLConsumer.sol",
            "if (context != expected) revert WrongContext(context, expected);",
            "expected;",
            "the consumer takes no proof of another context",
        ),
        (
            "/ZKMLVerifier.sol",
            "if (deprecated) revert VerificationRefused_ModelDeprecated(modelId);",
            "deprecated;",
            "the consumer takes no proof of a model that is out of use",
        ),
        (
            "/ZKMLVerifier.sol",
            "if (!claim.verifier.verifyProof(bare, instances)) revert InvalidProof();",
            "bare; instances;",
            "the consumer refuses a changed output",
        ),
    ];
    let private: &[(&str, &str, &str, &str)] = &[(
        "/ZKMLVerifier.sol",
        "if (shape.weightsAreCommitted) instances[model] = uint256(claim.modelHash);",
        "if (shape.weightsAreCommitted) instances[model] = WEIGHTS;",
        "the consumer of other weights refuses the proof",
    )];
    for (is_private, cases) in [(false, public), (true, private)] {
        let (sample, verifier) = taken(is_private);
        let Sample { program, proof, instances, .. } = &sample;
        let intact = Codes::of(program).consumer;
        self_check_consumer(stack_code(), &verifier, &intact, program, proof, instances).unwrap();
        for (file, before, after, check) in cases {
            let place = program.statement.instances.model_start() as usize;
            let after = after.replace("WEIGHTS", &format!("uint256({})", instances[place]));
            let (stack, consumer) = altered(&sample, file, before, &after);
            let result = self_check_consumer(&stack, &verifier, &consumer, program, proof, instances);
            assert_eq!(failed(result), *check, "{before}");
        }
    }
}
