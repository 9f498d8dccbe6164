//! What is on a chain, held against a folder and its record.

use alloy::sol_types::SolCall;
use serde::Serialize;
use zkml_contracts::{Submission, errors::describe};
use zkml_protocol::{VerifierProgram, Word, field, keccak256};

use crate::{
    Address, B256, CREATE2_FACTORY, DeployError, Result, U256,
    consumer::Consumer,
    create2_address,
    interfaces::{GeneratedVerifier, ZkmlConsumer, ZkmlEmergencyStop, ZkmlRouter, ZkmlVerifier},
    package::Placed,
    plan::{Part, Plan, State},
    record::{ContractRecord, Record, Status},
    rpc::{Answer, Rpc},
};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub name: String,
    /// Whether it is as it should be.
    pub good: bool,
    /// What was found; where it is not good, what was expected too.
    pub detail: String,
}

/// A proof to try on a chain.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The proof.
    pub proof: Vec<u8>,
    /// Its statement.
    pub instances: Vec<Word>,
}

/// Checks code, digests, route, registry entry and consumer, and then a good and two bad proofs on each way to the verifier.
/// Everything is checked, whatever else fails.
///
/// # Errors
/// Those of the endpoint: what could not be asked is no finding.
pub async fn run(rpc: &Rpc, plan: &Plan, record: &Record, trial: &Trial) -> Result<Vec<Finding>> {
    let mut findings = Findings { rpc, plan, list: Vec::new() };
    let consumer = findings.has_consumer(record).await?;
    for part in plan.parts().filter(|part| consumer || *part != Part::Consumer) {
        if let (Some(placed), Some(recorded)) = (plan.placed(part), record.contract(part)) {
            findings.contract(placed, recorded).await?;
        }
    }
    findings.digests().await?;
    findings.ties().await?;
    findings.emergency_stop().await?;
    findings.route().await?;
    findings.registration().await?;
    if consumer {
        findings.consumer().await?;
    }
    findings.proofs(trial, consumer).await?;
    Ok(findings.list)
}

struct Findings<'a> {
    rpc: &'a Rpc,
    plan: &'a Plan,
    list: Vec<Finding>,
}

