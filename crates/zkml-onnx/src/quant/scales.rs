//! Ranges of values, and the scales that follow from them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use zkml_interface::power;

use crate::forest::{Forest, Thresholds};
use crate::net::{Contraction, Function, Net, NetNode, NetOp, Numbers, Operand, gather};
use crate::own::without_step;
use crate::{Error, Settings};

/// What was seen of one value over all samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    /// Smallest element.
    pub(crate) lo: f64,
    /// Largest element.
    pub(crate) hi: f64,
    sum_of_squares: f64,
    count: f64,
}

impl Seen {
    const NOTHING: Self = Self { lo: f64::INFINITY, hi: f64::NEG_INFINITY, sum_of_squares: 0.0, count: 0.0 };

    /// Largest magnitude.
    pub(crate) fn magnitude(&self) -> f64 {
        if self.count == 0.0 { 0.0 } else { self.lo.abs().max(self.hi.abs()) }
    }

    /// Takes in what was seen elsewhere.
    fn merge(&mut self, other: &Self) {
        self.lo = self.lo.min(other.lo);
        self.hi = self.hi.max(other.hi);
        self.sum_of_squares += other.sum_of_squares;
        self.count += other.count;
    }

    /// Root of the mean square.
    fn rms(&self) -> f64 {
        (self.sum_of_squares / self.count.max(1.0)).sqrt()
    }
}

/// Ranges of every value of the network.
#[derive(Debug, Clone)]
pub(crate) struct Stats {
    seen: Vec<Seen>,
    /// Tree ensembles: index of the value, features, thresholds, and the smallest distance of a feature to a threshold that
    /// rounding could move it over.
    trees: Vec<(usize, Operand, Arc<Forest>, Thresholds, f64)>,
    /// Values of which nothing may be recorded: private weights.
    private: Vec<bool>,
}

impl Stats {
    pub(crate) fn new(net: &Net) -> Self {
        let private = net.nodes.iter().map(|n| matches!(&n.op, NetOp::Const(c) if c.is_private()));
        let of = |(i, n): (usize, &NetNode)| match &n.op {
            NetOp::Trees { x, forest } => {
                Some((i, x.clone(), forest.clone(), Thresholds::new(forest), f64::INFINITY))
            }
            _ => None,
        };
        let trees = net.nodes.iter().enumerate().filter_map(of).collect();
        Self { seen: vec![Seen::NOTHING; net.nodes.len()], trees, private: private.collect() }
    }

    /// Takes in the values of one run; the index of the first value that is not finite otherwise.
    pub(crate) fn add(&mut self, values: &[Vec<f64>]) -> Result<(), usize> {
        for (id, (seen, values)) in self.seen.iter_mut().zip(values).enumerate() {
            if self.private[id] {
                continue;
            }
            for &v in values {
                if !v.is_finite() {
                    return Err(id);
                }
                seen.lo = seen.lo.min(v);
                seen.hi = seen.hi.max(v);
                seen.sum_of_squares += v * v;
            }
            seen.count += values.len() as f64;
        }
        for (_, x, forest, thresholds, least) in &mut self.trees {
            let features = x.map.shape.last().copied().unwrap_or(1).max(1);
            let shown = gather(&x.map, &values[x.value]);
            let gap = |(i, v): (usize, &f64)| thresholds.gap(i % features, forest.seen(*v));
            *least = shown.iter().enumerate().filter_map(gap).fold(*least, f64::min);
        }
        Ok(())
    }

    /// The same, with one range for all steps of an unrolled sequence: their scales are the same then, and so are the gates that round
    /// to them; and what one step was seen to reach, every step may reach.
    pub(crate) fn over_steps(&self, net: &Net) -> Self {
        let key = |n: &NetNode| {
            let computed = !matches!(n.op, NetOp::Const(_) | NetOp::Input);
            let name = computed.then(|| without_step(&n.name)).flatten()?;
            Some((name, std::mem::discriminant(&n.op), n.shape.clone()))
        };
        let keys: Vec<_> = net.nodes.iter().map(key).collect();
        let mut together: HashMap<_, Seen> = HashMap::new();
        for (key, seen) in keys.iter().zip(&self.seen) {
            if let Some(key) = key {
                together.entry(key).or_insert(Seen::NOTHING).merge(seen);
            }
        }
        let mut all = self.clone();
        for (key, seen) in keys.iter().zip(&mut all.seen) {
            *seen = key.as_ref().and_then(|k| together.get(k)).copied().unwrap_or(*seen);
        }
        all
    }

