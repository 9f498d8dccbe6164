//! The local EVM: deploy the generated verifier, send the proof, and say where the gas went.

pub mod batch;

use super::commit::{self, Commitment};
use super::solidity::Contracts;
use super::tamper::{self, Refusal};
use crate::{
    artifacts::Artifacts,
    error::{Error, Result},
    observer::Observer,
    proof_file::OutputValues,
};
use serde::Serialize;
use std::path::Path;
use zkml_contracts::{Submission, verify_model};
use zkml_harness::{Address, Evm, EvmConfig, GasReport, Outcome, Stack, StackCode};
use zkml_protocol::binding::Registration;

/// Proof to simulate.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    /// The proof; the folder's own when absent.
    pub proof: Option<&'a Path>,
    /// Also try changed proofs and statements.
    pub tamper: bool,
    /// The answer of `CHAINID`; a local test chain's when absent.
    pub chain_id: Option<u64>,
}

/// The verdict of the EVM.
#[derive(Debug, Clone, Serialize)]
pub struct SimulateReport {
    /// True; a refused proof is an error with exit code 1.
    pub accepted: bool,
    /// The model's name.
    pub model: String,
    /// The outputs that the contract accepted.
    pub outputs: Vec<OutputValues>,
    /// The commitments in the statement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<Commitment>,
    /// Length of the proof.
    pub proof_bytes: usize,
    /// Length of the verifier's runtime bytecode.
    pub runtime_bytes: usize,
    /// Gas of deploying the verifier.
    pub deploy_gas: u64,
    /// Gas of the transaction.
    pub tx_gas: u64,
    /// Gas of the transaction without its base and calldata.
    pub exec_gas: u64,
    /// The transaction's gas by cause.
    pub gas: GasReport,
    /// Gas of the transaction when the proof comes in through registry and router, as consumers send it.
    pub routed_tx_gas: u64,
    /// Changes that were tried besides, and how each was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
}

/// Deploys the verifier and lets it judge the proof.
///
/// # Errors
/// [`Error::Refused`] when the contract refuses the proof, [`Error::Accepted`] when it accepts a changed one;
/// others when artifacts or tools are missing.
pub fn run(observer: &dyn Observer, artifacts: &Artifacts, request: &Request<'_>) -> Result<SimulateReport> {
    let contracts = Contracts::of(observer, artifacts, request.proof)?;
    let contract = contracts.compiled.contract(&contracts.sources.names.verifier)?;
    let mut config = EvmConfig::default();
    config.chain_id = request.chain_id.unwrap_or(config.chain_id);
    let mut evm = Evm::new(config);
    let deployment = evm.deploy(&contract.creation)?;
    let proof = &contracts.proof;
    let data = zkml_contracts::verify_proof_unchecked(&proof.proof, &proof.instances);
    let call = evm.send(deployment.address, &data)?;
    if !call.is_true() {
        return Err(Error::Refused { by: "the contract", why: call.describe() });
    }
    let routed_tx_gas = routed(&mut evm, deployment.address, &contracts)?;
    let refusals =
        if request.tamper { tamper::run(&mut evm, deployment.address, &contracts)? } else { Vec::new() };
    Ok(SimulateReport {
        accepted: true,
        model: proof.model.clone(),
        outputs: proof.outputs.clone(),
        commitments: commit::stated(&contracts.program, &proof.instances),
        proof_bytes: proof.proof.len(),
        runtime_bytes: deployment.code_bytes,
        deploy_gas: deployment.gas,
        tx_gas: call.gas.transaction,
        exec_gas: call.gas.execution,
        gas: call.gas,
        routed_tx_gas,
        refusals,
        unsafe_dev_srs: proof.unsafe_dev_srs,
    })
}

/// Registers the model, and lets `ZKMLVerifier` find the verifier and judge the proof.
fn routed(evm: &mut Evm, verifier: Address, contracts: &Contracts) -> Result<u64> {
    let Contracts { program, proof, compiled, .. } = contracts;
    let stack = Stack::deploy(evm, &StackCode::of(compiled)?, &[verifier])?;
    let model_id = stack.register(evm, &Registration::of(program, &proof.instances)?)?;
    let submission = Submission::new(program, &proof.proof, &proof.instances)?;
    let call = evm.call(stack.verifier, &verify_model(&submission, model_id))?;
    match call.outcome {
        Outcome::Returned(_) => Ok(call.gas.transaction),
        _ => Err(Error::Refused { by: "ZKMLVerifier", why: call.describe() }),
    }
}
