//! Where contracts will be, before they are there.

use super::{ConsumerKind, Folder, owners};
use crate::{artifacts::Artifacts, error::Result};
use serde::Serialize;
use std::collections::BTreeMap;
use zkml_deploy::{
    Address,
    chain::Chain,
    package::{Existing, Placement},
};
use zkml_protocol::Word;

/// What will be deployed, and for whom.
#[derive(Debug, Clone)]
pub struct Request {
    /// The chain: on test chains the sender owns what nobody else is to own.
    pub chain: Chain,
    /// Owner of router and consumer; the sender on test chains when absent.
    pub owner: Option<Address>,
    /// Who registers the model; the sender when absent.
    pub model_owner: Option<Address>,
    /// Who may pull an emergency stop in front of the verifier.
    pub guardian: Option<Address>,
    /// Seconds until a later route comes into force.
    pub route_delay: u64,
    /// Seconds until another model of private weights can take over.
    pub model_delay: u64,
    /// Contracts that are there already.
    pub existing: Existing,
    /// Which consumer.
    pub consumer: ConsumerKind,
}

/// Where contracts will be.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PredictReport {
    /// The model's name.
    pub model: String,
    /// The consumer's address.
    pub consumer: Address,
    /// The model's id.
    pub model_id: Word,
    /// The addresses of all contracts by name, besides registry and router of a `ZKMLVerifier` that is there: only the chain knows those.
    pub contracts: BTreeMap<String, Address>,
}

/// Computes addresses as a deployment by this sender does, without a connection.
///
/// # Errors
/// As [`Folder::load`] and [`Placement::new`]; [`NoOwner`](zkml_deploy::DeployError::NoOwner).
pub fn run(artifacts: &Artifacts, sender: Address, request: &Request) -> Result<PredictReport> {
    let package = Folder::load(artifacts, request.consumer, request.guardian)?.package;
    let Request { owner, model_owner, guardian, route_delay, model_delay, existing, .. } = *request;
    let owners = owners(&request.chain, owner, model_owner, sender)?;
    let owners = zkml_deploy::package::Owners { guardian, route_delay, model_delay, ..owners };
    let placement = Placement::new(&package, owners, existing)?;
    let unknown = existing.zkml_verifier.is_some();
    let stack = [&placement.registry, &placement.router].into_iter().filter(|_| !unknown);
    let others = [&placement.verifier, &placement.zkml_verifier, &placement.consumer];
    let all = others.into_iter().chain(&placement.emergency_stop).chain(stack);
    Ok(PredictReport {
        model: package.model.clone(),
        consumer: placement.consumer.address,
        model_id: placement.model_id,
        contracts: all.map(|placed| (placed.code.name.clone(), placed.address)).collect(),
    })
}
