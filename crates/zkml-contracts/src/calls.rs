//! Encodes calls of the contracts, and the arguments that a consumer is deployed with.

use zkml_protocol::{
    VerifierProgram, Word,
    binding::{Registration, address_word},
    envelope::Shape,
};

use crate::{
    AbiError, Submission,
    abi::{self, Arg},
};

/// Signature of the generated verifier's function.
const VERIFY_PROOF: &str = "verifyProof(bytes,uint256[])";
/// Signature of the generated verifier's other function, which leaves the pairing to its caller.
pub const PAIRING_INPUT: &str = "pairingInput(bytes,uint256[])";
/// Signature of the generated consumer's view.
const CHECK_INFERENCE: &str = "checkInference(bytes,bytes)";
/// Signature of the generated consumer's accepting function.
const VERIFY_INFERENCE: &str = "verifyInference(bytes32,(uint256,bytes,bytes,bytes))";
/// Signature of ERC-7992's function, which `ZKMLVerifier` has.
const VERIFY_MODEL: &str = "verifyInference(uint256,bytes32,bytes,bytes)";
/// Signature of `ZKMLVerifier`'s function for several inferences of one model.
const VERIFY_BATCH: &str = "verifyBatch(uint256,(bytes32,bytes,bytes)[])";
/// Signature of `ZKMLVerifier`'s view that says which inference of a batch is refused.
const FIRST_REFUSED: &str = "firstRefused(uint256,(bytes32,bytes,bytes)[])";
/// Signatures of the registry's functions.
const REGISTER_MODEL: &str = "registerModel((bytes32,bytes32,bytes32,bytes4,string))";
const DEPRECATE_MODEL: &str = "deprecateModel(uint256)";

/// Calldata of `verifyProof(proof, instances)`, in the one encoding that the contract accepts.
///
/// # Errors
/// [`AbiError::ProofLength`] or [`AbiError::InstanceCount`] if they are not this program's.
pub fn verify_proof(
    program: &dyn VerifierProgram,
    proof: &[u8],
    instances: &[Word],
) -> Result<Vec<u8>, AbiError> {
    let expected = program.proof_length();
    if proof.len() != expected {
        return Err(AbiError::ProofLength { actual: proof.len(), expected });
    }
    let expected = program.num_instances() as usize;
    if instances.len() != expected {
        return Err(AbiError::InstanceCount { actual: instances.len(), expected });
    }
    Ok(verify_proof_unchecked(proof, instances))
}

/// Calldata of `verifyProof` for any lengths: what a caller might send, right or wrong.
#[must_use]
pub fn verify_proof_unchecked(proof: &[u8], instances: &[Word]) -> Vec<u8> {
    abi::call(VERIFY_PROOF, &[Arg::Bytes(proof), Arg::Words(instances)])
}

/// Calldata of `pairingInput(proof, instances)` for any lengths: the pairing that decides about a proof, left to the caller.
#[must_use]
pub fn pairing_input_unchecked(proof: &[u8], instances: &[Word]) -> Vec<u8> {
    abi::call(PAIRING_INPUT, &[Arg::Bytes(proof), Arg::Words(instances)])
}

/// What `pairingInput` answers, as the precompile of pairings takes it: six words for each pair, one pair at least. None for anything
/// else than the canonical encoding of such.
#[must_use]
pub fn pairs(answer: &[u8]) -> Option<&[u8]> {
    let (head, pairs) = answer.split_at_checked(64)?;
    let words = pairs.len() / 32;
    let expected = [Word::from_u64(32).0, Word::from_u64(words as u64).0].concat();
    (head == expected && !pairs.is_empty() && pairs.len().is_multiple_of(6 * 32)).then_some(pairs)
}

/// Calldata of the consumer's `checkInference(output, proof)`, a view that takes any context.
#[must_use]
pub fn check_inference(submission: &Submission) -> Vec<u8> {
    abi::call(CHECK_INFERENCE, &[Arg::Bytes(&submission.output), Arg::Bytes(&submission.blob)])
}