impl Findings<'_> {
    fn note(&mut self, name: impl Into<String>, good: bool, detail: impl Into<String>) {
        self.list.push(Finding { name: name.into(), good, detail: detail.into() });
    }

    fn same(&mut self, name: impl Into<String>, found: impl ToString, expected: impl ToString) {
        let (found, expected) = (found.to_string(), expected.to_string());
        let good = found == expected;
        self.note(name, good, if good { found } else { format!("{found}, and {expected} was expected") });
    }

    /// An answer that a contract does not give is a finding, not an end.
    fn answer<T>(&mut self, name: &str, answer: Result<T>) -> Result<Option<T>> {
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(e @ (DeployError::Reverted { .. } | DeployError::Answer { .. })) => {
                self.note(name, false, e.to_string());
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    async fn contract(&mut self, placed: &Placed, recorded: &ContractRecord) -> Result<()> {
        let name = &placed.code.name;
        let code = self.rpc.code(placed.address).await?;
        let detail = match (placed.code.is(&code), code.is_empty()) {
            (true, _) => format!("{} bytes at {}", code.len(), placed.address),
            (false, true) => format!("there is no code at {}", placed.address),
            (false, false) => {
                format!("{} bytes at {}, not those that were compiled", code.len(), placed.address)
            }
        };
        self.note(format!("code of {name}"), placed.code.is(&code), detail);
        self.same(format!("code hash of {name}"), keccak256([code.as_ref()]), recorded.runtime_code_hash);
        if let Some(salt) = placed.salt {
            let address = create2_address(&CREATE2_FACTORY, &salt, &placed.init_code());
            self.same(format!("address of {name}"), recorded.address, Address::from(address));
        }
        Ok(())
    }

    async fn digests(&mut self) -> Result<()> {
        let (verifier, program) = (self.plan.placement.verifier.address, &self.plan.package.program);
        let wanted = [program.vk_digest(), program.model_commitment(), program.srs().digest()];
        let rpc = self.rpc;
        let found = [
            ("vkDigest", rpc.view(verifier, "vkDigest", GeneratedVerifier::vkDigestCall {}).await),
            (
                "modelCommitment",
                rpc.view(verifier, "modelCommitment", GeneratedVerifier::modelCommitmentCall {}).await,
            ),
            ("srsDigest", rpc.view(verifier, "srsDigest", GeneratedVerifier::srsDigestCall {}).await),
        ];
        for ((name, answer), wanted) in found.into_iter().zip(wanted) {
            if let Some(found) = self.answer(name, answer)? {
                self.same(name, Word(found.0), wanted);
            }
        }
        Ok(())
    }

    /// What `ZKMLVerifier` is tied to.
    async fn ties(&mut self) -> Result<()> {
        let placement = &self.plan.placement;
        let (address, registry, router) =
            (placement.zkml_verifier.address, placement.registry.address, placement.router.address);
        let found = self.rpc.view(address, "registry", ZkmlVerifier::registryCall {}).await;
        if let Some(found) = self.answer("registry of ZKMLVerifier", found)? {
            self.same("registry of ZKMLVerifier", found, registry);
        }
        let found = self.rpc.view(address, "ROUTER", ZkmlVerifier::ROUTERCall {}).await;
        if let Some(found) = self.answer("router of ZKMLVerifier", found)? {
            self.same("router of ZKMLVerifier", found, router);
        }
        let found = self.rpc.view(router, "owner", ZkmlRouter::ownerCall {}).await;
        if let Some(found) = self.answer("owner of the router", found)? {
            self.note("owner of the router", true, found.to_string());
        }
        Ok(())
    }

    /// The stop in front of the verifier: where it leads, who may pull it, and that nobody did.
    async fn emergency_stop(&mut self) -> Result<()> {
        let (plan, rpc) = (self.plan, self.rpc);
        let (Some(stop), Some(guardian)) = (&plan.placement.emergency_stop, plan.owners.guardian) else {
            return Ok(());
        };
        let address = stop.address;
        let found = rpc.view(address, "VERIFIER", ZkmlEmergencyStop::VERIFIERCall {}).await;
        if let Some(found) = self.answer("verifier of the emergency stop", found)? {
            self.same("verifier of the emergency stop", found, plan.placement.verifier.address);
        }
        let found = rpc.view(address, "stopped", ZkmlEmergencyStop::stoppedCall {}).await;
        if let Some(stopped) = self.answer("state of the emergency stop", found)? {
            let detail =
                if stopped { "pulled, for good: no proof is accepted any more" } else { "not pulled" };
            self.note("state of the emergency stop", !stopped, detail);
        }
        let found = rpc.view(address, "owner", ZkmlEmergencyStop::ownerCall {}).await;
        if let Some(found) = self.answer("owner of the emergency stop", found)? {
            let handed_over = if found == guardian { "" } else { ", to whom it was handed over" };
            // Nobody is left who could pull it.
            self.note("owner of the emergency stop", found != Address::ZERO, format!("{found}{handed_over}"));
        }
        Ok(())
    }

    async fn route(&mut self) -> Result<()> {
        let selector = format!("0x{}", hex::encode(self.plan.selector()));
        match self.plan.look(self.rpc, Part::Route).await {
            Ok(State::There) => self.note("route", true, format!("{selector} is in force")),
            Ok(State::Waiting(from)) => {
                self.note("route", false, format!("{selector} comes into force at {from}"))
            }
            Ok(_) => self.note("route", false, format!("{selector} does not exist")),
            Err(
                e @ (DeployError::Route { .. } | DeployError::Answer { .. } | DeployError::Reverted { .. }),
            ) => {
                self.note("route", false, e.to_string());
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    async fn registration(&mut self) -> Result<()> {
        let id = self.plan.placement.model_id;
        match self.plan.look(self.rpc, Part::Registration).await {
            Ok(State::There) => self.note("registry entry", true, format!("model {id}")),
            Ok(_) => self.note("registry entry", false, format!("model {id} is not registered")),
            Err(
                e @ (DeployError::Deprecated { .. }
                | DeployError::Answer { .. }
                | DeployError::Reverted { .. }),
            ) => {
                self.note("registry entry", false, e.to_string());
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Whether the deployment has a consumer: it was left out if nothing of it was ever sent, and nothing is there. An
    /// application then has its own, which the record does not know.
    async fn has_consumer(&mut self, record: &Record) -> Result<bool> {
        let address = self.plan.placement.consumer.address;
        let planned = record.status(Part::Consumer) == Status::Planned;
        let left_out = planned && self.rpc.code(address).await?.is_empty();
        if left_out {
            self.note("consumer", true, "left out of this deployment: look at the application's own");
        }
        Ok(!left_out)
    }

    async fn consumer(&mut self) -> Result<()> {
        let address = self.plan.placement.consumer.address;
        let consumer = match Consumer::at(self.rpc, address).await {
            Ok(consumer) => consumer,
            Err(e @ DeployError::NoCode { .. }) => {
                self.note("consumer", false, e.to_string());
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let model = consumer.model().await;
        if let Some(model) = self.answer("model of the consumer", model)? {
            // The owner may have moved a consumer of private weights to another model.
            self.same("model of the consumer", model.id, self.plan.placement.model_id);
        }
        let found = self.rpc.view(address, "owner", ZkmlConsumer::ownerCall {}).await;
        if let Some(found) = self.answer("owner of the consumer", found)? {
            self.note("owner of the consumer", true, found.to_string());
        }
        let found = self.rpc.view(address, "MODEL_DELAY", ZkmlConsumer::MODEL_DELAYCall {}).await;
        if let Some(found) = self.answer("delay of the consumer", found)? {
            self.same("delay of the consumer", found, self.plan.owners.model_delay);
        }
        Ok(())
    }

    async fn proofs(&mut self, trial: &Trial, consumer: bool) -> Result<()> {
        self.proof("a good proof", trial, consumer, None).await?;
        let mut output = trial.clone();
        if let Some(last) = output.instances.last_mut() {
            *last = field::add(*last, Word::ONE);
        }
        self.proof("a changed output", &output, consumer, Some(&["ProofRejected"])).await?;
        let mut proof = trial.clone();
        if let Some(last) = proof.proof.last_mut() {
            *last ^= 1;
        }
        self.proof("a changed proof", &proof, consumer, Some(&["InvalidPoint", "ProofRejected"])).await
    }

    /// Shows a proof on all ways; `errors` are those that refuse it, none if it is to be accepted.
    async fn proof(
        &mut self,
        what: &str,
        trial: &Trial,
        consumer: bool,
        errors: Option<&[&str]>,
    ) -> Result<()> {
        let (program, placement) = (&self.plan.package.program, &self.plan.placement);
        let submission = Submission::new(program, &trial.proof, &trial.instances)?;
        let checked = ZkmlVerifier::checkInferenceCall {
            modelId: U256::from_be_bytes(placement.model_id.0),
            inputCommitment: B256::from(submission.input_commitment.0),
            output: submission.output.clone().into(),
            proof: submission.blob.clone().into(),
        };
        let bare = zkml_contracts::verify_proof_unchecked(&trial.proof, &trial.instances);
        let stop = placement.emergency_stop.as_ref();
        let mut ways = Vec::from([("verifier", placement.verifier.address, bare.clone())]);
        ways.extend(stop.map(|stop| ("emergency stop", stop.address, bare)));
        ways.extend([
            ("ZKMLVerifier", placement.zkml_verifier.address, checked.abi_encode()),
            ("consumer", placement.consumer.address, zkml_contracts::check_inference(&submission)),
        ]);
        for (way, address, data) in ways.into_iter().filter(|(way, ..)| consumer || *way != "consumer") {
            let answer = self.rpc.call(None, Some(address), &data).await?;
            // A call of an address without code succeeds.
            let empty = self.rpc.code(address).await?.is_empty();
            let (good, detail) = judge(&answer, empty, errors);
            self.note(format!("{what}, {way}"), good, detail);
        }
        Ok(())
    }
}

fn judge(answer: &Answer, empty: bool, errors: Option<&[&str]>) -> (bool, String) {
    match (answer, errors) {
        _ if empty => (false, "there is no contract".to_owned()),
        (Answer::Returned(_), None) => (true, "accepted".to_owned()),
        (Answer::Returned(_), Some(_)) => (false, "accepted, and it must be refused".to_owned()),
        (Answer::Reverted(bytes), expected) => {
            let reason = describe(bytes);
            let good = expected.is_some_and(|errors| errors.iter().any(|error| reason.starts_with(error)));
            (good, format!("refused: {reason}"))
        }
    }
}
