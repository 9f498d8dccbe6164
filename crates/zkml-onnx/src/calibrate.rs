//! Calibration: ranges from samples, scales from ranges, the integer graph, and its error.

mod search;

use std::collections::HashMap;

use rayon::prelude::*;
use zkml_graph::{Graph, System};

use self::search::Pair;
use crate::net::Evaluator;
use crate::quant::{Emitted, Scales, Stats, Widths, emit};
use crate::report::{
    CalibrationReport, Error as Drift, Label, LayerEffort, LayerReport, MovedReport, Outlier, OutputReport,
};
use crate::{Error, Interface, Model, Port, Sample, SampleError, Samples, Settings};

/// A calibrated model.
#[derive(Debug, Clone)]
pub struct Calibrated {
    /// The integer graph.
    pub graph: Graph,
    /// Values of its private weights, one vector per tensor of [`Graph::weights`]; none when weights are public.
    pub weights: Vec<Vec<i64>>,
    /// What an observer of the verifier sees of the model although its weights are private.
    pub stays_public: Vec<String>,
    /// The settings with everything chosen that they left open: the same file, samples and settings give the
    /// same graph again.
    pub settings: Settings,
    /// Range and scale of every value: with them [`lower`] builds the graph again without samples.
    pub scales: Scales,
    /// Ranges and errors.
    pub report: CalibrationReport,
    /// Scales, names and ranges of inputs and outputs.
    pub interface: Interface,
}

/// Multiplications that measuring errors may take, and the fewest samples it is done on.
const MEASURE_MACS: u64 = 400_000_000;
const MEASURE_LEAST: usize = 8;

/// Finds scales for a model and lowers it. Deterministic.
///
/// Of the scales at which the largest error of each output should be the tolerated share of its range, those are taken that cost
/// least: by the rows of tables that a run looks up, see [`effort`](zkml_graph::effort).
///
/// # Errors
/// Settings or samples that do not fit the model, an operator that cannot be lowered, bounds that leave the exact range. A
/// model that errs more than is tolerated is no error here: see [`CalibrationReport::alarm`].
pub fn calibrate(model: &Model, samples: &Samples, settings: &Settings) -> Result<Calibrated, Error> {
    calibrate_by(model, samples, settings, &search::lookups)
}

/// What proofs of a system cost, less being better; nothing where it cannot be proven. Only the order counts.
pub type Price<'a> = dyn Fn(&System) -> Option<f64> + 'a;

/// The same, with costs as a back end expects them.
///
/// # Errors
/// As [`calibrate`].
pub fn calibrate_by(
    model: &Model,
    samples: &Samples,
    settings: &Settings,
    price: &Price<'_>,
) -> Result<Calibrated, Error> {
    settings.check()?;
    settings.fit(model)?;
    if samples.rows.is_empty() {
        return Err(SampleError::NoSamples.into());
    }
    let mut found = search::search(&Job::new(model, samples, settings)?, price)?;
    let excess = found.report.excess(settings.tolerance);
    if excess > 1.0 {
        found.report.notices.push(format!(
            "the largest error is {excess:.1} times what the tolerance of {} allows, and finer scales do not help or \
             are fixed; inputs of very different magnitude in one tensor are the usual cause: scale them before",
            settings.tolerance
        ));
    }
    Ok(found)
}

/// What every attempt shares.
struct Job<'a> {
    model: &'a Model,
    samples: &'a Samples,
    settings: &'a Settings,
    stats: Stats,
    /// The same with one range for all steps of what was unrolled, from which scales are chosen.
    ranges: Stats,
    /// Float values of the measured samples.
    floats: Vec<Vec<Vec<f64>>>,
    /// Results of the ONNX model on them.
    wanted: Vec<Vec<Vec<f64>>>,
}

impl<'a> Job<'a> {
    fn new(model: &'a Model, samples: &'a Samples, settings: &'a Settings) -> Result<Self, Error> {
        let net = model.net();
        let evaluator = Evaluator::new(net);
        let macs = model.inspect().macs.max(1);
        let measured = ((MEASURE_MACS / macs) as usize).max(MEASURE_LEAST).min(samples.rows.len());
        let mut stats = Stats::new(net);
        let mut floats = Vec::with_capacity(measured);
        for (index, row) in samples.rows.iter().enumerate() {
            let values = evaluator.run(row.values());
            stats
                .add(&values)
                .map_err(|id| Error::FloatOverflow { value: net.nodes[id].name.clone(), sample: index })?;
            if index < measured {
                floats.push(values);
            }
        }
        let wanted = samples.rows[..measured]
            .iter()
            .enumerate()
            .map(|(i, r)| finite(model, r, i))
            .collect::<Result<_, _>>()?;
        let ranges = stats.over_steps(net);
        Ok(Self { model, samples, settings, stats, ranges, floats, wanted })
    }

