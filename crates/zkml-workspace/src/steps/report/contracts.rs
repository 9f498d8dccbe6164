//! The setup, the proof, the generated contract and the deployments of a folder.

use super::super::{prove::DEFAULT_PROOF, solidity::ContractFile, verify};
use crate::{
    artifacts::{Artifacts, file},
    error::Result,
    proof_file::{OutputValues, ProofFile},
};
use serde::Serialize;
use std::path::Path;
use zkml_harness::{GasReport, self_check};
use zkml_protocol::{Program, VerifierProgram, Word};

/// The setup behind the keys.
#[derive(Debug, Clone, Serialize)]
pub struct Setup {
    /// The proof system.
    pub proof_system: &'static str,
    /// What a consumer pins.
    pub model_commitment: Word,
    /// The setup's secret is public: proofs convince nobody.
    pub unsafe_dev_srs: bool,
}

impl Setup {
    pub(super) fn of(program: &Program) -> Self {
        Self {
            proof_system: program.proof_system().name(),
            model_commitment: program.model_commitment(),
            unsafe_dev_srs: program.srs().unsafe_dev,
        }
    }
}

/// The folder's proof, which holds.
#[derive(Debug, Clone, Serialize)]
pub struct Proven {
    /// Its length in bytes.
    pub bytes: usize,
    /// What it is bound to; zero when unbound.
    pub context: Word,
    /// The outputs that it proves.
    pub outputs: Vec<OutputValues>,
}

/// Gas of the folder's proof in the generated contract, in a local EVM.
#[derive(Debug, Clone, Serialize)]
pub struct Gas {
    /// Where it goes.
    pub gas: GasReport,
    /// Gas of deploying the verifier.
    pub deploy_gas: u64,
    /// Runtime bytecode of the verifier.
    pub runtime_bytes: usize,
    /// The checks that the bytecode passed.
    pub checks: Vec<&'static str>,
}

/// A deployment on record.
#[derive(Debug, Clone, Serialize)]
pub struct Deployed {
    /// The chain's name.
    pub chain: String,
    /// Its id.
    pub chain_id: u64,
    /// How far the deployment is.
    pub status: String,
    /// The contracts with their addresses.
    pub contracts: Vec<(String, String)>,
    /// Gas of the transactions that are mined.
    pub gas: u64,
    /// It is of the folder's key; another one's otherwise.
    pub current: bool,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
}

/// The folder's proof, verified.
pub(super) fn proven(artifacts: &Artifacts, program: &Program) -> Result<Option<(Proven, ProofFile)>> {
    if artifacts.entry(DEFAULT_PROOF).is_none() {
        return Ok(None);
    }
    let (_, proof) = verify::load(artifacts, None, program)?;
    zkml_verifier::verify(program, &proof.proof, &proof.instances)?;
    let proven = Proven { bytes: proof.proof.len(), context: proof.context, outputs: proof.outputs.clone() };
    Ok(Some((proven, proof)))
}

/// What the generated contract says to the proof; nothing where there is no contract yet.
pub(super) fn gas(artifacts: &Artifacts, program: &Program, proof: &ProofFile) -> Result<Option<Gas>> {
    let name = zkml_codegen::names::contracts(program).verifier;
    if artifacts.entry(&format!("{}/{name}.json", file::SOLIDITY)).is_none() {
        return Ok(None);
    }
    let contract = ContractFile::load(artifacts, &name)?.contract();
    let checked = self_check(&contract, program, &proof.proof, &proof.instances)?;
    Ok(Some(Gas {
        gas: checked.gas,
        deploy_gas: checked.deploy_gas,
        runtime_bytes: checked.runtime_bytes,
        checks: checked.checks,
    }))
}

/// Deployments of the model below `root`, by chain.
///
/// # Errors
/// A damaged record.
#[cfg(feature = "chain")]
pub(super) fn deployments(root: &Path, model: &str, program: Option<&Program>) -> Result<Vec<Deployed>> {
    use super::super::deploy::Records;
    let chains = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut ids: Vec<u64> = chains.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    let mut out = Vec::new();
    for id in ids {
        let Some(record) = Records::of(root, id, model).read()? else { continue };
        let gas = |c: &&zkml_deploy::record::ContractRecord| c.transaction.as_ref().and_then(|t| t.gas);
        let contracts = record.contracts.all();
        out.push(Deployed {
            chain: record.chain.clone(),
            chain_id: record.chain_id,
            status: word(&record.status),
            gas: contracts.iter().filter_map(gas).sum(),
            contracts: contracts.iter().map(|c| (c.name.clone(), c.address.to_string())).collect(),
            current: program.is_some_and(|p| p.vk_digest() == record.digests.vk),
            unsafe_dev_srs: record.unsafe_dev_srs,
        });
    }
    Ok(out)
}

/// Without commands that talk to chains there are no records.
///
/// # Errors
/// None.
#[cfg(not(feature = "chain"))]
pub(super) fn deployments(_: &Path, _: &str, _: Option<&Program>) -> Result<Vec<Deployed>> {
    Ok(vec![])
}

/// A status as JSON has it.
#[cfg(feature = "chain")]
fn word(status: &zkml_deploy::record::Status) -> String {
    serde_json::to_value(status).ok().and_then(|v| Some(v.as_str()?.to_owned())).unwrap_or_default()
}
