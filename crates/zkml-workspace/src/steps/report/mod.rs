//! Everything that a folder says about its model, for one page: what is proven, how far it is from the float model and where,
//! what a proof costs, and where its contracts are.

mod activity;
mod contracts;
mod drawing;

pub use activity::{Activity, Compared, Histogram};
pub use contracts::{Deployed, Gas, Proven, Setup};
pub use drawing::{Drawing, Drawn};

use super::{
    compile,
    inspect::{self, FolderReport},
};
use crate::{
    artifacts::{Artifacts, file},
    error::Result,
    observer::{Observer, Total},
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use zkml_graph::{Graph, Visibility};
use zkml_onnx::{Alarm, CalibrationReport, Settings};

/// What a folder says about its model.
#[derive(Debug, Serialize)]
pub struct ModelReport {
    /// The model's name.
    pub model: String,
    /// The artifact folder.
    pub dir: PathBuf,
    /// What calibration found; none for a folder that has another model's architecture, or where settings have changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// The output that errs more than is tolerated, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Alarm>,
    /// The compiled model: costs, who sees what, standing of its relations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compiled: Option<FolderReport>,
    /// Its nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawing: Option<Drawing>,
    /// Runs of the integer model beside the float model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The setup behind the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<Setup>,
    /// The folder's proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proven>,
    /// Gas of that proof in the generated contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gas: Option<Gas>,
    /// Deployments on record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deployments: Vec<Deployed>,
    /// Steps that the folder has not seen yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps_left: Vec<&'static str>,
    /// The report says something of weights that are private.
    pub private: bool,
}

/// Collects what the folder has; `records` is where records of deployments lie.
///
/// Samples of the calibration are run through both models, up to 200 of them. The folder's proof
/// is verified, and by the generated contract in a local EVM if there is one.
///
/// # Errors
/// A folder that is none, a file in it that was edited or is stale, a damaged record.
pub fn run(observer: &dyn Observer, artifacts: &Artifacts, records: &Path) -> Result<ModelReport> {
    artifacts.require(file::MODEL)?;
    let settings: Settings = artifacts.load_json(file::SETTINGS)?;
    let calibration = compile::report(artifacts)?;
    let there = |name: &str| artifacts.entry(name).is_some();
    let work = observer.start("reading the folder", Total::Time(Duration::from_secs(2)))?;
    let graph = there(file::COMPILED).then(|| artifacts.load(file::COMPILED)).transpose()?;
    let graph = graph.map(|bytes| Graph::from_bytes(&bytes)).transpose()?;
    let compiled = graph.as_ref().map(|_| inspect::folder(artifacts, false)).transpose()?;
    let drawing = graph.as_ref().map(|graph| Drawing::of(graph, calibration.as_ref()));
    observer.proceed()?;
    work.renamed("running both models");
    let activity = match (&graph, there(file::DATA)) {
        (Some(_), true) => Some(activity::measure(observer, artifacts, &settings)?),
        _ => None,
    };
    work.renamed("asking the contract");
    let program = there(file::PROGRAM).then(|| super::compiled::program(artifacts)).transpose()?;
    let proof = match &program {
        Some(program) => contracts::proven(artifacts, program)?,
        None => None,
    };
    let gas = match (&program, &proof) {
        (Some(program), Some((_, proof))) => contracts::gas(artifacts, program, proof)?,
        _ => None,
    };
    drop(work);
    let left = [
        (graph.is_none(), "compile"),
        (program.is_none(), "setup"),
        (proof.is_none(), "prove"),
        (gas.is_none(), "gen-verifier"),
    ];
    Ok(ModelReport {
        model: artifacts.model().to_owned(),
        dir: artifacts.dir().to_owned(),
        alarm: calibration.as_ref().and_then(|c| c.alarm(settings.tolerance)),
        calibration,
        compiled,
        drawing,
        activity,
        setup: program.as_ref().map(Setup::of),
        proof: proof.map(|(proven, _)| proven),
        gas,
        deployments: contracts::deployments(records, artifacts.model(), program.as_ref())?,
        steps_left: left.into_iter().filter(|(missing, _)| *missing).map(|(_, step)| step).collect(),
        private: settings.weights == Visibility::Committed,
    })
}
