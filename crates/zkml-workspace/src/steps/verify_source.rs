//! The sources of what a record says is deployed, to a service that compiles them again.

use super::{
    compiled,
    deploy::{ConsumerKind, Folder, Records},
};
use crate::{
    artifacts::Artifacts,
    error::Result,
    observer::{Observer, Total},
    verdict::{Failed, Judged},
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use zkml_deploy::{
    Address, DeployError,
    chain::Chain,
    package::{CompiledContract, Package},
    record::{ContractRecord, Record},
    source::{self, Kind, Patience, Secret, Service, Source, SourceError, Verdict},
};
use zkml_protocol::keccak256;

/// What to hand in, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// The chain.
    pub chain: Chain,
    /// Who compiles.
    pub kind: Kind,
    /// Where, if not at the usual place.
    pub url: Option<String>,
    /// The key of an account there.
    pub key: Option<Secret>,
    /// Where records are.
    pub deployments: PathBuf,
    /// Which consumer was deployed; as the record says when absent.
    pub consumer: Option<ConsumerKind>,
    /// The name of the only contract that is meant.
    pub only: Option<String>,
    /// How long to wait.
    pub patience: Patience,
}

/// What the service says of a contract.
#[derive(Debug, Clone, Serialize)]
pub struct ContractReport {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Address,
    /// What the service says.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The report.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifySourceReport {
    /// The model's name.
    pub model: String,
    /// The chain's name.
    pub chain: String,
    /// Its id.
    pub chain_id: u64,
    /// Who compiled.
    pub service: Kind,
    /// Its host.
    pub endpoint: String,
    /// The contracts, in the order of deployment.
    pub contracts: Vec<ContractReport>,
}

/// Hands in what is on the chain, contract by contract. Nothing is sent to the chain.
///
/// # Errors
/// No record, [`DeployError::OtherRecord`] for a record of something else, those of [`Folder::load`] and of the service.
pub async fn run(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    request: Request,
) -> Result<VerifySourceReport> {
    let service = Service::new(request.kind, request.url.as_deref(), request.key, request.patience)?;
    let records = Records::of(&request.deployments, request.chain.id, artifacts.model());
    let record = records.require()?;
    let contracts = source::deployed(&record, request.only.as_deref())?;
    let kind = match request.consumer {
        Some(kind) => kind,
        None => ConsumerKind::named(&compiled::program(artifacts)?, &record.contracts.consumer.name),
    };
    let folder = Folder::load(artifacts, kind, None)?;
    check(&folder.package, &record, request.chain.id, records.path())?;
    let mut reports = Vec::new();
    for contract in contracts {
        let words = format!("{} compiles {}", request.kind.name(), contract.name);
        let work = observer.start(&words, Total::Time(Duration::from_secs(10)))?;
        let source = Source {
            chain_id: record.chain_id,
            contract,
            input: &folder.standard_input,
            compiler: &record.compiler.version,
        };
        let verdict = service.verify(&source).await?;
        drop(work);
        reports.push(ContractReport { name: contract.name.clone(), address: contract.address, verdict });
    }
    Ok(VerifySourceReport {
        model: record.model.clone(),
        chain: request.chain.name,
        chain_id: record.chain_id,
        service: request.kind,
        endpoint: service.endpoint(),
        contracts: reports,
    })
}

/// Refuses a record of other contracts than those of the folder: the service would refuse their sources, later and with
/// fewer words.
fn check(package: &Package, record: &Record, chain_id: u64, path: &Path) -> Result<()> {
    let refuse = |what: String, there: String, here: String| {
        Err(DeployError::OtherRecord { path: path.to_owned(), what, there, here }.into())
    };
    if record.chain_id != chain_id {
        return refuse("chain".to_owned(), record.chain_id.to_string(), chain_id.to_string());
    }
    if record.compiler != package.compiler {
        let text = |compiler: &zkml_deploy::package::Compiler| {
            format!("{} with {}", compiler.version, compiler.settings)
        };
        return refuse("compiler".to_owned(), text(&record.compiler), text(&package.compiler));
    }
    let codes = package.codes(record.contracts.emergency_stop.is_some());
    for (there, here) in record.contracts.all().into_iter().zip(codes) {
        if (&there.name, &there.file) != (&here.name, &here.file) {
            let there = format!("{}:{}", there.file, there.name);
            return refuse("contract".to_owned(), there, format!("{}:{}", here.file, here.name));
        }
        let (recorded, compiled) = (there.init_code_hash, init_code_hash(there, here));
        if Some(recorded) != compiled {
            let compiled = compiled.map_or_else(|| "unknown".to_owned(), |hash| hash.to_string());
            return refuse(format!("creation code of {}", there.name), recorded.to_string(), compiled);
        }
    }
    Ok(())
}

/// The hash of creation code with the arguments that a record has; none if those are no bytes.
fn init_code_hash(contract: &ContractRecord, code: &CompiledContract) -> Option<zkml_protocol::Word> {
    let arguments = hex::decode(contract.constructor_arguments.strip_prefix("0x")?).ok()?;
    Some(keccak256([code.creation.as_slice(), &arguments]))
}

impl Judged for VerifySourceReport {
    fn verdict(&self) -> Result<(), Failed> {
        let refused: Vec<String> = self
            .contracts
            .iter()
            .filter_map(|contract| match &contract.verdict {
                Verdict::Refused(why) => Some(format!("{}: {why}", contract.name)),
                _ => None,
            })
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let (endpoint, refused) = (self.endpoint.clone(), refused.join("; "));
        Err(Failed::Sources(SourceError::Refused { endpoint, refused }))
    }
}
