//! Calibration: scales from data, the error against the float model, and what proving will cost.

use super::evaluate::{self, Evaluation};
use crate::{
    artifacts::{Artifacts, Transaction, file},
    error::{Error, Result},
    folder::{Folder, model_name},
    html,
    output::{BOLD, DIM, RED, Report, Ui, YELLOW},
    progress::Progress,
    table::{self, Align},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use zkml_graph::Visibility;
use zkml_halo2::{Optimize, Plan};
use zkml_onnx::{Alarm, Calibrated, CalibrationReport, Model, Samples, Settings};

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
    /// Where to put a report with plots.
    pub html: Option<PathBuf>,
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
    /// What proving is expected to cost, by what is made cheap.
    pub costs: Vec<Plan>,
}

/// Calibrates a model and stores model, settings, data and report.
///
/// # Errors
/// A model or data that cannot be used, a full disk.
pub fn run(ui: &Ui, folder: &Folder, request: &Request) -> Result<CalibrateReport> {
    let model = Model::load(&request.model, &request.settings.load_options())?;
    model.notices().iter().for_each(|notice| ui.warn(&notice.text));
    let (samples, data) = samples(ui, &model, request.data.as_deref())?;
    let progress = Progress::timed(ui, "calibrating", Duration::from_secs(5));
    let calibrated = zkml_onnx::calibrate(&model, &samples, &request.settings)?;
    let evaluation = request.evaluate.as_ref().map(|path| evaluate::run(&calibrated, path)).transpose()?;
    progress.message("planning");
    let system = calibrated.graph.system();
    let costs = [Optimize::Prover, Optimize::Gas].map(|goal| zkml_halo2::plan(&system, goal));
    let costs = costs.into_iter().collect::<Result<Vec<_>, _>>()?;
    drop(progress);
    let name = model_name(&request.model);
    let dir = folder.for_model(&name);
    store(&dir, &name, request, &calibrated, &data, &model)?;
    let alarms = [
        calibrated.report.alarm(calibrated.settings.tolerance),
        evaluation.as_ref().and_then(|e| e.alarm.clone()),
    ];
    let alarm = alarms.into_iter().flatten().max_by(|a, b| a.times().total_cmp(&b.times()));
    let calibration = calibrated.report;
    let report = CalibrateReport { model: name, dir, calibration, alarm, evaluation, costs };
    if let Some(path) = &request.html {
        crate::artifacts::write_whole(path, html::page(&report).as_bytes())?;
        ui.say(format_args!("report with plots: {}", path.display()));
    }
    Ok(report)
}

/// Ends a command whose model errs more than is tolerated, or warns when that is accepted.
///
/// # Errors
/// [`Error::Inaccurate`] when there is an alarm that is not accepted.
pub fn judge(ui: &Ui, alarm: Option<Alarm>, dir: &Path, accepted: bool) -> Result<()> {
    let Some(alarm) = alarm else { return Ok(()) };
    let error = Error::Inaccurate { alarm: Box::new(alarm), dir: dir.to_owned(), report: None };
    if accepted {
        ui.warn(format_args!("{error}; --allow-inaccurate accepts that"));
        return Ok(());
    }
    Err(error)
}

/// The samples and the bytes to keep of them.
fn samples(ui: &Ui, model: &Model, data: Option<&Path>) -> Result<(Samples, Vec<u8>)> {
    let ports = model.inputs();
    let Some(path) = data else {
        ui.warn(format_args!(
            "no --data: calibrating with {RANDOM_SAMPLES} random samples between -1 and 1. Ranges and errors mean little; \
             real inputs outside these ranges will be refused. Calibrate with real data before relying on it"
        ));
        let samples = Samples::random(ports, RANDOM_SAMPLES, RANDOM_SEED);
        let rows: Vec<_> = samples.rows.iter().map(|row| object(ports, row)).collect();
        return Ok((samples, crate::json::pretty(&serde_json::json!({ "random": true, "samples": rows }))));
    };
    let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
    let samples = Samples::parse(super::text(path, &bytes)?, ports)?;
    Ok((samples, bytes))
}

