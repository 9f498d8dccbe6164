//! Structured functionals as tables, and tensors summed along some of their indices: the prover's side of
//! [`Term`].

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use zkml_curve::scalar_from_word;
use zkml_protocol::sumcheck::{Axis, Index, Source, Term};

use crate::field::weight_table;

/// Weights of all values of an index, up to its extent.
pub(crate) fn index_weights(index: &Index, pairs: &[(Fr, Fr)]) -> Vec<Fr> {
    let mut out = weight_table(pairs);
    out.truncate(index.extent as usize);
    out
}

/// Calls `visit` for all values of the indices of an axis that show something: with the coordinate, and the values.
fn for_each_shown(axis: &Axis, indices: &[Index], visit: &mut impl FnMut(usize, &[u64])) {
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

/// Adds `factor · φ` to a table of the vector that the term reads.
pub(crate) fn add_functional(
    table: &mut [Fr],
    factor: Fr,
    term: &Term,
    indices: &[Index],
    weights: &[Vec<Fr>],
) {
    let repeated: Fr = term.broadcast.iter().map(|i| weights[*i as usize].iter().sum::<Fr>()).product();
    // The outer product of the axes: addresses with weights.
    let mut places = vec![(0usize, factor * repeated)];
    for axis in &term.axes {
        let mut own = vec![Fr::ZERO; 1 << axis.bits];
        for_each_shown(axis, indices, &mut |at, values| {
            let parts = axis.steps.iter().zip(values);
            own[at] += parts.map(|(s, v)| weights[s.index as usize][*v as usize]).product::<Fr>();
        });
        let own: Vec<(usize, Fr)> = own
            .into_iter()
            .enumerate()
            .filter(|(_, w)| *w != Fr::ZERO)
            .map(|(at, w)| (at << axis.bit, w))
            .collect();
        places = places
            .par_iter()
            .with_min_len(64)
            .flat_map_iter(|(at, w)| own.iter().map(move |(a, o)| (at + a, *w * o)))
            .collect();
    }
    for (base, coefficient) in &term.cells {
        let coefficient = scalar_from_word(coefficient).unwrap_or(Fr::ZERO);
        let one = coefficient == Fr::ONE;
        for (at, w) in &places {
            table[*base as usize + at] += if one { *w } else { coefficient * w };
        }
    }
}

/// Where a value of an index goes.
#[derive(Clone, Copy)]
pub(crate) enum Kept<'a> {
    /// Into the result, from this bit on.
    Bit(u32),
    /// It is summed over with these weights.
    Summed(&'a [Fr]),
}

/// Adds to `out` the tensor of a term, summed over some of its indices.
pub(crate) fn add_tensor(
    out: &mut [Fr],
    vector: Option<&[Fr]>,
    term: &Term,
    indices: &[Index],
    kept: &[Kept<'_>],
) {
    // One entry per combination of values seen so far: place in the result, address, weight.
    let mut entries = vec![(0usize, 0usize, Fr::ONE)];
    let mut axes: Vec<&Axis> = term.axes.iter().collect();
    // Axes that are summed over entirely come last, so that they are inner sums.
    axes.sort_by_key(|a| a.steps.iter().all(|s| matches!(kept[s.index as usize], Kept::Summed(_))));
    let split =
        axes.iter().position(|a| a.steps.iter().all(|s| matches!(kept[s.index as usize], Kept::Summed(_))));
    let (outer, inner) = axes.split_at(split.unwrap_or(axes.len()));
    let expand = |entries: Vec<(usize, usize, Fr)>, axis: &Axis| -> Vec<(usize, usize, Fr)> {
        let mut own = Vec::new();
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
    };
    for axis in outer {
        entries = expand(entries, axis);
    }
    let mut repeated = Fr::ONE;
    for index in &term.broadcast {
        match kept[*index as usize] {
            Kept::Summed(weights) => repeated *= weights.iter().sum::<Fr>(),
            Kept::Bit(bit) => {
                let extent = indices[*index as usize].extent as usize;
                entries = entries
                    .iter()
                    .flat_map(|(p, a, w)| (0..extent).map(move |i| (p | i << bit, *a, *w)))
                    .collect();
            }
        }
    }
    let sums = inner.iter().fold(vec![(0, 0, Fr::ONE)], |entries, axis| expand(entries, axis));
    let cells: Vec<(usize, Fr)> = term
        .cells
        .iter()
        .map(|(base, c)| (*base as usize, repeated * scalar_from_word(c).unwrap_or(Fr::ZERO)))
        .collect();
    let value = |address: usize| match (term.source, vector) {
        (Source::One, _) => cells.iter().map(|(_, c)| *c).sum::<Fr>(),
        (_, Some(vector)) => cells.iter().map(|(base, c)| *c * vector[base + address]).sum(),
        (_, None) => Fr::ZERO,
    };
    let parts: Vec<(usize, Fr)> = entries
        .par_iter()
        .with_min_len(16)
        .map(|(place, address, weight)| {
            let sum: Fr = sums.iter().map(|(_, a, w)| *w * value(address + a)).sum();
            (*place, *weight * sum)
        })
        .collect();
    for (place, part) in parts {
        out[place] += part;
    }
}
