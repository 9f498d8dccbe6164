//! A function on integers, and straight lines over it.

use super::{Request, power};
use crate::net::Function;

/// Places in the middle of a piece where it is compared with the function.
const PLACES: i64 = 16;

/// A function on integers, and the places where it may bend although it does not between its neighbours.
pub(super) struct Curve {
    f: Function,
    pub(super) request: Request,
    /// Places that are denser towards zero, in order: most functions bend there, and a wide piece could step over it.
    knots: Vec<i64>,
}

/// A straight line over the middle of a function, and how far it is from that at most.
pub(super) struct Chord {
    /// At the first place.
    start: f64,
    /// Number of steps to the last place.
    width: f64,
    /// Increase per step.
    slope: f64,
    pub(super) error: f64,
}

impl Curve {
    pub(super) fn new(f: Function, request: Request) -> Self {
        // Eight places in each octave, of either sign.
        let octave = |k: i32| (8..16).map(move |eighth| (f64::from(eighth) * power(k - 3)) as i64);
        let positive: Vec<i64> = (0..62).flat_map(octave).collect();
        let mut knots: Vec<i64> =
            positive.iter().map(|x| -x).chain([0]).chain(positive.iter().copied()).collect();
        knots.retain(|x| (request.lo..=request.hi).contains(x));
        knots.sort_unstable();
        knots.dedup();
        Self { f, request, knots }
    }

    pub(super) fn at(&self, x: i64) -> f64 {
        self.f.at(x as f64 * power(-self.request.from))
    }

    /// The line between the ends, moved to the middle of what it misses.
    pub(super) fn chord(&self, first: i64, last: i64) -> Chord {
        let (start, end, width) = (self.at(first), self.at(last), last - first);
        let slope = if width == 0 { 0.0 } else { (end - start) / width as f64 };
        let places =
            (1..PLACES).map(|k| first + (i128::from(width) * i128::from(k) / i128::from(PLACES)) as i64);
        let within = |x: i64| self.knots.partition_point(|k| *k < x);
        let knots = &self.knots[within(first)..within(last)];
        let missed =
            places.chain(knots.iter().copied()).map(|x| self.at(x) - start - slope * (x - first) as f64);
        let (least, most) = missed.fold((0.0, 0.0), |(l, m): (f64, f64), d| (l.min(d), m.max(d)));
        Chord {
            start: start + f64::midpoint(least, most),
            width: width as f64,
            slope,
            error: (most - least) / 2.0,
        }
    }
}

impl Chord {
    /// Start and slope as integers with fraction bits. The rounded slope pivots around the middle.
    pub(super) fn scaled(&self, bits: i32) -> (i64, i64) {
        let step = power(bits);
        let slope = (self.slope * step).round();
        let start = self.start * step + (self.slope * step - slope) * self.width / 2.0;
        (start.round() as i64, slope as i64)
    }
}