    pub(crate) fn of(&self, value: usize) -> &Seen {
        &self.seen[value]
    }
}

/// On which side of zero the values lie that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// None is negative.
    Positive,
    /// None is positive.
    Negative,
    /// Both occur.
    Mixed,
}

/// Range and scale of one value of the model. Only powers of two, so that it reads the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueScale {
    /// Name of the node that makes the value.
    pub name: String,
    /// Binary logarithm of the magnitude that the value may reach.
    pub reach: i32,
    /// Fraction bits of the value when it goes from one layer to the next.
    pub scale: i32,
    /// On which side of zero it lies.
    pub sign: Sign,
    /// Binary logarithm of a number below all positive values; only where all are.
    pub floor: Option<i32>,
    /// Fraction bits of the constant weights that make the value; only for contractions, and for products with
    /// private weights.
    pub weights: Option<i32>,
}

impl ValueScale {
    /// An exponent that no model computes with; [`Scales::fit`] takes none such.
    fn beyond_reason(&self) -> Option<i32> {
        let bits = [self.reach, self.scale];
        bits.iter().chain(&self.floor).chain(&self.weights).find(|b| b.abs() > REASON).copied()
    }
}

/// Scales of a whole model: what calibration found out. With the ONNX file and the settings they give the same
/// graph again.
///
/// As few different ones as ranges and precision allow: equal scales give equal divisors, which share one gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scales {
    /// Common number of fraction bits of values between layers.
    pub activation: i32,
    /// Common number of fraction bits of weights.
    pub weight: i32,
    /// Per value of the lowered network, in order.
    pub values: Vec<ValueScale>,
    /// Width in bits, sign included, of each private weight tensor, so that other weights of the same architecture
    /// give the same graph.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weight_bits: BTreeMap<String, u32>,
}

/// Bits by which weights may fall short of what their layer alone would need before they get a scale of their
/// own: the search for the common scale measures what that costs.
const SPREAD: i32 = 2;
/// Significant bits that a root has on top of those that values between layers have behind the point: what is
/// divided by it is then a few times larger than one at most, and errs by a fraction of a step.
pub(super) const PRECISE: i32 = 3;
/// Bits that an input, or the argument of a steep function, may have more than a value between layers.
const INPUT_BITS: i32 = 8;
/// Fraction bits of a number of steps that is rounded to an integer: of 2^16 numbers one lies so close to a half that rounding it before
/// makes a difference. A float of some hundred steps is no finer.
const STEPS: i32 = 16;
/// Standard deviation of a rounding error, in steps.
const ROUNDING: f64 = 0.288_675;
/// Exponents beyond this, either way, are those of no number that a model computes with.
const REASON: i32 = 64;

/// The least integer whose power of two is at least a positive magnitude; 0 for zero.
pub(crate) fn integer_bits(magnitude: f64) -> i32 {
    if magnitude <= 0.0 || !magnitude.is_finite() {
        return 0;
    }
    let mut bits = magnitude.log2().round() as i32;
    // The logarithm may differ in the last place from machine to machine; powers of two are exact.
    while power(bits) < magnitude {
        bits += 1;
    }
    while power(bits - 1) >= magnitude {
        bits -= 1;
    }
    bits
}

