//! Structured functionals as tables, and tensors summed along some of their indices: the prover's side of
//! [`Term`].

use ff::Field;
use halo2curves::bn256::Fr;
use std::borrow::Cow;
use zkml_curve::scalar_from_word;
use zkml_protocol::{
    Word,
    sumcheck::{Axis, Index, Term},
};

use crate::field::weight_table;

/// Weights of all values of an index, up to its extent.
pub(crate) fn index_weights(index: &Index, pairs: &[(Fr, Fr)]) -> Vec<Fr> {
    let mut out = weight_table(pairs);
    out.truncate(index.extent as usize);
    out
}

/// Calls `visit` for all values of the indices of an axis that show something: with the coordinate, and the values.
pub(crate) fn for_each_shown(axis: &Axis, indices: &[Index], visit: &mut impl FnMut(usize, &[u64])) {
    let extents: Vec<u64> = axis.steps.iter().map(|s| indices[s.index as usize].extent).collect();
    let mut values = vec![0u64; extents.len()];
    loop {
        let steps = axis.steps.iter().zip(&values);
        let at = axis.offset + steps.map(|(s, v)| s.stride * *v as i64).sum::<i64>();
        if at >= 0 && (at as u64) < axis.bound {
            visit(at as usize, &values);
        }
        // The next combination, the first index fastest.
        let mut place = 0;
        loop {
            let Some(value) = values.get_mut(place) else { return };
            *value += 1;
            if *value < extents[place] {
                break;
            }
            *value = 0;
            place += 1;
        }
    }
}

/// A term's functional: the same weights at several places.
pub(crate) struct Spread<'a> {
    /// Weights, `2^bit` addresses apart.
    pub(crate) own: Cow<'a, [Fr]>,
    /// The index whose weights these are, if they are those of one.
    pub(crate) index: Option<usize>,
    pub(crate) bit: u32,
    /// Where they begin, and what multiplies them there.
    pub(crate) starts: Vec<(usize, Fr)>,
}

/// `factor · φ` of a term.
pub(crate) fn spread<'a>(factor: Fr, term: &Term, indices: &[Index], weights: &[&'a [Fr]]) -> Spread<'a> {
    let repeated: Fr = term.broadcast.iter().map(|i| weights[*i as usize].iter().sum::<Fr>()).product();
    // The outer product of the axes but the lowest: addresses with weights.
    let mut axes: Vec<&Axis> = term.axes.iter().collect();
    axes.sort_by_key(|axis| std::cmp::Reverse(axis.bit));
    let lowest = axes.pop();
    let mut places = vec![(0usize, factor * repeated)];
    for axis in axes {
        let (own, _) = axis_weights(axis, indices, weights);
        let grow = |(at, w): &(usize, Fr)| {
            let (at, w) = (*at, *w);
            own.iter().enumerate().map(move |(i, o)| (at + (i << axis.bit), w * o))
        };
        places = places.iter().flat_map(grow).filter(|(_, w)| *w != Fr::ZERO).collect();
    }
    let one = || (Cow::Owned(vec![Fr::ONE]), None);
    let (own, index) = lowest.map_or_else(one, |axis| axis_weights(axis, indices, weights));
    let cell = |(base, coefficient): &(u64, Word)| {
        let (base, coefficient) = (*base as usize, scalar_from_word(coefficient).unwrap_or(Fr::ZERO));
        places.iter().map(move |(at, w)| (base + at, *w * coefficient))
    };
    let starts = term.cells.iter().flat_map(cell).collect();
    Spread { own, index, bit: lowest.map_or(0, |axis| axis.bit), starts }
}

impl Spread<'_> {
    /// Adds the weights at one of their places to a table.
    pub(crate) fn add_to(&self, table: &mut [Fr], start: usize, factor: &Fr) {
        let cells = table[start..].iter_mut().step_by(1 << self.bit);
        cells.zip(&*self.own).for_each(|(cell, o)| *cell += factor * o);
    }
}

/// What each coordinate of an axis counts, and the index whose weights these are.
fn axis_weights<'a>(axis: &Axis, indices: &[Index], weights: &[&'a [Fr]]) -> (Cow<'a, [Fr]>, Option<usize>) {
    if let ([step], 0) = (axis.steps.as_slice(), axis.offset)
        && step.stride == 1
    {
        let own = weights[step.index as usize];
        return (Cow::Borrowed(&own[..own.len().min(axis.bound as usize)]), Some(step.index as usize));
    }
    let mut own = vec![Fr::ZERO; 1 << axis.bits];
    for_each_shown(axis, indices, &mut |at, values| {
        let parts = axis.steps.iter().zip(values);
        own[at] += parts.map(|(s, v)| weights[s.index as usize][*v as usize]).product::<Fr>();
    });
    (Cow::Owned(own), None)
}
