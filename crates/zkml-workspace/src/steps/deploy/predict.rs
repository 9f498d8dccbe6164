//! Where contracts will be, before they are there.

use super::{Folder, Terms};
use crate::{artifacts::Artifacts, error::Result};
use serde::Serialize;
use std::collections::BTreeMap;
use zkml_deploy::{Address, chain::Chain, package::Placement};
use zkml_protocol::Word;

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
pub fn run(artifacts: &Artifacts, chain: &Chain, sender: Address, terms: &Terms) -> Result<PredictReport> {
    let package = Folder::load(artifacts, terms.consumer, terms.guardian)?.package;
    let placement = Placement::new(&package, terms.owners(chain, sender)?, terms.existing)?;
    let unknown = terms.existing.zkml_verifier.is_some();
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
