//! Changed proofs and statements that the contract must refuse, each with the error that must say why.

use super::solidity::Contracts;
use crate::error::{Error, Result};
use serde::Serialize;
use zkml_harness::{Address, Evm, EvmConfig, HarnessError, Outcome};
use zkml_protocol::{Element, VerifierProgram, Word, field};

/// Ethereum's main chain.
const MAINNET: u64 = 1;

/// A change and the answer to it.
#[derive(Debug, Clone, Serialize)]
pub struct Refusal {
    /// What was changed.
    pub change: &'static str,
    /// The custom error that the contract reverted with.
    pub answer: String,
    /// Gas that the refusal cost.
    pub gas: u64,
}

struct Attempt {
    change: &'static str,
    /// Name of the custom error that must answer it.
    error: &'static str,
    data: Vec<u8>,
}

/// Tries every change on the deployed verifier.
///
/// # Errors
/// [`Error::Accepted`] when one is not refused, or refused for another reason than its own.
pub fn run(evm: &mut Evm, verifier: Address, contracts: &Contracts) -> Result<Vec<Refusal>> {
    let mut refusals = Vec::new();
    for Attempt { change, error, data } in attempts(contracts) {
        let call = evm.call(verifier, &data)?;
        let answer = call.describe();
        if !matches!(call.outcome, Outcome::Reverted(_)) || !answer.starts_with(error) {
            return Err(Error::Accepted { change, expected: error, answer });
        }
        refusals.push(Refusal { change, answer, gas: call.gas.transaction });
    }
    refusals.extend(live_chain(contracts)?);
    Ok(refusals)
}

fn attempts(contracts: &Contracts) -> Vec<Attempt> {
    let (proof, instances) = (&contracts.proof.proof, &contracts.proof.instances);
    let attempt = |change, error, proof: &[u8], instances: &[Word]| Attempt {
        change,
        error,
        data: zkml_contracts::verify_proof_unchecked(proof, instances),
    };
    let with = |index: usize, change: fn(Word) -> Word| {
        let mut changed = instances.clone();
        if let Some(word) = changed.get_mut(index) {
            *word = change(*word);
        }
        changed
    };
    let last = instances.len().saturating_sub(1);
    let mut attempts = vec![
        attempt(
            "an output changed by one unit",
            "ProofRejected",
            proof,
            &with(last, |w| field::add(w, Word::ONE)),
        ),
        attempt("an output written as itself plus r", "ScalarOutOfRange", proof, &with(last, plus_modulus)),
        attempt("another context", "ProofRejected", proof, &with(0, |w| field::add(w, Word::ONE))),
        attempt("a proof cut short", "WrongProofLength", &proof[..proof.len().saturating_sub(32)], instances),
    ];
    let slots = contracts.program.slots();
    let slot = |element| slots.iter().find(|s| s.element == element && s.count > 0);
    if let Some(slot) = slot(Element::Scalar) {
        attempts.push(attempt(
            "one bit of an evaluation flipped",
            "ProofRejected",
            &flipped(proof, slot.offset),
            instances,
        ));
    }
    if let Some(slot) = slot(Element::Point) {
        attempts.push(attempt(
            "one bit of a point flipped",
            "InvalidPoint",
            &flipped(proof, slot.offset),
            instances,
        ));
    }
    let mut longer = zkml_contracts::verify_proof_unchecked(proof, instances);
    longer.extend([0; 32]);
    attempts.push(Attempt {
        change: "a word appended to the calldata",
        error: "NonCanonicalCalldata",
        data: longer,
    });
    attempts
}

/// A contract of the development setup must not come to life where value is.
fn live_chain(contracts: &Contracts) -> Result<Option<Refusal>> {
    if !contracts.program.srs().unsafe_dev {
        return Ok(None);
    }
    let contract = contracts.compiled.contract(&contracts.sources.names.verifier)?;
    let mut mainnet = Evm::new(EvmConfig { chain_id: MAINNET, ..EvmConfig::default() });
    let (change, expected) = ("deployed on mainnet", "UnsafeSetup");
    match mainnet.deploy(&contract.creation) {
        Err(HarnessError::DeployFailed { reason, gas }) if reason.starts_with(expected) => {
            Ok(Some(Refusal { change, answer: reason, gas }))
        }
        Err(other) => Err(other.into()),
        Ok(_) => Err(Error::Accepted { change, expected, answer: "it was deployed".into() }),
    }
}

/// The proof with the lowest bit of the word at `offset` flipped.
fn flipped(proof: &[u8], offset: usize) -> Vec<u8> {
    let mut changed = proof.to_vec();
    if let Some(byte) = changed.get_mut(offset + 31) {
        *byte ^= 1;
    }
    changed
}

/// `w + r` as a plain 256-bit number; it fits because `r` has 254 bits.
fn plus_modulus(w: Word) -> Word {
    let (mut sum, mut carry) = ([0u8; 32], 0u16);
    for i in (0..32).rev() {
        let digit = u16::from(w.0[i]) + u16::from(field::SCALAR_MODULUS.0[i]) + carry;
        sum[i] = digit.to_be_bytes()[1];
        carry = digit >> 8;
    }
    Word(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_reduces_to_what_it_aliases() {
        let word = Word::from(0xffff_ffffu64);
        let alias = plus_modulus(word);
        assert!(!field::is_canonical(&alias));
        assert_eq!(field::reduce(alias), word);
    }
}
