//! A part of a committed vector against a functional that is a sum of few products, each of a weight for the row of an address and
//! one for its place in the row.
//!
//! Let `x` be the row of an address, `y` its place. With `φ(x, y) = Σ_j α_j(x) β_j(y)`, rounds that bind `x` are about
//! `Σ_j Σ_x α_j(x) u_j(x)`, `u_j(x) = Σ_y f(x, y) β_j(y)`, and those that bind `y` about one row: `f` and `φ` at the point in `x`. So
//! elements are multiplied once for each `j` and once more, and the functional is never written out.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;
use zkml_lanes::Lanes;

use super::{
    functionals::{InLanes, Run, Table},
    pairs::{Coefficients, Fixed, Pair, fixed_weights},
};
use crate::{
    field::{bind, eq_table, weight_table},
    vector::Vector,
};

/// A pair without halves costs about as much as so many products with every element of the vector.
const PAIR: usize = 8;
/// A product outside of lanes and the memory around it, in products of elements.
const SCALAR: usize = 16;

/// The functional of a part in halves.
pub(super) struct Halves<L: Lanes> {
    /// Binary logarithm of the length of a row.
    bits: u32,
    products: Vec<Product<L>>,
}

/// `α(x) β(y)`.
struct Product<L: Lanes> {
    /// `β`, and the first element of a row that it is at.
    at: usize,
    beta: Vec<L::Element>,
    /// `α` of all rows.
    alpha: Vec<Fr>,
}

/// The same weights at the same place of different rows: what they are a part of, which, and where.
type Same = (usize, Range<usize>, usize);

/// A piece of a run within a row.
struct Piece {
    row: usize,
    same: Same,
    factor: Fr,
}

/// Cuts a run into rows of so many elements. Slices of weights that are products are multiples of the first.
fn pieces<L: Lanes>(run: &Run<L>, row_elements: usize, rows: &mut Vec<Piece>) {
    let weights: &InLanes<L> = &run.weights;
    let place = std::ptr::from_ref(weights) as usize;
    let tops = tops(run, row_elements);
    let (mut at, mut from) = (run.start, run.own.start);
    while from < run.own.end {
        let to = run.own.end.min(from + row_elements - at % row_elements);
        let (mut own, mut factor) = (from..to, run.factor);
        if let Some(tops) = &tops
            && own.len() == row_elements
        {
            factor *= tops[from / row_elements];
            own = 0..row_elements;
        }
        rows.push(Piece { row: at / row_elements, same: (place, own, at % row_elements), factor });
        (at, from) = (at + to - from, to);
    }
}

/// For each row of a run's weights, the number by which it is a multiple of the first, if all are.
fn tops<L: Lanes>(run: &Run<L>, row_elements: usize) -> Option<Vec<Fr>> {
    let aligned = run.start.is_multiple_of(row_elements) && run.own.start.is_multiple_of(row_elements);
    let within = (row_elements * L::WIDTH).ilog2() as usize;
    let pairs = run.weights.pairs.get(within..).filter(|pairs| aligned && !pairs.is_empty())?;
    let first: Option<Fr> = pairs.iter().map(|(zero, _)| *zero).product::<Fr>().invert().into();
    first.map(|inverse| weight_table(pairs).into_iter().map(|top| top * inverse).collect())
}

impl<L: Lanes> Halves<L> {
    /// The functional of a part of `2^variables` addresses in halves, if that is cheaper than writing it out; the vector has `used`
    /// numbers there.
    pub(super) fn new(
        lanes: L,
        table: &Table<L>,
        fixed: &[Fixed],
        variables: u32,
        used: usize,
    ) -> Option<Self> {
        // What is no run would be a product for itself.
        if !table.rest.is_empty() || table.runs.is_empty() {
            return None;
        }
        let lowest = L::WIDTH.ilog2();
        let cost = |bits: u32| {
            let count = count(&table.runs, 1 << (bits - lowest)) + fixed.len();
            let products = (count + 1) * used;
            (products + SCALAR * ((count << (variables - bits)) + (1 << bits)), bits)
        };
        let (least, bits) = (lowest..variables).map(cost).min()?;
        (least < PAIR * used).then(|| Self::with_rows(lanes, table, fixed, variables, bits))
    }