impl Scales {
    /// Scales for given numbers of fraction bits between layers and of weights.
    ///
    /// # Errors
    /// [`Error::Magnitude`] where a value or its weights are so large or small that no record of scales holds it.
    pub(crate) fn choose(
        net: &Net,
        stats: &Stats,
        settings: &Settings,
        activation: u32,
        weight: u32,
    ) -> Result<Self, Error> {
        let (values, weight_bits) = Default::default();
        let mut this = Self { activation: activation as i32, weight: weight as i32, values, weight_bits };
        let nodes = net.nodes.iter().enumerate();
        this.values = nodes.map(|(i, n)| this.value(n, stats.of(i), settings)).collect();
        let live = net.live();
        this.refine_inputs(net, settings, &live);
        this.refine_roots(net, settings, &live);
        this.refine_trees(stats, settings);
        this.refine_arguments(net, stats, settings, &live);
        this.refine_rounded(net, settings, &live);
        let needed: Vec<(usize, i32)> = net
            .nodes
            .iter()
            .enumerate()
            .filter(|(i, _)| live[*i])
            .filter_map(|(i, n)| if let NetOp::Contract(c) = &n.op { Some((i, c)) } else { None })
            .filter_map(|(i, c)| Some((i, c, net.constant(&c.b)?)))
            .map(|(i, c, w)| {
                let most = settings.weight_bits as i32 - 1 - integer_bits(largest(&w));
                (i, this.needed(stats, i, c).max(this.weight).min(most))
            })
            .collect();
        for (i, bits) in needed {
            this.values[i].weights =
                Some(if bits > this.weight + SPREAD { bits } else { bits.min(this.weight) });
        }
        for (value, node) in this.values.iter_mut().zip(&net.nodes) {
            if let NetOp::Affine { scale, .. } = &node.op
                && scale.is_private()
            {
                let bits = integer_bits(largest(scale));
                value.weights =
                    Some((15 - bits).max(this.weight).min(settings.weight_bits as i32 - 1 - bits));
            }
        }
        match this.values.iter().find_map(|v| Some((v, v.beyond_reason()?))) {
            Some((v, exponent)) => {
                Err(Error::Magnitude { value: v.name.clone(), exponent: exponent.abs(), limit: REASON })
            }
            None => Ok(this),
        }
    }

    fn value(&self, node: &NetNode, seen: &Seen, settings: &Settings) -> ValueScale {
        // A saturated sigmoid gives numbers like 1e-98. As integers they are zero, wherever their bounds are drawn.
        let typical = (seen.magnitude() * settings.margin).min(f64::MAX);
        let most = node.span.map_or(typical, |(lo, hi)| (hi + 1).max(-lo) as f64);
        let reach = integer_bits(most).max(-REASON);
        let most = settings.activation_bits as i32 - 1 - reach;
        // A value that is tiny everywhere would otherwise drown in the rounding.
        let least = if seen.magnitude() > 0.0 { 7 - reach } else { 0 };
        let fine = self.activation.max(least.min(self.activation + 8)).min(most);
        // What is an integer is kept as one.
        let scale = if node.integer { 0 } else { fine };
        let sign = match seen {
            s if s.lo >= 0.0 => Sign::Positive,
            s if s.hi <= 0.0 => Sign::Negative,
            _ => Sign::Mixed,
        };
        let floor = (seen.lo > 0.0).then(|| integer_bits(seen.lo / settings.margin) - 1);
        let floor = floor.filter(|bits| *bits >= -REASON);
        ValueScale { name: node.name.clone(), reach, scale, sign, floor, weights: None }
    }

    /// Inputs whose weights are large, because the features were never brought to one scale, are kept finer: a
    /// rounded input should change results by about a step between layers. Bits of an input cost little.
    fn refine_inputs(&mut self, net: &Net, settings: &Settings, live: &[bool]) {
        for (i, node) in net.nodes.iter().enumerate().filter(|(i, _)| live[*i]) {
            let NetOp::Affine { x, scale, .. } = &node.op else { continue };
            if !net.inputs.contains(&x.value)
                || net.is_integer(x)
                || scale.is_private()
                || scale.uniform().is_some()
            {
                continue;
            }
            let needed = integer_bits(ROUNDING * largest(scale)) + self.values[i].scale;
            self.refine_value(x.value, needed, settings);
        }
        for (i, node) in net.nodes.iter().enumerate().filter(|(i, _)| live[*i]) {
            let NetOp::Contract(c) = &node.op else { continue };
            if !net.inputs.contains(&c.a.value) || net.is_integer(&c.a) {
                continue;
            }
            let Some(weights) = net.constant(&c.b) else { continue };
            let [batch, _, k, n] = c.sizes();
            let column = |b: usize, col: usize| {
                (0..k).map(|row| weights.values()[(b * k + row) * n + col].powi(2)).sum::<f64>()
            };
            let columns = (0..batch).flat_map(|b| (0..n).map(move |col| (b, col)));
            let norm = columns.map(|(b, col)| column(b, col)).fold(0.0, f64::max).sqrt();
            let needed = if norm > 0.0 { integer_bits(ROUNDING * norm) + self.values[i].scale } else { 0 };
            self.refine_value(c.a.value, needed, settings);
        }
    }

