//! Calibration: scales from data, the error against the float model, and what proving will cost.

use super::evaluate::{self, Evaluation};
use crate::{
    artifacts::{Artifacts, Fingerprint, Transaction, file},
    error::{Error, Result},
    folder::model_name,
    observer::{Observer, Total, Warning},
    verdict::{Failed, Inaccurate, Judged},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use zkml::{Backend, Cost};
use zkml_graph::Visibility;
use zkml_onnx::{Alarm, Calibrated, CalibrationReport, Model, Port, SampleError, Samples, Settings};

/// Random samples when no data are given.
const RANDOM_SAMPLES: usize = 64;
/// Their seed: the same model calibrates to the same graph.
const RANDOM_SEED: u64 = 1;

/// What to calibrate.
#[derive(Debug, Clone)]
pub struct Request {
    /// The ONNX file.
    pub model: PathBuf,
    /// Sample data; random ones when absent.
    pub data: Option<PathBuf>,
    /// Samples with reference outputs to measure the error on.
    pub evaluate: Option<PathBuf>,
    /// The settings to start from.
    pub settings: Settings,
    /// The artifact folder to make.
    pub dir: PathBuf,
}

/// The outcome of a calibration.
#[derive(Debug, Serialize)]
pub struct CalibrateReport {
    /// The model's name.
    pub model: String,
    /// The artifact folder.
    pub dir: PathBuf,
    /// Scales and errors as the front end reports them.
    pub calibration: CalibrationReport,
    /// The output that errs more than is tolerated, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Alarm>,
    /// The error on samples with reference outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// What proving is expected to cost, by proof system and what is made cheap.
    pub costs: Vec<Cost>,
    /// The proof systems that do not take the model, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<(Backend, String)>,
}

/// Calibrates a model and stores model, settings, data and report.
///
/// # Errors
/// A model or data that cannot be used, a full disk.
pub fn run(observer: &dyn Observer, request: &Request) -> Result<CalibrateReport> {
    with(observer, request, |model| samples(observer, model, request.data.as_deref()))
}

/// As [`run`], with samples that lie in no file: `given` gets the model's inputs.
///
/// # Errors
/// As [`run`].
pub fn of(
    observer: &dyn Observer,
    request: &Request,
    given: impl FnOnce(&[Port]) -> Result<Samples, SampleError>,
) -> Result<CalibrateReport> {
    with(observer, request, |model| {
        let samples = given(model.inputs()).map_err(zkml_onnx::Error::from)?;
        let kept = kept(model.inputs(), &samples);
        Ok((samples, kept))
    })
}

fn with(
    observer: &dyn Observer,
    request: &Request,
    samples: impl FnOnce(&Model) -> Result<(Samples, Vec<u8>)>,
) -> Result<CalibrateReport> {
    let model = Model::load(&request.model, &request.settings.load_options())?;
    model.notices().iter().for_each(|notice| observer.warned(&Warning::Model(notice.text.to_string())));
    let (samples, data) = samples(&model)?;
    let work = observer.start("calibrating", Total::Time(Duration::from_secs(5)))?;
    let calibrated = zkml_onnx::calibrate_by(&model, &samples, &request.settings, &zkml::plan::price)?;
    let evaluation = request.evaluate.as_ref().map(|path| evaluate::run(&calibrated, path)).transpose()?;
    observer.proceed()?;
    work.renamed("planning");
    let system = calibrated.graph.system();
    let (costs, mut refused) = zkml::plan::costs(&system);
    if costs.is_empty() && !refused.is_empty() {
        return Err(refused.swap_remove(0).1.into());
    }
    let refused = refused.into_iter().map(|(backend, error)| (backend, error.to_string())).collect();
    observer.proceed()?;
    drop(work);
    let name = model_name(&request.model);
    store(observer, &name, request, &calibrated, &data, &model)?;
    let alarms = [
        calibrated.report.alarm(calibrated.settings.tolerance),
        evaluation.as_ref().and_then(|e| e.alarm.clone()),
    ];
    let alarm = alarms.into_iter().flatten().max_by(|a, b| a.times().total_cmp(&b.times()));
    let calibration = calibrated.report;
    Ok(CalibrateReport {
        model: name,
        dir: request.dir.clone(),
        calibration,
        alarm,
        evaluation,
        costs,
        refused,
    })
}

impl Judged for CalibrateReport {
    fn verdict(&self) -> Result<(), Failed> {
        let inaccurate = |alarm: &Alarm| Inaccurate { alarm: alarm.clone(), dir: self.dir.clone() };
        self.alarm.as_ref().map_or(Ok(()), |alarm| Err(Failed::Inaccurate(inaccurate(alarm))))
    }
}

/// Refuses a model that errs more than is tolerated, or warns where that is accepted.
///
/// # Errors
/// [`Error::Inaccurate`] when there is an alarm that is not accepted.
pub(super) fn tolerated(
    observer: &dyn Observer,
    alarm: Option<Alarm>,
    dir: &Path,
    accepted: bool,
) -> Result<()> {
    let Some(alarm) = alarm else { return Ok(()) };
    let inaccurate = Inaccurate { alarm, dir: dir.to_owned() };
    if accepted {
        observer.warned(&Warning::Inaccurate(inaccurate));
        return Ok(());
    }
    Err(Error::Inaccurate(Box::new(inaccurate)))
}

/// The samples and the bytes to keep of them.
fn samples(observer: &dyn Observer, model: &Model, data: Option<&Path>) -> Result<(Samples, Vec<u8>)> {
    let ports = model.inputs();
    let Some(path) = data else {
        observer.warned(&Warning::RandomSamples { count: RANDOM_SAMPLES });
        let samples = Samples::random(ports, RANDOM_SAMPLES, RANDOM_SEED);
        let rows: Vec<_> = samples.rows.iter().map(|row| object(ports, row)).collect();
        return Ok((samples, crate::json::pretty(&serde_json::json!({ "random": true, "samples": rows }))));
    };
    let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
    let samples = crate::samples::parse(path, &bytes, ports)?;
    if crate::samples::is_json(path, &bytes) {
        return Ok((samples, bytes));
    }
    let kept = kept(ports, &samples);
    Ok((samples, kept))
}

/// Samples as the folder keeps them.
fn kept(ports: &[Port], samples: &Samples) -> Vec<u8> {
    let rows: Vec<_> = samples.rows.iter().map(|row| object(ports, row)).collect();
    crate::json::pretty(&serde_json::json!({ "samples": rows }))
}

fn object(ports: &[Port], row: &zkml_onnx::Sample) -> serde_json::Value {
    let pairs = ports.iter().zip(row.values()).map(|(p, v)| (p.name.clone(), serde_json::json!(v)));
    serde_json::Value::Object(pairs.collect())
}

fn store(
    observer: &dyn Observer,
    name: &str,
    request: &Request,
    calibrated: &Calibrated,
    data: &[u8],
    model: &Model,
) -> Result<()> {
    // The copy must stand alone: weights in other files go into it.
    let onnx = zkml_onnx::self_contained(&request.model)?;
    let sample = first_sample(data, model)?;
    let mut artifacts = Artifacts::create(&request.dir, name)?;
    if artifacts.entry(file::MODEL).is_some_and(|before| before.sha256 != Fingerprint::of(&onnx).sha256) {
        observer.warned(&Warning::Replaced { dir: request.dir.clone() });
    }
    let mut transaction = artifacts.begin("calibrate");
    // Files that give private weights away are for their owner only.
    let private = calibrated.settings.weights == Visibility::Committed;
    if private {
        transaction.put_private(file::MODEL, &onnx, &[])?;
    } else {
        transaction.put(file::MODEL, &onnx, &[])?;
    }
    transaction.put(file::DATA, data, &[])?;
    transaction.put(file::SAMPLE, &sample, &[file::DATA])?;
    transaction.put(
        file::SETTINGS,
        &crate::json::pretty(&calibrated.settings),
        &[file::MODEL, file::DATA],
    )?;
    transaction.put(file::SCALES, &crate::json::pretty(&calibrated.scales), &[file::MODEL, file::DATA])?;
    put_report(&mut transaction, &calibrated.report, private)?;
    transaction.commit()
}

/// Keeps the report; with private weights for their owner only.
pub(super) fn put_report(
    transaction: &mut Transaction<'_>,
    report: &CalibrationReport,
    private: bool,
) -> Result<()> {
    let (bytes, sources) = (crate::json::pretty(report), [file::MODEL, file::DATA, file::SETTINGS]);
    if private {
        transaction.put_private(file::REPORT, &bytes, &sources)
    } else {
        transaction.put(file::REPORT, &bytes, &sources)
    }
}

/// The first sample as it stands in the data, so that `prove` has an input to try.
fn first_sample(data: &[u8], model: &Model) -> Result<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Set<'a> {
        #[serde(borrow)]
        samples: Vec<&'a RawValue>,
    }
    let first = serde_json::from_slice::<Set<'_>>(data)
        .ok()
        .and_then(|set| set.samples.first().map(|s| s.to_string()));
    Ok(match first {
        Some(first) => format!("{{\"inputs\": {first}}}\n").into_bytes(),
        None => {
            let samples = crate::samples::parse(Path::new(file::DATA), data, model.inputs())?;
            let row =
                samples.rows.first().ok_or(zkml_onnx::Error::Sample(zkml_onnx::SampleError::NoSamples))?;
            crate::json::pretty(&serde_json::json!({ "inputs": object(model.inputs(), row) }))
        }
    })
}