    /// Lowers the model at these scales and measures what that gives.
    fn attempt(&self, pair: Pair) -> Result<Calibrated, Error> {
        let model = self.model;
        let (mut scales, emitted) = self.lower(pair)?;
        scales.weight_bits.clone_from(&emitted.weight_bits);
        let interface = Interface::new(&emitted.graph, model.inputs(), model.outputs());
        let settings = Settings {
            activation_scale: Some(pair.activation),
            weight_scale: Some(pair.weight),
            ..self.settings.clone()
        };
        let report = self.measure(&emitted, &interface, &scales)?;
        let (graph, weights, stays_public) = (emitted.graph, emitted.weights, model.stays_public());
        Ok(Calibrated { graph, weights, stays_public, settings, scales, report, interface })
    }

    fn lower(&self, pair: Pair) -> Result<(Scales, Emitted), Error> {
        let (net, Pair { activation, weight }) = (self.model.net(), pair);
        let scales = Scales::choose(net, &self.ranges, self.settings, activation, weight)?;
        let emitted = emit(self.model.name(), net, &scales, self.settings, Widths::Chosen)?;
        Ok((scales, emitted))
    }

    /// Runs the integer graph on the measured samples.
    fn measure(
        &self,
        emitted: &Emitted,
        interface: &Interface,
        scales: &Scales,
    ) -> Result<CalibrationReport, Error> {
        let graph = &emitted.graph;
        let place: HashMap<&str, usize> =
            graph.tensors.iter().enumerate().map(|(i, t)| (t.name.as_str(), i)).collect();
        let layers: Vec<(usize, usize)> =
            emitted.layers.iter().filter_map(|(v, name)| Some((*v, *place.get(name.as_str())?))).collect();
        let one = |(i, floats): (usize, &Vec<Vec<f64>>)| -> Result<Measured, Error> {
            let inputs = interface.quantize_inputs(&self.samples.rows[i])?;
            let trace = graph.eval_with(&inputs, &emitted.weights)?;
            let walks = emitted.walks.iter().map(|w| Some((w, place.get(w.leaf.as_str())?)));
            let moved = walks.map(|w| w.is_some_and(|(w, leaf)| w.moved(floats, &trace.values[*leaf])));
            Ok(Measured {
                moved: moved.collect(),
                ..Measured::new(graph, &trace.values, &layers, floats, &self.wanted[i])
            })
        };
        let runs: Vec<Measured> = self.floats.par_iter().enumerate().map(one).collect::<Result<_, _>>()?;
        let layers = layers.iter().enumerate().map(|(at, (value, tensor))| {
            let (t, seen) = (&graph.tensors[*tensor], self.stats.of(*value));
            let drift = total(runs.iter().map(|r| &r.layers[at]));
            LayerReport {
                name: t.name.clone(),
                shape: t.shape.clone(),
                scale: t.scale,
                bits: t.bounds.bits(),
                lo: seen.lo,
                hi: seen.hi,
                max_abs_error: drift.max,
                mean_abs_error: drift.mean(),
            }
        });
        let moved: Vec<MovedReport> = emitted
            .walks
            .iter()
            .enumerate()
            .map(|(at, w)| MovedReport {
                name: w.leaf.strip_suffix(".leaf").unwrap_or(&w.leaf).to_owned(),
                samples: (0..runs.len()).filter(|i| runs[*i].moved[at]).collect(),
            })
            .collect();
        let names: Vec<&str> = self.model.net().nodes.iter().map(|n| n.name.as_str()).collect();
        let outliers = self.outliers();
        let told = moved.iter().map(|m| m.text(runs.len())).chain(outliers.iter().map(Outlier::text));
        let notices = self.notices().into_iter().chain(told).collect();
        let outputs =
            self.model.outputs().iter().enumerate().map(|(at, port)| self.output(at, port, interface, &runs));
        Ok(CalibrationReport {
            samples: self.samples.rows.len(),
            measured: runs.len(),
            random: self.samples.random,
            activation_scale: scales.activation,
            weight_scale: scales.weight,
            outputs: outputs.collect(),
            layers: layers.collect(),
            efforts: LayerEffort::of(&graph.system(), &names),
            moved,
            outliers,
            notices,
        })
    }