    /// Gives a value the fraction bits that are needed, as far as there is room, where it falls short by more than a few.
    fn refine_value(&mut self, value: usize, needed: i32, settings: &Settings) {
        let own = &mut self.values[value];
        let most = settings.activation_bits as i32 + INPUT_BITS - 1 - own.reach;
        if needed > own.scale + SPREAD {
            own.scale = needed.min(most).max(own.scale);
        }
    }

    /// Keeps arguments of functions that are steep where they were seen so fine that rounding them changes results by about a step
    /// between layers.
    fn refine_arguments(&mut self, net: &Net, stats: &Stats, settings: &Settings, live: &[bool]) {
        for (i, node) in net.nodes.iter().enumerate().filter(|(i, _)| live[*i]) {
            let NetOp::Apply { function, x } = &node.op else { continue };
            // Roots are taken of what was not rounded before.
            let root = matches!(function, Function::Sqrt | Function::Rsqrt);
            if net.is_integer(x) || (root && !net.inputs.contains(&x.value)) {
                continue;
            }
            let seen = stats.of(x.value);
            let steepness = integer_bits(function.steepest(seen.lo, seen.hi));
            let needed = self.activation.min(self.values[i].scale) + steepness;
            self.refine_value(x.value, needed, settings);
        }
    }

    /// Keeps inputs that are rounded to integers next so fine that few of them are rounded to another one than in floats.
    fn refine_rounded(&mut self, net: &Net, settings: &Settings, live: &[bool]) {
        for (_, node) in net.nodes.iter().enumerate().filter(|(i, _)| live[*i]) {
            let NetOp::Round { x } = &node.op else { continue };
            let factors: Vec<(f64, usize)> = match &net.nodes[x.value].op {
                NetOp::Sum { terms, .. } => terms.iter().map(|(c, o)| (c.abs(), o.value)).collect(),
                NetOp::Affine { x, scale, .. } if !scale.is_private() => vec![(largest(scale), x.value)],
                _ => vec![(1.0, x.value)],
            };
            for (factor, value) in factors {
                if net.inputs.contains(&value) && !net.nodes[value].integer {
                    self.refine_value(value, integer_bits(factor) + STEPS, settings);
                }
            }
        }
    }

    /// Keeps features of trees so fine that no sample is moved over a threshold, as far as their range leaves room for that; and the
    /// sum over many leaves, whose rounding errors add up, is finer than a value between layers.
    fn refine_trees(&mut self, stats: &Stats, settings: &Settings) {
        for (value, x, forest, _, gap) in &stats.trees {
            let own = &mut self.values[x.value];
            let most = settings.activation_bits as i32 + INPUT_BITS - 1 - own.reach;
            let needed = if gap.is_finite() { integer_bits(1.0 / gap) } else { own.scale };
            own.scale = needed.min(most).max(own.scale);
            let own = &mut self.values[*value];
            let most = settings.activation_bits as i32 - 1 - own.reach;
            own.scale = (own.scale + integer_bits(forest.trees.len() as f64)).min(most).max(own.scale);
        }
    }

