//! Terms by their definition, element by element, on random cells.

use ff::Field;
use halo2curves::bn256::Fr;
use rand_core::{RngCore, SeedableRng};
use zkml_curve::scalar_from_word;
use zkml_protocol::{
    Word,
    sumcheck::{Affine, Form, Gate, Index, Linear, Source, Term, Weight},
};

use crate::layout::{Layout, block, private, resolve::Place};

/// Random assignments: one to find a factor, the others to confirm it. What is read off is one vector, point by point.
pub(super) const POINTS: usize = 3;

/// Random cells, and what is read off them.
pub(super) struct Evaluator<'a> {
    layout: &'a Layout,
    cells: [Vec<Fr>; POINTS],
    /// Those of `V`.
    private: [Vec<Fr>; POINTS],
    /// What sequences are compared at.
    pub(super) chi: Fr,
}

pub(super) fn scalar(word: &Word) -> Fr {
    scalar_from_word(word).unwrap_or(Fr::ZERO)
}

/// Calls `visit` for all values of some of the indices, the last fastest; others stay zero.
pub(super) fn for_each(indices: &[Index], chosen: &[usize], visit: &mut dyn FnMut(&[u64])) {
    let mut values = vec![0u64; indices.len()];
    loop {
        visit(&values);
        let mut place = chosen.len();
        loop {
            let Some(next) = place.checked_sub(1) else { return };
            place = next;
            let i = chosen[place];
            values[i] += 1;
            if values[i] < indices[i].extent {
                break;
            }
            values[i] = 0;
        }
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(layout: &'a Layout) -> Self {
        let system = &layout.system;
        let grid = (system.columns as usize) << system.row_bits;
        let table = 1usize << system.table.bits;
        let length = grid.next_multiple_of(table) + table + system.loose as usize;
        // One call of the system for all.
        let mut seed = [0; 32];
        rand_core::OsRng.fill_bytes(&mut seed);
        let mut rng = rand_chacha::ChaCha20Rng::from_seed(seed);
        let cells = std::array::from_fn(|_| (0..length).map(|_| Fr::random(&mut rng)).collect());
        let length = system.private.map_or(0, |p| p.cells);
        let private = std::array::from_fn(|_| (0..length).map(|_| Fr::random(&mut rng)).collect());
        Self { layout, cells, private, chi: Fr::random(&mut rng) }
    }

    /// The same cells, with the weights of another layout.
    #[cfg(test)]
    pub(super) fn with_cells_of(layout: &'a Layout, other: &Self) -> Self {
        Self { layout, cells: other.cells.clone(), private: other.private.clone(), chi: other.chi }
    }

    /// A term at values of the indices: zero where a coordinate leaves its bounds.
    fn term(&self, term: &Term, values: &[u64], point: usize) -> Fr {
        let mut address = 0usize;
        for axis in &term.axes {
            let steps = axis.steps.iter().map(|s| s.stride * values[s.index as usize] as i64);
            let at = axis.offset + steps.sum::<i64>();
            if at < 0 || at as u64 >= axis.bound {
                return Fr::ZERO;
            }
            address += (at as usize) << axis.bit;
        }
        let cell = |base: &u64| match term.source {
            Source::One => Fr::ONE,
            Source::Witness => self.cells[point].get(*base as usize + address).copied().unwrap_or(Fr::ZERO),
            Source::Weights => self.layout.weights.get(*base as usize + address).unwrap_or(Fr::ZERO),
            Source::Private => self.private[point].get(*base as usize + address).copied().unwrap_or(Fr::ZERO),
            Source::Helpers | Source::Masks => Fr::ZERO,
        };
        term.cells.iter().map(|(base, w)| scalar(w) * cell(base)).sum()
    }

    /// A form over some of the indices, the last fastest.
    pub(super) fn tensor(&self, form: &Form, indices: &[Index], chosen: &[usize]) -> Vec<Fr> {
        let mut out = Vec::new();
        for point in 0..POINTS {
            let at = |values: &[u64]| form.0.iter().map(|t| self.term(t, values, point)).sum();
            for_each(indices, chosen, &mut |values| out.push(at(values)));
        }
        out
    }

    /// A linear relation over its random indices; others are summed over with their weights, each term over its own.
    pub(super) fn linear(&self, l: &Linear) -> Vec<Fr> {
        (0..POINTS).flat_map(|point| self.linear_at(l, point)).collect()
    }

    fn linear_at(&self, l: &Linear, point: usize) -> Vec<Fr> {
        let random = |i: &usize| l.indices[*i].weight == Weight::Random;
        let outer: Vec<usize> = (0..l.indices.len()).filter(random).collect();
        let mut out = Vec::new();
        for_each(&l.indices, &outer, &mut |values| {
            let mut sum = Fr::ZERO;
            for term in &l.form.0 {
                let uses = |i: &usize| {
                    let i = *i as u32;
                    term.broadcast.contains(&i)
                        || term.axes.iter().flat_map(|a| &a.steps).any(|s| s.index == i)
                };
                let inner: Vec<usize> = (0..l.indices.len()).filter(|i| !random(i)).filter(uses).collect();
                for_each(&l.indices, &inner, &mut |own| {
                    let all: Vec<u64> = (0..l.indices.len())
                        .map(|i| if outer.contains(&i) { values[i] } else { own[i] })
                        .collect();
                    let weight: Fr = inner.iter().map(|i| self.weight(&l.indices[*i], own[*i])).product();
                    sum += weight * self.term(term, &all, point);
                });
            }
            out.push(sum);
        });
        out
    }

    fn weight(&self, index: &Index, value: u64) -> Fr {
        match index.weight {
            Weight::Random => Fr::ONE,
            Weight::Packed(base) => scalar(&base).pow_vartime([value]),
            Weight::Sequence { stride } => self.chi.pow_vartime([stride * value]),
        }
    }

    fn address(&self, block: usize, column: usize, element: usize) -> usize {
        let within = self.layout.structure.blocks[block].digits.address(element as u64) as usize;
        match &self.layout.places[block] {
            Place::Rows { start, column: first } => {
                ((first + column) << self.layout.system.row_bits) + *start as usize + within
            }
            Place::Loose(columns) => columns[column] as usize + within,
        }
    }

    /// The elements of a private weight.
    pub(super) fn private(&self, tensor: &private::Tensor, count: usize) -> Vec<Fr> {
        let cell = |point: usize, e: u64| self.private[point].get(tensor.address(e) as usize).copied();
        let at = |point: usize| (0..count as u64).map(move |e| cell(point, e).unwrap_or(Fr::ZERO));
        (0..POINTS).flat_map(at).collect()
    }

    /// The elements of a column of a block.
    pub(super) fn column(&self, block: usize, column: usize, count: usize) -> Vec<Fr> {
        let at = |point: usize| (0..count).map(move |e| self.cells[point][self.address(block, column, e)]);
        (0..POINTS).flat_map(at).collect()
    }

    /// The elements of a sum of columns.
    pub(super) fn cells(&self, block: usize, form: &block::Affine, count: usize) -> Vec<Fr> {
        let mut out = vec![form.constant; POINTS * count];
        for (c, w) in &form.terms {
            out.iter_mut().zip(self.column(block, *c, count)).for_each(|(o, x)| *o += *w * x);
        }
        out
    }

    /// The row of an element; none outside of the grid.
    pub(super) fn row(&self, block: usize, element: usize) -> Option<u64> {
        match &self.layout.places[block] {
            Place::Rows { start, .. } => {
                Some(start + self.layout.structure.blocks[block].digits.address(element as u64))
            }
            Place::Loose(_) => None,
        }
    }

    /// The number of a block's column among those of the grid; none outside of it.
    pub(super) fn grid_column(&self, block: usize, column: usize) -> Option<u32> {
        match &self.layout.places[block] {
            Place::Rows { column: first, .. } => u32::try_from(first + column).ok(),
            Place::Loose(_) => None,
        }
    }

    fn columns(&self, row: u64, point: usize) -> Vec<Fr> {
        let bits = self.layout.system.row_bits;
        (0..self.layout.system.columns as usize)
            .map(|c| self.cells[point][(c << bits) + row as usize])
            .collect()
    }

    /// A sum of columns in a row.
    pub(super) fn affine(&self, form: &Affine, row: u64, point: usize) -> Fr {
        let columns = self.columns(row, point);
        form.terms.iter().fold(scalar(&form.constant), |acc, (c, w)| acc + scalar(w) * columns[*c as usize])
    }

    /// A gate in a row.
    pub(super) fn gate(&self, gate: &Gate, row: u64, point: usize) -> Fr {
        let columns = self.columns(row, point);
        let product = |m: &zkml_protocol::sumcheck::Monomial| {
            m.columns.iter().fold(scalar(&m.coefficient), |acc, c| acc * columns[*c as usize])
        };
        gate.0.iter().map(product).sum()
    }
}
