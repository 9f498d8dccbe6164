//! Contexts, requests, commitments, model ids and proof blobs are those of the shared vectors, which another library made; blobs survive
//! the round trip and hostile ones end in errors.

use proptest::prelude::*;
use serde::Deserialize;
use zkml_protocol::{
    Encoding, Field, InstanceLayout, ProofSystem, Word,
    binding::{self, Context, Registration, Request, Reward},
    envelope::{Envelope, EnvelopeError, HEADER, Shape},
    keccak256,
    plonk::{Program, Sample},
};

/// `tests/fixtures/binding.json`, made by `tests/js/binding.mjs`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "comment")]
    _comment: Vec<String>,
    proof_system_id: String,
    domain_type_hash: Word,
    context_type_hash: Word,
    request_type_hash: Word,
    reward_type_hash: Word,
    fulfilment_type_hash: Word,
    input_type_hash: Word,
    commitment_type_hash: Word,
    model_id_type_hash: Word,
    contexts: Vec<ContextVector>,
    requests: Vec<RequestVector>,
    rewards: Vec<RewardVector>,
    input_commitments: Vec<InputVector>,
    data_commitments: Vec<DataVector>,
    models: Vec<ModelVector>,
    blobs: Vec<BlobVector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContextVector {
    chain_id: String,
    consumer: String,
    subject: String,
    nonce: String,
    deadline: String,
    action: Word,
    domain_separator: Word,
    struct_hash: Word,
    digest: Word,
    context: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RequestVector {
    chain_id: String,
    consumer: String,
    subject: String,
    sequence: String,
    deadline: String,
    action: Word,
    data_commitment: Word,
    request_id: Word,
    context: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RewardVector {
    chain_id: String,
    consumer: String,
    subject: String,
    sequence: String,
    deadline: String,
    action: Word,
    data_commitment: Word,
    request_id: Word,
    payer: String,
    asset: String,
    amount: String,
    callback_gas: String,
    confirmations: String,
    prover: String,
    rewarded_id: Word,
    nonce: Word,
    context: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InputVector {
    data_commitment: Word,
    context: Word,
    input_commitment: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DataVector {
    name: String,
    input_is_commitment: bool,
    words: Vec<Word>,
    data_commitment: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ModelVector {
    owner: String,
    model_hash: Word,
    circuit_hash: Word,
    vk_hash: Word,
    proof_system_id: String,
    commitment_hash: Word,
    model_id: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BlobVector {
    name: String,
    vk_digest: Word,
    selector: String,
    input_is_commitment: bool,
    words: Vec<Word>,
    context: Word,
    proof: String,
    data_commitment: Word,
    input_commitment: Word,
    blob: String,
}

fn vectors() -> Vectors {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/binding.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("fixture exists")).expect("fixture parses")
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").expect("0x")).expect("hexadecimal")
}

fn fixed<const N: usize>(text: &str) -> [u8; N] {
    bytes(text).try_into().expect("as many bytes as its type has")
}

/// A decimal number as a word, digit by digit.
fn decimal(text: &str) -> Word {
    let mut word = [0u8; 32];
    for digit in text.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in word.iter_mut().rev() {
            carry += u32::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        assert_eq!(carry, 0, "{text}");
    }
    Word(word)
}

#[test]
fn type_hashes_are_those_of_the_vectors() {
    let vectors = vectors();
    let hash = |text: &str| keccak256([text.as_bytes()]);
    assert_eq!(ProofSystem::Plonk.id(), fixed(&vectors.proof_system_id));
    assert_eq!(hash(binding::DOMAIN_TYPE), vectors.domain_type_hash);
    assert_eq!(hash(binding::CONTEXT_TYPE), vectors.context_type_hash);
    assert_eq!(hash(binding::REQUEST_TYPE), vectors.request_type_hash);
    assert_eq!(hash(binding::REWARD_TYPE), vectors.reward_type_hash);
    assert_eq!(hash(binding::FULFILMENT_TYPE), vectors.fulfilment_type_hash);
    assert_eq!(hash(binding::INPUT_TYPE), vectors.input_type_hash);
    assert_eq!(hash(binding::COMMITMENT_TYPE), vectors.commitment_type_hash);
    assert_eq!(hash(binding::MODEL_ID_TYPE), vectors.model_id_type_hash);
}

#[test]
fn contexts_are_those_of_the_vectors() {
    let vectors = vectors().contexts;
    assert!(vectors.len() > 8);
    let mut masked = 0;
    for v in &vectors {
        let context = Context {
            chain_id: v.chain_id.parse().expect("a chain id"),
            consumer: fixed(&v.consumer),
            subject: fixed(&v.subject),
            nonce: decimal(&v.nonce),
            deadline: decimal(&v.deadline),
            action: v.action,
        };
        assert_eq!(context.domain_separator(), v.domain_separator, "{context:?}");
        assert_eq!(context.struct_hash(), v.struct_hash, "{context:?}");
        assert_eq!(context.typed_digest(), v.digest, "{context:?}");
        assert_eq!(context.digest(), v.context, "{context:?}");
        masked += usize::from(v.digest != v.context);
    }
    assert!(masked > 2, "the mask matters in {masked} vectors");
}

#[test]
fn requests_are_those_of_the_vectors() {
    let vectors = vectors().requests;
    assert!(vectors.len() > 8);
    for v in &vectors {
        let request = Request {
            subject: fixed(&v.subject),
            sequence: decimal(&v.sequence),
            deadline: decimal(&v.deadline),
            action: v.action,
            data_commitment: v.data_commitment,
        };
        assert_eq!(request.id(), v.request_id, "{request:?}");
        let chain_id = v.chain_id.parse().expect("a chain id");
        assert_eq!(request.context(chain_id, fixed(&v.consumer)).digest(), v.context, "{request:?}");
    }
}

#[test]
fn rewards_are_those_of_the_vectors() {
    let vectors = vectors().rewards;
    assert!(vectors.len() > 8);
    for v in &vectors {
        let request = Request {
            subject: fixed(&v.subject),
            sequence: decimal(&v.sequence),
            deadline: decimal(&v.deadline),
            action: v.action,
            data_commitment: v.data_commitment,
        };
        let reward = Reward {
            payer: fixed(&v.payer),
            asset: fixed(&v.asset),
            amount: decimal(&v.amount),
            callback_gas: v.callback_gas.parse().expect("gas"),
            confirmations: v.confirmations.parse().expect("blocks"),
        };
        assert_eq!(request.id(), v.request_id, "{request:?}");
        assert_eq!(reward.id(&request), v.rewarded_id, "{reward:?}");
        let chain_id = v.chain_id.parse().expect("a chain id");
        let context = reward.context(&request, &fixed(&v.prover), chain_id, fixed(&v.consumer));
        assert_eq!(context.nonce, v.nonce, "{reward:?}");
        assert_eq!(context.digest(), v.context, "{reward:?}");
    }
}

#[test]
fn input_commitments_are_those_of_the_vectors() {
    let vectors = vectors().input_commitments;
    assert!(vectors.len() > 3);
    for v in vectors {
        assert_eq!(binding::input_commitment(&v.data_commitment, &v.context), v.input_commitment);
    }
}

#[test]
fn models_are_those_of_the_vectors() {
    let vectors = vectors().models;
    assert!(vectors.len() > 4);
    for v in vectors {
        let registration = Registration {
            model_hash: v.model_hash,
            circuit_hash: v.circuit_hash,
            vk_hash: v.vk_hash,
            proof_system_id: fixed(&v.proof_system_id),
        };
        assert_eq!(registration.commitment_hash(), v.commitment_hash);
        assert_eq!(registration.model_id(&fixed(&v.owner)), v.model_id);
    }
}

#[test]
fn data_commitments_are_those_of_the_vectors() {
    let vectors = vectors().data_commitments;
    assert!(vectors.len() > 4);
    for v in vectors {
        let inputs = v.words.len();
        let shape = Shape { inputs, input_is_commitment: v.input_is_commitment, ..shape() };
        assert_eq!(shape.data_commitment(&v.words), v.data_commitment, "{}", v.name);
    }
}

#[test]
fn blobs_are_those_of_the_vectors() {
    let vectors = vectors().blobs;
    assert!(vectors.len() > 6);
    for v in vectors {
        let (proof, blob) = (bytes(&v.proof), bytes(&v.blob));
        let shape = Shape {
            vk_digest: v.vk_digest,
            proof_length: proof.len(),
            inputs: v.words.len(),
            outputs: 1,
            input_is_commitment: v.input_is_commitment,
            weights_are_committed: false,
        };
        assert_eq!(shape.selector(), fixed(&v.selector), "{}", v.name);
        let instances = [&[v.context], v.words.as_slice(), &[Word::from_u64(9)]].concat();
        let envelope = Envelope::new(&shape, &instances, &proof).expect("fits");
        assert_eq!(envelope.data_commitment, v.data_commitment, "{}", v.name);
        assert_eq!(envelope.input_commitment(), v.input_commitment, "{}", v.name);
        assert_eq!(envelope.encode(), blob, "{}", v.name);
        assert_eq!(Envelope::decode(&shape, &blob).expect("decodes"), envelope, "{}", v.name);
        assert_eq!(envelope.instances(&shape, None, &[Word::from_u64(9)]), Ok(instances), "{}", v.name);
    }
}

fn shape() -> Shape {
    Shape {
        vk_digest: keccak256([b"key".as_slice()]),
        proof_length: 96,
        inputs: 2,
        outputs: 3,
        input_is_commitment: false,
        weights_are_committed: false,
    }
}

/// Any shape, a statement and a proof of it.
fn statements() -> impl Strategy<Value = (Shape, Vec<Word>, Vec<u8>)> {
    let word = || any_word();
    let sizes = (0usize..5, 0usize..4, 0usize..5, any::<bool>(), any::<bool>(), word());
    sizes.prop_flat_map(|(inputs, outputs, words, single, private, vk_digest)| {
        let shape = Shape {
            vk_digest,
            proof_length: 32 * words,
            inputs: if single { 1 } else { inputs },
            outputs,
            input_is_commitment: single,
            weights_are_committed: private,
        };
        let statement = prop::collection::vec(any_word(), shape.total());
        (Just(shape), statement, prop::collection::vec(any::<u8>(), shape.proof_length))
    })
}

fn any_word() -> impl Strategy<Value = Word> {
    any::<[u8; 32]>().prop_map(Word)
}

proptest! {
    #[test]
    fn statements_survive_the_envelope((shape, instances, proof) in statements()) {
        let envelope = Envelope::new(&shape, &instances, &proof).expect("fits");
        let blob = envelope.encode();
        prop_assert_eq!(blob.len(), shape.blob_length());
        let back = Envelope::decode(&shape, &blob).expect("decodes");
        prop_assert_eq!(&back, &envelope);
        prop_assert_eq!(&back.proof, &proof);
        let sections = shape.sections(&instances).expect("splits");
        let laid_out = back.instances(&shape, sections.model, sections.outputs);
        prop_assert_eq!(laid_out, Ok(instances));
    }

    /// One blob, one meaning: what decodes, encodes to the same bytes.
    #[test]
    fn decoding_never_panics_and_is_canonical(
        (shape, instances, proof) in statements(),
        cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..200),
        keep in any::<bool>(),
    ) {
        let blob = Envelope::new(&shape, &instances, &proof).expect("fits").encode();
        let head = if keep { &blob[..cut.index(blob.len() + 1)] } else { &[] };
        let damaged = [head, &noise].concat();
        if let Ok(envelope) = Envelope::decode(&shape, &damaged) {
            prop_assert_eq!(envelope.encode(), damaged);
        }
    }

    /// Outside the proof itself, every bit of a blob of public inputs matters to decoding or to the input commitment.
    #[test]
    fn no_bit_of_the_binding_is_free((shape, instances, proof) in statements(), at in any::<prop::sample::Index>(), bit in 0..8u32) {
        let envelope = Envelope::new(&shape, &instances, &proof).expect("fits");
        let mut blob = envelope.encode();
        let outside: Vec<usize> = (0..HEADER).chain(HEADER + proof.len()..blob.len()).collect();
        blob[*at.get(&outside)] ^= 1u8 << bit;
        if let Ok(changed) = Envelope::decode(&shape, &blob) {
            prop_assert_ne!(changed.input_commitment(), envelope.input_commitment());
        }
    }
}

#[test]
fn every_refusal_names_its_reason() {
    let shape = shape();
    let instances: Vec<Word> = (1..=6).map(Word::from_u64).collect();
    let envelope = Envelope::new(&shape, &instances, &[7; 96]).expect("fits");
    let blob = envelope.encode();
    let refusal = |blob: &[u8]| Envelope::decode(&shape, blob).expect_err("refused");
    for length in 0..HEADER {
        assert_eq!(refusal(&blob[..length]), EnvelopeError::TooShort { found: length });
    }
    let expected = blob.len();
    for length in [HEADER, HEADER + 96, expected - 32, expected - 1] {
        assert_eq!(refusal(&blob[..length]), EnvelopeError::Length { found: length, expected });
    }
    for more in [1, 32] {
        let longer = [blob.as_slice(), &vec![0; more]].concat();
        assert_eq!(refusal(&longer), EnvelopeError::Length { found: expected + more, expected });
    }
    let change = |at: usize| {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        refusal(&changed)
    };
    assert!(matches!(change(3), EnvelopeError::Selector { .. }));
    assert!(matches!(change(4), EnvelopeError::DataCommitment { .. }), "the data commitment");
    assert!(matches!(change(expected - 1), EnvelopeError::DataCommitment { .. }), "an input word");

    let wrong = Envelope::new(&shape, &instances, &[7; 95]);
    assert_eq!(wrong, Err(EnvelopeError::ProofLength { found: 95, expected: 96 }));
    let wrong = Envelope::new(&shape, &instances[1..], &[7; 96]);
    assert_eq!(wrong, Err(EnvelopeError::Count { what: "instances", found: 5, expected: 6 }));
    let outputs = &instances[3..];
    let wrong = envelope.instances(&shape, Some(Word::ONE), outputs);
    assert!(matches!(wrong, Err(EnvelopeError::Count { what: "commitments to weights", .. })));
    let wrong = envelope.instances(&shape, None, &outputs[1..]);
    assert!(matches!(wrong, Err(EnvelopeError::Count { what: "output words", .. })));
    let wrong = envelope.instances(&Shape { inputs: 3, ..shape }, None, outputs);
    assert!(matches!(wrong, Err(EnvelopeError::Count { what: "input words", .. })));
}

fn sample(name: &str) -> Sample {
    let path = format!("{}/../../tests/fixtures/protocol/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("fixture exists")).expect("fixture parses")
}

#[test]
fn real_proofs_travel_in_envelopes() {
    for name in ["plain", "two_phases", "random_19", "private", "private_other"] {
        let Sample { program, instances, proof, .. } = sample(name);
        let shape = Shape::of(&program).expect("a shape");
        assert_eq!(shape.total(), instances.len());
        let blob = Envelope::new(&shape, &instances, &proof).expect("fits").encode();
        assert_eq!(blob[..4], program.vk_digest().0[..4]);
        let sections = shape.sections(&instances).expect("splits");
        let back = Envelope::decode(&shape, &blob).expect("decodes");
        assert_eq!(back.proof, proof);
        assert_eq!(back.instances(&shape, sections.model, sections.outputs).expect("fits"), instances);
        let private = name.starts_with("private");
        assert_eq!((shape.input_is_commitment, shape.weights_are_committed), (private, private), "{name}");
        if private {
            assert_eq!(back.data_commitment, instances[1], "one committed input stands for itself");
        }
    }
}

#[test]
fn models_of_private_weights_are_registered_with_their_commitment() {
    let (first, second) = (sample("private"), sample("private_other"));
    let of = |s: &Sample| Registration::of(&s.program, &s.instances).expect("registers");
    let (a, b) = (of(&first), of(&second));
    assert_eq!((a.model_hash, b.model_hash), (first.instances[2], second.instances[2]));
    assert_eq!((a.circuit_hash, a.vk_hash), (b.circuit_hash, b.vk_hash), "one verifier serves both");
    assert_ne!(a.commitment_hash(), b.commitment_hash());
    assert_ne!(a.model_id(&[1; 20]), a.model_id(&[2; 20]));
    let plain = sample("plain");
    let registration = of(&plain);
    assert_eq!(registration.model_hash, plain.program.statement.model_hash);
    assert_eq!(registration.vk_hash, plain.program.vk_digest());
    assert_eq!(registration.circuit_hash, plain.program.model_commitment());
    assert!(Registration::of(&plain.program, &plain.instances[1..]).is_err());
}

#[test]
fn a_model_section_of_anything_else_has_no_shape() {
    let field = |encoding, values| Field { name: "w".into(), values, scale: 0, encoding, bounds: None };
    let shape = |model: Vec<Field>| {
        let mut program: Program = sample("plain").program;
        program.statement.instances = InstanceLayout { model, ..InstanceLayout::default() };
        Shape::of(&program)
    };
    assert!(shape(vec![]).is_ok());
    assert!(shape(vec![field(Encoding::Commitment, 5)]).expect("one commitment").weights_are_committed);
    let refused = |model, words| assert_eq!(shape(model), Err(EnvelopeError::ModelSection { words }));
    refused(vec![field(Encoding::Signed, 1)], 1);
    refused(vec![field(Encoding::Commitment, 5), field(Encoding::Commitment, 5)], 2);
}