/// Calldata of the consumer's `verifyInference(action, (deadline, output, proof, provenance))`, which takes only the
/// context that binds the sender, its next nonce, the deadline and the action.
#[must_use]
pub fn verify_inference(submission: &Submission, deadline: Word, action: Word, provenance: &[u8]) -> Vec<u8> {
    let (output, blob) = (Arg::Bytes(&submission.output), Arg::Bytes(&submission.blob));
    let inference = [Arg::Word(deadline), output, blob, Arg::Bytes(provenance)];
    abi::call(VERIFY_INFERENCE, &[Arg::Word(action), Arg::Struct(&inference)])
}

/// Calldata of `ZKMLVerifier`'s `verifyInference(modelId, inputCommitment, output, proof)`.
#[must_use]
pub fn verify_model(submission: &Submission, model_id: Word) -> Vec<u8> {
    let (output, blob) = (Arg::Bytes(&submission.output), Arg::Bytes(&submission.blob));
    abi::call(VERIFY_MODEL, &[Arg::Word(model_id), Arg::Word(submission.input_commitment), output, blob])
}

/// Calldata of `ZKMLVerifier`'s `verifyBatch(modelId, inferences)`: all of them hold, or none is taken.
#[must_use]
pub fn verify_batch(submissions: &[Submission], model_id: Word) -> Vec<u8> {
    batch(VERIFY_BATCH, submissions, model_id)
}

/// Calldata of `ZKMLVerifier`'s `firstRefused(modelId, inferences)`, a view.
#[must_use]
pub fn first_refused(submissions: &[Submission], model_id: Word) -> Vec<u8> {
    batch(FIRST_REFUSED, submissions, model_id)
}

/// The answer of `firstRefused`: the place of the first inference that is refused, and the error; the number of inferences, and nothing, if
/// none is. None for anything else than the canonical encoding of such.
#[must_use]
pub fn refused_place(answer: &[u8]) -> Option<(usize, &[u8])> {
    let (head, rest) = answer.split_at_checked(96)?;
    let (place, length) = (small(&head[..32])?, small(&head[64..])?);
    let reason = rest.get(..length)?;
    let padded = rest.len() == length.next_multiple_of(32) && rest[length..].iter().all(|byte| *byte == 0);
    (small(&head[32..64])? == 64 && padded).then_some((place, reason))
}

/// A word's number, if it has at most four bytes.
fn small(word: &[u8]) -> Option<usize> {
    let (high, low) = word.split_last_chunk::<4>()?;
    high.iter().all(|byte| *byte == 0).then_some(u32::from_be_bytes(*low) as usize)
}

fn batch(signature: &str, submissions: &[Submission], model_id: Word) -> Vec<u8> {
    let members: Vec<[Arg<'_>; 3]> = submissions
        .iter()
        .map(|s| [Arg::Word(s.input_commitment), Arg::Bytes(&s.output), Arg::Bytes(&s.blob)])
        .collect();
    let structs: Vec<Arg<'_>> = members.iter().map(|members| Arg::Struct(members)).collect();
    abi::call(signature, &[Arg::Word(model_id), Arg::Array(&structs)])
}

/// Calldata of the registry's `registerModel(commitment)`.
#[must_use]
pub fn register_model(registration: &Registration, uri: &str) -> Vec<u8> {
    let Registration { model_hash, circuit_hash, vk_hash, proof_system_id } = *registration;
    // A bytes4 fills its word from the left.
    let mut system = Word::ZERO;
    system.0[..4].copy_from_slice(&proof_system_id);
    let [model, circuit, vk, system] = [model_hash, circuit_hash, vk_hash, system].map(Arg::Word);
    abi::call(REGISTER_MODEL, &[Arg::Struct(&[model, circuit, vk, system, Arg::Bytes(uri.as_bytes())])])
}

/// Calldata of the registry's `deprecateModel(modelId)`.
#[must_use]
pub fn deprecate_model(model_id: Word) -> Vec<u8> {
    abi::call(DEPRECATE_MODEL, &[Arg::Word(model_id)])
}

/// The arguments of a router's constructor: its owner, the delay of later routes in seconds, and the first verifiers.
#[must_use]
pub fn router_arguments(owner: &[u8; 20], delay: u64, verifiers: &[[u8; 20]]) -> Vec<u8> {
    let verifiers: Vec<Word> = verifiers.iter().map(address_word).collect();
    abi::encode(&[Arg::Word(address_word(owner)), Arg::Word(delay.into()), Arg::Words(&verifiers)])
}

/// The shortest delay in seconds before another model can take over, as `ZKMLConsumer` has it.
const MIN_MODEL_DELAY: u64 = 3_600;

/// What a generated consumer is deployed with; [`consumer_arguments`] encodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerArguments {
    /// The `ZKMLVerifier`.
    pub verifier: [u8; 20],
    /// The model's id in its registry.
    pub model_id: Word,
    /// Seconds between the proposal of another model and its taking over; zero fixes the model for good.
    pub model_delay: u64,
    /// Who may propose another model.
    pub owner: [u8; 20],
}

