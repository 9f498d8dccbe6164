//! Tensors of constants in one vector.

use halo2curves::bn256::Fr;
use std::ops::Range;

use crate::{Integers, layout::digits::Digits};

/// A vector that tensors are put into, and which of its elements are taken. What is not is free to hold anything: functionals are
/// zero there.
pub(super) struct Packed {
    pub(super) vector: Integers,
    taken: Vec<bool>,
}

impl Packed {
    /// A vector whose first elements are taken.
    pub(super) fn after(length: usize) -> Self {
        Self { vector: Integers::zeros(length), taken: vec![true; length] }
    }

    /// Puts a tensor at the first aligned address where all its elements are free, and returns it.
    pub(super) fn put(&mut self, digits: &Digits, values: &[i64]) -> u64 {
        let run = digits.run();
        let place = |(i, own): (usize, &[i64])| {
            let at = digits.address((i * run) as u64) as usize;
            at..at + own.len()
        };
        let places: Vec<Range<usize>> = values.chunks(run).enumerate().map(place).collect();
        let base = self.reserve(digits.total_bits(), &places);
        for (place, own) in places.into_iter().zip(values.chunks(run)) {
            self.vector.small_mut(base + place.start..base + place.end).copy_from_slice(own);
        }
        base as u64
    }

    /// Puts elements at places below `2^bits` from the first aligned address on where all of them are free, and returns it.
    pub(super) fn put_elements(&mut self, bits: u32, elements: &[(u64, Fr)]) -> u64 {
        let places: Vec<Range<usize>> =
            elements.iter().map(|(at, _)| *at as usize..*at as usize + 1).collect();
        let base = self.reserve(bits, &places);
        elements.iter().for_each(|(at, value)| self.vector.set(base + *at as usize, *value));
        base as u64
    }

    /// Takes places from the first aligned address on where all of them are free.
    fn reserve(&mut self, bits: u32, places: &[Range<usize>]) -> usize {
        let (size, length) = (1usize << bits, self.taken.len());
        let is_free = |base: usize, place: &Range<usize>| {
            // Beyond the end everything is free.
            let [start, end] = [place.start, place.end].map(|at| (base + at).min(length));
            !self.taken[start..end].contains(&true)
        };
        let free = |base: &usize| places.iter().all(|place| is_free(*base, place));
        let base = (0..length).step_by(size).find(free).unwrap_or_else(|| length.next_multiple_of(size));
        if length < base + size {
            self.taken.resize(base + size, false);
            self.vector.resize(base + size);
        }
        places.iter().for_each(|place| self.taken[base + place.start..base + place.end].fill(true));
        base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_tensors_fill_holes() {
        let mut packed = Packed::after(3);
        let ones = |count: usize, x: i64| vec![x; count];
        // Three rows of five, eight apart: rows end three elements early, and a fourth row is free.
        assert_eq!(packed.put(&Digits::grouped(3, 5), &ones(15, 1)), 32);
        // One row of eight, the first place of which is taken in part.
        assert_eq!(packed.put(&Digits::grouped(1, 8), &ones(8, 2)), 8);
        assert_eq!(packed.put(&Digits::grouped(1, 4), &ones(4, 3)), 4);
        assert_eq!(packed.put(&Digits::grouped(1, 2), &ones(2, 4)), 16);
        assert_eq!(packed.put(&Digits::grouped(2, 2), &ones(4, 5)), 20);
        // Behind the rows of the first.
        assert_eq!(packed.put(&Digits::grouped(1, 8), &ones(8, 6)), 24);
        assert_eq!(packed.put(&Digits::grouped(1, 8), &ones(8, 7)), 56);
        assert_eq!(packed.put(&Digits::grouped(1, 8), &ones(8, 8)), 64);
        // Single elements behind the first row's.
        let elements = [5, 7].map(|at| (at, crate::field::from_i64(9)));
        assert_eq!(packed.put_elements(3, &elements), 32);
        let all = packed.vector.all();
        for (value, count) in [(1, 15), (2, 8), (3, 4), (4, 2), (5, 4), (6, 8), (7, 8), (8, 8), (9, 2)] {
            let own = crate::field::from_i64(value);
            assert_eq!(all.iter().filter(|x| **x == own).count(), count, "all elements of {value} are kept");
        }
    }
}