    /// Reciprocal roots, and roots that something is divided by, are as exact where they are small as where they are
    /// large; and what is multiplied by a large reciprocal is kept finer by as much.
    fn refine_roots(&mut self, net: &Net, settings: &Settings, live: &[bool]) {
        let is = |o: &Operand, f: Function| matches!(&net.nodes[o.value].op, NetOp::Apply { function, .. } if *function == f);
        for (i, node) in net.nodes.iter().enumerate().filter(|(i, _)| live[*i]) {
            match &node.op {
                NetOp::Apply { function: Function::Rsqrt, .. } => self.refine_relative(i),
                NetOp::Divide { b, .. } if is(b, Function::Sqrt) => self.refine_relative(b.value),
                NetOp::Product { a, b } => {
                    for (x, by) in [(a, b), (b, a)].into_iter().filter(|(_, by)| is(by, Function::Rsqrt)) {
                        let needed = self.activation + self.values[by.value].reach;
                        let own = &mut self.values[x.value];
                        let most = settings.activation_bits as i32 - 1 - own.reach;
                        own.scale = needed.min(most).max(own.scale);
                    }
                }
                _ => {}
            }
        }
    }

    /// Gives the smallest values that were seen [`PRECISE`] more significant bits than others have behind the point.
    fn refine_relative(&mut self, value: usize) {
        let (activation, own) = (self.activation, &mut self.values[value]);
        own.scale = own.floor.map_or(own.scale, |floor| (activation + PRECISE - floor).max(own.scale));
    }

    /// Error of a value that does not matter: a step between layers, or 2^-10 of the value itself.
    fn step(&self, stats: &Stats, value: usize) -> f64 {
        power(-self.values[value].scale).max(stats.of(value).rms() / 1024.0)
    }

    /// Fraction bits of weights at which their rounding changes results by less than a step between layers, or
    /// by less than 2^-10 of the results themselves.
    fn needed(&self, stats: &Stats, value: usize, c: &Contraction) -> i32 {
        let [_, _, k, _] = c.sizes();
        let spread = ROUNDING * (k as f64).sqrt() * stats.of(c.a.value).rms();
        if spread > 0.0 { integer_bits(spread / self.step(stats, value)) } else { 0 }
    }

    /// Fraction bits of the weights of a contraction.
    pub(crate) fn of_weights(&self, value: usize, weights: &Numbers) -> i32 {
        match weights.uniform() {
            Some(w) => exact_or_fine(w),
            None if weights.are_integers() => 0,
            None => self.values[value].weights.unwrap_or(self.weight),
        }
    }

    /// Whether these are the scales of this network.
    pub(crate) fn fit(&self, net: &Net) -> Result<(), Error> {
        let other = |difference: String| Err(Error::Architecture { difference });
        for (v, n) in self.values.iter().zip(&net.nodes) {
            if v.name != n.name {
                return other(format!("it has the node `{}` in place of `{}`", n.name, v.name));
            }
            if let Some(b) = v.beyond_reason() {
                return other(format!("the recorded scale {b} of `{}` is beyond all reason", v.name));
            }
        }
        if self.values.len() != net.nodes.len() {
            return other(format!("it has {} nodes instead of {}", net.nodes.len(), self.values.len()));
        }
        match self.weight_bits.iter().find(|(_, b)| !(1..=zkml_graph::tensor::SAFE_BITS).contains(b)) {
            Some((name, b)) => other(format!("the recorded width {b} of `{name}` is beyond all reason")),
            None => Ok(()),
        }
    }
}

/// The largest magnitude.
pub(super) fn largest(numbers: &Numbers) -> f64 {
    numbers.values().iter().fold(0.0, |m: f64, v| v.abs().max(m))
}

/// Fraction bits at which a factor is exact, when it is a power of two or an integer, else 15 significant bits.
pub(crate) fn exact_or_fine(w: f64) -> i32 {
    if w == 0.0 {
        return 0;
    }
    let exponent = integer_bits(w.abs());
    match w.abs() {
        whole if power(exponent) == whole => -exponent,
        whole if whole.fract() == 0.0 && exponent <= 32 => 0,
        _ => 15 - exponent,
    }
}

