//! A case run through the front end, and what comes of it.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use zkml_onnx::{Error, LoadOptions, Model, Sample, Samples, Settings, calibrate};

use super::case::{self, Case, Value};

/// Time that a case may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Cases whose own results are not what ONNX defines, and who says so.
const SETTLED: [(&str, &str); 7] = [
    (
        "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
        "onnxruntime gives what the graph gives; the test divides by cells beyond the padding too",
    ),
    ("test_dynamicquantizelinear", TIE),
    ("test_dynamicquantizelinear_expanded", TIE),
    ("test_qlinearmatmul_2D_int8_float16", WRAPS),
    ("test_qlinearmatmul_2D_int8_float32", WRAPS),
    ("test_qlinearmatmul_3D_int8_float16", WRAPS),
    ("test_qlinearmatmul_3D_int8_float32", WRAPS),
];

/// What ONNX saturates.
const WRAPS: &str =
    "onnxruntime gives what the graph gives, -128 where the sum is -236; the test wraps around to 20";

/// The quotient of a case lies between two integers as reals, and beside the middle in 32 bits.
const TIE: &str =
    "-2.5 / (5/255) is -127.5, which goes to the even -128; as a float of 32 bits it is less than that";

/// What comes of a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The integer graph gives what is due, within what the scales imply, and its relations hold.
    Passes,
    /// All inputs are structural, and the outputs are the constants that are due.
    Folded,
    /// Refused, with the reason.
    Refused(String),
    /// Other numbers than the test has, which are the right ones.
    Settled(String),
    /// Nothing that a trained model does: training, random numbers, strings, sequences.
    NotInference(String),
    /// Wrong numbers, a panic, or no answer in time.
    Failed(String),
}

impl Outcome {
    /// Name of the class.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Folded => "folded",
            Self::Refused(_) => "refused",
            Self::Settled(_) => "settled",
            Self::NotInference(_) => "not inference",
            Self::Failed(_) => "FAILED",
        }
    }

    /// The reason.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Passes | Self::Folded => "",
            Self::Refused(r) | Self::Settled(r) | Self::NotInference(r) | Self::Failed(r) => r,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}", self.class(), self.reason())
    }
}

/// Runs a case in a thread of its own, so that a panic is one of its outcomes, and so is no answer.
pub(crate) fn outcome(folder: &Path) -> Outcome {
    let (sender, receiver) = channel();
    let (folder, name) = (folder.to_owned(), folder.display().to_string());
    let work = move || drop(sender.send(judged(&folder)));
    let thread = std::thread::Builder::new().name(name).stack_size(8 << 20).spawn(work).expect("a thread");
    match receiver.recv_timeout(LIMIT) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => Outcome::Failed(format!("no answer in {LIMIT:?}")),
        Err(RecvTimeoutError::Disconnected) => {
            let panic = thread.join().expect_err("a thread that says nothing has panicked");
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Outcome::Failed(format!("panic: {}", line(&text.unwrap_or_default())))
        }
    }
}

fn judged(folder: &Path) -> Outcome {
    let outcome = match case::read(folder) {
        Ok(case) => checked(&case),
        Err(why) => Outcome::NotInference(why),
    };
    match (outcome, SETTLED.iter().find(|(name, _)| folder.ends_with(name))) {
        (Outcome::Failed(_), Some((_, why))) => Outcome::Settled((*why).into()),
        (Outcome::Passes, Some(_)) => Outcome::Failed("it passes, and is listed as wrong".into()),
        (outcome, _) => outcome,
    }
}

/// The first line of a text, which must fit into a table.
fn line(text: &str) -> String {
    let one = text.lines().next().unwrap_or_default().replace('\t', " ");
    one.chars().take(160).collect()
}

/// What an error says, without what the case says already.
fn reason(e: &Error) -> String {
    match e {
        Error::Unsupported { nodes, .. } => {
            let first = nodes.first().map_or(String::new(), |n| format!("{}: {}", n.op, n.reason));
            line(&first)
        }
        Error::Graph(e) => format!("bounds or shapes: {}", line(&e.to_string())),
        other => line(&other.to_string()),
    }
}