    /// Numbers of the samples that are far beyond what others have; of random ones there are none.
    fn outliers(&self) -> Vec<Outlier> {
        let of = |(at, port): (usize, &'a Port)| {
            let values: Vec<&[f64]> =
                self.samples.rows.iter().map(|row| row.values()[at].as_slice()).collect();
            Outlier::of(&port.name, &values)
        };
        self.model.inputs().iter().enumerate().flat_map(of).collect()
    }

    fn output(&self, at: usize, port: &Port, interface: &Interface, runs: &[Measured]) -> OutputReport {
        let drift = total(runs.iter().map(|r| &r.outputs[at]));
        let all = || self.wanted.iter().flat_map(|w| &w[at]).copied();
        let (lo, hi) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        let row = Label::row(port);
        let pairs = || runs.iter().zip(&self.wanted).map(|(r, w)| (r.reals[at].as_slice(), w[at].as_slice()));
        let share = |label: Label| {
            let rows = || pairs().flat_map(|(a, b)| a.chunks(row).zip(b.chunks(row)));
            rows().filter(|(a, b)| label.same(a, b)).count() as f64 / rows().count().max(1) as f64
        };
        let label_agreement = Label::of(port, lo, hi).map(share);
        OutputReport {
            name: port.name.clone(),
            scale: interface.outputs[at].scale,
            lo,
            hi,
            max_abs_error: drift.max,
            mean_abs_error: drift.mean(),
            label_agreement,
        }
    }

    fn notices(&self) -> Vec<String> {
        let mut out: Vec<String> = self.model.notices().iter().map(|n| n.text.clone()).collect();
        if self.samples.random {
            out.push(
                "CALIBRATED WITH RANDOM DATA: ranges are guesses and errors mean nothing for real inputs; \
                 calibrate with real samples before anything depends on this model"
                    .into(),
            );
        } else if self.samples.rows.len() < 16 {
            out.push(format!(
                "only {} calibration samples: an input that makes larger values will be refused when it is proven",
                self.samples.rows.len()
            ));
        }
        out
    }
}

/// The results of the ONNX model, which must be finite.
fn finite(model: &Model, sample: &Sample, index: usize) -> Result<Vec<Vec<f64>>, Error> {
    let out = model.run(sample)?;
    let bad = out.iter().position(|v| v.iter().any(|x| !x.is_finite()));
    match bad {
        Some(i) => Err(Error::FloatOverflow { value: model.outputs()[i].name.clone(), sample: index }),
        None => Ok(out),
    }
}

/// Errors of one sample.
struct Measured {
    layers: Vec<Drift>,
    outputs: Vec<Drift>,
    reals: Vec<Vec<f64>>,
    /// For each walk, whether some tree decided otherwise.
    moved: Vec<bool>,
}

impl Measured {
    fn new(
        graph: &Graph,
        values: &[Vec<i64>],
        layers: &[(usize, usize)],
        floats: &[Vec<f64>],
        wanted: &[Vec<f64>],
    ) -> Self {
        let real =
            |tensor: usize| values[tensor].iter().map(move |v| graph.tensors[tensor].real((*v).into()));
        let drift = |reals: &mut dyn Iterator<Item = f64>, want: &[f64]| {
            let mut d = Drift::default();
            reals.zip(want).for_each(|(a, b)| d.add(a, *b));
            d
        };
        let layers = layers.iter().map(|(v, t)| drift(&mut real(*t), &floats[*v])).collect();
        let reals: Vec<Vec<f64>> =
            graph.outputs.iter().map(|o| real(o.tensor.0 as usize).collect()).collect();
        let outputs = reals.iter().zip(wanted).map(|(r, w)| drift(&mut r.iter().copied(), w)).collect();
        Self { layers, outputs, reals, moved: vec![] }
    }
}

fn total<'a>(drifts: impl Iterator<Item = &'a Drift>) -> Drift {
    drifts.fold(Drift::default(), |mut all, d| {
        all.merge(d);
        all
    })
}
