//! The error of a calibrated model on samples whose outputs somebody else computed.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};
use zkml_onnx::{Alarm, Calibrated, Samples};

/// How far the integer model is from the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Samples that were compared.
    pub samples: usize,
    /// Samples outside the calibrated range: they would be refused at proving time.
    pub refused: usize,
    /// Largest difference of any output value.
    pub max_abs_err: f64,
    /// Mean difference.
    pub mean_abs_err: f64,
    /// The output that errs more than is tolerated, if any does.
    pub alarm: Option<Alarm>,
}

#[derive(Deserialize)]
struct Reference {
    outputs: Vec<BTreeMap<String, Vec<f64>>>,
}

/// Runs the integer model over the samples of a reference file and compares the outputs.
///
/// # Errors
/// [`Error::Content`] when the file has no matching outputs, or the front end's errors on samples.
pub fn run(calibrated: &Calibrated, path: &Path) -> Result<Evaluation> {
    let refuse = |why: String| Error::content(path, why);
    let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
    let text = super::text(path, &bytes)?;
    let interface = &calibrated.interface;
    let samples = Samples::parse(text, &interface.input_ports())?;
    let reference: Reference =
        serde_json::from_str(text).map_err(|e| refuse(format!("it has no reference outputs: {e}")))?;
    if reference.outputs.len() != samples.rows.len() {
        return Err(refuse(format!("{} samples, {} outputs", samples.rows.len(), reference.outputs.len())));
    }
    let mut tally = Tally { max: vec![0.0; interface.outputs.len()], ..Tally::default() };
    for (sample, expected) in samples.rows.iter().zip(&reference.outputs) {
        let Ok(trace) = interface
            .quantize_inputs(sample)
            .map_err(Error::from)
            .and_then(|inputs| calibrated.graph.eval_with(&inputs, &calibrated.weights).map_err(Error::from))
        else {
            tally.refused += 1;
            continue;
        };
        let outputs = calibrated.graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone());
        let values = interface.dequantize_outputs(&outputs.collect::<Vec<_>>());
        for (i, (port, values)) in interface.outputs.iter().zip(values).enumerate() {
            let name = &port.port.name;
            let expected = expected.get(name).ok_or_else(|| refuse(format!("it has no output `{name}`")))?;
            if expected.len() != values.len() {
                return Err(refuse(format!(
                    "output `{name}` has {} values, not {}",
                    expected.len(),
                    values.len()
                )));
            }
            tally.add(i, &values, expected);
        }
        tally.samples += 1;
    }
    Ok(tally.done(calibrated))
}

#[derive(Default)]
struct Tally {
    samples: usize,
    refused: usize,
    values: usize,
    /// Largest difference of each output.
    max: Vec<f64>,
    sum: f64,
}

impl Tally {
    fn add(&mut self, output: usize, values: &[f64], expected: &[f64]) {
        let errors = values.iter().zip(expected).map(|(a, b)| (a - b).abs());
        self.sum += errors.clone().sum::<f64>();
        self.max[output] = errors.fold(self.max[output], f64::max);
        self.values += values.len();
    }

    fn done(self, calibrated: &Calibrated) -> Evaluation {
        Evaluation {
            alarm: calibrated.report.alarm_for(&self.max, calibrated.settings.tolerance),
            samples: self.samples,
            refused: self.refused,
            max_abs_err: self.max.iter().copied().fold(0.0, f64::max),
            mean_abs_err: self.sum / self.values.max(1) as f64,
        }
    }
}
