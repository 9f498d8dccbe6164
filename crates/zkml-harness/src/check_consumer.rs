//! Tries a generated consumer behind registry and router before anybody relies on it.

use zkml_contracts::{Submission, check_inference, verify_inference};
use zkml_protocol::{VerifierProgram, Word, binding::Registration, field};

use crate::{
    Address, Call, Contract, Evm, GasReport, HarnessError, Outcome,
    stack::{Stack, StackCode},
};

/// Deploys the stack and both contracts, and checks that the consumer passes a good proof on, refuses a changed output,
/// takes no proof that is not bound to its caller, cannot be deployed for another model and, when the weights are
/// private, takes no proof about other weights; and that it takes none once the model is out of use.
///
/// Returns the gas of `checkInference`.
///
/// # Errors
/// [`HarnessError::SelfCheck`] with the first check that failed.
pub fn self_check_consumer(
    stack: &StackCode,
    verifier: &Contract,
    consumer: &Contract,
    program: &dyn VerifierProgram,
    proof: &[u8],
    instances: &[Word],
) -> Result<GasReport, HarnessError> {
    let mut evm = Evm::default();
    let verifier = evm.deploy(&verifier.creation)?.address;
    let stack = Stack::deploy(&mut evm, stack, &[verifier])?;
    let mut trial = Trial { evm, stack, program, code: consumer, proof, instances };
    let registration = Registration::of(program, instances)?;
    let model_id = trial.stack.register(&mut trial.evm, &registration)?;
    let consumer = trial.deploy(model_id)?;
    let gas = trial.good_proof(consumer)?;
    trial.bad_proofs(consumer)?;
    trial.other_models(registration)?;
    trial.stack.deprecate(&mut trial.evm, model_id)?;
    let check = "the consumer takes no proof of a model that is out of use";
    trial.refused(check, consumer, instances, "VerificationRefused_ModelDeprecated")?;
    Ok(gas)
}

struct Trial<'a> {
    evm: Evm,
    stack: Stack,
    program: &'a dyn VerifierProgram,
    code: &'a Contract,
    proof: &'a [u8],
    instances: &'a [Word],
}

impl Trial<'_> {
    fn deploy(&mut self, model_id: Word) -> Result<Address, HarnessError> {
        Ok(self.stack.deploy_consumer(&mut self.evm, self.program, self.code, model_id)?.address)
    }

    /// Shows a consumer the proof with this statement.
    fn show(&mut self, consumer: Address, instances: &[Word]) -> Result<Call, HarnessError> {
        let submission = Submission::new(self.program, self.proof, instances)?;
        self.evm.call(consumer, &check_inference(&submission))
    }

    fn refused(
        &mut self,
        check: &'static str,
        consumer: Address,
        instances: &[Word],
        error: &str,
    ) -> Result<(), HarnessError> {
        let call = self.show(consumer, instances)?;
        answered(check, &call, error)
    }

    fn good_proof(&mut self, consumer: Address) -> Result<GasReport, HarnessError> {
        let call = self.show(consumer, self.instances)?;
        match call.outcome {
            Outcome::Returned(_) => Ok(call.gas),
            _ => Err(failed("the consumer passes the good proof on", call.describe())),
        }
    }

    fn bad_proofs(&mut self, consumer: Address) -> Result<(), HarnessError> {
        let mut changed = self.instances.to_vec();
        if let Some(last) = changed.last_mut() {
            *last = field::add(*last, Word::ONE);
        }
        self.refused("the consumer refuses a changed output", consumer, &changed, "ProofRejected")?;
        let submission = Submission::new(self.program, self.proof, self.instances)?;
        let call = self.evm.call(consumer, &verify_inference(&submission, LATE, Word::ZERO, &[]))?;
        answered("the consumer takes no proof of another context", &call, "WrongContext")
    }

    /// Models that differ in one thing.
    fn other_models(&mut self, this: Registration) -> Result<(), HarnessError> {
        let check = "the consumer cannot be deployed for another model";
        let [mut circuit, mut vk, mut system, mut model] = [this; 4];
        circuit.circuit_hash = another(this.circuit_hash);
        vk.vk_hash = another(this.vk_hash);
        system.proof_system_id = [7; 4];
        model.model_hash = another(this.model_hash);
        for other in [circuit, vk, system] {
            self.not_deployed(check, &other)?;
        }
        if self.program.statement().instances.model.is_empty() {
            return self.not_deployed(check, &model);
        }
        let model_id = self.stack.register(&mut self.evm, &model)?;
        let consumer = self.deploy(model_id)?;
        let check = "the consumer of other weights refuses the proof";
        self.refused(check, consumer, self.instances, "ProofRejected")
    }

    fn not_deployed(&mut self, check: &'static str, other: &Registration) -> Result<(), HarnessError> {
        let model_id = self.stack.register(&mut self.evm, other)?;
        match self.deploy(model_id) {
            Err(HarnessError::DeployFailed { reason, .. }) if reason.starts_with("NotThisModel(") => Ok(()),
            Err(HarnessError::DeployFailed { reason, .. }) => Err(failed(check, reason)),
            Err(other) => Err(other),
            Ok(_) => Err(failed(check, "it was deployed".to_owned())),
        }
    }
}

/// The last deadline.
pub(crate) const LATE: Word = Word([0xff; 32]);

pub(crate) fn answered(check: &'static str, call: &Call, error: &str) -> Result<(), HarnessError> {
    if matches!(call.outcome, Outcome::Reverted(_)) && call.describe().starts_with(error) {
        return Ok(());
    }
    Err(failed(check, format!("it {} where {error} was expected", call.describe())))
}

pub(crate) fn failed(check: &'static str, detail: String) -> HarnessError {
    HarnessError::SelfCheck { check, detail }
}

/// A commitment or digest that is not this one.
fn another(word: Word) -> Word {
    if word == Word::ONE { Word::from_u64(2) } else { Word::ONE }
}
