//! Sums of points by digit, and their weighted sum.

use ff::Field;
use halo2curves::{
    bn256::{Fq, G1, G1Affine},
    group::{Curve, Group, prime::PrimeCurveAffine},
};

/// Additions that share an inversion.
const BATCH: usize = 1024;

/// `Σ digit · base[index]`, for digits of magnitude `1 … count`; entries with the digit zero count nothing. No base is the
/// identity.
pub(crate) fn weighted_sum(entries: &[(u32, i32)], bases: &[G1Affine], count: usize) -> G1 {
    let mut layer = Layer::new(entries, bases, count);
    while layer.lengths.iter().any(|n| *n > 1) {
        layer = layer.halved();
    }
    // Σ d · bucket_d by sums of sums, from the largest digit down.
    let (mut running, mut total) = (G1::identity(), G1::identity());
    let mut points = layer.points.iter().rev();
    for length in layer.lengths.iter().rev() {
        if *length > 0
            && let Some(point) = points.next()
        {
            running += point;
        }
        total += running;
    }
    total
}

/// Points by digit, those of one digit beside each other, the lowest digit first.
struct Layer {
    /// Number of points of each digit.
    lengths: Vec<u32>,
    points: Vec<G1Affine>,
    /// Returns true if some points may be the identity.
    cancelled: bool,
}

impl Layer {
    /// Points in the order of their digits, with the digits' signs.
    fn new(entries: &[(u32, i32)], bases: &[G1Affine], count: usize) -> Self {
        let mut lengths = vec![0u32; count];
        let place = |digit: i32| (digit.unsigned_abs() as usize).checked_sub(1);
        entries.iter().filter_map(|(_, digit)| place(*digit)).for_each(|at| lengths[at] += 1);
        let mut next = Vec::with_capacity(count);
        let mut total = 0;
        for length in &lengths {
            next.push(total);
            total += *length as usize;
        }
        let mut points = vec![G1Affine::identity(); total];
        for (index, digit) in entries {
            if let Some(at) = place(*digit) {
                let base = bases[*index as usize];
                points[next[at]] = if *digit < 0 { -base } else { base };
                next[at] += 1;
            }
        }
        Self { lengths, points, cancelled: false }
    }

    /// Adds neighbours of one digit.
    fn halved(&self) -> Self {
        let lengths: Vec<u32> = self.lengths.iter().map(|n| n.div_ceil(2)).collect();
        let total: u32 = lengths.iter().sum();
        let mut sums =
            Sums { operands: &self.points, waiting: vec![], product: Fq::ONE, cancelled: self.cancelled };
        let mut points = Vec::with_capacity(total as usize);
        let mut at = 0;
        for length in &self.lengths {
            let end = at + *length as usize;
            while at + 1 < end {
                points.push(G1Affine::identity());
                sums.add(&mut points, at);
                at += 2;
            }
            points.extend(&self.points[at..end]);
            at = end;
        }
        sums.finish(&mut points);
        Self { lengths, points, cancelled: sums.cancelled }
    }
}

/// Affine additions that wait for a common inversion.
struct Sums<'a> {
    operands: &'a [G1Affine],
    /// Place of the result, place of the first operand, and the product of all denominators before this one.
    waiting: Vec<(u32, u32, Fq)>,
    product: Fq,
    /// Returns true if operands may be the identity, for which the common formulas are wrong.
    cancelled: bool,
}

impl Sums<'_> {
    /// The sum of two neighbours becomes the last of `points`.
    fn add(&mut self, points: &mut [G1Affine], at: usize) {
        let place = points.len() - 1;
        if self.cancelled {
            points[place] = (self.operands[at] + self.operands[at + 1]).to_affine();
            return;
        }
        self.waiting.push((place as u32, at as u32, self.product));
        self.product *= self.operands[at + 1].x - self.operands[at].x;
        if self.waiting.len() == BATCH {
            self.finish(points);
        }
    }

    fn finish(&mut self, points: &mut [G1Affine]) {
        let inverse = Option::<Fq>::from(std::mem::replace(&mut self.product, Fq::ONE).invert());
        let Some(mut inverse) = inverse else {
            // Two points are equal or opposite, which no one of independent ones is: all are added one by one.
            for (place, at, _) in self.waiting.drain(..) {
                let sum = (self.operands[at as usize] + self.operands[at as usize + 1]).to_affine();
                self.cancelled |= bool::from(sum.is_identity());
                points[place as usize] = sum;
            }
            return;
        };
        for (place, at, before) in self.waiting.drain(..).rev() {
            let (p, q) = (&self.operands[at as usize], &self.operands[at as usize + 1]);
            let slope = (q.y - p.y) * (inverse * before);
            inverse *= q.x - p.x;
            let x = slope * slope - p.x - q.x;
            let y = slope * (p.x - x) - p.y;
            points[place as usize] = G1Affine { x, y };
        }
    }
}