    fn with_rows(lanes: L, table: &Table<L>, fixed: &[Fixed], variables: u32, bits: u32) -> Self {
        let row_elements = 1 << (bits - L::WIDTH.ilog2());
        let rows = 1usize << (variables - bits);
        let mut products: Vec<Product<L>> = Vec::new();
        let mut known: HashMap<Same, usize> = HashMap::new();
        for run in &table.runs {
            let mut all = Vec::new();
            pieces(run, row_elements, &mut all);
            for Piece { row, same, factor } in all {
                let product = *known.entry(same).or_insert_with_key(|(_, own, at)| {
                    let beta = run.weights.elements[own.clone()].to_vec();
                    products.push(Product { at: *at, beta, alpha: vec![Fr::ZERO; rows] });
                    products.len() - 1
                });
                products[product].alpha[row] += factor;
            }
        }
        for f in fixed {
            let one = Fixed { at: f.at, factor: Fr::ONE };
            let by_ones = f.weights(variables - bits);
            let alpha = (0..rows).map(|row| f.factor * by_ones[row.count_ones() as usize]).collect();
            products.push(Product { at: 0, beta: fixed_weights(lanes, &one, bits), alpha });
        }
        Self { bits, products }
    }
}

/// Products that runs make with rows of so many elements.
fn count<L: Lanes>(runs: &[Run<L>], row_elements: usize) -> usize {
    let mut seen = std::collections::HashSet::new();
    let mut rows = Vec::new();
    for run in runs {
        rows.clear();
        pieces(run, row_elements, &mut rows);
        seen.extend(rows.drain(..).map(|piece| piece.same));
        if seen.len() > PAIR {
            break;
        }
    }
    seen.len()
}

/// A part of a vector against its functional in halves, variable by variable.
pub(super) struct HalvesPair<'a, L: Lanes> {
    lanes: L,
    halves: Halves<L>,
    vector: Vector<'a, L>,
    /// `u_j`, in the order of the products.
    sums: Vec<Vec<Fr>>,
    /// Challenges of rows, the last variable first.
    point: Vec<Fr>,
    /// The one row that is left when all are bound.
    row: Option<Pair<'static, L>>,
}

impl<'a, L: Lanes> HalvesPair<'a, L> {
    /// The vector is zero after the elements given.
    pub(super) fn new(lanes: L, vector: Vector<'a, L>, halves: Halves<L>) -> Self {
        let row_elements = 1 << (halves.bits - L::WIDTH.ilog2());
        let sum = |row: usize, product: &Product<L>| {
            let own = row * row_elements + product.at..(row + 1) * row_elements;
            vector.part(own).dot(lanes, &product.beta)
        };
        let rows: Vec<Vec<Fr>> = (0..vector.len().div_ceil(row_elements))
            .into_par_iter()
            .map(|row| halves.products.iter().map(|product| sum(row, product)).collect())
            .collect();
        let of = |j: usize, product: &Product<L>| {
            let mut sums: Vec<Fr> = rows.iter().map(|row| row[j]).collect();
            sums.resize(product.alpha.len(), Fr::ZERO);
            sums
        };
        let sums = halves.products.iter().enumerate().map(|(j, product)| of(j, product)).collect();
        let mut out = Self { lanes, halves, vector, sums, point: vec![], row: None };
        out.bound();
        out
    }

    /// Coefficients of the round that binds variable `v`.
    pub(super) fn round(&self, v: u32) -> Coefficients {
        if let Some(row) = &self.row {
            return row.round(v);
        }
        let (mut constant, mut square) = (Fr::ZERO, Fr::ZERO);
        for (Product { alpha, .. }, sums) in self.halves.products.iter().zip(&self.sums) {
            let half = alpha.len() / 2;
            for x in 0..half {
                constant += alpha[x] * sums[x];
                square += (alpha[x + half] - alpha[x]) * (sums[x + half] - sums[x]);
            }
        }
        (constant, square)
    }

    /// Fixes variable `v`.
    pub(super) fn bind(&mut self, v: u32, r: Fr) {
        if let Some(row) = &mut self.row {
            return row.bind(v, r);
        }
        let alphas = self.halves.products.iter_mut().map(|product| &mut product.alpha);
        alphas.chain(&mut self.sums).for_each(|table| bind(table, r));
        self.point.push(r);
        self.bound();
    }

