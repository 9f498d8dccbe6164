//! The integer model beside the float model, on the samples of the calibration.

use super::super::compiled;
use crate::{
    artifacts::{Artifacts, file},
    error::Result,
    observer::Observer,
};
use serde::Serialize;
use std::collections::HashMap;
use zkml_graph::{Tensor, Trace};
use zkml_onnx::{Label, Model, Port, Settings};

/// Samples that are run, at most.
const SAMPLES: usize = 200;
/// Multiplications that they may take together, and the fewest samples that are run whatever they take.
const MACS: u64 = 400_000_000;
const LEAST: usize = 8;
/// Pairs of an output that are kept, at most: the first ones.
const PAIRS: usize = 2_000;
/// Cells of a histogram.
const CELLS: usize = 32;

/// Runs of both models.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    /// Samples that were run.
    pub samples: usize,
    /// Of these, those that the integer model refuses: they leave its calibrated range.
    pub refused: usize,
    /// Of each output, in the order of the model.
    pub outputs: Vec<Compared>,
    /// Of each input and each value inside the model.
    pub histograms: Vec<Histogram>,
}

/// An output of both models.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Values of the float model with those of the integer model; the first 2,000.
    pub pairs: Vec<(f64, f64)>,
    /// Values that were compared.
    pub values: usize,
    /// Largest difference.
    pub max_abs_error: f64,
    /// Mean difference.
    pub mean_abs_error: f64,
    /// Rows of the output with the same largest element (or the same side of one half, of a single probability), and rows in all; none
    /// where neither says anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_label: Option<(usize, usize)>,
}

/// Where the values of a tensor lie in the interval that it was compiled for.
#[derive(Debug, Clone, Serialize)]
pub struct Histogram {
    /// The tensor's name.
    pub name: String,
    /// Least value that it may have, as a number.
    pub lo: f64,
    /// Largest value that it may have.
    pub hi: f64,
    /// Least value seen.
    pub seen_lo: f64,
    /// Largest value seen.
    pub seen_hi: f64,
    /// Values in each of equally wide cells from `lo` to `hi`.
    pub counts: Vec<u64>,
}

impl Histogram {
    fn new(tensor: &Tensor) -> Self {
        Self {
            name: tensor.name.clone(),
            lo: tensor.real(tensor.bounds.lo),
            hi: tensor.real(tensor.bounds.hi),
            seen_lo: f64::INFINITY,
            seen_hi: f64::NEG_INFINITY,
            counts: vec![0; CELLS],
        }
    }

    fn add(&mut self, value: f64) {
        let width = (self.hi - self.lo).max(f64::MIN_POSITIVE);
        // A conversion of a float saturates, so the last cell has the largest value.
        let cell = ((value - self.lo) / width * CELLS as f64) as usize;
        self.counts[cell.min(CELLS - 1)] += 1;
        self.seen_lo = self.seen_lo.min(value);
        self.seen_hi = self.seen_hi.max(value);
    }
}

/// Runs samples through both models.
pub(super) fn measure(
    observer: &dyn Observer,
    artifacts: &Artifacts,
    settings: &Settings,
) -> Result<Activity> {
    let model = Model::load(artifacts.path(file::MODEL), &settings.load_options())?;
    let compiled = compiled::load(artifacts)?;
    let (graph, interface) = (compiled.graph(), compiled.interface());
    let path = artifacts.path(file::DATA);
    let samples = crate::samples::parse(&path, &artifacts.load(file::DATA)?, model.inputs())?;
    let affordable = (MACS / graph.macs().max(1)) as usize;
    let count = affordable.clamp(LEAST, SAMPLES).min(samples.rows.len());
    let mut tensors: Vec<usize> = graph.inputs.iter().map(|(t, _)| t.0 as usize).collect();
    tensors.extend(graph.nodes.iter().map(|n| n.output.0 as usize));
    let mut histograms: HashMap<usize, Histogram> =
        tensors.iter().map(|t| (*t, Histogram::new(&graph.tensors[*t]))).collect();
    let (mut refused, mut runs) = (0, Vec::with_capacity(count));
    for sample in &samples.rows[..count] {
        observer.proceed()?;
        let run = |inputs: Vec<Vec<i64>>| graph.eval_with(&inputs, compiled.weights()).ok();
        let Some(Trace { values }) = interface.quantize_inputs(sample).ok().and_then(run) else {
            refused += 1;
            continue;
        };
        for (tensor, histogram) in &mut histograms {
            let of = &graph.tensors[*tensor];
            values[*tensor].iter().for_each(|v| histogram.add(of.real((*v).into())));
        }
        let integers: Vec<Vec<i64>> =
            graph.outputs.iter().map(|o| values[o.tensor.0 as usize].clone()).collect();
        runs.push((model.run(sample)?, interface.dequantize_outputs(&integers)));
    }
    let outputs = model.outputs().iter().enumerate();
    let outputs =
        outputs.map(|(at, port)| Compared::of(port, || runs.iter().map(move |(f, i)| (&*f[at], &*i[at]))));
    let histograms = tensors.iter().filter_map(|t| histograms.remove(t));
    let histograms = histograms.filter(|h| h.seen_lo <= h.seen_hi).collect();
    Ok(Activity { samples: count, refused, outputs: outputs.collect(), histograms })
}

impl Compared {
    /// An output in all runs: values of the float model, and of the integer model.
    fn of<'a, I: Iterator<Item = (&'a [f64], &'a [f64])>>(port: &Port, runs: impl Fn() -> I) -> Self {
        let values = || runs().flat_map(|(floats, ours)| floats.iter().copied().zip(ours.iter().copied()));
        let count = values().count();
        let errors = || values().map(|(float, our)| (float - our).abs());
        let (lo, hi) = values()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), (float, _)| (lo.min(float), hi.max(float)));
        let row = Label::row(port);
        let rows = || runs().flat_map(|(floats, ours)| floats.chunks(row).zip(ours.chunks(row)));
        let same = |label: Label| (rows().filter(|(a, b)| label.same(a, b)).count(), rows().count());
        Self {
            name: port.name.clone(),
            pairs: values().take(PAIRS).collect(),
            values: count,
            max_abs_error: errors().fold(0.0, f64::max),
            mean_abs_error: errors().sum::<f64>() / count.max(1) as f64,
            same_label: Label::of(port, lo, hi).map(same).filter(|(_, rows)| *rows > 0),
        }
    }
}
