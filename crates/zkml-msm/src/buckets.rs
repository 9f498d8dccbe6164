//! Sums of points by digit, and their weighted sum.

use ff::Field;
use halo2curves::{
    bn256::{Fq, G1, G1Affine},
    group::{Group, prime::PrimeCurveAffine},
};

/// Additions that share an inversion.
const BATCH: usize = 512;

/// `Σ digit · base[index]`, for digits of magnitude `1 … count`.
pub(crate) fn weighted_sum(mut entries: Vec<(u32, i32)>, bases: &[G1Affine], count: usize) -> G1 {
    entries.sort_unstable_by_key(|(_, d)| d.unsigned_abs());
    let mut layer = Layer::default();
    for (index, digit) in entries {
        let base = bases[index as usize];
        if !bool::from(base.is_identity()) {
            layer.push(digit.unsigned_abs(), if digit < 0 { -base } else { base });
        }
    }
    while layer.halve() {}
    // Σ d · bucket_d by sums of sums, from the largest digit down.
    let (mut running, mut total) = (G1::identity(), G1::identity());
    let mut at = layer.points.len();
    for digit in (1..=count as u32).rev() {
        while at > 0 && layer.digits[at - 1] == digit {
            at -= 1;
            running += layer.points[at];
        }
        total += running;
    }
    total
}

/// Points by digit, those of one digit beside each other.
#[derive(Default)]
struct Layer {
    digits: Vec<u32>,
    points: Vec<G1Affine>,
}

impl Layer {
    fn push(&mut self, digit: u32, point: G1Affine) {
        self.digits.push(digit);
        self.points.push(point);
    }

    /// Adds neighbours of one digit; false when every digit has one point.
    fn halve(&mut self) -> bool {
        let mut next = Self::default();
        let mut sums = Sums::default();
        let mut at = 0;
        let mut paired = false;
        while at < self.points.len() {
            let digit = self.digits[at];
            if self.digits.get(at + 1) == Some(&digit) {
                paired = true;
                sums.add(&mut next, digit, self.points[at], self.points[at + 1]);
                at += 2;
            } else {
                next.push(digit, self.points[at]);
                at += 1;
            }
        }
        sums.finish(&mut next);
        next.sweep();
        *self = next;
        paired
    }

    /// Forgets sums that came to nothing.
    fn sweep(&mut self) {
        let gone = |p: &G1Affine| bool::from(p.is_identity());
        if self.points.iter().any(gone) {
            let kept = self.digits.iter().zip(&self.points).filter(|(_, p)| !gone(p));
            (self.digits, self.points) = kept.map(|(d, p)| (*d, *p)).unzip();
        }
    }
}

/// Affine additions that wait for a common inversion.
#[derive(Default)]
struct Sums {
    /// Place of the result, the operands, numerator and denominator of the slope.
    waiting: Vec<(usize, G1Affine, G1Affine, Fq, Fq)>,
}

impl Sums {
    fn add(&mut self, layer: &mut Layer, digit: u32, p: G1Affine, q: G1Affine) {
        let place = layer.points.len();
        layer.push(digit, G1Affine::identity());
        if p.x != q.x {
            self.waiting.push((place, p, q, q.y - p.y, q.x - p.x));
        } else if p.y == q.y {
            let square = p.x * p.x;
            self.waiting.push((place, p, q, square + square + square, p.y + p.y));
        }
        // Opposite points: the identity stays.
        if self.waiting.len() == BATCH {
            self.finish(layer);
        }
    }

    fn finish(&mut self, layer: &mut Layer) {
        let mut products = Vec::with_capacity(self.waiting.len());
        let mut product = Fq::ONE;
        for (_, _, _, _, below) in &self.waiting {
            products.push(product);
            product *= below;
        }
        let Some(mut inverse) = Option::<Fq>::from(product.invert()) else { return };
        for ((place, p, q, above, below), before) in self.waiting.drain(..).zip(products).rev() {
            let slope = above * inverse * before;
            inverse *= below;
            let x = slope * slope - p.x - q.x;
            let y = slope * (p.x - x) - p.y;
            layer.points[place] = G1Affine { x, y };
        }
    }
}
