//! Operands of contractions: tensors of cells, summed over some of their indices.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::BTreeMap;
use zkml_curve::scalar_from_word;
use zkml_lanes::{Lanes, entered, left};
use zkml_protocol::sumcheck::{Axis, Index, Source, Term};

use crate::{
    functional::for_each_shown,
    integers::Cells,
    vector::{Dot, Vector},
};

/// Where a value of an index goes.
#[derive(Clone, Copy)]
pub(crate) enum Kept<'a> {
    /// Into the result, from this bit on.
    Bit(u32),
    /// It is summed over with these weights.
    Summed(&'a [Fr]),
}

/// A combination of values of some axes: place in the result, address, weight.
type Entry = (usize, usize, Fr);

/// All combinations of entries with the values of another axis.
fn expanded(entries: &[Entry], axis: &Axis, indices: &[Index], kept: &[Kept<'_>]) -> Vec<Entry> {
    let mut own: Vec<Entry> = Vec::new();
    for_each_shown(axis, indices, &mut |at, values| {
        let (mut place, mut weight) = (0usize, Fr::ONE);
        for (step, value) in axis.steps.iter().zip(values) {
            match kept[step.index as usize] {
                Kept::Bit(bit) => place |= (*value as usize) << bit,
                Kept::Summed(weights) => weight *= weights[*value as usize],
            }
        }
        own.push((place, at << axis.bit, weight));
    });
    entries.iter().flat_map(|(p, a, w)| own.iter().map(move |(q, b, x)| (p | q, a + b, *w * x))).collect()
}

/// Entries repeated along the indices that a term does not depend on; the factor of those that are summed over.
fn repeated(mut entries: Vec<Entry>, term: &Term, indices: &[Index], kept: &[Kept<'_>]) -> (Vec<Entry>, Fr) {
    let mut factor = Fr::ONE;
    for index in &term.broadcast {
        match kept[*index as usize] {
            Kept::Summed(weights) => factor *= weights.iter().sum::<Fr>(),
            Kept::Bit(bit) => {
                let extent = indices[*index as usize].extent as usize;
                let along = |(p, a, w): &Entry| {
                    let (p, a, w) = (*p, *a, *w);
                    (0..extent).map(move |i| (p | i << bit, a, w))
                };
                entries = entries.iter().flat_map(along).collect();
            }
        }
    }
    (entries, factor)
}

/// Adds to `out` the tensor of a term, summed over some of its indices. `elements` is the vector in lanes.
pub(crate) fn add_tensor<L: Lanes>(
    lanes: L,
    out: &mut [Fr],
    (vector, elements): (Option<Cells<'_>>, Vector<'_, L>),
    term: &Term,
    indices: &[Index],
    kept: &[Kept<'_>],
) {
    if let Some(runs) = Runs::new(term, indices, kept, elements) {
        return runs.add_to(lanes, out);
    }
    // Axes that are summed over entirely are inner sums.
    let summed = |a: &&Axis| a.steps.iter().all(|s| matches!(kept[s.index as usize], Kept::Summed(_)));
    let (inner, outer): (Vec<&Axis>, Vec<&Axis>) = term.axes.iter().partition(summed);
    let all = |axes: &[&Axis]| {
        axes.iter().fold(vec![(0, 0, Fr::ONE)], |entries, axis| expanded(&entries, axis, indices, kept))
    };
    let (entries, factor) = repeated(all(&outer), term, indices, kept);
    let sums = all(&inner);
    let coefficient = |w| factor * scalar_from_word(w).unwrap_or(Fr::ZERO);
    let cells: Vec<(usize, Fr)> =
        term.cells.iter().map(|(base, c)| (*base as usize, coefficient(c))).collect();
    let value = |address: usize| match (term.source, vector) {
        (Source::One, _) => cells.iter().map(|(_, c)| *c).sum::<Fr>(),
        (_, Some(vector)) => cells.iter().map(|(base, c)| *c * vector.at(base + address)).sum(),
        (_, None) => Fr::ZERO,
    };
    let part = |(place, address, weight): &Entry| {
        let sum: Fr = sums.iter().map(|(_, a, w)| *w * value(address + a)).sum();
        (*place, *weight * sum)
    };
    let parts: Vec<(usize, Fr)> = entries.par_iter().with_min_len(16).map(part).collect();
    for (place, part) in parts {
        out[place] += part;
    }
}

/// Shorter runs are not worth the trouble.
const SHORT: usize = 8;

/// A term whose lowest axis is a run of whole elements: cells along it are summed over all other axes first.
struct Runs<'a, L: Lanes> {
    elements: Vector<'a, L>,
    /// Length of a run, in elements.
    length: usize,
    /// For each place in the result: first elements of runs, with weights.
    places: BTreeMap<usize, Vec<(usize, Fr)>>,
    /// For each place that the lowest axis adds: weights by coordinate.
    ends: BTreeMap<usize, Vec<(usize, Fr)>>,
    /// Places at which the result is repeated.
    copies: Vec<usize>,
}

impl<'a, L: Lanes> Runs<'a, L> {
    /// The runs of a term, if it has some.
    fn new(term: &Term, indices: &[Index], kept: &[Kept<'_>], elements: Vector<'a, L>) -> Option<Self> {
        let width = L::WIDTH;
        let whole = |axis: &&Axis| axis.bit == 0 && (1usize << axis.bits) >= width.max(SHORT);
        let lowest = term.axes.iter().find(whole).filter(|_| elements.len() > 0)?;
        let others = term.axes.iter().filter(|axis| *axis != lowest);
        let others = others.fold(vec![(0, 0, Fr::ONE)], |all, axis| expanded(&all, axis, indices, kept));
        let (copies, factor) = repeated(vec![(0, 0, Fr::ONE)], term, indices, kept);
        let mut places: BTreeMap<usize, Vec<(usize, Fr)>> = BTreeMap::new();
        for (base, coefficient) in &term.cells {
            let coefficient = factor * scalar_from_word(coefficient).unwrap_or(Fr::ZERO);
            for (place, address, weight) in &others {
                let start = *base as usize + address;
                if !start.is_multiple_of(width) {
                    return None;
                }
                places.entry(*place).or_default().push((start / width, *weight * coefficient));
            }
        }
        let mut ends: BTreeMap<usize, Vec<(usize, Fr)>> = BTreeMap::new();
        for (place, at, weight) in expanded(&[(0, 0, Fr::ONE)], lowest, indices, kept) {
            ends.entry(place).or_default().push((at, weight));
        }
        let length = (1 << lowest.bits) / width;
        let copies = copies.into_iter().map(|(place, _, _)| place).collect();
        Some(Self { elements, length, places, ends, copies })
    }

    fn add_to(&self, lanes: L, out: &mut [Fr]) {
        let sums = self.sums(lanes);
        let ends = Ends::new(lanes, &self.ends, self.length);
        let places: Vec<(&usize, Vec<Fr>)> = self
            .places
            .keys()
            .zip(sums)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(place, run)| (place, ends.of(lanes, &run)))
            .collect();
        for (place, values) in places {
            for (end, value) in self.ends.keys().zip(values) {
                self.copies.iter().for_each(|copy| out[place | end | copy] += value);
            }
        }
    }

    /// For each place, the run of cells that is left when all other axes are summed over.
    fn sums(&self, lanes: L) -> Vec<Vec<L::Element>> {
        let scaled = |runs: &Vec<(usize, Fr)>| -> Vec<(usize, L::Scalar)> {
            runs.iter().map(|(start, weight)| (*start, lanes.scalar(weight))).collect()
        };
        self.places
            .values()
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|runs| self.elements.sum_of_runs(lanes, &scaled(runs), self.length))
            .collect()
    }
}

/// What becomes of a run's coordinates.
enum Ends<L: Lanes> {
    /// Each place takes one of them, unweighted.
    Single(Vec<usize>),
    /// Each place takes a sum.
    Sums(Vec<Vec<L::Element>>),
}

impl<L: Lanes> Ends<L> {
    fn new(lanes: L, ends: &BTreeMap<usize, Vec<(usize, Fr)>>, length: usize) -> Self {
        let single = |end: &Vec<(usize, Fr)>| match end.as_slice() {
            [(at, weight)] if *weight == Fr::ONE => Some(*at),
            _ => None,
        };
        if let Some(single) = ends.values().map(single).collect() {
            return Self::Single(single);
        }
        let sum = |end: &Vec<(usize, Fr)>| {
            let mut weights = vec![Fr::ZERO; length * L::WIDTH];
            end.iter().for_each(|(at, weight)| weights[*at] += weight);
            entered(lanes, &weights)
        };
        Self::Sums(ends.values().map(sum).collect())
    }

    /// The values of all places.
    fn of(&self, lanes: L, run: &[L::Element]) -> Vec<Fr> {
        match self {
            Self::Single(places) => {
                let run = left(lanes, run, run.len() * L::WIDTH);
                places.iter().map(|at| run[*at]).collect()
            }
            Self::Sums(sums) => sums.iter().map(|weights| lanes.run(Dot::<L>(run, weights))).collect(),
        }
    }
}
