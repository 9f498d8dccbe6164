//! What was deployed: one file per model and chain, written after each step.

mod parts;

use std::path::Path;
use zkml_protocol::VerifierProgram;

use serde::{Deserialize, Serialize};

pub use self::parts::{
    ContractRecord, Contracts, Digests, RegistrationRecord, RouteRecord, Status, TransactionRecord,
};
use crate::{
    Address, CREATE2_FACTORY, DeployError, Result,
    error::RecordError,
    package::Compiler,
    plan::{Part, Plan},
};

/// The format of records that this version reads and writes.
pub const VERSION: u32 = 1;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// Version of the format, [`VERSION`].
    pub version: u32,
    /// The model's name.
    pub model: String,
    /// The chain.
    pub chain_id: u64,
    /// Its name.
    pub chain: String,
    /// Version of the toolkit that generated the verifier.
    pub toolkit: String,
    /// How far it is.
    pub status: Status,
    /// The setup's secret is public: test chains only.
    pub unsafe_dev_srs: bool,
    /// What names the parts.
    pub digests: Digests,
    /// Compiler and settings.
    pub compiler: Compiler,
    /// The CREATE2 factory.
    pub factory: Address,
    /// Owner of router and consumer.
    pub owner: Address,
    /// Who may pull the emergency stop; none if there is no stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<Address>,
    /// Seconds until a later route comes into force.
    pub route_delay: u64,
    /// Seconds until another model of private weights can take over.
    pub model_delay: u64,
    /// The contracts.
    pub contracts: Contracts,
    /// The route.
    pub route: RouteRecord,
    /// The registry's entry.
    pub registration: RegistrationRecord,
}

impl Record {
    /// A record of what is not there yet.
    #[must_use]
    pub fn planned(plan: &Plan) -> Self {
        let (package, placement, owners) = (&plan.package, &plan.placement, plan.owners);
        let planned = ContractRecord::planned;
        Self {
            version: VERSION,
            model: package.model.clone(),
            chain_id: plan.chain.id,
            chain: plan.chain.name.clone(),
            toolkit: package.program.statement().toolkit_version.clone(),
            status: Status::Planned,
            unsafe_dev_srs: package.program.srs().unsafe_dev,
            digests: Digests::of(package),
            compiler: package.compiler.clone(),
            factory: CREATE2_FACTORY.into(),
            owner: owners.owner,
            guardian: owners.guardian,
            route_delay: owners.route_delay,
            model_delay: owners.model_delay,
            contracts: Contracts {
                verifier: planned(&placement.verifier),
                emergency_stop: placement.emergency_stop.as_ref().map(planned),
                registry: planned(&placement.registry),
                router: planned(&placement.router),
                zkml_verifier: planned(&placement.zkml_verifier),
                consumer: planned(&placement.consumer),
            },
            route: RouteRecord {
                selector: format!("0x{}", hex::encode(plan.selector())),
                active_from: None,
                transaction: None,
                status: Status::Planned,
            },
            registration: RegistrationRecord {
                model_id: placement.model_id,
                owner: owners.model_owner,
                commitment_hash: package.registration.commitment_hash(),
                transaction: None,
                status: Status::Planned,
            },
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`DeployError::Record`] when it is damaged, or in another format.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let refuse = |source| DeployError::Record { path: path.to_owned(), source };
        let record: Self = serde_json::from_slice(bytes).map_err(|e| refuse(RecordError::Content(e)))?;
        if record.version != VERSION {
            return Err(refuse(RecordError::Version { found: record.version, expected: VERSION }));
        }
        Ok(record)
    }

