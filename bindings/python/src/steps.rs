//! The steps, over an artifact folder. Reports are JSON.

use crate::{
    arrays::{self, Given},
    failure, work,
};
use pyo3::prelude::*;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    str::FromStr,
};
use zkml::{Backend, Optimize, Wish};
use zkml_chain::error::Error as CommandError;
use zkml_graph::Visibility;
use zkml_onnx::{Interface, Sample, Settings};
use zkml_protocol::Word;
use zkml_workspace::{
    Error,
    artifacts::{Artifacts, file},
    steps,
};

/// Settings of a calibration, as keywords have them.
#[derive(Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Chosen {
    inputs: String,
    weights: String,
    outputs: String,
    batch: usize,
    dims: Option<String>,
    tolerance: Option<f64>,
    margin: Option<f64>,
    activation_scale: Option<u32>,
    weight_scale: Option<u32>,
}

impl Chosen {
    /// The usual settings with what was chosen.
    fn settings(&self) -> Result<Settings, CommandError> {
        let usual = Settings::default();
        let settings = Settings {
            inputs: parsed("inputs", &self.inputs)?,
            outputs: parsed("outputs", &self.outputs)?,
            weights: match self.weights.as_str() {
                "public" => Visibility::Public,
                "committed" => Visibility::Committed,
                other => {
                    return Err(usage(format!("weights={other:?}: \"public\" or \"committed\" is expected")));
                }
            },
            batch: self.batch,
            dims: self.dims.as_deref().map_or(Ok(usual.dims.clone()), |dims| parsed("dims", dims))?,
            tolerance: self.tolerance.unwrap_or(usual.tolerance),
            margin: self.margin.unwrap_or(usual.margin),
            activation_scale: self.activation_scale,
            weight_scale: self.weight_scale,
            ..usual
        };
        settings.check()?;
        Ok(settings)
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Result<T, CommandError> {
    text.parse().map_err(|e: T::Err| usage(format!("{name}={text:?}: {e}")))
}

fn usage(message: String) -> CommandError {
    CommandError::Usage { message }
}

/// Calibrates the model of an ONNX file, and makes the folder.
#[pyfunction]
pub(crate) fn calibrate(
    told: &Bound<'_, PyAny>,
    model: PathBuf,
    dir: PathBuf,
    samples: Option<Given<'_>>,
    settings: Chosen,
) -> PyResult<String> {
    let settings = settings.settings().map_err(|e| failure::exception(told.py(), e))?;
    let samples = samples.as_ref().map(arrays::owned).transpose()?;
    let report = work::run(told, move |observer| {
        let request = steps::calibrate::Request { model, data: None, evaluate: None, settings, dir };
        match samples {
            None => steps::calibrate::run(observer, &request),
            Some(samples) => steps::calibrate::of(observer, &request, |ports| {
                zkml_workspace::samples::from_arrays(ports, &arrays::named(samples, ports)?)
            }),
        }
    })?;
    json(told.py(), &report)
}

/// Compiles the model of a folder, and plans its proofs.
#[pyfunction]
pub(crate) fn compile(
    told: &Bound<'_, PyAny>,
    dir: PathBuf,
    optimize: &str,
    backend: Option<&str>,
    allow_inaccurate: bool,
) -> PyResult<String> {
    let wish = wish(optimize, backend).map_err(|e| failure::exception(told.py(), e))?;
    let report = work::run(told, move |observer| {
        let mut artifacts = Artifacts::open_for_writing(&dir)?;
        steps::compile::with(observer, &mut artifacts, wish, &Settings::clone, allow_inaccurate)
    })?;
    json(told.py(), &report)
}

/// Compiles another model of a compiled architecture for the verifier of that folder.
#[pyfunction]
pub(crate) fn compile_like(
    told: &Bound<'_, PyAny>,
    from_: PathBuf,
    model: PathBuf,
    dir: PathBuf,
    allow_inaccurate: bool,
) -> PyResult<String> {
    let report = work::run(told, move |observer| {
        let request =
            steps::same_architecture::Request { from: &from_, model: &model, dir: &dir, allow_inaccurate };
        steps::same_architecture::run(observer, &request)
    })?;
    json(told.py(), &report)
}

fn wish(optimize: &str, backend: Option<&str>) -> Result<Wish, CommandError> {
    let optimize = match optimize {
        "prover" => Optimize::Prover,
        "gas" => Optimize::Gas,
        other => return Err(usage(format!("optimize={other:?}: \"prover\" or \"gas\" is expected"))),
    };
    let backend = match backend {
        None | Some("auto") => None,
        Some("halo2") => Some(Backend::Halo2),
        Some("sumcheck") => Some(Backend::Sumcheck),
        Some(other) => {
            return Err(usage(format!("backend={other:?}: \"auto\", \"halo2\" or \"sumcheck\" is expected")));
        }
    };
    Ok(Wish { optimize, backend })
}

/// Makes the keys of a compiled model; from the development setup where there is no other.
#[pyfunction]
pub(crate) fn setup(told: &Bound<'_, PyAny>, dir: PathBuf, srs: Option<PathBuf>) -> PyResult<String> {
    let report = work::run(told, move |observer| {
        let mut artifacts = Artifacts::open_for_writing(&dir)?;
        steps::setup::or_dev(observer, &mut artifacts, srs.as_deref())
    })?;
    json(told.py(), &report)
}

/// Names, shapes, scales and ranges of what the model of a folder takes and gives.
#[pyfunction]
pub(crate) fn ports(py: Python<'_>, dir: PathBuf) -> PyResult<String> {
    json(py, &interface(py, &dir)?)
}

fn interface(py: Python<'_>, dir: &Path) -> PyResult<Interface> {
    let read = || Artifacts::open(dir)?.load_json(file::INTERFACE);
    read().map_err(|e: Error| failure::exception(py, e))
}

/// The compiled model of a folder: plan, cost, who sees what.
#[pyfunction]
pub(crate) fn inspect(told: &Bound<'_, PyAny>, dir: PathBuf) -> PyResult<String> {
    let report = work::run(told, move |_| steps::inspect::folder(&Artifacts::open(&dir)?, false))?;
    json(told.py(), &report)
}

/// The network of a folder's model, node by node.
#[pyfunction]
pub(crate) fn nodes(told: &Bound<'_, PyAny>, dir: PathBuf) -> PyResult<String> {
    let report = work::run(told, move |_| {
        let artifacts = Artifacts::open(&dir)?;
        artifacts.require(file::MODEL)?;
        steps::inspect::run(&artifacts.path(file::MODEL), &artifacts.load_json(file::SETTINGS)?)
    })?;
    json(told.py(), &report)
}

/// The outputs of the integer model on samples: by sample, either values for each output, or the reason of the refusal.
type Inferred = Vec<(Option<Vec<Vec<f64>>>, Option<String>)>;

/// Runs the integer model on samples. Nothing is proven.
#[pyfunction]
pub(crate) fn infer(told: &Bound<'_, PyAny>, dir: PathBuf, samples: Given<'_>) -> PyResult<Inferred> {
    let py = told.py();
    let ports = interface(py, &dir)?.input_ports();
    let samples =
        arrays::samples(&samples, &ports)?.map_err(|e| failure::exception(py, zkml_onnx::Error::from(e)))?;
    work::run(told, move |observer| {
        let compiled = steps::compiled::load(&Artifacts::open(&dir)?)?;
        let one = |sample: &Sample| {
            observer.proceed()?;
            let done = compiled.quantize(sample).and_then(|input| compiled.run(&input));
            Ok(match done {
                Ok(outputs) => (Some(outputs), None),
                Err(refused) => (None, Some(refused.to_string())),
            })
        };
        samples.rows.iter().map(one).collect()
    })
}

/// Proves one run on a sample; without one, on the first of calibration. Returns the report and the proof.
#[pyfunction]
pub(crate) fn prove(
    told: &Bound<'_, PyAny>,
    dir: PathBuf,
    sample: Option<Given<'_>>,
    context: Option<&str>,
    salts: Option<PathBuf>,
) -> PyResult<(String, String, Vec<u8>)> {
    let py = told.py();
    let context = context.map(word).transpose().map_err(|e| failure::exception(py, e))?;
    let ports = interface(py, &dir)?.input_ports();
    let sample = sample.map(|given| arrays::sample(&given, &ports)).transpose()?;
    let sample = sample.transpose().map_err(|e| failure::exception(py, zkml_onnx::Error::from(e)))?;
    let (report, proof) = work::run(told, move |observer| {
        let mut artifacts = Artifacts::open(&dir)?;
        let request = steps::prove::Request { context, salt_file: salts, ..Default::default() };
        steps::prove::of(observer, &mut artifacts, &request, sample.as_ref())
    })?;
    Ok((json(py, &report)?, json(py, &report.revealed)?, proof))
}

/// A context: a number of 253 bits in hexadecimal.
fn word(text: &str) -> Result<Word, CommandError> {
    let word: Word = Word::from_hex(text).map_err(|e| usage(format!("context={text:?}: {e}")))?;
    if word.0[0] >= 1 << 5 {
        return Err(usage(format!("context={text:?}: it has 253 bits, the first three must be zero")));
    }
    Ok(word)
}

/// Commits to the inputs of a sample; their salts are kept in `salts`.
#[pyfunction]
pub(crate) fn commit(
    told: &Bound<'_, PyAny>,
    dir: PathBuf,
    sample: Given<'_>,
    salts: PathBuf,
) -> PyResult<String> {
    let py = told.py();
    let sample = arrays::sample(&sample, &interface(py, &dir)?.input_ports())?;
    let sample = sample.map_err(|e| failure::exception(py, zkml_onnx::Error::from(e)))?;
    let report = work::run(told, move |_| steps::commit::of(&Artifacts::open(&dir)?, &sample, &salts))?;
    json(told.py(), &report)
}

/// Commits to private weights, and proves their ranges where proofs of runs do not.
#[pyfunction]
pub(crate) fn commit_weights(told: &Bound<'_, PyAny>, dir: PathBuf) -> PyResult<String> {
    let report = work::run(told, move |_| {
        steps::commit::run(&Artifacts::open(&dir)?, &steps::commit::Request::Model)
    })?;
    json(told.py(), &report)
}

/// Lets the contract judge a proof in a local EVM; the folder's own, if there is none.
#[pyfunction]
pub(crate) fn simulate(
    told: &Bound<'_, PyAny>,
    dir: PathBuf,
    proof: Option<Vec<u8>>,
    tamper: bool,
    chain_id: Option<u64>,
) -> PyResult<String> {
    let report = work::run(told, move |observer| {
        let artifacts = Artifacts::open(&dir)?;
        let kept = proof.as_deref().map(on_disk).transpose()?;
        let proof = kept.as_ref().map(|file| file.path());
        steps::simulate::run(observer, &artifacts, &steps::simulate::Request { proof, tamper, chain_id })
    })?;
    json(told.py(), &report)
}

/// Generates the contracts, and tries them on a proof.
#[pyfunction]
pub(crate) fn solidity(told: &Bound<'_, PyAny>, dir: PathBuf, proof: Option<Vec<u8>>) -> PyResult<String> {
    let report = work::run(told, move |observer| {
        let kept = proof.as_deref().map(on_disk).transpose()?;
        let mut artifacts = Artifacts::open_for_writing(&dir)?;
        steps::solidity::run(observer, &mut artifacts, kept.as_ref().map(|file| file.path()))
    })?;
    json(told.py(), &report)
}

/// All that a folder says about its model: as JSON, and as a page.
#[pyfunction]
pub(crate) fn report(told: &Bound<'_, PyAny>, dir: PathBuf, records: PathBuf) -> PyResult<(String, String)> {
    let report =
        work::run(told, move |observer| steps::report::run(observer, &Artifacts::open(&dir)?, &records))?;
    Ok((json(told.py(), &report)?, zkml_chain::show::html::model(&report)))
}

/// A proof that Python holds, as a file that goes when the step ends.
fn on_disk(proof: &[u8]) -> Result<tempfile::NamedTempFile, Error> {
    let failed = |e| Error::io("write", Path::new("a temporary file"), e);
    let mut kept = tempfile::Builder::new().prefix("proof-").suffix(".json").tempfile().map_err(failed)?;
    kept.write_all(proof).map_err(failed)?;
    Ok(kept)
}

fn json(py: Python<'_>, report: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(report)
        .map_err(|e| failure::exception(py, usage(format!("a report cannot be written: {e}"))))
}
