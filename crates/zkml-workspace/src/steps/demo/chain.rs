//! The local EVM with all contracts deployed, and what the demonstration does with them.

use super::{Accepted, Way};
use crate::{
    artifacts::Artifacts,
    error::{Error, Result},
    proof_file::ProofFile,
    steps::{compiled, solidity::Sources, tamper::Refusal},
};
use zkml_contracts::{Submission, check_inference, verify_inference, verify_model};
use zkml_harness::{Address, Call, Evm, Outcome, Stack, StackCode};
use zkml_protocol::{Encoding, Program, VerifierProgram, Word, binding::Registration, field};

/// How long a statement is good for, from the block's time on, in seconds.
const VALID_FOR: u64 = 3600;

/// A chain with the model on it.
#[derive(Debug)]
pub(super) struct Chain {
    evm: Evm,
    pub(super) verifier: Address,
    pub(super) stack: Stack,
    pub(super) model_id: Word,
    pub(super) consumer: Address,
    program: Program,
    names: Vec<(String, u32)>,
}

impl Chain {
    /// Deploys all contracts, and registers the model under the sender's name.
    pub(super) fn deploy(artifacts: &Artifacts) -> Result<Self> {
        let program = compiled::program(artifacts)?;
        let sources = Sources::print(&program)?;
        let compiled = sources.compile()?;
        let mut evm = Evm::default();
        let verifier = evm.deploy(&compiled.contract(&sources.names.verifier)?.creation)?.address;
        let stack = Stack::deploy(&mut evm, &StackCode::of(&compiled)?, &[verifier])?;
        // The demonstration knows its consumer before there is a proof, so it shows public weights: the statement has
        // nothing that is registered.
        let no_statement = vec![Word::ZERO; program.num_instances() as usize];
        let model_id = stack.register(&mut evm, &Registration::of(&program, &no_statement)?)?;
        let consumer = compiled.contract(&sources.names.any_input_consumer)?;
        let consumer = stack.deploy_consumer(&mut evm, &program, consumer, model_id)?.address;
        let outputs = &program.statement().instances.outputs;
        let names = outputs
            .iter()
            .filter(|o| o.encoding == Encoding::Signed)
            .map(|o| (o.name.clone(), o.values))
            .collect();
        Ok(Self { evm, verifier, stack, model_id, consumer, program, names })
    }

    fn deadline(&self) -> Word {
        Word::from_u64(self.evm.config.timestamp + VALID_FOR)
    }

    fn action(&self) -> Word {
        zkml_protocol::keccak256([b"zkml-chain demo".as_slice()])
    }

    /// Asks the consumer what the caller's next proof must be bound to.
    pub(super) fn context(&mut self) -> Result<Word> {
        let mut data =
            zkml_contracts::errors::selector("contextOf(address,uint256,uint256,bytes32)").to_vec();
        let words = [address_word(self.evm.config.sender), Word::ZERO, self.deadline(), self.action()];
        words.iter().for_each(|w| data.extend(w.0));
        let call = self.evm.call(self.consumer, &data)?;
        match &call.outcome {
            Outcome::Returned(bytes) if bytes.len() == 32 => {
                let mut word = [0; 32];
                word.copy_from_slice(bytes);
                Ok(Word(word))
            }
            _ => Err(refused_by_consumer(&call)),
        }
    }

    fn submission(&self, proof: &[u8], instances: &[Word]) -> Result<Submission> {
        Ok(Submission::new(&self.program, proof, instances)?)
    }

    fn inference(&self, proof: &[u8], instances: &[Word]) -> Result<Vec<u8>> {
        let submission = self.submission(proof, instances)?;
        Ok(verify_inference(&submission, self.deadline(), self.action(), &[]))
    }

    /// Sends the good proof, on all ways.
    pub(super) fn submit(&mut self, proof: &ProofFile) -> Result<Accepted> {
        let submission = self.submission(&proof.proof, &proof.instances)?;
        let bare = zkml_contracts::verify_proof_unchecked(&proof.proof, &proof.instances);
        let routed = verify_model(&submission, self.model_id);
        let bare = self.way("the verifier alone", self.verifier, &bare)?;
        let routed = self.way("with registry and router", self.stack.verifier, &routed)?;
        let data = self.inference(&proof.proof, &proof.instances)?;
        let call = self.evm.send(self.consumer, &data)?;
        let consumer = way("through the consumer", &call);
        let Outcome::Returned(bytes) = &call.outcome else { return Err(refused_by_consumer(&call)) };
        let mut numbers = bytes.chunks_exact(32).map(wad);
        let take =
            |(name, words): &(String, u32)| (name.clone(), numbers.by_ref().take(*words as usize).collect());
        Ok(Accepted {
            outputs: self.names.iter().map(take).collect(),
            decision: None,
            gas: call.gas.transaction,
            gas_by_way: vec![bare, routed, consumer],
        })
    }

