//! Private weights: one verifier for every model of an architecture, one entry of the registry for each model.

use crate::support::{Codes, Fixture, fixtures, refused, stack_code};
use zkml_contracts::{Submission, check_inference};
use zkml_harness::{Address, Call, Contract, Evm, Outcome, Stack, self_check_consumer};
use zkml_protocol::{Word, binding::Registration, field, plonk::Sample};

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
    stack: Stack,
    code: Contract,
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
        let code = Codes::of(&program).consumer;
        let Fixture { mut evm, address, .. } = fixtures.remove(0);
        let stack = Stack::deploy(&mut evm, stack_code(), &[address]).unwrap();
        let mut architecture = Self { evm, stack, code, models: models.clone(), consumers: Vec::new() };
        for model in &models {
            architecture.deploy(&Registration::of(&program, &model.instances).unwrap());
        }
        architecture
    }

    /// Registers a model, and deploys a consumer for it.
    fn deploy(&mut self, registration: &Registration) {
        let Self { evm, stack, code, models, .. } = self;
        let id = stack.register(evm, registration).unwrap();
        let consumer = stack.deploy_consumer(evm, &models[0].program, code, id).unwrap();
        self.consumers.push(consumer.address);
    }

    /// Shows a consumer this proof.
    fn check(&mut self, consumer: usize, sample: &Sample) -> Call {
        let submission = Submission::new(&sample.program, &sample.proof, &sample.instances).unwrap();
        self.evm.call(self.consumers[consumer], &check_inference(&submission)).unwrap()
    }
}

#[test]
fn each_consumer_takes_the_proofs_of_its_own_model_alone() {
    let mut architecture = Architecture::new();
    let models = architecture.models.clone();
    for (i, model) in models.iter().enumerate() {
        for j in 0..models.len() {
            let call = architecture.check(j, model);
            if i == j {
                assert!(matches!(call.outcome, Outcome::Returned(_)), "{}", call.describe());
            } else {
                // The commitment that the registry has comes into the statement, whatever the prover says.
                refused(&call, "ProofRejected");
            }
        }
    }
}

#[test]
fn good_proofs_of_private_models_pass_the_consumers_self_check() {
    for fixture in private_fixtures() {
        let Sample { name, program, proof, instances, .. } = &fixture.sample;
        let consumer = Codes::of(program).consumer;
        let verifier = &fixture.contract;
        let gas = self_check_consumer(stack_code(), verifier, &consumer, program, proof, instances).unwrap();
        println!("{name}: checkInference\n{gas}");
    }
}

/// A model that is registered with what is no commitment to weights has no proofs.
#[test]
fn only_a_commitment_is_taken_for_one() {
    let mut architecture = Architecture::new();
    let model = architecture.models[0].clone();
    let registration = Registration::of(&model.program, &model.instances).unwrap();
    let place = model.program.statement.instances.model_start();
    for wrong in [field::SCALAR_MODULUS, Word([0xff; 32])] {
        architecture.deploy(&Registration { model_hash: wrong, ..registration });
        let call = architecture.check(architecture.consumers.len() - 1, &model);
        refused(&call, &format!("ScalarOutOfRange({place})"));
    }
}