/// The integer nearest to `v` at a scale; an error where that leaves the exact range.
pub(crate) fn quantize(node: &str, v: f64, scale: i32) -> Result<i64, Error> {
    let scaled = (v * power(scale)).round();
    let limit = power(zkml_graph::tensor::SAFE_BITS as i32);
    if scaled.abs() < limit {
        return Ok(scaled as i64);
    }
    let (lo, hi) = (scaled.clamp(-1e38, 1e38) as i128, scaled.clamp(-1e38, 1e38) as i128);
    Err(Error::from(zkml_graph::GraphError::Overflow {
        node: node.into(),
        lo,
        hi,
        limit_bits: zkml_graph::tensor::SAFE_BITS,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_exact_or_fine() {
        assert_eq!(exact_or_fine(0.25), 2);
        assert_eq!(exact_or_fine(4.0), -2);
        let ninth = exact_or_fine(1.0 / 9.0);
        let step = power(ninth);
        assert!(((step / 9.0).round() / step * 9.0 - 1.0).abs() < 1.0 / 16384.0);
    }

    #[test]
    fn steps_of_a_sequence_share_their_scales() {
        let mut net = Net::default();
        let x = net.push("x", NetOp::Input, &[1]);
        let sum = |net: &mut Net, name: &str| {
            net.push(name, NetOp::Sum { terms: vec![(2.0, x.clone())], constant: 0.0 }, &[1]).value
        };
        let made = ["l.step0.cell", "l.step1.cell", "l.cell"].map(|name| sum(&mut net, name));
        let mut stats = Stats::new(&net);
        stats.add(&[vec![0.01], vec![0.02], vec![-3.0], vec![0.02]]).expect("finite");
        let scales = |stats: &Stats| {
            let all = Scales::choose(&net, stats, &Settings::default(), 12, 14).expect("plain numbers");
            made.map(|v| (all.values[v].reach, all.values[v].scale, all.values[v].sign))
        };
        let apart = scales(&stats);
        assert_ne!(apart[0], apart[1]);
        let together = scales(&stats.over_steps(&net));
        assert_eq!(together[0], together[1]);
        assert_eq!((together[0].0, together[0].2), (apart[1].0, Sign::Mixed));
        assert_eq!(together[2], apart[2], "no step");
    }

    #[test]
    fn nothing_is_recorded_of_private_constants() {
        let recorded = |value: f64| {
            let mut net = Net::default();
            net.push_const("w", Numbers::private(vec![value; 2], "w"), &[2]);
            let mut stats = Stats::new(&net);
            stats.add(&[vec![value; 2]]).expect("finite");
            Scales::choose(&net, &stats, &Settings::default(), 12, 14).expect("plain numbers")
        };
        assert_eq!(recorded(0.01), recorded(-300.0));
    }

    #[test]
    fn what_is_recorded_of_saturated_values_is_taken_back() {
        for values in [[1e-98, 1.0], [1e-98, 1e-90], [0.0, 0.0]] {
            let mut net = Net::default();
            net.push_const("w", Numbers::public(values.to_vec()), &[2]);
            let mut stats = Stats::new(&net);
            stats.add(&[values.to_vec()]).expect("finite");
            let scales = Scales::choose(&net, &stats, &Settings::default(), 12, 14).expect("small numbers");
            scales.fit(&net).unwrap_or_else(|e| panic!("{values:?}: {e}"));
        }
    }

    #[test]
    fn scales_that_would_not_be_taken_back_are_not_recorded() {
        let choose = |value: f64| {
            let mut net = Net::default();
            net.push_const("w", Numbers::public(vec![value, 0.0]), &[2]);
            let mut stats = Stats::new(&net);
            stats.add(&[vec![value, 0.0]]).expect("finite");
            let chosen = Scales::choose(&net, &stats, &Settings::default(), 12, 14);
            chosen.inspect(|scales| scales.fit(&net).unwrap_or_else(|e| panic!("{value}: {e}")))
        };
        choose(power(60)).expect("below the limit");
        for (value, bits) in [(power(80), 81), (-5e30, 103), (f64::MAX, 1024)] {
            let error = choose(value).expect_err("beyond the limit");
            let named = matches!(&error, Error::Magnitude { value, exponent, .. } if value == "w" && *exponent == bits);
            assert!(named, "{value}: {error:?}");
        }
    }

    #[test]
    fn out_of_the_exact_range_is_an_error() {
        assert_eq!(quantize("n", -1.5, 1).expect("fits"), -3);
        assert!(quantize("n", 1e18, 12).is_err());
    }
}
