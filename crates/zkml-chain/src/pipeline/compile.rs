//! Compilation: model, settings and data → integer graph and plan.

use super::calibrate::{costs, goal};
use crate::{
    artifacts::{Artifacts, file},
    error::Result,
    output::{BOLD, DIM, Report, Ui},
    progress::Progress,
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};
use zkml_onnx::{Model, Samples, Settings};
use zkml_prover::{Optimize, Plan};

/// A compiled model.
#[derive(Debug, Serialize)]
pub struct CompileReport {
    /// The model's name.
    pub model: String,
    /// The artifact folder.
    pub dir: PathBuf,
    /// Keccak-256 of the compiled graph: names the model in every proof.
    pub model_hash: String,
    /// Products per row of a dot product.
    pub lanes: usize,
    /// How the circuit is laid out, and what that costs.
    #[serde(flatten)]
    pub plan: Plan,
}

/// Compiles the model of a folder and plans its circuit.
///
/// Model and data must be those of the calibration; settings may have been edited since.
///
/// # Errors
/// A missing or edited artifact, settings out of range, a graph that the prover cannot lay out.
pub fn run(ui: &Ui, artifacts: &mut Artifacts, optimize: Optimize) -> Result<CompileReport> {
    for source in [file::MODEL, file::DATA] {
        artifacts.require(source)?;
    }
    let edited = artifacts.accept_edit(file::SETTINGS)?;
    if let Some(edited) = &edited {
        ui.say(format_args!(
            "settings.json was edited since calibration: compiling with the edited settings ({} bytes)",
            edited.len()
        ));
    }
    let settings: Settings = artifacts.load_json(file::SETTINGS)?;
    settings.check()?;
    let progress = Progress::timed(ui, "compiling", Duration::from_secs(5));
    let name = artifacts.model().to_owned();
    let model = Model::load(artifacts.path(file::MODEL), &settings.load_options())?;
    let data = artifacts.load(file::DATA)?;
    let samples = Samples::parse(super::text(&artifacts.path(file::DATA), &data)?, model.inputs())?;
    let mut compiled = zkml_onnx::calibrate(&model, &samples, &settings)?;
    // The copy in the folder is called model.onnx; the model keeps its own name.
    compiled.graph.name.clone_from(&name);
    progress.message("planning");
    let plan = zkml_prover::plan(&compiled.graph.system(), optimize)?;
    let sources = [file::MODEL, file::DATA, file::SETTINGS];
    let mut transaction = artifacts.begin("compile");
    if let Some(edited) = &edited {
        transaction.put(file::SETTINGS, edited, &[file::MODEL, file::DATA])?;
    }
    transaction.put(file::COMPILED, &compiled.graph.to_bytes(), &sources)?;
    transaction.put(file::INTERFACE, &crate::json::pretty(&compiled.interface), &[file::COMPILED])?;
    transaction.put(file::PLAN, &crate::json::pretty(&plan), &[file::COMPILED])?;
    transaction.commit()?;
    drop(progress);
    Ok(CompileReport {
        model: name,
        dir: artifacts.dir().to_owned(),
        model_hash: format!("0x{}", hex::encode(compiled.graph.hash())),
        lanes: plan.lanes(),
        plan,
    })
}

impl Report for CompileReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#} compiled for {}", self.model, goal(self.plan.optimize))?;
        costs(out, std::slice::from_ref(&self.plan))?;
        writeln!(out, "{DIM}model hash {}", self.model_hash)?;
        writeln!(out, "next: zkml-chain setup --dir {}{DIM:#}", self.dir.display())
    }
}
