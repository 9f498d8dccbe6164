//! The same views with fewer indices and fewer bits: what is left is evaluated with fewer products, and is equal more often.

use super::{
    super::{Axis, AxisStep, Index, Source, Term},
    functional::Weights,
};

/// A term whose axes leave out the bits that no index reaches; its cells have those.
pub(super) fn simpler(term: &Term, indices: &[Index]) -> Term {
    let mut out = term.clone();
    if out.source == Source::One {
        return out;
    }
    let mut fixed = 0u64;
    for axis in &mut out.axes {
        let free = fixed_bits(axis, indices).min(axis.bits);
        if free == 0 {
            continue;
        }
        let low = axis.offset as u64 & ((1 << free) - 1);
        fixed |= low.checked_shl(axis.bit).unwrap_or(0);
        axis.bit += free;
        axis.bits -= free;
        axis.offset >>= free;
        axis.bound = 1 << axis.bits;
        axis.steps.iter_mut().for_each(|s| s.stride >>= free);
    }
    out.cells.iter_mut().for_each(|(base, _)| *base |= fixed);
    out
}

/// How many of the low bits of a coordinate are those of its offset. None where its bound may be reached.
fn fixed_bits(axis: &Axis, indices: &[Index]) -> u32 {
    let Ok(offset) = u64::try_from(axis.offset) else { return 0 };
    let reach = |step: &AxisStep| {
        let last = indices.get(step.index as usize)?.extent.checked_sub(1)?;
        u64::try_from(step.stride).ok()?.checked_mul(last)
    };
    let last = axis.steps.iter().try_fold(offset, |sum, step| sum.checked_add(reach(step)?));
    if last.is_none_or(|last| last >= axis.bound) {
        return 0;
    }
    axis.steps.iter().map(|s| s.stride.trailing_zeros()).min().unwrap_or(axis.bits)
}

/// An axis over indices of its own, with their weights.
pub(super) struct Own {
    pub(super) axis: Axis,
    pub(super) indices: Vec<Index>,
    pub(super) weights: Vec<Weights>,
}

/// An axis whose indices are one where one goes on where another ends, as row and column of a matrix do in its rows one after
/// the other. Nothing if it speaks of an index that is not there.
pub(super) fn joined(axis: &Axis, indices: &[Index], weights: &[Weights]) -> Option<Own> {
    let own = |step: &AxisStep| {
        let at = step.index as usize;
        Some((step.stride, *indices.get(at)?, weights.get(at)?.clone()))
    };
    let mut steps = axis.steps.iter().map(own).collect::<Option<Vec<_>>>()?;
    while let Some((low, high)) = pair(&steps) {
        let (_, upper, of_upper) = steps[high].clone();
        let (_, index, weights) = &mut steps[low];
        index.extent *= upper.extent;
        weights.extend(of_upper);
        steps.remove(high);
    }
    let of_step =
        |(index, (stride, ..)): (usize, &(i64, _, _))| AxisStep { index: index as u32, stride: *stride };
    let axis = Axis { steps: steps.iter().enumerate().map(of_step).collect(), ..axis.clone() };
    let (indices, weights) = steps.into_iter().map(|(_, index, weights)| (index, weights)).unzip();
    Some(Own { axis, indices, weights })
}

/// An index with a power of two of values, and one that takes a step where the first has been through all of them.
fn pair(steps: &[(i64, Index, Weights)]) -> Option<(usize, usize)> {
    let next = |(stride, index, _): &(i64, Index, Weights)| {
        let whole = *stride != 0 && index.extent > 1 && index.extent.is_power_of_two();
        let stride = i64::try_from(index.extent).ok()?.checked_mul(*stride)?;
        let high =
            steps.iter().position(|(s, upper, _)| *s == stride && upper.bits() + index.bits() < u64::BITS)?;
        whole.then_some(high)
    };
    steps.iter().enumerate().find_map(|(low, step)| Some((low, next(step)?)))
}
