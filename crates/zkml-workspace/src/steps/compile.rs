//! Compilation: model, settings and scales → integer graph and plan.

use super::{
    calibrate::{put_report, tolerated},
    compiled::named,
    disclosure::Disclosure,
};
use crate::{
    artifacts::{Artifacts, file, weights},
    error::{Error, Result},
    observer::{Observer, Said, Total},
};
use serde::Serialize;
use std::{path::PathBuf, time::Duration};
use zkml::{Cost, Plan, Wish};
use zkml_onnx::{Calibrated, CalibrationReport, Lowered, Model, Scales, Settings};

/// A compiled model.
#[derive(Debug, Serialize)]
pub struct CompileReport {
    /// The model's name.
    pub model: String,
    /// The artifact folder.
    pub dir: PathBuf,
    /// Keccak-256 of the compiled graph: names the model in every proof, or its architecture when weights are private.
    pub model_hash: String,
    /// Who sees what.
    pub disclosure: Disclosure,
    /// Files of the folder that give private weights away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_private: Vec<&'static str>,
    /// The keys are there already: they are those of the architecture.
    #[serde(skip)]
    pub has_keys: bool,
    /// How it is proven, and what that is expected to cost.
    #[serde(flatten)]
    pub cost: Cost,
    /// The reason for the choice of the proof system.
    pub why: String,
}

/// Compiles the model of a folder and plans its proofs.
///
/// Model and data must be those of the calibration; settings may have been edited since.
///
/// # Errors
/// A missing or edited artifact, settings out of range, a graph that no prover can lay out, or not the one that is wished for; a model that errs more
/// than is tolerated.
pub fn run(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    wish: impl Into<Wish>,
) -> Result<CompileReport> {
    with(observer, artifacts, wish.into(), &Settings::clone, false)
}

/// As [`run`], with settings changed on the way; the folder keeps the changed ones. A model that errs more than is
/// tolerated is compiled when `allow_inaccurate` says so.
///
/// # Errors
/// As [`run`].
pub fn with(
    observer: &dyn Observer,
    artifacts: &mut Artifacts,
    wish: Wish,
    change: &dyn Fn(&Settings) -> Settings,
    allow_inaccurate: bool,
) -> Result<CompileReport> {
    artifacts.require(file::MODEL)?;
    // The folder of a model that has another's architecture has no data of its own.
    if artifacts.entry(file::DATA).is_some() {
        artifacts.require(file::DATA)?;
    }
    let edited = artifacts.accept_edit(file::SETTINGS)?;
    if let Some(edited) = &edited {
        observer.said(&Said::EditedSettings { bytes: edited.len() });
    }
    let before: Settings = artifacts.load_json(file::SETTINGS)?;
    let settings = change(&before);
    settings.check()?;
    let work = observer.start("compiling", Total::Time(Duration::from_secs(5)))?;
    let model = Model::load(artifacts.path(file::MODEL), &settings.load_options())?;
    // Scales depend on all settings but the visibility of inputs and outputs.
    let mut again =
        edited.is_some() || settings.weights != before.weights || artifacts.entry(file::SCALES).is_none();
    let recorded = if again { None } else { report(artifacts)? };
    // A report on other settings says nothing; folders of models with another's architecture have none, and no data.
    again |= recorded.is_none() && artifacts.entry(file::DATA).is_some();
    let (scales, lowered, report) = if again {
        recalibrated(artifacts, &model, &settings)?
    } else {
        lowered(artifacts, &model, &settings, recorded)?
    };
    let alarm = report.as_ref().and_then(|r| r.alarm(settings.tolerance));
    tolerated(observer, alarm, artifacts.dir(), allow_inaccurate)?;
    let graph = named(lowered.graph, artifacts.model());
    observer.proceed()?;
    work.renamed("planning");
    let plan = Plan::new(&graph.system(), wish)?;
    observer.proceed()?;
    let private = !graph.weights.is_empty();
    let sources: Vec<&str> = [file::MODEL, file::DATA, file::SETTINGS, file::SCALES]
        .into_iter()
        .filter(|name| *name != file::DATA || artifacts.entry(name).is_some())
        .collect();
    let data: Vec<&str> = sources.iter().copied().filter(|s| [file::MODEL, file::DATA].contains(s)).collect();
    let mut transaction = artifacts.begin("compile");
    if settings != before {
        transaction.put(file::SETTINGS, &crate::json::pretty(&settings), &data)?;
    } else if let Some(edited) = &edited {
        transaction.put(file::SETTINGS, edited, &data)?;
    }
    if again {
        transaction.put(file::SCALES, &crate::json::pretty(&scales), &data)?;
    }
    if let Some(report) = report.filter(|_| again || settings != before) {
        put_report(&mut transaction, &report, private)?;
    }
    transaction.put(file::COMPILED, &graph.to_bytes(), &sources)?;
    if private {
        let content = weights::encode(&graph, &lowered.weights);
        transaction.put_private(file::WEIGHTS, &content, &[file::MODEL, file::COMPILED])?;
    } else {
        transaction.remove(file::WEIGHTS);
    }
    transaction.put(file::INTERFACE, &crate::json::pretty(&lowered.interface), &[file::COMPILED])?;
    transaction.put(file::PLAN, &crate::json::pretty(&plan), &[file::COMPILED])?;
    transaction.commit()?;
    if private {
        artifacts.hide(file::MODEL)?;
    }
    drop(work);
    let disclosure = Disclosure::exact(&graph, &plan, lowered.stays_public);
    Ok(CompileReport::new(artifacts, &graph.hash(), disclosure, plan, false))
}

