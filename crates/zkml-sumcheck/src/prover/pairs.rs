//! A part of a committed vector against its functional, variable by variable.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use zkml_lanes::{Kernel, Lanes, Portable, left, total};

use super::rows::bind;
use crate::{field::powers, vector::Dot};

/// Elements that a thread takes at once.
const CHUNK: usize = 256;

/// Constant and quadratic coefficient of a round's polynomial.
pub(super) type Coefficients = (Fr, Fr);

/// A part of a functional: a multiple of `eq(κ … κ, ·)` on the whole part of the vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    /// `κ`.
    pub(super) at: Fr,
    /// What multiplies it.
    pub(super) factor: Fr,
}

impl Fixed {
    /// Fixes a variable.
    pub(super) fn bind(&mut self, r: Fr) {
        self.factor *= (Fr::ONE - self.at) * (Fr::ONE - r) + self.at * r;
    }

    /// `eq(κ … κ, x)` in so many variables, by the number of ones of `x`.
    pub(super) fn weights(&self, variables: u32) -> Vec<Fr> {
        let count = variables as usize + 1;
        let (ones, zeros) = (powers(self.at, count), powers(Fr::ONE - self.at, count));
        ones.iter().zip(zeros.iter().rev()).map(|(one, zero)| *one * zero).collect()
    }
}

/// `Σ_x v(x) eq(κ … κ, x)` over `variables`, for a vector that is zero after the elements given.
pub(super) fn at_fixed<L: Lanes>(lanes: L, table: &[L::Element], at: Fr, variables: u32) -> Fr {
    let mut half = table.len().next_power_of_two();
    let length = half * L::WIDTH;
    let mut table = Cow::Borrowed(table);
    let factor = lanes.scalar(&at);
    while half > 1 {
        half /= 2;
        bind(lanes, &mut table, half, &factor);
    }
    let mut rest = left(lanes, &table, L::WIDTH);
    while rest.len() > 1 {
        crate::field::bind(&mut rest, at);
    }
    rest[0] * (Fr::ONE - at).pow_vartime([u64::from(variables - length.ilog2())])
}

/// Vector and functional on what is left of the cube.
struct Tables<'a, L: Lanes> {
    /// Zero after the elements given.
    vector: Cow<'a, [L::Element]>,
    functional: Cow<'static, [L::Element]>,
}

struct Round<'a, L: Lanes> {
    /// The second may be shorter: then it is zero.
    vector: [&'a [L::Element]; 2],
    functional: [&'a [L::Element]; 2],
}

impl<L: Lanes> Kernel<L> for Round<'_, L> {
    type Output = Coefficients;

    #[inline(always)]
    fn run(self, lanes: L) -> Coefficients {
        let (mut constant, mut square) = (lanes.products(), lanes.products());
        let ([p0, p1], [q0, q1]) = (self.vector, self.functional);
        let zero = lanes.zero();
        for x in 0..p0.len() {
            let p1 = p1.get(x).unwrap_or(&zero);
            lanes.add_product(&mut constant, &p0[x], &q0[x]);
            lanes.add_product(&mut square, &lanes.sub(p1, &p0[x]), &lanes.sub(&q1[x], &q0[x]));
        }
        (total(lanes, &lanes.sum(&constant)), total(lanes, &lanes.sum(&square)))
    }
}

impl<L: Lanes> Tables<'_, L> {
    fn inner(&self, lanes: L) -> Fr {
        let pairs = self.vector.par_chunks(CHUNK).zip(self.functional.par_chunks(CHUNK));
        pairs.map(|(v, f)| lanes.run(Dot::<L>(v, f))).sum()
    }

    fn round(&self, lanes: L) -> Coefficients {
        let half = self.functional.len() / 2;
        let (low, high) = self.vector.split_at(half.min(self.vector.len()));
        let functional = self.functional.split_at(half);
        let one = |(chunk, low): (usize, &[L::Element])| {
            let at = chunk * CHUNK..chunk * CHUNK + low.len();
            let high = &high[at.start.min(high.len())..at.end.min(high.len())];
            lanes.run(Round {
                vector: [low, high],
                functional: [&functional.0[at.clone()], &functional.1[at]],
            })
        };
        let chunks = low.par_chunks(CHUNK).enumerate();
        chunks.map(one).reduce(|| (Fr::ZERO, Fr::ZERO), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    fn bind(&mut self, lanes: L, r: Fr) {
        let (r, half) = (lanes.scalar(&r), self.functional.len() / 2);
        let of_vector = || bind(lanes, &mut self.vector, half, &r);
        rayon::join(of_vector, || bind(lanes, &mut self.functional, half, &r));
    }
}

/// A part of a vector that is zero from some power of two on, and its functional.
pub(super) struct Pair<'a, L: Lanes> {
    lanes: L,
    tables: Tables<'a, L>,
    /// What is left when an element's lanes are to be bound.
    narrow: Option<Tables<'static, Portable>>,
    /// Number of variables of the tables to begin with.
    own: u32,
    /// While higher variables are bound: what vector and functional are to be multiplied by, and their sum.
    scale: Fr,
    inner: Fr,
    /// Other parts of the functional, each with the vector's value at its point, until they are part of the table.
    fixed: Vec<(Fixed, Fr)>,
}

