//! Long vectors nearly all of whose elements are small integers.

use ff::Field;
use halo2curves::bn256::{Fr, G1, G1Affine};
use std::collections::BTreeMap;
use std::ops::Range;
use zkml_lanes::INTEGER_BITS;

use crate::field::{from_i64, to_i64};

/// A vector of field elements, small integers but for few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Integers {
    /// Zero where an element is none of them.
    small: Vec<i64>,
    wide: BTreeMap<usize, Fr>,
}

impl Integers {
    /// So many zeros.
    pub fn zeros(length: usize) -> Self {
        Self { small: vec![0; length], wide: BTreeMap::new() }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.small.len()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.small.is_empty()
    }

    /// Makes it longer with zeros, or shorter.
    pub fn resize(&mut self, length: usize) {
        self.small.resize(length, 0);
        self.wide.split_off(&length);
    }

    /// An element, if there is one.
    pub fn get(&self, at: usize) -> Option<Fr> {
        let small = from_i64(*self.small.get(at)?);
        Some(self.wide.get(&at).copied().unwrap_or(small))
    }

    /// Replaces an element.
    ///
    /// # Panics
    /// If there is none.
    pub fn set(&mut self, at: usize, value: Fr) {
        let small = to_i64(&value);
        self.small[at] = small.unwrap_or_default();
        if small.is_none() {
            self.wide.insert(at, value);
        } else {
            self.wide.remove(&at);
        }
    }

    /// Small integers, to be written to.
    pub(crate) fn small_mut(&mut self, range: Range<usize>) -> &mut [i64] {
        &mut self.small[range]
    }

    fn everything(&self) -> Narrow<'_> {
        Narrow { small: &self.small, wide: &self.wide, first: 0 }
    }

    /// All elements, if the small integers among them fit into the products of lanes.
    pub(crate) fn narrow(&self) -> Option<Narrow<'_>> {
        let fits = |v: &i64| (-1 << INTEGER_BITS..1 << INTEGER_BITS).contains(v);
        self.small.iter().all(fits).then(|| self.everything())
    }

    /// Some elements; what is beyond the end is left out.
    pub fn cells(&self, range: Range<usize>) -> Vec<Fr> {
        self.everything().part(range).cells()
    }

    /// All elements.
    pub fn all(&self) -> Vec<Fr> {
        self.cells(0..self.len())
    }

    /// Ranges of so many elements.
    pub fn parts(&self, length: usize) -> impl Iterator<Item = Range<usize>> {
        let all = self.len();
        (0..all).step_by(length.max(1)).map(move |start| start..(start + length).min(all))
    }

    /// The last element in a range that is not zero.
    pub fn last(&self, range: Range<usize>) -> Option<usize> {
        let small = self.small[range.clone()].iter().rposition(|v| *v != 0).map(|at| range.start + at);
        let wide = self.wide.range(range).next_back().map(|(at, _)| *at);
        small.max(wide)
    }

    /// `Σ v_i [τ^i]₁` over a range, whose first element is that of the first power.
    pub fn sum(&self, range: Range<usize>, powers: &[G1Affine]) -> G1 {
        let inside = self.wide.range(range.clone());
        let (bases, scalars): (Vec<G1Affine>, Vec<Fr>) =
            inside.map(|(at, w)| (powers[at - range.start], *w)).unzip();
        zkml_msm::small(&self.small[range], powers) + zkml_msm::full(&scalars, &bases)
    }
}

/// A part of a vector whose small integers fit into the products of lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrow<'a> {
    /// Zero where an element is no small integer.
    pub(crate) small: &'a [i64],
    wide: &'a BTreeMap<usize, Fr>,
    /// The address of the first element.
    first: usize,
}

impl<'a> Narrow<'a> {
    /// Some elements; what is beyond the end is left out.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let length = self.small.len();
        let range = range.start.min(length)..range.end.min(length);
        Self { first: self.first + range.start, small: &self.small[range], ..self }
    }

    /// The elements that are no small integers, by place.
    pub(crate) fn wide(self) -> impl Iterator<Item = (usize, Fr)> + use<'a> {
        let own = self.wide.range(self.first..self.first + self.small.len());
        own.map(move |(at, value)| (at - self.first, *value))
    }

    /// All elements.
    pub(crate) fn cells(self) -> Vec<Fr> {
        let mut out: Vec<Fr> = self.small.iter().map(|v| from_i64(*v)).collect();
        self.wide().for_each(|(at, value)| out[at] = value);
        out
    }
}

impl From<&[Fr]> for Integers {
    fn from(values: &[Fr]) -> Self {
        let small: Vec<Option<i64>> = values.iter().map(to_i64).collect();
        let wide = values.iter().copied().enumerate().filter(|(at, _)| small[*at].is_none()).collect();
        Self { small: small.into_iter().map(Option::unwrap_or_default).collect(), wide }
    }
}

/// A vector of either kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cells<'a> {
    Elements(&'a [Fr]),
    Integers(&'a Integers),
}

impl Cells<'_> {
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Elements(values) => values.len(),
            Self::Integers(values) => values.len(),
        }
    }

    /// An element, zero beyond the end.
    pub(crate) fn at(self, at: usize) -> Fr {
        match self {
            Self::Elements(values) => values.get(at).copied(),
            Self::Integers(values) => values.get(at),
        }
        .unwrap_or_default()
    }

    /// Some elements; what is beyond the end is left out.
    pub(crate) fn part(self, range: Range<usize>) -> Vec<Fr> {
        match self {
            Self::Elements(values) => {
                values[range.start.min(values.len())..range.end.min(values.len())].to_vec()
            }
            Self::Integers(values) => values.cells(range),
        }
    }

    /// The last element in a range that is not zero.
    pub(crate) fn last(self, range: Range<usize>) -> Option<usize> {
        match self {
            Self::Elements(values) => {
                values[range.clone()].iter().rposition(|v| *v != Fr::ZERO).map(|at| range.start + at)
            }
            Self::Integers(values) => values.last(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_both_kinds() {
        let big = Fr::from(3).invert().expect("not zero");
        let all = [Fr::from(5), big, -Fr::from(7), Fr::ZERO, big, Fr::ZERO];
        let mut v = Integers::from(&all[..]);
        assert_eq!(v.all(), all);
        assert_eq!((v.get(1), v.get(2), v.get(6)), (Some(big), Some(-Fr::from(7)), None));
        assert_eq!(v.cells(1..3), all[1..3]);
        assert_eq!(v.cells(4..9), all[4..]);
        assert_eq!((v.last(0..6), v.last(0..4), v.last(3..4)), (Some(4), Some(2), None));
        assert_eq!(v.parts(4).collect::<Vec<_>>(), [0..4, 4..6]);
        v.set(1, Fr::ONE);
        v.set(0, big);
        assert_eq!(v.cells(0..2), [big, Fr::ONE]);
        let powers = crate::testing::powers();
        assert_eq!(v.sum(0..6, powers), zkml_msm::full(&v.all(), powers));
        assert_eq!(v.sum(2..5, powers), zkml_msm::full(&all[2..5], powers));
        v.resize(1);
        v.resize(3);
        assert_eq!(v.all(), [big, Fr::ZERO, Fr::ZERO]);
        for cells in [Cells::Elements(&all), Cells::Integers(&Integers::from(&all[..]))] {
            assert_eq!((cells.len(), cells.at(1), cells.at(9)), (6, big, Fr::ZERO));
            assert_eq!((cells.part(5..8), cells.last(0..6)), (vec![Fr::ZERO], Some(4)));
        }
    }
}
