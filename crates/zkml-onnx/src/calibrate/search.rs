//! The scales that are tried, and which of them are taken.
//!
//! Rounding between layers and rounding of weights make errors that add up like independent ones. Two probes, coarse on one side
//! and fine on the other, tell how large each is, and so which pairs of scales should do. Of those the one is tried first that costs
//! least, as told by the lowered graph: fewer bits are not always cheaper, see [`zkml_graph::effort`].

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use zkml_graph::System;
use zkml_graph::effort::{LIMB_BITS, efforts};

use super::{Calibrated, Job, Price};
use crate::quant::power;
use crate::{Error, SampleError};

/// Fraction bits between layers, and of weights, that are considered.
const ACTIVATIONS: RangeInclusive<u32> = 12..=18;
const WEIGHTS: RangeInclusive<u32> = 14..=20;
/// Fraction bits of the probes: coarse on one side, fine on the other.
const COARSE: u32 = 11;
const FINE: u32 = 18;
/// Fewest fraction bits between layers that are tried when larger scales leave the exact range.
const COARSEST: u32 = 4;
/// Share of the aim that is planned with, since errors are extrapolated.
const PLANNED: f64 = 0.75;
/// Bits between layers beyond the fewest that should do, up to which pairs are compared.
const WIDER: u32 = 2;
/// Pairs that are tried because they should do, before others are tried that are finer.
const LIKELY: usize = 3;
/// Share of its error that a finer pair must take away for a still finer one to be tried, once the error is tolerated.
const WORTHWHILE: f64 = 0.1;

/// Fraction bits between layers, and of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) activation: u32,
    pub(super) weight: u32,
}

impl Pair {
    /// Bits to range-check: a value between layers is checked twice, as a quotient and as the magnitude behind a maximum, and the
    /// remainder has the bits of the weights.
    fn bits(self) -> u32 {
        2 * self.activation + self.weight
    }
}

/// The scales to take: of those that were tried and reach the aim, or else come closest to it, the cheapest.
///
/// # Errors
/// Where the model cannot be lowered at any of them.
pub(super) fn search(job: &Job<'_>, price: &Price<'_>) -> Result<Calibrated, Error> {
    let mut search = Search { job, price, tried: vec![] };
    let first = search.first()?;
    let starts = search.span(job.settings.activation_scale, &ACTIVATIONS);
    if first.activation < *starts.start() || !search.reached() {
        search.closer(first);
    } else {
        search.cheaper(first);
    }
    search.settle()
}

struct Search<'a> {
    job: &'a Job<'a>,
    price: &'a Price<'a>,
    tried: Vec<Tried>,
}

/// One pair of scales with what it gave.
struct Tried {
    /// Ratio of the worst error to what is aimed at.
    distance: f64,
    /// Whether no output errs more than is tolerated.
    tolerated: bool,
    price: f64,
    calibrated: Calibrated,
}

