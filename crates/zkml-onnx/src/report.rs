//! What calibration found: ranges, scales, and the error that integers make.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use zkml_graph::System;
use zkml_graph::effort::efforts;

use crate::Port;
use crate::net::eval::argmax;

/// Error of one output against the float model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputReport {
    /// Name of the output.
    pub name: String,
    /// Fraction bits.
    pub scale: i32,
    /// Smallest value that the float model gave.
    pub lo: f64,
    /// Largest value that the float model gave.
    pub hi: f64,
    /// Largest absolute error.
    pub max_abs_error: f64,
    /// Mean absolute error.
    pub mean_abs_error: f64,
    /// Share of rows in which the largest element is the same one, or in which a probability lies on the same
    /// side of one half; nothing where neither applies.
    pub label_agreement: Option<f64>,
}

/// What two rows of an output have in common that decide alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// All values: they are integers.
    Values,
    /// The place of the largest element.
    Largest,
    /// The side of one half of their first element, a probability.
    Half,
}

impl Label {
    /// That of an output whose values lie in `[lo, hi]`; none where rows decide nothing.
    pub fn of(port: &Port, lo: f64, hi: f64) -> Option<Self> {
        if port.is_integer() {
            Some(Self::Values)
        } else if Self::row(port) > 1 && port.shape.len() <= 2 {
            Some(Self::Largest)
        } else if lo >= 0.0 && hi <= 1.0 {
            Some(Self::Half)
        } else {
            None
        }
    }

    /// Elements of a row.
    pub fn row(port: &Port) -> usize {
        port.shape.last().copied().unwrap_or(1).max(1)
    }

    /// Whether two rows of a value at least decide alike.
    pub fn same(self, a: &[f64], b: &[f64]) -> bool {
        match self {
            Self::Values => a == b,
            Self::Largest => argmax(a) == argmax(b),
            Self::Half => (a[0] > 0.5) == (b[0] > 0.5),
        }
    }
}

/// Range, scale and error of one value inside the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Name of the tensor.
    pub name: String,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// Fraction bits.
    pub scale: i32,
    /// Bits of its bounds.
    pub bits: u32,
    /// Smallest value seen.
    pub lo: f64,
    /// Largest value seen.
    pub hi: f64,
    /// Largest absolute error.
    pub max_abs_error: f64,
    /// Mean absolute error.
    pub mean_abs_error: f64,
}

/// How much of a proof a layer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerEffort {
    /// Name of the node; `inputs`, `weights` and `outputs` for what the statement shows or commits to.
    pub name: String,
    /// Rows of tables that its integers are looked up in: see [`zkml_graph::effort`].
    pub lookups: u64,
}

impl LayerEffort {
    /// Those of the nodes with these names, the most first.
    pub(crate) fn of(system: &System, nodes: &[&str]) -> Vec<Self> {
        let names: HashSet<&str> = nodes.iter().copied().collect();
        let ends = |label: &str| label.rmatch_indices('.').map(|(at, _)| at).collect::<Vec<_>>();
        let mut all: BTreeMap<String, u64> = BTreeMap::new();
        for effort in efforts(system).unwrap_or_default() {
            let label = effort.node.as_str();
            let prefixes = ends(label).into_iter().map(|at| &label[..at]);
            let name = [label].into_iter().chain(prefixes).find(|p| names.contains(p)).unwrap_or(label);
            *all.entry(name.to_owned()).or_default() += effort.lookups;
        }
        let mut all: Vec<Self> = all.into_iter().map(|(name, lookups)| Self { name, lookups }).collect();
        all.sort_by_key(|e| Reverse(e.lookups));
        all
    }
}

/// Samples of which rounding moved a feature of a tree ensemble over a threshold, so that some tree decides otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedReport {
    /// Name of the ensemble's node.
    pub name: String,
    /// Which samples, counted from zero.
    pub samples: Vec<usize>,
}

impl MovedReport {
    /// The same in words; `measured` is the number of samples that were looked at.
    pub fn text(&self, measured: usize) -> String {
        const SHOWN: usize = 10;
        let Self { name, samples } = self;
        if samples.is_empty() {
            return format!("`{name}`: rounding moved none of {measured} samples over a threshold");
        }
        let shown: Vec<String> = samples.iter().take(SHOWN).map(usize::to_string).collect();
        let more = if samples.len() > SHOWN { ", …" } else { "" };
        format!(
            "`{name}`: rounding moved {} of {measured} samples over a threshold, so that some tree decides otherwise: {}{more}",
            samples.len(),
            shown.join(", ")
        )
    }
}

