//! A project's model the whole way, from the ONNX file to a proof that the local EVM accepts and that the project's
//! Foundry tests read.

mod foundry;

use super::{calibrate, calldata, compile, prove, setup, simulate, solidity};
use crate::{
    artifacts::Artifacts,
    error::{Error, Result},
    observer::{Observer, Said},
    proof_file::OutputValues,
};
use serde::Serialize;
use std::{path::PathBuf, time::Instant};
use zkml::{Backend, Optimize, Wish};
use zkml_onnx::Settings;
use zkml_protocol::Word;

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
    /// What to make cheap, and by which proof system.
    pub wish: Wish,
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
    pub optimize: Optimize,
    /// The proof system.
    pub backend: Backend,
    /// The setup has at least `2^k` powers.
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
pub fn run(observer: &dyn Observer, request: &Request) -> Result<RunReport> {
    let started = Instant::now();
    foundry::check(&request.contracts)?;
    let onnx_bytes =
        std::fs::metadata(&request.model).map_err(|e| Error::io("read", &request.model, e))?.len();
    step(observer, "calibrate", "integer scales from the samples");
    let calibrated = calibrate::run(observer, &calibration(request))?;
    let mut artifacts = Artifacts::open_for_writing(&calibrated.dir)?;
    step(observer, "compile", "an exact integer graph, and how to prove it");
    let compiled =
        compile::with(observer, &mut artifacts, request.wish, &Settings::clone, request.allow_inaccurate)?;
    step(observer, "setup", "proving key and verifier program");
    let keys = setup::or_dev(observer, &mut artifacts, request.srs.as_deref())?;
    step(observer, "prove", "one run of the model, bound to the consumer of the tests");
    let statement = foundry::statement(request.action);
    let proving = prove::Request {
        input: request.input.clone(),
        context: Some(statement.digest()),
        ..prove::Request::default()
    };
    let proven = prove::run(observer, &mut artifacts, &proving)?;
    step(observer, "gen-verifier", "verifier and consumer as Solidity, tried before they are written");
    let solidity = solidity::run(observer, &mut artifacts, None)?;
    step(observer, "simulate", "a local EVM decides");
    let verdict =
        simulate::run(observer, &artifacts, &simulate::Request { tamper: true, ..Default::default() })?;
    let calldata = calldata::run(&artifacts, &calldata::Request::default())?.calldata;
    let contracts = foundry::write(&request.contracts, &artifacts, &solidity.files, &calldata, &statement)?;
    Ok(RunReport {
        model: artifacts.model().to_owned(),
        dir: artifacts.dir().to_owned(),
        contracts,
        onnx_bytes,
        samples: calibrated.calibration.samples,
        largest_error: calibrated.calibration.max_abs_error(),
        optimize: request.wish.optimize,
        backend: compiled.cost.backend,
        k: compiled.cost.k,
        commitments: compiled.cost.commitments,
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

fn step(observer: &dyn Observer, name: &'static str, purpose: &'static str) {
    observer.said(&Said::Stage { name, purpose });
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