    /// When all rows are bound, one row is left.
    fn bound(&mut self) {
        if self.sums.iter().any(|sums| sums.len() > 1) {
            return;
        }
        let (lanes, bits) = (self.lanes, self.halves.bits);
        let row_elements = 1 << (bits - L::WIDTH.ilog2());
        self.point.reverse();
        let weights = eq_table(&self.point).into_iter().enumerate();
        let used = weights.take(self.vector.len().div_ceil(row_elements));
        let rows: Vec<(usize, L::Scalar)> =
            used.map(|(row, weight)| (row * row_elements, lanes.scalar(&weight))).collect();
        let vector = self.vector.sum_of_runs(lanes, &rows, row_elements);
        let mut functional = vec![lanes.zero(); row_elements];
        for Product { at, beta, alpha } in &self.halves.products {
            Vector::Elements(beta).add_to(lanes, &mut functional[*at..*at + beta.len()], &alpha[0]);
        }
        self.row = Some(Pair::new(lanes, vector.into(), functional, &[], bits));
    }

    /// The functional at the point where all variables are bound.
    pub(super) fn value(&self) -> Fr {
        self.row.as_ref().map_or(Fr::ZERO, Pair::value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::all_entered;
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use std::sync::Arc;
    use zkml_lanes::{Choice, Portable, best};

    const VARIABLES: u32 = 9;

    /// Runs of all kinds: products or not, short, in the middle of rows, across their ends, and slices of longer weights.
    fn runs<L: Lanes>(lanes: L, rng: &mut ChaCha8Rng) -> Vec<Run<L>> {
        let elements = |cells: usize| cells / L::WIDTH;
        let mut out = Vec::new();
        let mut add = |weights: &Arc<InLanes<L>>, own: Range<usize>, start: usize, factor: Fr| {
            out.push(Run {
                start: elements(start),
                factor,
                weights: weights.clone(),
                own: elements(own.start)..elements(own.end),
            });
        };
        let mut random = || Fr::random(&mut *rng);
        let pairs: Vec<(Fr, Fr)> = (0..7).map(|_| (random(), random())).collect();
        let products = weight_table(&pairs);
        let tensor = Arc::new(InLanes { elements: all_entered(lanes, &products[..120]), pairs });
        add(&tensor, 0..120, 128, random());
        add(&tensor, 32..96, 256, random());
        let plain: Vec<Fr> = (0..48).map(|_| random()).collect();
        let plain = Arc::new(InLanes { elements: all_entered(lanes, &plain), pairs: vec![] });
        for start in [0, 40, 64, 192, 320] {
            add(&plain, 0..48, start, random());
        }
        out
    }

    /// Both ways agree in every round, however long rows are.
    struct Agreement;

    impl Choice for Agreement {
        type Output = ();

        fn with<L: Lanes>(self, lanes: L) {
            let mut rng = ChaCha8Rng::seed_from_u64(5);
            let table = Table::of_runs(384, runs(lanes, &mut rng));
            let vector: Vec<Fr> = (0..400).map(|_| Fr::random(&mut rng)).collect();
            let vector = all_entered(lanes, &vector);
            let fixed = [2, 3].map(|at| Fixed { at: Fr::from(at), factor: Fr::random(&mut rng) });
            let point: Vec<Fr> = (0..VARIABLES).map(|_| Fr::random(&mut rng)).collect();
            for bits in L::WIDTH.ilog2()..=VARIABLES {
                let mut whole = Pair::new(lanes, (&vector).into(), table.summed(lanes), &fixed, VARIABLES);
                let halves = Halves::with_rows(lanes, &table, &fixed, VARIABLES, bits);
                let mut halves = HalvesPair::new(lanes, Vector::Elements(&vector), halves);
                for v in (0..VARIABLES).rev() {
                    assert_eq!(halves.round(v), whole.round(v), "rows of 2^{bits}, variable {v}");
                    whole.bind(v, point[v as usize]);
                    halves.bind(v, point[v as usize]);
                }
                assert_eq!(halves.value(), whole.value(), "rows of 2^{bits}");
            }
        }
    }

    #[test]
    fn halves_are_the_whole() {
        Agreement.with(Portable);
        best(Agreement);
    }

    #[test]
    fn weights_that_are_products_are_one_product() {
        let pairs: Vec<(Fr, Fr)> = (2..9).map(|x| (Fr::from(x), Fr::from(x + 9))).collect();
        let elements = weight_table(&pairs);
        let run = |pairs: &[(Fr, Fr)]| Run::<Portable> {
            start: 128,
            factor: Fr::ONE,
            weights: Arc::new(InLanes { elements: elements.clone(), pairs: pairs.to_vec() }),
            own: 0..128,
        };
        assert_eq!(count(&[run(&pairs)], 32), 1);
        assert_eq!(count(&[run(&[])], 32), 4);
    }
}