/// A number in a sample that is far beyond what the others have: ranges reach to it, and everything else is coarser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outlier {
    /// Name of the input.
    pub input: String,
    /// Which sample, counted from zero.
    pub sample: usize,
    /// Row-major index of the element.
    pub index: usize,
    /// The number.
    pub value: f64,
    /// Largest magnitude of 95 of 100 samples.
    pub usual: f64,
}

impl Outlier {
    /// Ratio to the usual magnitude from which on a number is an outlier: five bits of every value are lost to it.
    const TIMES: f64 = 32.0;
    /// Fewest samples of which some can be called usual.
    const LEAST: usize = 4;

    /// Those of one input, whose numbers `samples` has, by sample.
    pub(crate) fn of<'a>(input: &'a str, samples: &[&[f64]]) -> impl Iterator<Item = Self> + use<'a> {
        let largest = |(sample, values): (usize, &&[f64])| {
            let at = values.iter().enumerate().max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
            at.map(|(index, value)| (sample, index, *value))
        };
        let all: Vec<(usize, usize, f64)> = samples.iter().enumerate().filter_map(largest).collect();
        let mut sorted: Vec<f64> = all.iter().map(|(_, _, value)| value.abs()).collect();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * 95).div_ceil(100).min(sorted.len().saturating_sub(1));
        let usual = if sorted.len() < Self::LEAST { f64::INFINITY } else { sorted[rank - 1] };
        let beyond = all.into_iter().filter(move |(_, _, v)| usual > 0.0 && v.abs() > Self::TIMES * usual);
        beyond.map(move |(sample, index, value)| Self {
            input: input.to_owned(),
            sample,
            index,
            value,
            usual,
        })
    }

    /// The same in words.
    pub fn text(&self) -> String {
        let Self { input, sample, index, value, usual } = self;
        format!(
            "sample {sample} (counted from zero), input `{input}`, element {index}: {value} is {:.0} times what 95 of 100 samples \
             stay below; ranges reach to it, which makes all else coarser: leave the sample out if it is broken, or scale the \
             input before the model",
            value.abs() / usual
        )
    }
}

/// The report of a calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// Number of samples from which ranges come.
    pub samples: usize,
    /// Number of samples on which errors were measured.
    pub measured: usize,
    /// Whether the samples were random: ranges and errors then say little about real data.
    pub random: bool,
    /// Fraction bits of values between layers.
    pub activation_scale: i32,
    /// Fraction bits of weights.
    pub weight_scale: i32,
    /// Per output.
    pub outputs: Vec<OutputReport>,
    /// Per value, in order.
    pub layers: Vec<LayerReport>,
    /// Per node: how much of a proof it is, the most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub efforts: Vec<LayerEffort>,
    /// Per tree ensemble: samples on which it decides otherwise in integers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<MovedReport>,
    /// Numbers in the samples that are far beyond what others have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outliers: Vec<Outlier>,
    /// What a reader should know.
    pub notices: Vec<String>,
}

/// An output that errs more than was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Name of the output.
    pub output: String,
    /// Its largest absolute error.
    pub error: f64,
    /// The largest absolute error that is tolerated.
    pub allowed: f64,
    /// The value inside the model, an output perhaps, whose error is the largest beside its range; the place to look
    /// at first. Nothing when no value inside errs.
    pub layer: Option<String>,
}

impl Alarm {
    /// Ratio of the error to what is tolerated; above one.
    pub fn times(&self) -> f64 {
        self.error / self.allowed
    }
}

/// Least range of an output beside its magnitude that the search aims at a share of: less is as good as a constant.
const NARROW: f64 = 1.0 / 16.0;
/// Share of an error in what is tolerated that an output which is no probability has, relative to its magnitude.
const LOOSER: f64 = 5.0;

impl OutputReport {
    /// Largest error that is tolerated in this output: the tolerance itself for a probability; five times as much for
    /// others, relative to their magnitude where that exceeds one.
    pub fn allowed(&self, tolerance: f64) -> f64 {
        let probability = self.lo >= 0.0 && self.hi <= 1.0;
        let relative = LOOSER * self.lo.abs().max(self.hi.abs()).max(1.0);
        tolerance * if probability { 1.0 } else { relative }
    }

    /// Largest error that the search for scales aims at: the tolerance as a share of the range that the float model's results
    /// had, and no more than is tolerated.
    pub fn aim(&self, tolerance: f64) -> f64 {
        let magnitude = self.lo.abs().max(self.hi.abs());
        let aim = tolerance * (self.hi - self.lo).max(NARROW * magnitude);
        let allowed = self.allowed(tolerance);
        if aim > 0.0 { aim.min(allowed) } else { allowed }
    }
}

