//! Vectors in lanes: elements, or small integers that are multiplied as they are, at a fifth of the work and of the memory.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::{borrow::Cow, ops::Range};
use zkml_lanes::{Kernel, Lanes, left, total};

use crate::{Integers, integers::Narrow};

/// Elements that a thread sums up at once.
const CHUNK: usize = 8;
/// Elements that a thread adds to at once.
const ADDED: usize = 128;
/// Elements that a thread brings into lanes, or takes out of them, at once.
const ENTERED: usize = 512;

/// A vector, or a part of one that begins with a whole element.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Vector<'a, L: Lanes> {
    Elements(&'a [L::Element]),
    Integers(Narrow<'a>),
}

impl<'a, L: Lanes> Vector<'a, L> {
    /// Number of elements.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Elements(elements) => elements.len(),
            Self::Integers(integers) => integers.small.len().div_ceil(L::WIDTH),
        }
    }

    /// Some of the elements; what is beyond the end is left out.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::Elements(elements) => {
                Self::Elements(&elements[range.start.min(elements.len())..range.end.min(elements.len())])
            }
            Self::Integers(integers) => {
                Self::Integers(integers.part(range.start * L::WIDTH..range.end * L::WIDTH))
            }
        }
    }

    /// Parts of so many elements.
    pub(crate) fn chunks(self, size: usize) -> impl Iterator<Item = Self> + use<'a, L> {
        (0..self.len()).step_by(size.max(1)).map(move |start| self.part(start..start + size))
    }

    /// All elements.
    pub(crate) fn elements(self, lanes: L) -> Cow<'a, [L::Element]> {
        match self {
            Self::Elements(elements) => Cow::Borrowed(elements),
            Self::Integers(integers) => Cow::Owned(entered(lanes, integers)),
        }
    }

    /// `⟨v, w⟩`, as far as both reach.
    pub(crate) fn dot(self, lanes: L, weights: &[L::Element]) -> Fr {
        match self {
            Self::Elements(elements) => lanes.run(Dot::<L>(elements, weights)),
            Self::Integers(integers) => {
                let weight = |at: usize| {
                    let element = weights.get(at / L::WIDTH).map(std::slice::from_ref);
                    element.map_or(Fr::ZERO, |element| left(lanes, element, L::WIDTH)[at % L::WIDTH])
                };
                let wide: Fr = integers.wide().map(|(at, value)| value * weight(at)).sum();
                wide + lanes.run(DotIntegers(integers.small, weights))
            }
        }
    }

    /// Runs of so many elements that begin somewhere in the vector, summed up with weights. What it does not have is zero.
    pub(crate) fn sum_of_runs(self, lanes: L, runs: &[(usize, L::Scalar)], length: usize) -> Vec<L::Element> {
        let part = |from: usize| from..(from + CHUNK).min(length);
        let parts = (0..length).into_par_iter().step_by(CHUNK);
        match self {
            Self::Elements(elements) => {
                parts.flat_map_iter(|from| lanes.run(SumRuns { elements, runs, part: part(from) })).collect()
            }
            Self::Integers(integers) => {
                let sum = |from| lanes.run(SumIntegerRuns { small: integers.small, runs, part: part(from) });
                let mut out: Vec<L::Element> = parts.flat_map_iter(sum).collect();
                for (start, weight) in runs {
                    let own = integers.part(start * L::WIDTH..(start + length) * L::WIDTH);
                    for (at, value) in own.wide() {
                        let cell = &mut out[at / L::WIDTH];
                        *cell = lanes.add(cell, &lanes.scale(&single(lanes, at, value), weight));
                    }
                }
                out
            }
        }
    }

    /// Adds a multiple of the vector to another.
    pub(crate) fn add_to(self, lanes: L, sum: &mut [L::Element], factor: &Fr) {
        let factor = lanes.scalar(factor);
        let parts = sum.par_chunks_mut(ADDED).enumerate();
        parts.for_each(|(part, sum)| match self.part(part * ADDED..(part + 1) * ADDED) {
            Self::Elements(vector) => lanes.run(AddScaled { sum, vector, factor }),
            Self::Integers(integers) => {
                lanes.run(AddIntegers { sum: &mut *sum, small: integers.small, factor });
                for (at, value) in integers.wide() {
                    let cell = &mut sum[at / L::WIDTH];
                    *cell = lanes.add(cell, &lanes.scale(&single(lanes, at, value), &factor));
                }
            }
        });
    }
}

/// An element with one number in it, where an address belongs.
fn single<L: Lanes>(lanes: L, at: usize, value: Fr) -> L::Element {
    let mut values = vec![Fr::ZERO; L::WIDTH];
    values[at % L::WIDTH] = value;
    lanes.load(&values)
}

