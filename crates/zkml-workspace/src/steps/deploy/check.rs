//! What is on a chain, held against a folder and its record.

use super::{ConsumerKind, Folder, Records};
use crate::{
    artifacts::Artifacts,
    error::Result,
    steps::{compiled, verify},
    verdict::{Failed, Judged},
};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zkml_deploy::{
    chain::Chain,
    check::{self, Finding, Trial},
    package::{Existing, Owners},
    plan::Plan,
    record::Record,
    rpc::Rpc,
};
use zkml_protocol::VerifierProgram;

/// What was found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// The model's name.
    pub model: String,
    /// The chain's name.
    pub chain: String,
    /// Its id.
    pub chain_id: u64,
    /// The record.
    pub record: PathBuf,
    /// Whether all is as it should be.
    pub good: bool,
    /// Everything that was checked.
    pub findings: Vec<Finding>,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
}

/// A record as a plan again: the contracts that it names, with those of somebody else among them.
///
/// # Errors
/// As [`Plan::new`], and [`zkml_deploy::DeployError::OtherRecord`] when the folder is not the one of the record.
pub async fn plan(rpc: &Rpc, chain: &Chain, folder: &Folder, record: &Record, path: &Path) -> Result<Plan> {
    let owners = Owners {
        owner: record.owner,
        model_owner: record.registration.owner,
        guardian: record.guardian,
        route_delay: record.route_delay,
        model_delay: record.model_delay,
    };
    let contracts = &record.contracts;
    let foreign =
        |contract: &zkml_deploy::record::ContractRecord| contract.salt.is_none().then_some(contract.address);
    let existing = Existing {
        registry: foreign(&contracts.registry),
        router: foreign(&contracts.router),
        zkml_verifier: foreign(&contracts.zkml_verifier),
    };
    let plan = Plan::new(rpc, chain, folder.package.clone(), owners, existing).await?;
    record.check(&Record::planned(&plan), path)?;
    Ok(plan)
}

/// Checks a deployment, and tries the folder's proof and changed ones on it.
///
/// # Errors
/// A missing record or proof, a folder that is not the record's, an endpoint that fails. What is not as it should be on
/// the chain is in the report.
pub async fn run(
    artifacts: &Artifacts,
    chain: &Chain,
    connect: impl Future<Output = Result<Rpc>>,
    records: &Records,
    proof: Option<&Path>,
) -> Result<CheckReport> {
    let record = records.require()?;
    let program = compiled::program(artifacts)?;
    let (_, proof) = verify::load(artifacts, proof, &program)?;
    zkml_verifier::verify(&program, &proof.proof, &proof.instances)?;
    let kind = ConsumerKind::named(&program, &record.contracts.consumer.name);
    let folder = Folder::load(artifacts, kind, record.guardian)?;
    let rpc = connect.await?;
    let plan = plan(&rpc, chain, &folder, &record, records.path()).await?;
    let trial = Trial { proof: proof.proof, instances: proof.instances };
    let findings = check::run(&rpc, &plan, &record, &trial).await?;
    Ok(CheckReport {
        model: artifacts.model().to_owned(),
        chain: chain.name.clone(),
        chain_id: chain.id,
        record: records.path().to_owned(),
        good: findings.iter().all(|finding| finding.good),
        findings,
        unsafe_dev_srs: program.srs().unsafe_dev,
    })
}

impl Judged for CheckReport {
    fn verdict(&self) -> Result<(), Failed> {
        if self.good {
            return Ok(());
        }
        let failed = self.findings.iter().filter(|finding| !finding.good);
        let failed = failed.map(|finding| finding.name.clone()).collect();
        Err(Failed::Deployment { chain: self.chain.clone(), failed })
    }
}
