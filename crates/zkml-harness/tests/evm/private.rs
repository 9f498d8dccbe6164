//! Private weights: one verifier for every model of an architecture, one consumer for each model.

use crate::support::{Fixture, address_word, codes, fixtures, refused, stating, with_words};
use zkml_codegen::{check_inference, constructor_arguments, names, verify_inference, weights_commitment};
use zkml_harness::{
    Address, Call, Contract, Evm, Fork, HarnessError, Outcome, Settings, Solc, self_check_consumer,
};
use zkml_protocol::{Encoding, Field, InstanceLayout, Sample, Word, binding::Context, field};

/// Most gas of refusing another model's proof beyond base and calldata; a verification takes some 300,000.
const MAX_REFUSAL: u64 = 5_000;

/// The commitment to the weights that a sample's proof is about.
fn weights(sample: &Sample) -> Word {
    weights_commitment(&sample.program, &sample.instances).unwrap().unwrap()
}

/// The samples with private weights.
fn private_fixtures() -> Vec<Fixture> {
    let mut fixtures = fixtures();
    fixtures.retain(|fixture| !fixture.sample.program.statement.instances.model.is_empty());
    assert!(!fixtures.is_empty(), "no sample has private weights");
    fixtures
}

/// Models of one architecture: one verifier, and a consumer for each.
struct Architecture {
    evm: Evm,
    models: Vec<Sample>,
    consumers: Vec<Address>,
}

impl Architecture {
    /// All samples with the verifying key of the first one that has private weights.
    fn new() -> Self {
        let mut fixtures = private_fixtures();
        let program = fixtures[0].sample.program.clone();
        fixtures.retain(|fixture| fixture.sample.program.vk_digest() == program.vk_digest());
        assert!(fixtures.len() > 1, "a second model of the architecture is missing");
        let models: Vec<Sample> = fixtures.iter().map(|fixture| fixture.sample.clone()).collect();
        let code = codes(&program).consumer;
        let Fixture { mut evm, address, .. } = fixtures.remove(0);
        let deploy = |model: &Sample| {
            let arguments = constructor_arguments(&program, &address.into_array(), Some(weights(model)));
            evm.deploy(&[code.as_slice(), &arguments.unwrap()].concat()).unwrap().address
        };
        let consumers = models.iter().map(deploy).collect();
        Self { evm, models, consumers }
    }

    /// Shows a consumer this proof.
    fn check(&mut self, consumer: usize, sample: &Sample) -> Call {
        let data = check_inference(&sample.program, &sample.proof, &sample.instances).unwrap();
        self.evm.call(self.consumers[consumer], &data).unwrap()
    }
}

#[test]
fn each_consumer_takes_the_proofs_of_its_own_model_alone() {
    let mut architecture = Architecture::new();
    let models = architecture.models.clone();
    for (i, model) in models.iter().enumerate() {
        for (j, other) in models.iter().enumerate() {
            let call = architecture.check(j, model);
            if i == j {
                assert!(matches!(call.outcome, Outcome::Returned(_)), "{}", call.describe());
                continue;
            }
            refused(&call, "WrongModel(");
            // Under the commitment that this consumer wants, the proof does not hold.
            let mut renamed = model.clone();
            let place = model.program.statement.instances.model_start() as usize;
            renamed.instances[place] = weights(other);
            refused(&architecture.check(j, &renamed), "ProofRejected");
        }
    }
}

