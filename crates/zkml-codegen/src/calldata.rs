//! Encodes the call of `verifyProof`.

use zkml_protocol::{Program, Word};

use crate::{CodegenError, errors};

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
}
