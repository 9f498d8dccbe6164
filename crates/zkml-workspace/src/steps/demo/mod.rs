//! The main job in one go: a real model's decision, proven, and judged by its contracts in the local EVM.

mod chain;

use super::{calibrate, compile, prove, setup, simulate, solidity, srs, tamper::Refusal};
use crate::{
    artifacts::{Artifacts, write_whole},
    error::{Error, Result},
    observer::{Detail, Observer, Said},
    proof_file::ProofFile,
};
use chain::Chain;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use zkml::Wish;
use zkml_onnx::Settings;

/// The model that is shown when none is named: credit risk on the German credit data.
const CREDIT: (&[u8], &[u8], &[u8]) = (
    include_bytes!("../../../../../models/credit/credit.onnx"),
    include_bytes!("../../../../../models/credit/calibration.json"),
    include_bytes!("../../../../../models/credit/applicants.json"),
);
/// A bank would refuse a credit that is more likely than this to turn out bad.
const THRESHOLD: f64 = 0.5;

/// What to show.
#[derive(Debug, Clone)]
pub struct Request {
    /// The model and its data; the built-in credit model when absent.
    pub model: Option<(PathBuf, Option<PathBuf>, Option<PathBuf>)>,
    /// Which applicant or sample.
    pub index: usize,
    /// What to make cheap, and by which proof system.
    pub wish: Wish,
    /// The artifact folder to make.
    pub dir: PathBuf,
}

/// The name of the built-in model.
pub const BUILT_IN: &str = "credit";

/// How it ended.
#[derive(Debug, Serialize)]
pub struct DemoReport {
    /// The model's name.
    pub model: String,
    /// The artifact folder.
    pub dir: PathBuf,
    /// What the consumer contract accepted.
    pub accepted: Accepted,
    /// What it refused, and why.
    pub refused: Vec<Refusal>,
    /// The verifier alone: gas by cause.
    pub verifier: simulate::SimulateReport,
    /// Time of everything.
    pub seconds: f64,
}

/// An inference that the consumer contract accepted.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// Outputs as the contract decoded them.
    pub outputs: Vec<(String, Vec<f64>)>,
    /// What follows from them, for the built-in model.
    pub decision: Option<String>,
    /// Gas of the consumer's transaction.
    pub gas: u64,
    /// What each contract on the way adds.
    pub gas_by_way: Vec<Way>,
}

/// A way to the verifier, as a transaction of its own.
#[derive(Debug, Serialize)]
pub struct Way {
    /// Which way.
    pub through: &'static str,
    /// Gas of the transaction.
    pub transaction: u64,
    /// Gas without the transaction's base and calldata.
    pub execution: u64,
}