#[test]
fn another_model_is_refused_before_the_verification_is_paid_for() {
    let mut architecture = Architecture::new();
    // The floor price of calldata since Prague (EIP-7623) would hide what the refusal itself costs.
    architecture.evm.config.fork = Fork::Cancun;
    // A spoiled proof: the verifier would say so.
    let mut spoiled = architecture.models[0].clone();
    spoiled.proof[31] ^= 1;
    refused(&architecture.check(0, &spoiled), "InvalidPoint");
    let call = architecture.check(1, &spoiled);
    refused(&call, "WrongModel(");
    assert_eq!(call.gas.ec_mul_calls, 0);
    assert!(call.gas.execution < MAX_REFUSAL, "{}", call.gas);
    // The accepting function, with the right context.
    let context = Context {
        chain_id: architecture.evm.config.chain_id,
        consumer: architecture.consumers[1].into_array(),
        subject: architecture.evm.config.sender.into_array(),
        nonce: Word::ZERO,
        deadline: Word([0xff; 32]),
        action: Word::ZERO,
    };
    spoiled.instances[InstanceLayout::CONTEXT] = context.digest();
    let Sample { program, proof, instances, .. } = &spoiled;
    let data = verify_inference(program, context.deadline, context.action, proof, instances).unwrap();
    let call = architecture.evm.send(architecture.consumers[1], &data).unwrap();
    refused(&call, "WrongModel(");
    // A statement of another length is refused by name, not by an index out of bounds.
    let short = &spoiled.instances[..1];
    let data = zkml_codegen::encode(&spoiled.proof, short);
    let selector = zkml_codegen::errors::selector("checkInference(bytes,uint256[])");
    let data = [selector.as_slice(), &data[4..]].concat();
    refused(&architecture.evm.call(architecture.consumers[0], &data).unwrap(), "WrongInstanceCount(1,");
}

#[test]
fn good_proofs_of_private_models_pass_the_consumers_self_check() {
    for fixture in private_fixtures() {
        let sample = &fixture.sample;
        let consumer = Contract { creation: codes(&sample.program).consumer, ..fixture.contract.clone() };
        let Sample { program, proof, instances, .. } = sample;
        let gas = self_check_consumer(&fixture.contract, &consumer, program, proof, instances).unwrap();
        println!("{}: checkInference\n{gas}", sample.name);
    }
}

/// A statement with nothing but private weights and one output.
fn minimal() -> Sample {
    let field =
        |name: &str, values, encoding| Field { name: name.into(), values, scale: 12, encoding, bounds: None };
    stating(InstanceLayout {
        inputs: vec![],
        model: vec![field("weights", 9, Encoding::Commitment)],
        outputs: vec![field("y", 1, Encoding::Signed)],
    })
}

#[test]
fn only_a_commitment_is_taken_for_one() {
    let sample = minimal();
    let codes = codes(&sample.program);
    let (vk, model) = (sample.program.vk_digest(), sample.program.model_commitment());
    let mut evm = Evm::default();
    let accepting = evm.deploy(&with_words(&codes.accepting, &[vk, model])).unwrap().address;
    let mut deploy =
        |commitment| evm.deploy(&with_words(&codes.consumer, &[address_word(accepting), commitment]));
    let order = field::SCALAR_MODULUS;
    let mut next = order;
    next.0[31] += 1;
    for wrong in [Word::ZERO, order, next, Word([0xff; 32])] {
        let result = deploy(wrong);
        let Err(HarnessError::DeployFailed { reason, .. }) = result else { panic!("{wrong}: {result:?}") };
        assert!(reason.starts_with("InvalidWeightsCommitment("), "{reason}");
    }
    for right in [Word::ONE, field::neg(Word::ONE)] {
        deploy(right).unwrap();
    }
}

#[test]
fn a_consumer_that_takes_every_model_fails_the_self_check() {
    let fixture = private_fixtures().remove(0);
    let Sample { program, proof, instances, .. } = &fixture.sample;
    let source = zkml_codegen::consumer_source(program).unwrap();
    let check = "if (instances[WEIGHTS_INSTANCE] != weightsCommitment) {";
    assert_eq!(source.matches(check).count(), 2, "in both functions that take proofs");
    let careless = source.replace(check, "if (instances.length == 0) {");
    let compiled = Solc::find().unwrap().compile(&[("C.sol", &careless)], &Settings::default()).unwrap();
    let consumer = compiled.contract(&names::contracts(program).consumer).unwrap();
    let error = self_check_consumer(&fixture.contract, consumer, program, proof, instances);
    let Err(HarnessError::SelfCheck { check, .. }) = error else { panic!("{error:?}") };
    assert_eq!(check, "the consumer of another model refuses the proof");
}
