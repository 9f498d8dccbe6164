//! Tries a generated verifier on good and bad proofs before anybody relies on it.

use alloy_primitives::Address;
use zkml_protocol::{Element, Encoding, VerifierProgram, Word};

use crate::{
    Call, Contract, Evm, GasReport, HarnessError, Outcome, precompiles::precompile, solc::CODE_LIMIT,
};

/// What a verifier costs, once it has passed its self-check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Gas of accepting the good proof.
    pub gas: GasReport,
    /// Gas of the deployment.
    pub deploy_gas: u64,
    /// Runtime bytecode in bytes, that of a second contract included.
    pub runtime_bytes: usize,
    /// Names of the checks that were passed, in order.
    pub checks: Vec<&'static str>,
}

/// The bytes whose hash is the address of the first contract that `creator` creates: RLP of its address and the number one.
fn first_child(creator: &Address) -> Vec<u8> {
    [&[0xd6, 0x94], creator.as_slice(), &[1]].concat()
}

/// Deploys `contract` on a local test chain and checks that it accepts this proof for the right reasons and
/// refuses it when anything is changed: its constants are the program's, it hashes exactly what the Rust
/// transcript hashes, and a changed output, evaluation, point or length is refused with the typed error.
///
/// # Errors
/// [`HarnessError::SelfCheck`] with the first check that failed; the caller must then write nothing.
pub fn self_check(
    contract: &Contract,
    program: &dyn VerifierProgram,
    proof: &[u8],
    instances: &[Word],
) -> Result<Checked, HarnessError> {
    if contract.runtime.len() > CODE_LIMIT {
        let (name, size) = (contract.name.clone(), contract.runtime.len());
        return Err(HarnessError::CodeTooLarge { name, size, limit: CODE_LIMIT });
    }
    let mut evm = Evm::default();
    let deployment = evm.deploy(&contract.creation)?;
    let mut trial = Trial { evm, address: deployment.address, program, proof, instances, checks: Vec::new() };
    trial.constants()?;
    let gas = trial.good_proof()?;
    trial.pairing_input()?;
    trial.bad_statements()?;
    trial.bad_proofs()?;
    Ok(Checked {
        gas,
        deploy_gas: deployment.gas,
        runtime_bytes: deployment.code_bytes,
        checks: trial.checks,
    })
}

/// The lowest number of `int256`.
const INT256_MIN: Word = {
    let mut word = [0; 32];
    word[0] = 0x80;
    Word(word)
};
/// The highest number of `int256`.
const INT256_MAX: Word = {
    let mut word = [0xff; 32];
    word[0] = 0x7f;
    Word(word)
};

/// An integer as `int256`.
fn signed(value: i64) -> Word {
    let mut word = [if value < 0 { 0xff } else { 0 }; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    Word(word)
}

struct Trial<'a> {
    evm: Evm,
    address: crate::Address,
    program: &'a dyn VerifierProgram,
    proof: &'a [u8],
    instances: &'a [Word],
    checks: Vec<&'static str>,
}

