//! The generated consumer: named outputs, one model, one use of each statement.

use std::sync::OnceLock;

use crate::support::{self, Codes, address_word, codes, refused, with_words};
use zkml_codegen::{check_inference, verify_inference};
use zkml_harness::{Address, Call, Contract, Evm, HarnessError, Outcome, self_check_consumer};
use zkml_protocol::{Sample, Word, binding::Context, field};

/// A consumer in front of a verifier that accepts everything.
struct Bound {
    sample: Sample,
    evm: Evm,
    consumer: Address,
}

impl Bound {
    fn new() -> Self {
        static COMPILED: OnceLock<(Sample, Codes)> = OnceLock::new();
        let (sample, codes) = COMPILED.get_or_init(|| {
            let mut sample = support::samples().remove(0);
            // More than 18 bits, so that rounding shows in 18 decimals.
            sample.program.statement.instances.outputs[0].scale = 20;
            let codes = codes(&sample.program);
            (sample, codes)
        });
        let mut evm = Evm::default();
        let digests = [sample.program.vk_digest(), sample.program.model_commitment()];
        let accepting = evm.deploy(&with_words(&codes.accepting, &digests)).unwrap().address;
        let consumer = evm.deploy(&with_words(&codes.consumer, &[address_word(accepting)])).unwrap().address;
        Self { sample: sample.clone(), evm, consumer }
    }

    fn context(&self) -> Context {
        Context {
            chain_id: self.evm.config.chain_id,
            consumer: self.consumer.into_array(),
            subject: self.evm.config.sender.into_array(),
            nonce: Word::ZERO,
            deadline: Word::from_u64(self.evm.config.timestamp + 10),
            action: Word::from_u64(77),
        }
    }

    /// Submits the sample under the context that was proven, claiming its deadline and action.
    fn submit(&mut self, proven: &Context) -> Call {
        let mut instances = self.sample.instances.clone();
        instances[0] = proven.digest();
        let outputs = self.sample.program.statement.instances.outputs_start() as usize;
        instances[outputs..].fill(Word::from_u64(5));
        let (program, proof) = (&self.sample.program, &self.sample.proof);
        let data = verify_inference(program, proven.deadline, proven.action, proof, &instances).unwrap();
        self.evm.send(self.consumer, &data).unwrap()
    }
}

#[test]
fn a_bound_statement_is_accepted_exactly_once() {
    let mut bound = Bound::new();
    let mut context = bound.context();
    let call = bound.submit(&context);
    assert!(matches!(call.outcome, Outcome::Returned(_)), "{}", call.describe());
    let [log] = call.logs.as_slice() else { panic!("{} events", call.logs.len()) };
    assert_eq!(log.address, bound.consumer);
    assert_eq!(log.topics[1], bound.evm.config.sender.into_word());
    assert_eq!(log.topics[3].0, context.action.0);
    refused(&bound.submit(&context), "WrongContext");
    context.nonce = Word::ONE;
    assert!(matches!(bound.submit(&context).outcome, Outcome::Returned(_)));
}

#[test]
fn another_sender_chain_consumer_or_time_is_refused() {
    let mut bound = Bound::new();
    let good = bound.context();
    for wrong in [
        Context { chain_id: 1, ..good },
        Context { consumer: [7; 20], ..good },
        Context { subject: [7; 20], ..good },
        Context { nonce: Word::ONE, ..good },
    ] {
        refused(&bound.submit(&wrong), "WrongContext");
    }
    let late = Context { deadline: Word::from_u64(bound.evm.config.timestamp - 1), ..good };
    refused(&bound.submit(&late), "StatementExpired");
    let sender = std::mem::replace(&mut bound.evm.config.sender, Address::repeat_byte(9));
    refused(&bound.submit(&good), "WrongContext");
    bound.evm.config.sender = sender;
    // A proof without a context never counts.
    let (program, proof) = (&bound.sample.program, &bound.sample.proof);
    let mut instances = bound.sample.instances.clone();
    instances[0] = Word::ZERO;
    let data = verify_inference(program, good.deadline, good.action, proof, &instances).unwrap();
    refused(&bound.evm.send(bound.consumer, &data).unwrap(), "WrongContext");
    // Another action than the proven one.
    instances[0] = good.digest();
    let data = verify_inference(program, good.deadline, Word::from_u64(78), proof, &instances).unwrap();
    refused(&bound.evm.send(bound.consumer, &data).unwrap(), "WrongContext");
    assert!(matches!(bound.submit(&good).outcome, Outcome::Returned(_)));
}