/// Elements of a long vector.
pub(crate) fn all_entered<L: Lanes>(lanes: L, values: &[Fr]) -> Vec<L::Element> {
    let mut out = vec![lanes.zero(); values.len().div_ceil(L::WIDTH)];
    let parts = out.par_chunks_mut(ENTERED).zip(values.par_chunks(ENTERED * L::WIDTH));
    parts.for_each(|(out, values)| zkml_lanes::enter(lanes, values, out));
    out
}

/// Elements of small integers.
fn entered<L: Lanes>(lanes: L, integers: Narrow<'_>) -> Vec<L::Element> {
    let mut out = vec![lanes.zero(); integers.small.len().div_ceil(L::WIDTH)];
    out.par_chunks_mut(ENTERED).enumerate().for_each(|(part, out)| {
        let start = part * ENTERED * L::WIDTH;
        zkml_lanes::enter(lanes, &integers.part(start..start + ENTERED * L::WIDTH).cells(), out);
    });
    out
}

/// The numbers of elements.
pub(crate) fn all_left<L: Lanes>(lanes: L, elements: &[L::Element]) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; elements.len() * L::WIDTH];
    let parts = elements.par_chunks(ENTERED).zip(out.par_chunks_mut(ENTERED * L::WIDTH));
    parts.for_each(|(elements, out)| zkml_lanes::leave(lanes, elements, out));
    out
}

/// `⟨a, b⟩`.
pub(crate) struct Dot<'a, L: Lanes>(pub(crate) &'a [L::Element], pub(crate) &'a [L::Element]);

impl<L: Lanes> Kernel<L> for Dot<'_, L> {
    type Output = Fr;

    #[inline(always)]
    fn run(self, lanes: L) -> Fr {
        let mut sum = lanes.products();
        for (a, b) in self.0.iter().zip(self.1) {
            lanes.add_product(&mut sum, a, b);
        }
        total(lanes, &lanes.sum(&sum))
    }
}

/// `⟨a, b⟩` of integers with elements.
struct DotIntegers<'a, L: Lanes>(&'a [i64], &'a [L::Element]);

impl<L: Lanes> Kernel<L> for DotIntegers<'_, L> {
    type Output = Fr;

    #[inline(always)]
    fn run(self, lanes: L) -> Fr {
        let mut sum = lanes.integer_products();
        for (a, b) in self.0.chunks(L::WIDTH).zip(self.1) {
            lanes.add_integer_product(&mut sum, a, b);
        }
        total(lanes, &lanes.integer_sum(&sum))
    }
}

/// A part of runs, summed up with weights.
struct SumRuns<'a, L: Lanes> {
    elements: &'a [L::Element],
    runs: &'a [(usize, L::Scalar)],
    part: Range<usize>,
}

impl<L: Lanes> Kernel<L> for SumRuns<'_, L> {
    type Output = Vec<L::Element>;

    #[inline(always)]
    fn run(self, lanes: L) -> Self::Output {
        let mut sums = vec![lanes.products(); self.part.len()];
        let zero = lanes.zero();
        for (start, weight) in self.runs {
            let weight = lanes.all(weight);
            for (i, sum) in sums.iter_mut().enumerate() {
                let cell = self.elements.get(start + self.part.start + i).unwrap_or(&zero);
                lanes.add_product(sum, cell, &weight);
            }
        }
        let mut out = Vec::with_capacity(sums.len());
        for sum in &sums {
            out.push(lanes.sum(sum));
        }
        out
    }
}

/// A part of runs of integers, summed up with weights.
struct SumIntegerRuns<'a, L: Lanes> {
    small: &'a [i64],
    runs: &'a [(usize, L::Scalar)],
    part: Range<usize>,
}

impl<L: Lanes> Kernel<L> for SumIntegerRuns<'_, L> {
    type Output = Vec<L::Element>;

    #[inline(always)]
    fn run(self, lanes: L) -> Self::Output {
        let mut sums = vec![lanes.integer_products(); self.part.len()];
        for (start, weight) in self.runs {
            let weight = lanes.all(weight);
            let own = self.small.get((start + self.part.start) * L::WIDTH..).unwrap_or_default();
            for (sum, cells) in sums.iter_mut().zip(own.chunks(L::WIDTH)) {
                lanes.add_integer_product(sum, cells, &weight);
            }
        }
        let mut out = Vec::with_capacity(sums.len());
        for sum in &sums {
            out.push(lanes.integer_sum(sum));
        }
        out
    }
}

/// Adds a multiple of a vector to another.
struct AddScaled<'a, L: Lanes> {
    sum: &'a mut [L::Element],
    vector: &'a [L::Element],
    factor: L::Scalar,
}

impl<L: Lanes> Kernel<L> for AddScaled<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        for (sum, value) in self.sum.iter_mut().zip(self.vector) {
            *sum = lanes.add(sum, &lanes.scale(value, &self.factor));
        }
    }
}

