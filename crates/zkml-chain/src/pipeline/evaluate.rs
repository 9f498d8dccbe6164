//! The error of a calibrated model on samples whose outputs somebody else computed.

use crate::{
    error::{Error, Result},
    output::{BOLD, Report},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};
use zkml_onnx::{Calibrated, Samples};

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
    let refuse = |why: String| Error::Content { path: path.to_owned(), why };
    let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
    let text = super::text(path, &bytes)?;
    let interface = &calibrated.interface;
    let samples = Samples::parse(text, &interface.input_ports())?;
    let reference: Reference =
        serde_json::from_str(text).map_err(|e| refuse(format!("it has no reference outputs: {e}")))?;
    if reference.outputs.len() != samples.rows.len() {
        return Err(refuse(format!("{} samples, {} outputs", samples.rows.len(), reference.outputs.len())));
    }
    let mut tally = Tally::default();
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
        for (port, values) in interface.outputs.iter().zip(values) {
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
        tally.samples += 1;
    }
    Ok(tally.done())
}

#[derive(Default)]
struct Tally {
    samples: usize,
    refused: usize,
    values: usize,
    max: f64,
    sum: f64,
}

impl Tally {
    fn add(&mut self, values: &[f64], expected: &[f64]) {
        for (a, b) in values.iter().zip(expected) {
            self.max = self.max.max((a - b).abs());
            self.sum += (a - b).abs();
        }
        self.values += values.len();
    }

    fn done(self) -> Evaluation {
        Evaluation {
            samples: self.samples,
            refused: self.refused,
            max_abs_err: self.max,
            mean_abs_err: self.sum / self.values.max(1) as f64,
        }
    }
}

impl Report for Evaluation {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{BOLD}against the reference{BOLD:#}  {} samples: largest error {:.1e}, mean {:.1e}; {} outside the calibrated range",
            self.samples, self.max_abs_err, self.mean_abs_err, self.refused
        )
    }
}