/// The arguments of the consumer's constructor, to be appended to its creation code.
///
/// # Errors
/// [`AbiError::DelayUnused`] if there is a delay and no other model could ever follow, [`AbiError::DelayTooShort`] if it is below an hour, and
/// [`AbiError::Envelope`] if no contract could lay out the program's statements.
pub fn consumer_arguments(
    program: &dyn VerifierProgram,
    arguments: &ConsumerArguments,
) -> Result<Vec<u8>, AbiError> {
    let ConsumerArguments { verifier, model_id, model_delay, owner } = arguments;
    let private = Shape::of(program)?.weights_are_committed;
    if *model_delay != 0 && !private {
        return Err(AbiError::DelayUnused { model: program.statement().model_name.clone() });
    }
    if (1..MIN_MODEL_DELAY).contains(model_delay) {
        return Err(AbiError::DelayTooShort { delay: *model_delay, least: MIN_MODEL_DELAY });
    }
    let delay = private.then_some(Word::from_u64(*model_delay));
    let words = [address_word(verifier), *model_id].into_iter().chain(delay).chain([address_word(owner)]);
    Ok(words.flat_map(|word| word.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_protocol::{
        Encoding, Field, InstanceLayout,
        plonk::{Program, Sample},
    };

    #[test]
    fn offsets_and_lengths_are_the_abi_s() {
        let data = verify_proof_unchecked(&[7; 64], &[Word::from_u64(9)]);
        assert_eq!(data.len(), 4 + 32 * 3 + 64 + 32 * 2);
        assert_eq!(data[4 + 31], 64);
        assert_eq!(data[4 + 63], 96 + 64);
        assert_eq!(data[4 + 95], 64);
        assert_eq!(data[4 + 96 + 64 + 31], 1);
        assert_eq!(data[data.len() - 1], 9);
    }

    #[test]
    fn pairs_are_read_in_their_one_encoding() {
        let answer = |offset, count, words: usize| {
            let head = [offset, count].map(Word::from_u64).into_iter();
            let all = head.chain(std::iter::repeat_n(Word::from_u64(7), words));
            all.flat_map(|word| word.0).collect::<Vec<u8>>()
        };
        assert_eq!(pairs(&answer(32, 12, 12)).unwrap().len(), 12 * 32);
        assert_eq!(pairs(&answer(32, 18, 18)).unwrap()[31], 7);
        let mut long = answer(32, 12, 12);
        long.push(0);
        let wrong = [
            answer(64, 12, 12),
            answer(32, 6, 12),
            answer(32, 18, 12),
            answer(32, 7, 7),
            answer(32, 0, 0),
            long,
            vec![1; 32],
            vec![],
        ];
        wrong.iter().for_each(|answer| assert_eq!(pairs(answer), None, "{answer:?}"));
    }

    /// `verifyBatch(uint256,(bytes32,bytes,bytes)[])`, as `abi.encode` lays it out.
    #[test]
    fn a_batch_is_an_array_of_structs() {
        let one = |byte: u8| Submission {
            input_commitment: Word::from_u64(byte.into()),
            output: vec![byte; 32],
            blob: vec![byte; 2],
        };
        let data = verify_batch(&[one(1), one(2)], Word::from_u64(9));
        let last: Vec<u8> = data[4..].chunks(32).map(|word| word[31]).collect();
        let each = |byte: u8| [byte, 96, 160, 32, byte, 2, 0];
        // Model, offset, count, and the offset of each struct from behind the count.
        let head = [9, 64, 2, 64, (64u32 + 7 * 32) as u8];
        assert_eq!(last, [&head[..], &each(1), &each(2)].concat());
    }

    #[test]
    fn a_refused_place_is_read_in_its_one_encoding() {
        let answer = |place: u64, offset, length, tail: &[u8]| {
            let head = [place, offset, length].map(Word::from_u64);
            [head.iter().flat_map(|word| word.0).collect::<Vec<u8>>(), tail.to_vec()].concat()
        };
        let mut reason = [0; 32];
        reason[..4].copy_from_slice(&[1, 2, 3, 4]);
        assert_eq!(refused_place(&answer(3, 64, 4, &reason)), Some((3, &[1, 2, 3, 4][..])));
        assert_eq!(refused_place(&answer(2, 64, 0, &[])), Some((2, &[][..])));
        let mut spare = reason;
        spare[31] = 1;
        let mut far = answer(3, 64, 4, &reason);
        far[0] = 1;
        let wrong = [
            answer(3, 32, 4, &reason),
            answer(3, 64, 33, &reason),
            answer(3, 64, 0, &reason),
            answer(3, 64, 4, &spare),
            answer(1 << 32, 64, 4, &reason),
            far,
            vec![0; 95],
            vec![],
        ];
        wrong.iter().for_each(|answer| assert_eq!(refused_place(answer), None, "{answer:?}"));
    }

    /// A program with private weights, between an input and an output.
    fn private() -> Program {
        let text = include_str!("../../../tests/fixtures/protocol/plain.json");
        let mut program = serde_json::from_str::<Sample>(text).unwrap().program;
        let field = |name: &str, values, encoding| Field {
            name: name.into(),
            values,
            scale: 0,
            encoding,
            bounds: None,
        };
        program.statement.instances = InstanceLayout {
            inputs: vec![field("x", 2, Encoding::Signed)],
            model: vec![field("weights", 9, Encoding::Commitment)],
            outputs: vec![field("y", 1, Encoding::Signed)],
        };
        program.num_instances = 5;
        program
    }

    #[test]
    fn a_consumer_is_deployed_with_what_its_constructor_takes() {
        let program = private();
        let id = Word([9; 32]);
        let mut arguments =
            ConsumerArguments { verifier: [7; 20], model_id: id, model_delay: 3_600, owner: [8; 20] };
        let [verifier, owner] = [[7; 20], [8; 20]].map(|address| address_word(&address).0);
        let delay = Word::from_u64(3_600).0;
        let encoded = consumer_arguments(&program, &arguments).unwrap();
        assert_eq!(encoded, [verifier, id.0, delay, owner].concat());
        let short = ConsumerArguments { model_delay: 3_599, ..arguments };
        let error = consumer_arguments(&program, &short).unwrap_err();
        assert!(matches!(error, AbiError::DelayTooShort { delay: 3_599, least: 3_600 }), "{error}");
        let source = crate::library::source("@zkml-chain/contracts/src/ZKMLConsumer.sol").unwrap();
        assert!(source.contains("MIN_MODEL_DELAY = 1 hours;"), "the contract has the same");
        let mut public = program;
        public.statement.instances.model.clear();
        let error = consumer_arguments(&public, &arguments).unwrap_err();
        assert!(matches!(error, AbiError::DelayUnused { .. }), "{error}");
        arguments.model_delay = 0;
        assert_eq!(consumer_arguments(&public, &arguments).unwrap(), [verifier, id.0, owner].concat());
    }
}