impl<'a, L: Lanes> Pair<'a, L> {
    /// Vector and functional, both zero after the elements given, but for parts of the functional at fixed points; over `variables`.
    pub(super) fn new(
        lanes: L,
        vector: Cow<'a, [L::Element]>,
        mut functional: Vec<L::Element>,
        fixed: &[Fixed],
        variables: u32,
    ) -> Self {
        let elements = vector.len().max(functional.len()).next_power_of_two();
        functional.resize(elements, lanes.zero());
        let own = (elements * L::WIDTH).ilog2();
        let fixed = fixed.iter().map(|f| (*f, at_fixed(lanes, &vector, f.at, own))).collect();
        let tables = Tables { vector, functional: Cow::Owned(functional) };
        let inner = if own < variables { tables.inner(lanes) } else { Fr::ZERO };
        let mut pair = Self { lanes, tables, narrow: None, own, scale: Fr::ONE, inner, fixed };
        if own == variables {
            pair.merge();
        }
        pair
    }

    /// Coefficients of the round that binds variable `v`.
    pub(super) fn round(&self, v: u32) -> Coefficients {
        if v >= self.own {
            // The vector is zero in the upper half, and so is the table of the functional.
            let table = self.scale * self.scale * self.inner;
            let (mut constant, mut square) = (table, table);
            for (fixed, value) in &self.fixed {
                let below = (Fr::ONE - fixed.at).pow_vartime([u64::from(v - self.own)]);
                let both = self.scale * fixed.factor * below * value;
                constant += both * (Fr::ONE - fixed.at);
                square += both * (Fr::ONE - fixed.at.double());
            }
            return (constant, square);
        }
        match &self.narrow {
            Some(tables) => tables.round(Portable),
            None => self.tables.round(self.lanes),
        }
    }

    /// Fixes variable `v`.
    pub(super) fn bind(&mut self, v: u32, r: Fr) {
        if v >= self.own {
            self.scale *= Fr::ONE - r;
            self.fixed.iter_mut().for_each(|(fixed, _)| fixed.bind(r));
            if v == self.own {
                self.merge();
            }
            return;
        }
        match &mut self.narrow {
            Some(tables) => tables.bind(Portable, r),
            None => {
                self.tables.bind(self.lanes, r);
                self.narrowed();
            }
        }
    }

    /// Once the tables' own variables are to be bound, everything is part of them.
    fn merge(&mut self) {
        let lanes = self.lanes;
        if self.scale != Fr::ONE {
            let scale = lanes.scalar(&self.scale);
            for table in [self.tables.vector.to_mut(), self.tables.functional.to_mut()] {
                table.par_chunks_mut(CHUNK).for_each(|part| lanes.run(Scale { part, scale: &scale }));
            }
        }
        for (fixed, _) in std::mem::take(&mut self.fixed) {
            let weights = fixed_weights(lanes, &fixed, self.own);
            let parts = self.tables.functional.to_mut().par_chunks_mut(CHUNK).zip(weights.par_chunks(CHUNK));
            parts.for_each(|(part, other)| lanes.run(Add { part, other }));
        }
        self.narrowed();
    }

    fn narrowed(&mut self) {
        if L::WIDTH > 1 && self.tables.functional.len() == 1 {
            // No element is as good as one of zeros.
            let rows = |table: &[L::Element]| Cow::Owned(left(self.lanes, table, L::WIDTH));
            self.narrow =
                Some(Tables { vector: rows(&self.tables.vector), functional: rows(&self.tables.functional) });
        }
    }

    /// The functional at the point where all variables are bound.
    pub(super) fn value(&self) -> Fr {
        match &self.narrow {
            Some(tables) => tables.functional[0],
            None => left(self.lanes, &self.tables.functional, 1)[0],
        }
    }
}

struct Scale<'a, L: Lanes> {
    part: &'a mut [L::Element],
    scale: &'a L::Scalar,
}

impl<L: Lanes> Kernel<L> for Scale<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        for x in self.part {
            *x = lanes.scale(x, self.scale);
        }
    }
}

struct Add<'a, L: Lanes> {
    part: &'a mut [L::Element],
    other: &'a [L::Element],
}

impl<L: Lanes> Kernel<L> for Add<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        for (a, b) in self.part.iter_mut().zip(self.other) {
            *a = lanes.add(a, b);
        }
    }
}

