//! What is in a model and what would be proven, before anything is calibrated.

use super::{compiled, disclosure::Disclosure, relations::Relations};
use crate::{
    artifacts::{Artifacts, file},
    error::Result,
};
use serde::Serialize;
use std::path::Path;
use zkml::Cost;
use zkml_graph::{Graph, Visibility};
use zkml_onnx::{Inspection, Model, Settings};

/// A model as `inspect` shows it.
#[derive(Debug, Serialize)]
pub struct InspectReport {
    /// What is in it.
    #[serde(flatten)]
    pub model: Inspection,
    /// Who would see what.
    pub disclosure: Disclosure,
}

/// A compiled model as `inspect` shows it.
#[derive(Debug, Serialize)]
pub struct FolderReport {
    /// Its name.
    pub model: String,
    /// Keccak-256 of the compiled graph.
    pub model_hash: String,
    /// Number of constant elements.
    pub parameters: usize,
    /// Number of multiplications of one inference.
    pub macs: u64,
    /// How it is proven, and what that is expected to cost.
    pub cost: Cost,
    /// The reason for the choice of the proof system.
    pub why: String,
    /// Who sees what.
    pub disclosure: Disclosure,
    /// Standing of each relation in the circuit.
    pub ledger: Relations,
}

/// Loads a model and describes it, with the effect of settings that it may be calibrated with.
///
/// # Errors
/// A file that is no model, or a model that cannot be proven, with all reasons; settings that are not for it.
pub fn run(model: &Path, settings: &Settings) -> Result<InspectReport> {
    let model = Model::load(model, &settings.load_options())?;
    settings.fit(&model)?;
    let model = model.inspect();
    let disclosure = Disclosure::expected(&model, settings);
    Ok(InspectReport { model, disclosure })
}

/// Describes the compiled model of a folder.
///
/// # Errors
/// As [`Artifacts::load`]; private weights are needed to say what stays public of them. A relation that the circuit
/// does not take care of.
pub fn folder(artifacts: &Artifacts, relations: bool) -> Result<FolderReport> {
    let graph = Graph::from_bytes(&artifacts.load(file::COMPILED)?)?;
    let settings: Settings = artifacts.load_json(file::SETTINGS)?;
    let plan = compiled::plan(artifacts)?;
    let stays_public = match settings.weights {
        Visibility::Public => Vec::new(),
        Visibility::Committed => {
            Model::load(artifacts.path(file::MODEL), &settings.load_options())?.inspect().stays_public
        }
    };
    Ok(FolderReport {
        model: artifacts.model().to_owned(),
        model_hash: format!("0x{}", hex::encode(graph.hash())),
        parameters: graph.parameters(),
        macs: graph.macs(),
        disclosure: Disclosure::exact(&graph, &plan, stays_public),
        ledger: Relations::of(&graph, &plan, relations)?,
        cost: plan.cost(),
        why: plan.why,
    })
}