/// Adds a multiple of integers to a vector.
struct AddIntegers<'a, L: Lanes> {
    sum: &'a mut [L::Element],
    small: &'a [i64],
    factor: L::Scalar,
}

impl<L: Lanes> Kernel<L> for AddIntegers<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        let factor = lanes.all(&self.factor);
        for (sum, cells) in self.sum.iter_mut().zip(self.small.chunks(L::WIDTH)) {
            let mut product = lanes.integer_products();
            lanes.add_integer_product(&mut product, cells, &factor);
            *sum = lanes.add(sum, &lanes.integer_sum(&product));
        }
    }
}

/// A vector that is kept for as long as a proof takes.
pub(crate) enum Kept<'a, L: Lanes> {
    Elements(Vec<L::Element>),
    Integers(Narrow<'a>),
}

impl<'a, L: Lanes> Kept<'a, L> {
    /// A vector in the form that these lanes multiply fastest.
    pub(crate) fn new(lanes: L, integers: &'a Integers) -> Self {
        match integers.narrow().filter(|_| L::WIDTH > 1) {
            Some(narrow) => Self::Integers(narrow),
            None => Self::Elements(all_entered(lanes, &integers.all())),
        }
    }

    pub(crate) fn as_vector(&self) -> Vector<'_, L> {
        match self {
            Self::Elements(elements) => Vector::Elements(elements),
            Self::Integers(integers) => Vector::Integers(*integers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::from_i64;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{RngCore, SeedableRng};
    use zkml_lanes::{Choice, Portable, best};

    /// Integers are what the same elements are, in everything that is done with them.
    struct Agreement;

    impl Choice for Agreement {
        type Output = ();

        fn with<L: Lanes>(self, lanes: L) {
            let mut rng = ChaCha8Rng::seed_from_u64(4);
            let length = 96;
            let mut all: Vec<Fr> = (0..length)
                .map(|_| from_i64((rng.next_u64() as i64) >> (64 - zkml_lanes::INTEGER_BITS - 1)))
                .collect();
            // No small integers, one of them in a run's last element.
            for at in [3, 40, 41, 63] {
                all[at] = Fr::random(&mut rng);
            }
            let integers = Integers::from(&all[..]);
            let integers = Vector::<L>::Integers(integers.narrow().expect("all others are small"));
            let elements = zkml_lanes::entered(lanes, &all);
            let elements = Vector::<L>::Elements(&elements);
            let left = |v: &[L::Element]| zkml_lanes::left(lanes, v, v.len() * L::WIDTH);
            assert_eq!(left(&integers.elements(lanes)), all);
            assert_eq!(integers.len(), elements.len());
            let weights: Vec<Fr> = (0..length).map(|_| Fr::random(&mut rng)).collect();
            let weights = zkml_lanes::entered(lanes, &weights);
            let per = |cells: usize| cells / L::WIDTH;
            for range in [0..length, 32..64, 40..200, 96..104] {
                let range = per(range.start)..per(range.end);
                let (a, b) = (integers.part(range.clone()), elements.part(range.clone()));
                assert_eq!(a.dot(lanes, &weights), b.dot(lanes, &weights), "{range:?}");
                assert_eq!(a.dot(lanes, &weights[1..3]), b.dot(lanes, &weights[1..3]), "{range:?}");
                let mut sums = [weights.clone(), weights.clone()];
                let factor = Fr::random(&mut rng);
                a.add_to(lanes, &mut sums[0], &factor);
                b.add_to(lanes, &mut sums[1], &factor);
                assert_eq!(left(&sums[0]), left(&sums[1]), "{range:?}");
                // The last run is cut off by the end of the vector.
                let runs = [0, 16, 40, 72].map(|start| (per(start), lanes.scalar(&Fr::random(&mut rng))));
                let [a, b] = [a, b].map(|v| v.sum_of_runs(lanes, &runs, per(48)));
                assert_eq!(left(&a), left(&b), "{range:?}");
            }
            let chunks: Vec<Fr> = integers.chunks(per(40)).flat_map(|c| left(&c.elements(lanes))).collect();
            assert_eq!(chunks, all);
        }
    }

    #[test]
    fn integers_are_elements() {
        Agreement.with(Portable);
        best(Agreement);
    }

    #[test]
    fn large_integers_are_not_narrow() {
        let bound = 1i64 << zkml_lanes::INTEGER_BITS;
        for (value, narrow) in [(bound - 1, true), (bound, false), (-bound, true), (-bound - 1, false)] {
            let mut integers = Integers::zeros(3);
            integers.set(1, from_i64(value));
            assert_eq!(integers.narrow().is_some(), narrow, "{value}");
        }
    }
}