#[test]
fn only_this_models_verifier_is_accepted() {
    let sample = support::samples().remove(0);
    let codes = codes(&sample.program);
    let (vk, model) = (sample.program.vk_digest(), sample.program.model_commitment());
    for digests in [[vk, Word::ONE], [Word::ONE, model]] {
        let mut evm = Evm::default();
        let other = evm.deploy(&with_words(&codes.accepting, &digests)).unwrap().address;
        let result = evm.deploy(&with_words(&codes.consumer, &[address_word(other)]));
        let Err(HarnessError::DeployFailed { reason, .. }) = result else { panic!("{result:?}") };
        assert!(reason.starts_with("WrongVerifier("), "{reason}");
    }
}

#[test]
fn outputs_are_signed_fixed_point_numbers() {
    let mut bound = Bound::new();
    let layout = bound.sample.program.statement.instances.clone();
    let (start, scale) = (layout.outputs_start() as usize, layout.outputs[0].scale);
    let one = Word::from_u64(1 << scale);
    let wad = |number: i128| {
        Word(
            [if number < 0 { [0xff; 16] } else { [0; 16] }, number.to_be_bytes()]
                .concat()
                .try_into()
                .unwrap(),
        )
    };
    let smallest = 1_000_000_000_000_000_000 >> scale;
    let cases = [
        (one, wad(1_000_000_000_000_000_000)),
        (field::neg(one), wad(-1_000_000_000_000_000_000)),
        (Word::ONE, wad(smallest)),
        (field::neg(Word::ONE), wad(-smallest - 1)),
        (Word::ZERO, Word::ZERO),
    ];
    for (element, expected) in cases {
        let mut instances = bound.sample.instances.clone();
        instances[start..].fill(element);
        let data = check_inference(&bound.sample.program, &bound.sample.proof, &instances).unwrap();
        let call = bound.evm.call(bound.consumer, &data).unwrap();
        let expected = expected.0.repeat(instances.len() - start);
        assert_eq!(call.outcome, Outcome::Returned(expected), "{element}");
    }
    for (element, error) in [
        (field::SCALAR_MODULUS, "ScalarOutOfRange"),
        (Word([0x10; 32]), "OutputOutOfRange"),
        (field::neg(Word([0x10; 32])), "OutputOutOfRange"),
    ] {
        let mut instances = bound.sample.instances.clone();
        instances[start] = element;
        let data = check_inference(&bound.sample.program, &bound.sample.proof, &instances).unwrap();
        refused(&bound.evm.call(bound.consumer, &data).unwrap(), error);
    }
}

#[test]
fn real_proofs_reach_the_real_verifier() {
    for mut fixture in support::fixtures().into_iter().take(1) {
        let sample = fixture.sample.clone();
        let codes = codes(&sample.program);
        let init = with_words(&codes.consumer, &[address_word(fixture.address)]);
        let consumer = fixture.evm.deploy(&init).unwrap().address;
        let mut check = |proof: &[u8]| {
            let data = check_inference(&sample.program, proof, &sample.instances).unwrap();
            fixture.evm.call(consumer, &data).unwrap()
        };
        // Outputs of random circuits need not be numbers that a model would compute.
        let call = check(&sample.proof);
        let accepted = matches!(call.outcome, Outcome::Returned(_));
        assert!(accepted || call.describe().starts_with("OutputOutOfRange"), "{}", call.describe());
        let mut changed = sample.proof.clone();
        let offset = sample.program.layout().scalar_offsets()[0];
        changed[offset + 31] ^= 1;
        refused(&check(&changed), "ProofRejected");
    }
}

#[test]
fn a_verifier_that_accepts_everything_fails_the_self_check() {
    let sample = support::samples().remove(0);
    let codes = codes(&sample.program);
    let digests = [sample.program.vk_digest(), sample.program.model_commitment()];
    let contract = |creation: Vec<u8>| Contract {
        name: "Any".to_owned(),
        abi: serde_json::Value::Null,
        creation,
        runtime: Vec::new(),
    };
    let verifier = contract(with_words(&codes.accepting, &digests));
    let mut instances = sample.instances.clone();
    let outputs = sample.program.statement.instances.outputs_start() as usize;
    instances[outputs..].fill(Word::from_u64(5));
    let consumer = contract(codes.consumer);
    let error = self_check_consumer(&verifier, &consumer, &sample.program, &sample.proof, &instances);
    let Err(HarnessError::SelfCheck { check, .. }) = error else { panic!("{error:?}") };
    assert_eq!(check, "the consumer refuses a changed output");
}
