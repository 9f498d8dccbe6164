//! `run`: a project's model the whole way, from the ONNX file to a proof that the local EVM accepts and that the project's
//! Foundry tests read.

use super::foundry;
use crate::{
    error::Result,
    show::{BOLD, DIM, GREEN, Report, Ui, goal, table},
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};
use zkml_halo2::Optimize;
use zkml_onnx::Settings;
use zkml_protocol::Word;
use zkml_workspace::{
    Error as StepError,
    artifacts::Artifacts,
    observer::{Observer, Warning},
    proof_file::OutputValues,
    steps::{calibrate, calldata, compile, prove, setup, simulate, solidity, srs},
    verdict::{Failed, Judged},
};

/// What to run.
#[derive(Debug, Clone)]
pub struct Request {
    /// The ONNX file.
    pub model: PathBuf,
    /// Sample data; random ones when absent.
    pub data: Option<PathBuf>,
    /// The input to prove; the first sample when absent.
    pub input: Option<PathBuf>,
    /// Scales and visibilities.
    pub settings: Settings,
    /// What to make cheap.
    pub optimize: Optimize,
    /// The trusted setup; the best in the cache when absent, and a development one if there is none.
    pub srs: Option<PathBuf>,
    /// Where the contracts and the proof for tests go.
    pub contracts: PathBuf,
    /// What the tests' consumer is asked to do.
    pub action: Word,
    /// The artifact folder.
    pub dir: PathBuf,
    /// Go on with a model that errs more than is tolerated.
    pub allow_inaccurate: bool,
}

/// How it ended, in figures.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// The model's name.
    pub model: String,
    /// The artifact folder.
    pub dir: PathBuf,
    /// Where the contracts and the proof for tests are.
    pub contracts: PathBuf,
    /// Length of the ONNX file.
    pub onnx_bytes: u64,
    /// Samples that scales were chosen from.
    pub samples: usize,
    /// Largest error of an output against the float model.
    pub largest_error: f64,
    /// What was made cheap.
    pub optimize: &'static str,
    /// The circuit has `2^k` rows.
    pub k: u32,
    /// Points in the verifier's sum.
    pub commitments: usize,
    /// Length of the proving key.
    pub key_bytes: u64,
    /// Length of a proof.
    pub proof_bytes: usize,
    /// Time of the proof.
    pub prove_seconds: f64,
    /// Length of the verifier's runtime bytecode.
    pub code_bytes: usize,
    /// Gas of deploying the verifier.
    pub deploy_gas: u64,
    /// Gas of a transaction that verifies a proof.
    pub gas: u64,
    /// Gas through registry and router, as consumers send it.
    pub routed_gas: u64,
    /// What the contract accepted.
    pub outputs: Vec<OutputValues>,
    /// Changed proofs and statements that it refused.
    pub refused: usize,
    /// The setup's secret is public.
    pub unsafe_dev_srs: bool,
    /// Time of everything.
    pub seconds: f64,
}

/// Runs all steps, and writes what the contracts' tests need.
///
/// # Errors
/// Whatever a step meets; a folder for contracts that holds other files.
pub fn run(ui: &Ui, request: &Request) -> Result<RunReport> {
    let started = Instant::now();
    foundry::check(&request.contracts)?;
    let onnx_bytes =
        std::fs::metadata(&request.model).map_err(|e| StepError::io("read", &request.model, e))?.len();
    step(ui, "calibrate", "integer scales from the samples");
    let calibrated = calibrate::run(ui, &calibration(request))?;
    match calibrated.verdict() {
        Err(Failed::Inaccurate(inaccurate)) if request.allow_inaccurate => {
            ui.warned(&Warning::Inaccurate(inaccurate));
        }
        _ => ui.passed(&calibrated)?,
    }
    let mut artifacts = Artifacts::open_for_writing(&calibrated.dir)?;
    step(ui, "compile", "an exact integer graph, and a circuit for it");
    let compiled =
        compile::with(ui, &mut artifacts, request.optimize, &Settings::clone, request.allow_inaccurate)?;
    step(ui, "setup", "proving key and verifier program");
    let keys = keys(ui, &mut artifacts, request.srs.as_deref())?;
    step(ui, "prove", "one run of the model, bound to the consumer of the tests");
    let statement = foundry::statement(request.action);
    let proving = prove::Request {
        input: request.input.clone(),
        context: Some(statement.digest()),
        ..prove::Request::default()
    };
    let proven = prove::run(ui, &mut artifacts, &proving)?;
    step(ui, "gen-verifier", "verifier and consumer as Solidity, tried before they are written");
    let solidity = solidity::run(ui, &mut artifacts, None)?;
    step(ui, "simulate", "a local EVM decides");
    let verdict = simulate::run(ui, &artifacts, &simulate::Request { tamper: true, ..Default::default() })?;
    let calldata = calldata::run(&artifacts, None, None, None)?.calldata;
    let contracts = foundry::write(&request.contracts, &artifacts, &solidity.files, &calldata, &statement)?;
    Ok(RunReport {
        model: artifacts.model().to_owned(),
        dir: artifacts.dir().to_owned(),
        contracts,
        onnx_bytes,
        samples: calibrated.calibration.samples,
        largest_error: calibrated.calibration.max_abs_error(),
        optimize: goal(request.optimize),
        k: compiled.plan.k,
        commitments: compiled.plan.commitments,
        key_bytes: keys.pk_bytes,
        proof_bytes: proven.proof_bytes,
        prove_seconds: proven.seconds,
        code_bytes: verdict.runtime_bytes,
        deploy_gas: verdict.deploy_gas,
        gas: verdict.tx_gas,
        routed_gas: verdict.routed_tx_gas,
        outputs: verdict.outputs,
        refused: verdict.refusals.len(),
        unsafe_dev_srs: verdict.unsafe_dev_srs,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn step(ui: &Ui, name: &str, what: &str) {
    ui.say(format_args!("{BOLD}{name}{BOLD:#}: {what}"));
}

fn calibration(request: &Request) -> calibrate::Request {
    calibrate::Request {
        model: request.model.clone(),
        data: request.data.clone(),
        evaluate: None,
        settings: request.settings.clone(),
        dir: request.dir.clone(),
    }
}

/// Keys from the setup that is named, the best in the cache, or else the development one.
fn keys(ui: &Ui, artifacts: &mut Artifacts, srs: Option<&Path>) -> Result<setup::SetupReport> {
    match (setup::run(ui, artifacts, srs), srs) {
        (Err(StepError::NoSrs { k }), None) => {
            ui.warned(&Warning::DevSetup);
            let dev = srs::make_dev(ui, k, None)?;
            Ok(setup::run(ui, artifacts, Some(&dev.path))?)
        }
        (done, _) => Ok(done?),
    }
}

impl Report for RunReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let gas = table::thousands(self.gas);
        writeln!(
            out,
            "{GREEN}accepted{GREEN:#} by the verifier of {BOLD}{}{BOLD:#} in a local EVM {DIM}({gas} gas){DIM:#}",
            self.model
        )?;
        for output in &self.outputs {
            writeln!(out, "  {} = {}", output.name, table::numbers(&output.values))?;
        }
        writeln!(out, "  {} changed proofs and statements refused", self.refused)?;
        writeln!(
            out,
            "  proof of {} in {}; integers err by up to {:.1e}",
            table::size(self.proof_bytes as u64),
            table::seconds(self.prove_seconds),
            self.largest_error
        )?;
        writeln!(out, "  contracts, and a proof for their tests: {}", self.contracts.display())?;
        writeln!(out, "{DIM}next: npx forge test{DIM:#}")
    }
}