/// Copies of a table, each multiplied by a number.
struct Grow<'a, L: Lanes> {
    table: &'a mut Vec<L::Element>,
    zero: L::Scalar,
    one: L::Scalar,
}

impl<L: Lanes> Kernel<L> for Grow<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        let length = self.table.len();
        for x in 0..length {
            let value = self.table[x];
            self.table.push(lanes.scale(&value, &self.one));
            self.table[x] = lanes.scale(&value, &self.zero);
        }
    }
}

/// `factor · eq(κ … κ, ·)` in so many variables, of which there are enough for one element.
pub(super) fn fixed_weights<L: Lanes>(lanes: L, fixed: &Fixed, variables: u32) -> Vec<L::Element> {
    let lowest = L::WIDTH.ilog2();
    let weights = fixed.weights(lowest);
    let first: Vec<Fr> = (0..L::WIDTH).map(|x| fixed.factor * weights[x.count_ones() as usize]).collect();
    let mut table = Vec::with_capacity(1 << (variables - lowest));
    table.push(lanes.load(&first));
    for _ in lowest..variables {
        let (zero, one) = (lanes.scalar(&(Fr::ONE - fixed.at)), lanes.scalar(&fixed.at));
        lanes.run(Grow { table: &mut table, zero, one });
    }
    table
}

/// The masks: few cells of a long vector, and their functional.
pub(super) struct Sparse {
    /// Vector and functional by address.
    cells: BTreeMap<usize, [Fr; 2]>,
    fixed: Vec<Fixed>,
}

impl Sparse {
    /// The cells of a vector that are not zero, with the functional by address and its parts at fixed points.
    pub(super) fn new(vector: &[Fr], functional: BTreeMap<usize, Fr>, fixed: Vec<Fixed>) -> Self {
        let mut cells: BTreeMap<usize, [Fr; 2]> =
            functional.into_iter().map(|(at, weight)| (at, [Fr::ZERO, weight])).collect();
        for (at, value) in vector.iter().enumerate().filter(|(_, v)| **v != Fr::ZERO) {
            cells.entry(at).or_default()[0] = *value;
        }
        Self { cells, fixed }
    }

    /// What the parts of the functional at fixed points are at an address.
    fn fixed_weights(&self, variables: u32) -> impl Fn(usize) -> Fr {
        let mut sums = vec![Fr::ZERO; variables as usize + 1];
        for fixed in &self.fixed {
            sums.iter_mut().zip(fixed.weights(variables)).for_each(|(sum, w)| *sum += fixed.factor * w);
        }
        move |x: usize| sums[x.count_ones() as usize]
    }

    /// The vector against its functional, over all `variables`.
    pub(super) fn inner(&self, variables: u32) -> Fr {
        let fixed = self.fixed_weights(variables);
        self.cells.iter().map(|(x, [value, weight])| *value * (*weight + fixed(*x))).sum()
    }

    /// Low parts of the addresses, with vector and functional on both halves.
    fn halves(&self, v: u32) -> impl Iterator<Item = (usize, [[Fr; 2]; 2])> + '_ {
        let half = 1usize << v;
        let mut places: Vec<usize> = self.cells.keys().map(|at| at & (half - 1)).collect();
        places.sort_unstable();
        places.dedup();
        let cell = |at: usize| self.cells.get(&at).copied().unwrap_or_default();
        places.into_iter().map(move |x| (x, [cell(x), cell(x | half)]))
    }

    /// Coefficients of the round that binds variable `v`.
    pub(super) fn round(&self, v: u32) -> Coefficients {
        let (mut constant, mut square) = (Fr::ZERO, Fr::ZERO);
        let fixed = self.fixed_weights(v + 1);
        for (x, [[p0, q0], [p1, q1]]) in self.halves(v) {
            let (q0, q1) = (q0 + fixed(x), q1 + fixed(x | 1 << v));
            constant += p0 * q0;
            square += (p1 - p0) * (q1 - q0);
        }
        (constant, square)
    }

    /// Fixes variable `v`.
    pub(super) fn bind(&mut self, v: u32, r: Fr) {
        let between = |low: Fr, high: Fr| low + r * (high - low);
        let bound =
            self.halves(v).map(|(x, [low, high])| (x, [between(low[0], high[0]), between(low[1], high[1])]));
        self.cells = bound.collect();
        self.fixed.iter_mut().for_each(|f| f.bind(r));
    }

    /// The functional at the point where all variables are bound.
    pub(super) fn value(&self) -> Fr {
        let own = self.cells.get(&0).map_or(Fr::ZERO, |cell| cell[1]);
        own + self.fixed.iter().map(|f| f.factor).sum::<Fr>()
    }
}