    fn way(&mut self, through: &'static str, to: Address, data: &[u8]) -> Result<Way> {
        let call = self.evm.call(to, data)?;
        match call.outcome {
            Outcome::Returned(_) => Ok(way(through, &call)),
            _ => Err(Error::Refused { by: through, why: call.describe() }),
        }
    }

    /// Sends changed proofs and statements, and the good one from somebody else; all must be refused.
    pub(super) fn tampered(&mut self, proof: &ProofFile) -> Result<Vec<Refusal>> {
        let mut output = proof.instances.clone();
        if let Some(last) = output.last_mut() {
            *last = field::add(*last, Word::ONE);
        }
        let mut bytes = proof.proof.clone();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        let data = self.inference(&proof.proof, &output)?;
        let output = self.refused("a tampered output", &data, &["ProofRejected"])?;
        let data = self.inference(&bytes, &proof.instances)?;
        let bytes = self.refused("a tampered proof", &data, &["ProofRejected", "InvalidPoint"])?;
        let data = self.inference(&proof.proof, &proof.instances)?;
        let sender = std::mem::replace(&mut self.evm.config.sender, Address::repeat_byte(0xb0));
        let elsewhere = self.refused("the proof from another caller", &data, &["WrongContext"]);
        self.evm.config.sender = sender;
        Ok(vec![output, bytes, elsewhere?])
    }

    /// Sends the accepted proof a second time.
    pub(super) fn replayed(&mut self, proof: &ProofFile) -> Result<Refusal> {
        let data = self.inference(&proof.proof, &proof.instances)?;
        self.refused("the same proof again", &data, &["WrongContext"])
    }

    /// Takes the model out of use; then not even looking at a proof of it succeeds.
    pub(super) fn deprecated(&mut self, proof: &ProofFile) -> Result<Refusal> {
        self.stack.deprecate(&mut self.evm, self.model_id)?;
        let data = check_inference(&self.submission(&proof.proof, &proof.instances)?);
        self.refused("a deprecated model", &data, &["VerificationRefused_ModelDeprecated"])
    }

    fn refused(&mut self, change: &'static str, data: &[u8], errors: &[&'static str]) -> Result<Refusal> {
        let call: Call = self.evm.call(self.consumer, data)?;
        let answer = call.describe();
        let expected = errors.first().copied().unwrap_or_default();
        if !matches!(call.outcome, Outcome::Reverted(_)) || !errors.iter().any(|e| answer.starts_with(e)) {
            return Err(Error::Accepted { change, expected, answer });
        }
        Ok(Refusal { change, answer, gas: call.gas.transaction })
    }
}

fn refused_by_consumer(call: &Call) -> Error {
    Error::Refused { by: "the consumer contract", why: call.describe() }
}

fn way(through: &'static str, call: &Call) -> Way {
    Way { through, transaction: call.gas.transaction, execution: call.gas.execution }
}

fn address_word(address: Address) -> Word {
    Word(address.into_word().0)
}

/// A signed number with 18 decimals, as the consumer returns it.
fn wad(word: &[u8]) -> f64 {
    let negative = word[0] & 0x80 != 0;
    let magnitude = word.iter().fold(0.0, |sum, b| sum * 256.0 + f64::from(if negative { !b } else { *b }));
    (if negative { -(magnitude + 1.0) } else { magnitude }) / 1e18
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_signed_decimals() {
        let mut word = [0u8; 32];
        word[24..].copy_from_slice(&500_000_000_000_000_000u64.to_be_bytes());
        assert_eq!(wad(&word), 0.5);
        let mut word = [0xffu8; 32];
        word[24..].copy_from_slice(&(-250_000_000_000_000_000i64).to_be_bytes());
        assert!((wad(&word) + 0.25).abs() < 1e-12);
    }
}