/// What calibration reported; nothing when settings have changed since, or when there is no report.
pub(super) fn report(artifacts: &Artifacts) -> Result<Option<CalibrationReport>> {
    if artifacts.entry(file::REPORT).is_none() {
        return Ok(None);
    }
    match artifacts.load_json(file::REPORT) {
        Ok(report) => Ok(Some(report)),
        Err(Error::Stale { file, source_file, .. })
            if file == file::REPORT && source_file == file::SETTINGS =>
        {
            Ok(None)
        }
        Err(Error::Missing { file, .. }) if file == file::REPORT => Ok(None),
        Err(e) => Err(e),
    }
}

/// Scales, the graph, and the report on both.
type Made = (Scales, Lowered, Option<CalibrationReport>);

/// The graph from scales that were recorded.
fn lowered(
    artifacts: &Artifacts,
    model: &Model,
    settings: &Settings,
    report: Option<CalibrationReport>,
) -> Result<Made> {
    let scales: Scales = artifacts.load_json(file::SCALES)?;
    let lowered = zkml_onnx::lower(model, settings, &scales)?;
    Ok((scales, lowered, report))
}

/// The graph from scales that are chosen anew.
fn recalibrated(artifacts: &Artifacts, model: &Model, settings: &Settings) -> Result<Made> {
    let data = artifacts.load(file::DATA)?;
    let samples = crate::samples::parse(&artifacts.path(file::DATA), &data, model.inputs())?;
    let Calibrated { graph, weights, stays_public, interface, scales, report, .. } =
        zkml_onnx::calibrate(model, &samples, settings)?;
    Ok((scales, Lowered { graph, weights, stays_public, interface }, Some(report)))
}

impl CompileReport {
    /// The report on what is in a folder now.
    pub(super) fn new(
        artifacts: &Artifacts,
        hash: &[u8; 32],
        disclosure: Disclosure,
        plan: Plan,
        has_keys: bool,
    ) -> Self {
        let telling = [file::MODEL, file::WEIGHTS, file::REPORT];
        let there = |name: &&str| disclosure.private_weights() && artifacts.entry(name).is_some();
        Self {
            model: artifacts.model().to_owned(),
            dir: artifacts.dir().to_owned(),
            model_hash: format!("0x{}", hex::encode(hash)),
            keep_private: telling.into_iter().filter(there).collect(),
            has_keys,
            disclosure,
            cost: plan.cost(),
            why: plan.why,
        }
    }
}