fn object(ports: &[zkml_onnx::Port], row: &zkml_onnx::Sample) -> serde_json::Value {
    let pairs = ports.iter().zip(row.values()).map(|(p, v)| (p.name.clone(), serde_json::json!(v)));
    serde_json::Value::Object(pairs.collect())
}

fn store(
    dir: &Path,
    name: &str,
    request: &Request,
    calibrated: &Calibrated,
    data: &[u8],
    model: &Model,
) -> Result<()> {
    // The copy must stand alone: weights in other files go into it.
    let onnx = zkml_onnx::self_contained(&request.model)?;
    let sample = first_sample(data, model)?;
    let mut artifacts = Artifacts::create(dir, name)?;
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
            let samples = Samples::parse(super::text(Path::new(file::DATA), data)?, model.inputs())?;
            let row =
                samples.rows.first().ok_or(zkml_onnx::Error::Sample(zkml_onnx::SampleError::NoSamples))?;
            crate::json::pretty(&serde_json::json!({ "inputs": object(model.inputs(), row) }))
        }
    })
}

impl Report for CalibrateReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#} calibrated in {}", self.model, self.dir.display())?;
        print_calibration(out, &self.calibration)?;
        if let Some(evaluation) = &self.evaluation {
            evaluation.print(out)?;
        }
        writeln!(out, "{BOLD}expected costs{BOLD:#}")?;
        costs(out, &self.costs)?;
        if let Some(alarm) = &self.alarm {
            let (output, times) = (&alarm.output, alarm.times());
            writeln!(out, "{RED}`{output}` errs {times:.1} times as much as is tolerated{RED:#}")?;
        }
        if self.calibration.random {
            writeln!(out, "{YELLOW}calibrated with random data: errors and ranges mean little{YELLOW:#}")?;
        }
        writeln!(out, "{DIM}next: zkml-chain compile --dir {}{DIM:#}", self.dir.display())
    }
}

fn print_calibration(out: &mut dyn Write, report: &CalibrationReport) -> io::Result<()> {
    writeln!(
        out,
        "  {} samples; {} fraction bits for values, {} for weights",
        report.samples, report.activation_scale, report.weight_scale
    )?;
    let head = ["output", "seen", "largest error", "mean error", "same label"];
    let mut rows = vec![head.map(|h| format!("{DIM}{h}{DIM:#}")).to_vec()];
    rows.extend(report.outputs.iter().map(|o| {
        let label = o.label_agreement.map_or("–".into(), |share| format!("{:.2} %", share * 100.0));
        vec![
            o.name.clone(),
            format!("{:.4} … {:.4}", o.lo, o.hi),
            format!("{:.1e}", o.max_abs_error),
            format!("{:.1e}", o.mean_abs_error),
            label,
        ]
    }));
    let mut align = [Align::Right; 5];
    align[0] = Align::Left;
    table::print(out, &align, &rows)
}

/// A table of plans.
///
/// # Errors
/// What the writer returns.
pub fn costs(out: &mut dyn Write, plans: &[Plan]) -> io::Result<()> {
    let head = ["optimize", "k", "rows", "commitments", "proof", "gas", "memory", "key"];
    let mut rows = vec![head.map(|h| format!("{DIM}{h}{DIM:#}")).to_vec()];
    rows.extend(plans.iter().map(|plan| {
        vec![
            goal(plan.optimize).to_owned(),
            plan.k.to_string(),
            table::thousands(plan.rows as u64),
            plan.commitments.to_string(),
            table::size(plan.proof_bytes as u64),
            format!("≈ {}", table::thousands(plan.gas_estimate)),
            format!("≈ {} MB", plan.memory_mb_estimate),
            format!("≈ {}", table::size(plan.key_bytes_estimate)),
        ]
    }));
    let mut align = [Align::Right; 8];
    align[0] = Align::Left;
    table::print(out, &align, &rows)
}

/// The name of a goal on the command line.
pub fn goal(optimize: Optimize) -> &'static str {
    match optimize {
        Optimize::Prover => "prover",
        Optimize::Gas => "gas",
    }
}