fn checked(case: &Case) -> Outcome {
    let model = match Model::from_bytes("node", &case.model.encode_to_vec(), &LoadOptions::default()) {
        Ok(model) => model,
        Err(e) => return Outcome::Refused(reason(&e)),
    };
    let values =
        |port: &zkml_onnx::Port| case.inputs.iter().find(|v| v.name == port.name).map(|v| v.reals.clone());
    let given: Vec<Vec<f64>> = model.inputs().iter().filter_map(values).collect();
    let sample = match Sample::new(model.inputs(), given) {
        Ok(sample) => sample,
        Err(e) => return Outcome::Refused(line(&e.to_string())),
    };
    let samples = Samples { rows: vec![sample.clone()], random: false };
    let settings = Settings::default();
    let done = match calibrate(&model, &samples, &settings) {
        Ok(done) => done,
        Err(e) => return Outcome::Refused(reason(&e)),
    };
    if let Some(alarm) = done.report.alarm(settings.tolerance) {
        return Outcome::Refused(line(&format!(
            "calibration warns: `{}` errs {:.1} times what is tolerated",
            alarm.output,
            alarm.times()
        )));
    }
    match compared(case, &model, &sample, &done, &settings) {
        Err(wrong) => Outcome::Failed(line(&wrong)),
        Ok(()) if case.inputs.is_empty() => Outcome::Folded,
        Ok(()) => Outcome::Passes,
    }
}

/// Runs the integer graph on the inputs of the case, and compares.
fn compared(
    case: &Case,
    model: &Model,
    sample: &Sample,
    done: &zkml_onnx::Calibrated,
    settings: &Settings,
) -> Result<(), String> {
    let ints = done.interface.quantize_inputs(sample).map_err(|e| e.to_string())?;
    let trace = done.graph.eval(&ints).map_err(|e| e.to_string())?;
    let system = done.graph.system();
    let values = system.assign(&trace).ok_or("the relations have another number of cells than the trace")?;
    system.check(&values).map_err(|e| format!("relations: {e}"))?;
    let ints: Vec<Vec<i64>> =
        done.graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone()).collect();
    let got = done.interface.dequantize_outputs(&ints);
    for ((port, got), report) in model.outputs().iter().zip(&got).zip(&done.report.outputs) {
        let want = case.outputs.iter().find(|v| v.name == port.name);
        let want = want.ok_or_else(|| format!("the case says nothing of `{}`", port.name))?;
        let allowed =
            if port.is_integer() { 0.0 } else { report.allowed(settings.tolerance).max(rounding(want)) };
        close(&port.name, got, &want.reals, allowed)?;
        let dims: Vec<usize> = want.proto.dims.iter().map(|d| *d as usize).collect();
        if dims != port.shape {
            return Err(format!("`{}` has the shape {:?} instead of {dims:?}", port.name, port.shape));
        }
    }
    Ok(())
}

/// Rounding of the type in which ONNX keeps an output, where that is coarse: the graph keeps more.
fn rounding(want: &Value) -> f64 {
    let most = want.reals.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    match DataType::try_from(want.proto.data_type) {
        Ok(DataType::Float16) => most / 1024.0,
        Ok(DataType::Bfloat16) => most / 128.0,
        _ => 0.0,
    }
}

fn close(name: &str, got: &[f64], want: &[f64], allowed: f64) -> Result<(), String> {
    if got.len() != want.len() {
        return Err(format!("`{name}` has {} elements instead of {}", got.len(), want.len()));
    }
    let wrong = got.iter().zip(want).position(|(g, w)| (g - w).abs() > allowed || g.is_nan() || w.is_nan());
    wrong.map_or(Ok(()), |at| Err(format!("`{name}`[{at}] is {} instead of {}", got[at], want[at])))
}