impl Trial<'_> {
    fn verify(&mut self, proof: &[u8], instances: &[Word]) -> Result<Call, HarnessError> {
        self.evm.call(self.address, &zkml_contracts::verify_proof_unchecked(proof, instances))
    }

    fn passed(&mut self, check: &'static str) {
        self.checks.push(check);
    }

    fn constants(&mut self) -> Result<(), HarnessError> {
        let check = "constants are the program's";
        let expected = [
            ("vkDigest()", self.program.vk_digest()),
            ("modelCommitment()", self.program.model_commitment()),
            ("srsDigest()", self.program.srs().digest()),
            ("PROOF_LENGTH()", Word::from_u64(self.program.proof_length() as u64)),
            ("NUM_INSTANCES()", Word::from_u64(self.program.num_instances().into())),
        ];
        for (getter, value) in expected {
            let call = self.evm.call(self.address, &zkml_contracts::errors::selector(getter))?;
            if call.outcome != Outcome::Returned(value.0.to_vec()) {
                let detail = format!("{getter} {} instead of {value}", call.describe());
                return Err(HarnessError::SelfCheck { check, detail });
            }
        }
        self.passed(check);
        self.statement()
    }

    /// What the contract says about the statement is what the program says.
    fn statement(&mut self) -> Result<(), HarnessError> {
        let check = "shape and bounds of the statement are the program's";
        let statement = self.program.statement();
        let layout = &statement.instances;
        let flag = |flag: bool| Word::from_u64(flag.into());
        let shape = [
            self.program.vk_digest(),
            self.program.model_commitment(),
            statement.model_hash,
            Word::from_u64(self.program.proof_length() as u64),
            Word::from_u64(layout.input_words()),
            Word::from_u64(layout.output_words()),
            flag(layout.input_is_commitment()),
            flag(!layout.model.is_empty()),
        ];
        self.answers(check, "statementShape()", &[], Ok(&shape))?;
        let mut index = 0;
        for field in &layout.outputs {
            let shown = field.bounds.filter(|_| field.encoding == Encoding::Signed);
            let bounds = shown.map_or([INT256_MIN, INT256_MAX], |b| [signed(b.lowest), signed(b.highest)]);
            // The first and the last word of each tensor: what lies between is in the same branch.
            let words = field.words();
            for at in [index, index + words.saturating_sub(1)].into_iter().filter(|_| words > 0) {
                self.answers(check, "outputBounds(uint256)", &[Word::from_u64(at)], Ok(&bounds))?;
            }
            index += words;
        }
        let beyond = format!("NoSuchOutput({index})");
        self.answers(check, "outputBounds(uint256)", &[Word::from_u64(index)], Err(&beyond))?;
        self.passed(check);
        Ok(())
    }

    /// Calls a function of the verifier: it must return these words, or revert with this error.
    fn answers(
        &mut self,
        check: &'static str,
        function: &str,
        arguments: &[Word],
        expected: Result<&[Word], &str>,
    ) -> Result<(), HarnessError> {
        let mut data = zkml_contracts::errors::selector(function).to_vec();
        data.extend(arguments.iter().flat_map(|word| word.0));
        let call = self.evm.call(self.address, &data)?;
        let good = match expected {
            Ok(words) => {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
                call.outcome == Outcome::Returned(bytes)
            }
            Err(error) => matches!(call.outcome, Outcome::Reverted(_)) && call.describe() == error,
        };
        if good {
            return Ok(());
        }
        let detail = format!("{function} {} instead of {expected:?}", call.describe());
        Err(HarnessError::SelfCheck { check, detail })
    }

    fn good_proof(&mut self) -> Result<GasReport, HarnessError> {
        let check = "the good proof is accepted";
        let call = self.verify(self.proof, self.instances)?;
        if !call.is_true() {
            return Err(HarnessError::SelfCheck { check, detail: call.describe() });
        }
        self.passed(check);
        let check = "it hashes what the Rust transcript hashes";
        let mut expected = self.program.hash_inputs(self.instances, self.proof).unwrap_or_default();
        let first_child = first_child(&self.address);
        if call.hashed.last() == Some(&first_child) {
            // A verifier of two contracts works out where the second one is.
            expected.push(first_child);
        }
        if call.hashed != expected {
            let first = call.hashed.iter().zip(&expected).position(|(left, right)| left != right);
            let detail = format!("hash {} differs", first.unwrap_or(call.hashed.len().min(expected.len())));
            return Err(HarnessError::SelfCheck { check, detail });
        }
        self.passed(check);
        Ok(call.gas)
    }

    /// The pairing that is left to a caller holds for the good proof, and not for another statement.
    fn pairing_input(&mut self) -> Result<(), HarnessError> {
        let check = "the pairing that it leaves to a caller decides as it does";
        let mut changed = self.instances.to_vec();
        if let Some(last) = changed.last_mut() {
            *last = zkml_protocol::field::add(*last, Word::ONE);
        }
        for (instances, good) in [(self.instances, true), (&changed, false)] {
            let data = zkml_contracts::pairing_input_unchecked(self.proof, instances);
            let call = self.evm.call(self.address, &data)?;
            let pairs = match &call.outcome {
                Outcome::Returned(answer) => zkml_contracts::pairs(answer),
                // With sumcheck, the last word of a proof is of its statement alone.
                Outcome::Reverted(_) | Outcome::Halted(_) => None,
            };
            let holds = match pairs {
                Some(pairs) => self.evm.call(precompile(8), pairs)?.is_true(),
                None => false,
            };
            if holds != good {
                return Err(HarnessError::SelfCheck { check, detail: call.describe() });
            }
        }
        self.passed(check);
        Ok(())
    }

    fn refused(
        &mut self,
        check: &'static str,
        proof: &[u8],
        instances: &[Word],
        error: &str,
    ) -> Result<(), HarnessError> {
        let call = self.verify(proof, instances)?;
        if !matches!(call.outcome, Outcome::Reverted(_)) || !call.describe().starts_with(error) {
            let detail = format!("it {} where {error} was expected", call.describe());
            return Err(HarnessError::SelfCheck { check, detail });
        }
        self.passed(check);
        Ok(())
    }

    fn bad_statements(&mut self) -> Result<(), HarnessError> {
        let mut changed = self.instances.to_vec();
        if let Some(last) = changed.last_mut() {
            *last = zkml_protocol::field::add(*last, Word::ONE);
        }
        self.refused("a changed output is refused", self.proof, &changed, "ProofRejected")?;
        let mut changed = self.instances.to_vec();
        if let Some(last) = changed.last_mut() {
            *last = zkml_protocol::field::SCALAR_MODULUS;
        }
        self.refused("an instance out of range is refused", self.proof, &changed, "ScalarOutOfRange")
    }

    fn bad_proofs(&mut self) -> Result<(), HarnessError> {
        let slots = self.program.slots();
        let last = |element| slots.iter().rfind(|slot| slot.element == element && slot.count > 0);
        if let Some(slot) = last(Element::Scalar) {
            let changed = flipped(self.proof, slot.end() - 1);
            self.refused("a changed evaluation is refused", &changed, self.instances, "ProofRejected")?;
        }
        if let Some(slot) = last(Element::Point) {
            let changed = flipped(self.proof, slot.offset + 31);
            self.refused("a point off the curve is refused", &changed, self.instances, "InvalidPoint")?;
        }
        let shorter = self.proof.get(32..).unwrap_or_default();
        self.refused("a shorter proof is refused", shorter, self.instances, "WrongProofLength")
    }
}

/// The proof with the lowest bit of one byte flipped.
fn flipped(proof: &[u8], byte: usize) -> Vec<u8> {
    let mut changed = proof.to_vec();
    if let Some(byte) = changed.get_mut(byte) {
        *byte ^= 1;
    }
    changed
}