impl CalibrationReport {
    /// The output whose error exceeds what is tolerated most; nothing when all are within.
    pub fn alarm(&self, tolerance: f64) -> Option<Alarm> {
        self.alarm_for(&self.outputs.iter().map(|o| o.max_abs_error).collect::<Vec<_>>(), tolerance)
    }

    /// The same for largest errors of the outputs, in their order, that were measured on other samples.
    pub fn alarm_for(&self, errors: &[f64], tolerance: f64) -> Option<Alarm> {
        let all = self.outputs.iter().zip(errors).map(|(o, error)| (o, *error, o.allowed(tolerance)));
        let (worst, error, allowed) =
            all.max_by(|(_, e, allowed), (_, f, other)| (e / allowed).total_cmp(&(f / other)))?;
        // An error that is no number is none that is tolerated.
        if error <= allowed {
            return None;
        }
        Some(Alarm { output: worst.name.clone(), error, allowed, layer: self.suspect() })
    }

    /// Worst ratio of an output's error to what is tolerated.
    pub(crate) fn excess(&self, tolerance: f64) -> f64 {
        self.outputs.iter().map(|o| o.max_abs_error / o.allowed(tolerance)).fold(0.0, f64::max)
    }

    /// Worst ratio of an output's error to what the search aims at.
    pub(crate) fn distance(&self, tolerance: f64) -> f64 {
        self.outputs.iter().map(|o| o.max_abs_error / o.aim(tolerance)).fold(0.0, f64::max)
    }

    /// The first value whose error is at least half as large, beside its range, as that of the worst.
    fn suspect(&self) -> Option<String> {
        let share = |l: &LayerReport| l.max_abs_error / l.lo.abs().max(l.hi.abs()).max(f64::MIN_POSITIVE);
        let worst = self.layers.iter().map(share).fold(0.0, f64::max);
        self.layers.iter().find(|l| worst > 0.0 && share(l) >= worst / 2.0).map(|l| l.name.clone())
    }

    /// Largest error of any output.
    pub fn max_abs_error(&self) -> f64 {
        self.outputs.iter().map(|o| o.max_abs_error).fold(0.0, f64::max)
    }

    /// Smallest label agreement of any output that has labels.
    pub fn label_agreement(&self) -> Option<f64> {
        self.outputs.iter().filter_map(|o| o.label_agreement).reduce(f64::min)
    }
}

/// Running error of one value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Error {
    pub(crate) max: f64,
    sum: f64,
    count: f64,
}

impl Error {
    pub(crate) fn add(&mut self, real: f64, want: f64) {
        let e = (real - want).abs();
        self.max = self.max.max(e);
        self.sum += e;
        self.count += 1.0;
    }

    pub(crate) fn merge(&mut self, o: &Self) {
        self.max = self.max.max(o.max);
        self.sum += o.sum;
        self.count += o.count;
    }

    pub(crate) fn mean(&self) -> f64 {
        if self.count == 0.0 { 0.0 } else { self.sum / self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outliers(samples: &[&[f64]]) -> Vec<(usize, usize, f64)> {
        Outlier::of("x", samples).map(|o| (o.sample, o.index, o.usual)).collect()
    }

    #[test]
    fn outliers_are_far_beyond_what_others_have() {
        let usual: Vec<Vec<f64>> = (0..40).map(|i| vec![-0.5, f64::from(i) / 39.0]).collect();
        let mut rows: Vec<&[f64]> = usual.iter().map(Vec::as_slice).collect();
        assert_eq!(outliers(&rows), []);
        rows[7] = &[-33.0, 0.0];
        rows[9] = &[0.0, 31.0];
        let [(7, 0, usual)] = outliers(&rows)[..] else { panic!("{:?}", outliers(&rows)) };
        assert!((0.9..=1.0).contains(&usual), "{usual}");
        // Two of four are no exception, and of three nobody can tell.
        assert_eq!(outliers(&[&[1.0], &[99.0], &[99.0], &[1.0]]), []);
        assert_eq!(outliers(&[&[1.0], &[1.0], &[99.0], &[1.0]]), [(2, 0, 1.0)]);
        assert_eq!(outliers(&[&[1.0], &[1.0], &[99.0]]), []);
        assert_eq!(outliers(&[&[0.0], &[0.0], &[99.0], &[0.0]]), []);
        assert_eq!(outliers(&[]), []);
    }
}