/// Goes all the way.
///
/// # Errors
/// Whatever a step meets; a contract that accepts what it must refuse is one.
pub fn run(observer: &dyn Observer, request: &Request) -> Result<DemoReport> {
    let started = Instant::now();
    let staged = Staged::new(request)?;
    let builtin = request.model.is_none();
    step(observer, "calibrate", "choose integer scales from sample data and compare with the float model");
    let calibrated = calibrate::run(observer, &staged.calibration(&request.dir))?;
    let (error, samples) = (calibrated.calibration.max_abs_error(), calibrated.calibration.samples);
    detail(observer, Detail::Calibrated { error, samples });
    let mut artifacts = Artifacts::open_for_writing(&calibrated.dir)?;
    step(observer, "compile", "an exact integer graph, and how to prove it");
    let compiled = compile::run(observer, &mut artifacts, request.wish)?;
    detail(
        observer,
        Detail::Planned {
            backend: compiled.cost.backend,
            k: compiled.cost.k,
            commitments: compiled.cost.commitments,
        },
    );
    step(observer, "setup", "a development trusted setup, and the keys");
    // The demo promises a development setup, also where a better one is at hand.
    let dev = srs::make_dev(observer, compiled.cost.k, None)?;
    let keys = setup::run(observer, &mut artifacts, Some(&dev.path))?;
    detail(observer, Detail::Keys { bytes: keys.pk_bytes, seconds: keys.seconds });
    step(
        observer,
        "gen-verifier",
        "print the verifier and its consumer as Solidity, deploy both in a local EVM",
    );
    let mut chain = Chain::deploy(&artifacts)?;
    let (verifier, consumer) = (chain.verifier.to_string(), chain.consumer.to_string());
    detail(observer, Detail::Deployed { verifier, consumer });
    let registry = chain.stack.registry.to_string();
    detail(observer, Detail::Registered { model_id: chain.model_id, registry });
    step(observer, "prove", "one run of the model, bound to this contract, caller, nonce and deadline");
    let proving = prove::Request {
        input: staged.input.clone(),
        index: request.index,
        context: Some(chain.context()?),
        out: None,
        // The built-in applicants lie in a folder that is about to disappear.
        salt_file: builtin.then(|| artifacts.path(&format!("demo.{}.private.json", request.index))),
    };
    let proven = prove::run(observer, &mut artifacts, &proving)?;
    detail(observer, Detail::Proven { bytes: proven.proof_bytes, seconds: proven.seconds });
    solidity::run(observer, &mut artifacts, None)?;
    step(observer, "verifyInference", "the contract decides");
    let proof = artifacts.load_json::<ProofFile>(prove::DEFAULT_PROOF)?;
    let refused = chain.tampered(&proof)?;
    let mut accepted = chain.submit(&proof)?;
    let too_late = [chain.replayed(&proof)?, chain.deprecated(&proof)?];
    accepted.decision = builtin.then(|| decision(&accepted.outputs));
    let verifier =
        simulate::run(observer, &artifacts, &simulate::Request { tamper: true, ..Default::default() })?;
    Ok(DemoReport {
        model: artifacts.model().to_owned(),
        dir: artifacts.dir().to_owned(),
        accepted,
        refused: refused.into_iter().chain(too_late).collect(),
        verifier,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn step(observer: &dyn Observer, name: &'static str, purpose: &'static str) {
    observer.said(&Said::Stage { name, purpose });
}

fn detail(observer: &dyn Observer, detail: Detail) {
    observer.said(&Said::Detail(detail));
}

fn decision(outputs: &[(String, Vec<f64>)]) -> String {
    let risk = outputs.first().and_then(|(_, v)| v.first()).copied().unwrap_or(f64::NAN);
    let verdict = if risk < THRESHOLD { "grant the credit" } else { "decline the credit" };
    format!("{verdict}: the risk of default is {:.1} %, the limit {:.0} %", risk * 100.0, THRESHOLD * 100.0)
}

/// The files that the demo works on.
struct Staged {
    model: PathBuf,
    data: Option<PathBuf>,
    input: Option<PathBuf>,
    _temporary: Option<tempfile::TempDir>,
}

impl Staged {
    fn new(request: &Request) -> Result<Self> {
        if let Some((model, data, input)) = &request.model {
            let (model, data, input) = (model.clone(), data.clone(), input.clone());
            return Ok(Self { model, data, input, _temporary: None });
        }
        let folder =
            tempfile::tempdir().map_err(|e| Error::io("make the folder", &std::env::temp_dir(), e))?;
        let put = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
            let path = folder.path().join(name);
            write_whole(&path, bytes)?;
            Ok(path)
        };
        let (model, data, applicants) = CREDIT;
        Ok(Self {
            model: put("credit.onnx", model)?,
            data: Some(put("calibration.json", data)?),
            input: Some(put("applicants.json", applicants)?),
            _temporary: Some(folder),
        })
    }

    fn calibration(&self, dir: &Path) -> calibrate::Request {
        calibrate::Request {
            model: self.model.clone(),
            data: self.data.clone(),
            evaluate: None,
            settings: Settings::default(),
            dir: dir.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_becomes_a_decision() {
        assert!(decision(&[("p".into(), vec![0.2])]).starts_with("grant"));
        assert!(decision(&[("p".into(), vec![0.7])]).starts_with("decline"));
    }
}