    /// The bytes to write.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Refuses a folder that is not the one that this record is about: what is on the chain then has another meaning.
    ///
    /// # Errors
    /// [`DeployError::OtherRecord`] with the first thing that differs.
    pub fn check(&self, planned: &Self, path: &Path) -> Result<()> {
        let guardian = |record: &Self| {
            record
                .guardian
                .map_or_else(|| "nobody, for there is none".to_owned(), |guardian| guardian.to_string())
        };
        let pairs = [
            ("chain", self.chain_id.to_string(), planned.chain_id.to_string()),
            ("model", self.model.clone(), planned.model.clone()),
            ("toolkit version", self.toolkit.clone(), planned.toolkit.clone()),
            ("setup digest", self.digests.srs.to_string(), planned.digests.srs.to_string()),
            ("verifying key", self.digests.vk.to_string(), planned.digests.vk.to_string()),
            (
                "model commitment",
                self.digests.model_commitment.to_string(),
                planned.digests.model_commitment.to_string(),
            ),
            ("model hash", self.digests.model_hash.to_string(), planned.digests.model_hash.to_string()),
            ("owner", self.owner.to_string(), planned.owner.to_string()),
            ("owner of the emergency stop", guardian(self), guardian(planned)),
            ("model owner", self.registration.owner.to_string(), planned.registration.owner.to_string()),
        ];
        let hashes = self.contracts.all().into_iter().zip(planned.contracts.all());
        let hashes = hashes.flat_map(|(there, here)| {
            [
                (format!("address of {}", there.name), there.address.to_string(), here.address.to_string()),
                (
                    format!("creation code of {}", there.name),
                    there.init_code_hash.to_string(),
                    here.init_code_hash.to_string(),
                ),
            ]
        });
        let pairs = pairs.into_iter().map(|(what, there, here)| (what.to_owned(), there, here));
        match pairs.chain(hashes).find(|(_, there, here)| there != here) {
            None => Ok(()),
            Some((what, there, here)) => {
                Err(DeployError::OtherRecord { path: path.to_owned(), what, there, here })
            }
        }
    }
}

impl Record {
    /// The contract of a part, if it is one.
    #[must_use]
    pub fn contract(&self, part: Part) -> Option<&ContractRecord> {
        let contracts = &self.contracts;
        Some(match part {
            Part::Verifier => &contracts.verifier,
            Part::EmergencyStop => return contracts.emergency_stop.as_ref(),
            Part::Registry => &contracts.registry,
            Part::Router => &contracts.router,
            Part::ZkmlVerifier => &contracts.zkml_verifier,
            Part::Consumer => &contracts.consumer,
            Part::Route | Part::Registration => return None,
        })
    }

    pub(crate) fn contract_mut(&mut self, part: Part) -> Option<&mut ContractRecord> {
        let contracts = &mut self.contracts;
        Some(match part {
            Part::Verifier => &mut contracts.verifier,
            Part::EmergencyStop => return contracts.emergency_stop.as_mut(),
            Part::Registry => &mut contracts.registry,
            Part::Router => &mut contracts.router,
            Part::ZkmlVerifier => &mut contracts.zkml_verifier,
            Part::Consumer => &mut contracts.consumer,
            Part::Route | Part::Registration => return None,
        })
    }

    /// The transaction of a part, and how far the part is; none for an emergency stop that there is not.
    fn progress(&mut self, part: Part) -> Option<(&mut Option<TransactionRecord>, &mut Status)> {
        match part {
            Part::Route => Some((&mut self.route.transaction, &mut self.route.status)),
            Part::Registration => Some((&mut self.registration.transaction, &mut self.registration.status)),
            _ => self.contract_mut(part).map(|contract| (&mut contract.transaction, &mut contract.status)),
        }
    }

    /// The transaction of a part.
    #[must_use]
    pub fn transaction(&self, part: Part) -> Option<&TransactionRecord> {
        match part {
            Part::Route => self.route.transaction.as_ref(),
            Part::Registration => self.registration.transaction.as_ref(),
            _ => self.contract(part)?.transaction.as_ref(),
        }
    }

    pub(crate) fn transaction_mut(&mut self, part: Part) -> Option<&mut TransactionRecord> {
        self.progress(part)?.0.as_mut()
    }

    /// The transaction of a part is not what put it there.
    pub(crate) fn forget(&mut self, part: Part) {
        if let Some((transaction, _)) = self.progress(part) {
            *transaction = None;
        }
    }

    /// How far a part is; an emergency stop that there is not stays planned.
    #[must_use]
    pub fn status(&self, part: Part) -> Status {
        match part {
            Part::Route => self.route.status,
            Part::Registration => self.registration.status,
            _ => self.contract(part).map_or(Status::Planned, |contract| contract.status),
        }
    }

    /// Whether a part is there and in force.
    #[must_use]
    pub fn is_there(&self, part: Part) -> bool {
        matches!(self.status(part), Status::Deployed | Status::Reused)
    }

    /// Notes how far a part is, and its transaction if there is a new one.
    pub(crate) fn set(&mut self, part: Part, status: Status, transaction: Option<TransactionRecord>) {
        let Some((of, at)) = self.progress(part) else { return };
        *at = status;
        if transaction.is_some() {
            *of = transaction;
        }
    }
}
