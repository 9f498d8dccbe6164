//! Encodes calls of the generated contracts, and the arguments that a consumer is deployed with.

use zkml_protocol::{Program, Word, field};

use crate::{CodegenError, consumer::weights_instance, errors};

/// Signature of the generated verifier's function.
pub const VERIFY_PROOF: &str = "verifyProof(bytes,uint256[])";
/// Signature of the generated consumer's view.
const CHECK_INFERENCE: &str = "checkInference(bytes,uint256[])";
/// Signature of the generated consumer's accepting function.
const VERIFY_INFERENCE: &str = "verifyInference(uint256,bytes32,bytes,uint256[])";

/// Calldata of `verifyProof(proof, instances)`, in the one encoding that the contract accepts.
///
/// # Errors
/// [`CodegenError::ProofLength`] or [`CodegenError::InstanceCount`] if they are not this program's.
pub fn calldata(program: &Program, proof: &[u8], instances: &[Word]) -> Result<Vec<u8>, CodegenError> {
    let expected = program.layout().length();
    if proof.len() != expected {
        return Err(CodegenError::ProofLength { actual: proof.len(), expected });
    }
    let expected = program.num_instances as usize;
    if instances.len() != expected {
        return Err(CodegenError::InstanceCount { actual: instances.len(), expected });
    }
    Ok(encode(proof, instances))
}

/// The ABI encoding of `verifyProof` for any lengths: what a caller might send, right or wrong.
#[must_use]
pub fn encode(proof: &[u8], instances: &[Word]) -> Vec<u8> {
    with_tail(VERIFY_PROOF, &[], proof, instances)
}

/// Calldata of the consumer's `checkInference(proof, instances)`, a view that takes any context.
///
/// # Errors
/// As [`calldata`].
pub fn check_inference(program: &Program, proof: &[u8], instances: &[Word]) -> Result<Vec<u8>, CodegenError> {
    calldata(program, proof, instances)?;
    Ok(with_tail(CHECK_INFERENCE, &[], proof, instances))
}

/// Calldata of the consumer's `verifyInference(deadline, action, proof, instances)`, which takes only the
/// context that binds the sender, its next nonce, the deadline and the action.
///
/// # Errors
/// As [`calldata`].
pub fn verify_inference(
    program: &Program,
    deadline: Word,
    action: Word,
    proof: &[u8],
    instances: &[Word],
) -> Result<Vec<u8>, CodegenError> {
    calldata(program, proof, instances)?;
    Ok(with_tail(VERIFY_INFERENCE, &[deadline, action], proof, instances))
}

/// The commitment to private weights in a statement; `None` when the weights are public.
///
/// # Errors
/// [`CodegenError::InstanceCount`] for the statement of another circuit, [`CodegenError::ModelSection`] if the model
/// section is anything but one commitment.
pub fn weights_commitment(program: &Program, instances: &[Word]) -> Result<Option<Word>, CodegenError> {
    let Some(index) = weights_instance(&program.statement.instances)? else { return Ok(None) };
    let expected = program.num_instances as usize;
    let count = CodegenError::InstanceCount { actual: instances.len(), expected };
    if instances.len() != expected {
        return Err(count);
    }
    instances.get(index as usize).copied().map(Some).ok_or(count)
}

/// The arguments of the consumer's constructor, to be appended to its creation code: the verifier's address and, when
/// the weights are private, the commitment to them.
///
/// # Errors
/// A commitment that is missing, not asked for, zero or not a field element; [`CodegenError::ModelSection`] if the
/// model section is anything but one commitment.
pub fn constructor_arguments(
    program: &Program,
    verifier: &[u8; 20],
    weights: Option<Word>,
) -> Result<Vec<u8>, CodegenError> {
    let model = || program.statement.model_name.clone();
    let private = weights_instance(&program.statement.instances)?.is_some();
    let mut arguments = vec![0; 12];
    arguments.extend(verifier);
    match weights {
        None if private => return Err(CodegenError::WeightsCommitmentMissing { model: model() }),
        Some(_) if !private => return Err(CodegenError::WeightsCommitmentUnused { model: model() }),
        Some(found) if found.is_zero() || !field::is_canonical(&found) => {
            return Err(CodegenError::WeightsCommitmentInvalid { found });
        }
        weights => arguments.extend(weights.iter().flat_map(|word| word.0)),
    }
    Ok(arguments)
}

/// Selector, the static words, and the proof and the instances as the two dynamic arguments behind them.
fn with_tail(signature: &str, words: &[Word], proof: &[u8], instances: &[Word]) -> Vec<u8> {
    let padding = proof.len().next_multiple_of(32) - proof.len();
    let number = |value: usize| Word::from_u64(value as u64).0;
    let head = 32 * (words.len() + 2);
    let mut data = errors::selector(signature).to_vec();
    data.extend(words.iter().flat_map(|word| word.0));
    data.extend(number(head));
    data.extend(number(head + 32 + proof.len() + padding));
    data.extend(number(proof.len()));
    data.extend_from_slice(proof);
    data.extend(std::iter::repeat_n(0, padding));
    data.extend(number(instances.len()));
    data.extend(instances.iter().flat_map(|word| word.0));
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_protocol::{Encoding, Field, InstanceLayout, Sample};

    #[test]
    fn offsets_and_lengths_are_the_abi_s() {
        let data = encode(&[7; 64], &[Word::from_u64(9)]);
        assert_eq!(data.len(), 4 + 32 * 3 + 64 + 32 * 2);
        assert_eq!(data[4 + 31], 64);
        assert_eq!(data[4 + 63], 96 + 64);
        assert_eq!(data[4 + 95], 64);
        assert_eq!(data[4 + 96 + 64 + 31], 1);
        assert_eq!(data[data.len() - 1], 9);
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
    fn the_commitment_to_weights_is_where_the_statement_says() {
        let program = private();
        let instances: Vec<Word> = (10..15).map(Word::from_u64).collect();
        assert_eq!(weights_commitment(&program, &instances).unwrap(), Some(Word::from_u64(13)));
        let error = weights_commitment(&program, &instances[1..]).unwrap_err();
        assert!(matches!(error, CodegenError::InstanceCount { actual: 4, expected: 5 }));
        let mut public = program;
        public.statement.instances.model.clear();
        assert_eq!(weights_commitment(&public, &instances).unwrap(), None);
    }

    #[test]
    fn a_consumer_is_deployed_with_what_its_constructor_takes() {
        let program = private();
        let arguments = constructor_arguments(&program, &[7; 20], Some(Word::ONE)).unwrap();
        assert_eq!(arguments, [[0; 12].as_slice(), &[7; 20], &Word::ONE.0].concat());
        for (weights, expected) in [
            (None, "none was given"),
            (Some(Word::ZERO), "is no commitment"),
            (Some(field::SCALAR_MODULUS), "is no commitment"),
        ] {
            let error = constructor_arguments(&program, &[7; 20], weights).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let mut public = program;
        public.statement.instances.model.clear();
        assert_eq!(constructor_arguments(&public, &[7; 20], None).unwrap().len(), 32);
        let error = constructor_arguments(&public, &[7; 20], Some(Word::ONE)).unwrap_err();
        assert!(matches!(error, CodegenError::WeightsCommitmentUnused { .. }), "{error}");
    }
}