impl Search<'_> {
    /// The fraction bits that are considered: all, or those that the settings ask for.
    fn span(&self, fixed: Option<u32>, all: &RangeInclusive<u32>) -> RangeInclusive<u32> {
        fixed.map_or(all.clone(), |bits| bits..=bits)
    }

    fn pairs(&self) -> impl Iterator<Item = Pair> + use<> {
        let activations = self.span(self.job.settings.activation_scale, &ACTIVATIONS);
        let weights = self.span(self.job.settings.weight_scale, &WEIGHTS);
        activations.flat_map(move |activation| weights.clone().map(move |weight| Pair { activation, weight }))
    }

    /// Tries a pair and gives its distance.
    fn attempt(&mut self, pair: Pair) -> Result<f64, Error> {
        let calibrated = self.job.attempt(pair)?;
        let tolerance = self.job.settings.tolerance;
        let (distance, excess) = (calibrated.report.distance(tolerance), calibrated.report.excess(tolerance));
        // What nothing proves is refused when it is planned, with the reason.
        let price = (self.price)(&calibrated.graph.system()).unwrap_or(f64::INFINITY);
        tracing::debug!(pair.activation, pair.weight, distance, price, "tried scales");
        self.tried.push(Tried { distance, tolerated: excess <= 1.0, price, calibrated });
        Ok(distance)
    }

    /// Whether a pair that was tried reaches the aim.
    fn reached(&self) -> bool {
        self.tried.iter().any(|t| t.distance <= 1.0)
    }

    /// Whether a pair that was tried errs no more than is tolerated.
    fn tolerated(&self) -> bool {
        self.tried.iter().any(|t| t.tolerated)
    }

    /// Tries the coarsest scales, and coarser ones where ranges are so huge that they leave the exact range.
    fn first(&mut self) -> Result<Pair, Error> {
        let settings = self.job.settings;
        let mut pair = Pair {
            activation: settings.activation_scale.unwrap_or(*ACTIVATIONS.start()),
            weight: settings.weight_scale.unwrap_or(*WEIGHTS.start()),
        };
        loop {
            match self.attempt(pair) {
                Ok(_) => return Ok(pair),
                Err(Error::Graph(_)) if settings.activation_scale.is_none() && pair.activation > COARSEST => {
                    pair.activation -= 2;
                    pair.weight -= if settings.weight_scale.is_none() { 2 } else { 0 };
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Looks for a pair that is finer than one that reaches the aim, and cheaper.
    fn cheaper(&mut self, first: Pair) {
        let finer = |p: Pair| p.activation >= first.activation && p.weight >= first.weight;
        for pair in self.cheapest(&finer).into_iter().take(LIKELY) {
            if pair == first || self.attempt(pair).is_ok_and(|distance| distance <= 1.0) {
                return;
            }
        }
    }

    /// Tries pairs that should reach the aim, then finer ones for as long as they come closer to it.
    fn closer(&mut self, first: Pair) {
        let mut last = first;
        if let Ok(expected) = self.probe()
            && first.activation >= *self.span(self.job.settings.activation_scale, &ACTIVATIONS).start()
        {
            let enough = |pair: Pair| expected(pair) <= PLANNED;
            for pair in self.cheapest(&enough).into_iter().take(LIKELY) {
                last = pair;
                if self.attempt(pair).is_ok_and(|distance| distance <= 1.0) {
                    return;
                }
            }
        }
        let mut before = self.tried.last().map_or(f64::INFINITY, |t| t.distance);
        while let Some(finer) = self.finer(last) {
            last = finer;
            // Finer scales may leave the exact range: then those that were tried have to do.
            let Ok(distance) = self.attempt(finer) else { return };
            let closer = distance < before * (1.0 - WORTHWHILE) || !self.tolerated();
            if distance <= 1.0 || !closer {
                return;
            }
            before = distance;
        }
    }

    /// One more bit for both, as far as they are open.
    fn finer(&self, pair: Pair) -> Option<Pair> {
        let settings = self.job.settings;
        let next = |fixed: Option<u32>, bits: u32, all: RangeInclusive<u32>| match fixed {
            None => (bits + 1).min(*all.end()),
            Some(bits) => bits,
        };
        let finer = Pair {
            activation: next(settings.activation_scale, pair.activation, ACTIVATIONS),
            weight: next(settings.weight_scale, pair.weight, WEIGHTS),
        };
        (finer != pair).then_some(finer)
    }

    /// The error that pairs should make beside what is aimed at, from two probes.
    fn probe(&self) -> Result<impl Fn(Pair) -> f64 + use<>, Error> {
        let (activation, weight) = (self.job.settings.activation_scale, self.job.settings.weight_scale);
        let tolerance = self.job.settings.tolerance;
        let probe = |a: u32, w: u32| -> Result<f64, Error> {
            let pair = Pair { activation: activation.unwrap_or(a), weight: weight.unwrap_or(w) };
            Ok(self.job.attempt(pair)?.report.distance(tolerance))
        };
        let (from_values, from_weights) = (probe(COARSE, FINE)?, probe(FINE, COARSE)?);
        let shrunk = |distance: f64, fixed: bool, bits: u32| {
            if fixed { distance } else { distance * power(COARSE as i32 - bits as i32) }
        };
        Ok(move |pair: Pair| {
            let values = shrunk(from_values, activation.is_some(), pair.activation);
            values.hypot(shrunk(from_weights, weight.is_some(), pair.weight))
        })
    }

    /// Of the pairs that are enough, the least ones, and those at which weights fill a limb, by what they cost.
    fn cheapest(&self, enough: &dyn Fn(Pair) -> bool) -> Vec<Pair> {
        let coarsest = self.pairs().filter(|p| enough(*p)).map(|p| p.activation).min();
        let most = coarsest.unwrap_or(0) + WIDER;
        let worth = |p: &Pair| {
            let coarser = Pair { weight: p.weight.wrapping_sub(1), ..*p };
            let least = !self.pairs().any(|q| q == coarser && enough(q));
            enough(*p) && p.activation <= most && (least || p.weight.is_multiple_of(LIMB_BITS))
        };
        let priced = self.pairs().filter(worth).filter_map(|pair| Some((self.price(pair)?, pair)));
        let mut priced: Vec<(f64, Pair)> = priced.collect();
        priced.sort_by(|(a, p), (b, q)| a.total_cmp(b).then_with(|| p.bits().cmp(&q.bits())));
        priced.into_iter().map(|(_, pair)| pair).collect()
    }

    /// What a proof costs at a pair of scales; nothing where there is none.
    fn price(&self, pair: Pair) -> Option<f64> {
        let (_, emitted) = self.job.lower(pair).ok()?;
        (self.price)(&emitted.graph.system())
    }

    fn settle(self) -> Result<Calibrated, Error> {
        let tolerated = self.tolerated();
        let mut tried: Vec<Tried> = self.tried.into_iter().filter(|t| t.tolerated || !tolerated).collect();
        let closest = tried.iter().map(|t| t.distance).fold(f64::INFINITY, f64::min);
        tried.retain(|t| t.distance <= closest.max(1.0));
        let finest = |t: &Tried| Reverse(t.calibrated.settings.weight_scale);
        let best = tried
            .into_iter()
            .min_by(|a, b| a.price.total_cmp(&b.price).then_with(|| finest(a).cmp(&finest(b))));
        Ok(best.ok_or(SampleError::NoSamples)?.calibrated)
    }
}

/// The rows of tables that runs of a system look up.
pub(super) fn lookups(system: &System) -> Option<f64> {
    Some(efforts(system).ok()?.iter().map(|e| e.lookups).sum::<u64>() as f64)
}
