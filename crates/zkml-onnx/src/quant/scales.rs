//! Ranges of values, and the scales that follow from them.

use crate::net::{Contraction, Net, NetOp};
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

    /// Root of the mean square.
    fn rms(&self) -> f64 {
        (self.sum_of_squares / self.count.max(1.0)).sqrt()
    }
}

/// Ranges of every value of the network.
#[derive(Debug, Clone)]
pub(crate) struct Stats {
    seen: Vec<Seen>,
}

impl Stats {
    pub(crate) fn new(net: &Net) -> Self {
        Self { seen: vec![Seen::NOTHING; net.nodes.len()] }
    }

    /// Takes in the values of one run; the index of the first value that is not finite otherwise.
    pub(crate) fn add(&mut self, values: &[Vec<f64>]) -> Result<(), usize> {
        for (id, (seen, values)) in self.seen.iter_mut().zip(values).enumerate() {
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
        Ok(())
    }

    pub(crate) fn of(&self, value: usize) -> &Seen {
        &self.seen[value]
    }
}

/// Scales of the whole network. Powers of two, and as few different ones as ranges and precision allow: equal
/// scales give equal divisors, which share one gate.
#[derive(Debug, Clone)]
pub(crate) struct Scales {
    /// Fraction bits of values between layers.
    pub(crate) activation: i32,
    /// Fraction bits of weights.
    pub(crate) weight: i32,
    activation_bits: i32,
    weight_bits: i32,
    margin: f64,
}

/// Bits by which a weight scale may exceed the common one before it goes its own way.
const SPREAD: i32 = 2;
/// Standard deviation of a rounding error, in steps.
const ROUNDING: f64 = 0.288_675;

/// How many bits the integer part of a magnitude takes; may be negative.
pub(crate) fn integer_bits(magnitude: f64) -> i32 {
    if magnitude > 0.0 { magnitude.log2().ceil() as i32 } else { 0 }
}

impl Scales {
    /// Scales for a given number of fraction bits between layers.
    pub(crate) fn choose(net: &Net, stats: &Stats, settings: &Settings, activation: u32) -> Self {
        let mut this = Self {
            activation: activation as i32,
            weight: settings.weight_scale.unwrap_or(activation) as i32,
            activation_bits: settings.activation_bits as i32,
            weight_bits: settings.weight_bits as i32,
            margin: settings.margin,
        };
        if settings.weight_scale.is_none() {
            let live = net.live();
            let needed =
                net.nodes.iter().enumerate().filter(|(i, _)| live[*i]).filter_map(|(i, n)| match &n.op {
                    NetOp::Contract(c) if net.constant(&c.b).is_some_and(|w| uniform(&w).is_none()) => {
                        Some(this.needed(stats, i, c))
                    }
                    _ => None,
                });
            let most = needed.filter(|n| *n <= this.weight + SPREAD).max();
            this.weight = most.unwrap_or(this.weight).max(this.weight);
        }
        this
    }

    /// Fraction bits of a value when it goes from one layer to the next.
    pub(crate) fn of_value(&self, stats: &Stats, value: usize) -> i32 {
        let bits = integer_bits(stats.of(value).magnitude() * self.margin);
        let most = self.activation_bits - 1 - bits;
        // A value that is tiny everywhere would otherwise drown in the rounding.
        let least = if stats.of(value).magnitude() > 0.0 { 7 - bits } else { 0 };
        self.activation.max(least.min(self.activation + 8)).min(most)
    }

    /// Real magnitude, a power of two, that a value is allowed to reach.
    pub(crate) fn allowed(&self, stats: &Stats, value: usize) -> f64 {
        f64::from(integer_bits(stats.of(value).magnitude() * self.margin)).exp2()
    }

    /// The margin by which ranges are widened.
    pub(crate) fn margin(&self) -> f64 {
        self.margin
    }

    /// Fraction bits of weights at which their rounding changes results by less than a step between layers, or
    /// by less than 2^-10 of the results themselves.
    fn needed(&self, stats: &Stats, value: usize, c: &Contraction) -> i32 {
        let [_, _, k, _] = c.sizes();
        let spread = ROUNDING * (k as f64).sqrt() * stats.of(c.a.value).rms();
        let step = (-f64::from(self.of_value(stats, value))).exp2();
        let allowed = step.max(stats.of(value).rms() / 1024.0);
        if spread > 0.0 { (spread / allowed).log2().ceil() as i32 } else { 0 }
    }

    /// Fraction bits of the weights of a contraction.
    pub(crate) fn of_weights(&self, stats: &Stats, value: usize, c: &Contraction, weights: &[f64]) -> i32 {
        let largest = weights.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        if let Some(w) = uniform(weights) {
            return exact_or_fine(w);
        }
        let needed = self.needed(stats, value, c).max(self.weight);
        needed.min(self.weight_bits - 1 - integer_bits(largest))
    }

    /// Fraction bits of a factor.
    pub(crate) fn of_factor(&self, factor: f64) -> i32 {
        exact_or_fine(factor).min(self.weight_bits - 1 - integer_bits(factor.abs()))
    }
}

/// The weight that all are equal to: rounding errors then add up instead of cancelling.
pub(crate) fn uniform(weights: &[f64]) -> Option<f64> {
    let first = *weights.first()?;
    weights.iter().all(|w| *w == first).then_some(first)
}

/// Fraction bits at which a factor is exact, when it is a power of two, else 15 significant bits.
fn exact_or_fine(w: f64) -> i32 {
    if w == 0.0 {
        return 0;
    }
    let exponent = w.abs().log2();
    if exponent.fract() == 0.0 { -exponent as i32 } else { 15 - exponent.ceil() as i32 }
}

/// The integer nearest to `v` at a scale; an error where that leaves the exact range.
pub(crate) fn quantize(node: &str, v: f64, scale: i32) -> Result<i64, Error> {
    let scaled = (v * f64::from(scale).exp2()).round();
    let limit = f64::from(zkml_graph::tensor::SAFE_BITS).exp2();
    if scaled.abs() < limit {
        return Ok(scaled as i64);
    }
    let (lo, hi) = (scaled.clamp(-1e38, 1e38) as i128, scaled.clamp(-1e38, 1e38) as i128);
    Err(Error::Graph(zkml_graph::GraphError::Overflow {
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
        assert_eq!(uniform(&[0.25, 0.25]), Some(0.25));
        assert_eq!(exact_or_fine(0.25), 2);
        assert_eq!(exact_or_fine(4.0), -2);
        let ninth = exact_or_fine(1.0 / 9.0);
        let step = f64::from(ninth).exp2();
        assert!(((step / 9.0).round() / step * 9.0 - 1.0).abs() < 1.0 / 16384.0);
    }

    #[test]
    fn out_of_the_exact_range_is_an_error() {
        assert_eq!(quantize("n", -1.5, 1).expect("fits"), -3);
        assert!(quantize("n", 1e18, 12).is_err());
    }
}
