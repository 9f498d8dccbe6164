//! The error of a calibrated model on samples whose outputs somebody else computed.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};
use zkml_onnx::{Alarm, Calibrated};

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
    /// Of each output, in the order of the model.
    pub outputs: Vec<OutputError>,
    /// The output that errs more than is tolerated, if any does.
    pub alarm: Option<Alarm>,
}

/// Distance of an output from the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputError {
    /// Its name.
    pub name: String,
    /// Largest difference of any of its values.
    pub max_abs_err: f64,
    /// Mean difference.
    pub mean_abs_err: f64,
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
    let samples = crate::samples::parse(path, &bytes, &interface.input_ports())?;
    let reference: Reference = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|e| refuse(format!("it has no reference outputs: {e}")))?;
    if reference.outputs.len() != samples.rows.len() {
        return Err(refuse(format!("{} samples, {} outputs", samples.rows.len(), reference.outputs.len())));
    }
    let (mut tallies, mut compared, mut refused) = (vec![Tally::default(); interface.outputs.len()], 0, 0);
    for (sample, expected) in samples.rows.iter().zip(&reference.outputs) {
        let Ok(trace) = interface
            .quantize_inputs(sample)
            .map_err(Error::from)
            .and_then(|inputs| calibrated.graph.eval_with(&inputs, &calibrated.weights).map_err(Error::from))
        else {
            refused += 1;
            continue;
        };
        let outputs = calibrated.graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone());
        let values = interface.dequantize_outputs(&outputs.collect::<Vec<_>>());
        for ((port, values), tally) in interface.outputs.iter().zip(values).zip(&mut tallies) {
            let name = &port.port.name;
            let expected = expected.get(name).ok_or_else(|| refuse(format!("it has no output `{name}`")))?;
            if expected.len() != values.len() {
                return Err(refuse(format!(
                    "output `{name}` has {} values, not {}",
                    expected.len(),
                    values.len()
                )));
            }
            tally.add(&values, expected);
        }
        compared += 1;
    }
    Ok(done(&tallies, compared, refused, calibrated))
}

/// Differences of one output.
#[derive(Default, Clone)]
struct Tally {
    values: usize,
    max: f64,
    sum: f64,
}

impl Tally {
    fn add(&mut self, values: &[f64], expected: &[f64]) {
        let errors = values.iter().zip(expected).map(|(a, b)| (a - b).abs());
        self.sum += errors.clone().sum::<f64>();
        self.max = errors.fold(self.max, f64::max);
        self.values += values.len();
    }

    fn mean(&self) -> f64 {
        self.sum / self.values.max(1) as f64
    }
}

fn done(tallies: &[Tally], samples: usize, refused: usize, calibrated: &Calibrated) -> Evaluation {
    let max: Vec<f64> = tallies.iter().map(|t| t.max).collect();
    let (sum, values) = tallies.iter().fold((0.0, 0), |(sum, values), t| (sum + t.sum, values + t.values));
    let all = Tally { max: max.iter().copied().fold(0.0, f64::max), sum, values };
    let named = calibrated.interface.outputs.iter().zip(tallies).map(|(port, tally)| OutputError {
        name: port.port.name.clone(),
        max_abs_err: tally.max,
        mean_abs_err: tally.mean(),
    });
    Evaluation {
        alarm: calibrated.report.alarm_for(&max, calibrated.settings.tolerance),
        samples,
        refused,
        max_abs_err: all.max,
        mean_abs_err: all.mean(),
        outputs: named.collect(),
    }
}
