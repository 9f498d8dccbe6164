//! How tensors are laid out: the row-major index in mixed radix, each digit in bits of its own.
//!
//! Where a view reads a tensor under another shape, or in steps, its digits have to be as fine as that view needs. So the
//! places at which indices are cut go back and forth between tensors and relations until nothing changes.

use std::collections::BTreeSet;
use zkml_graph::{Map, Relation, System, View};
use zkml_protocol::sumcheck::bits_for;

/// Rounds of refinement; each adds a cut.
const MAX_ROUNDS: usize = 64;

/// Cuts of a tensor: products of its last digits, one and its length among them.
type Cuts = BTreeSet<u64>;

/// Digits of an index, the least significant first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digits {
    /// Step of the index per step of each digit.
    pub(crate) weights: Vec<u64>,
    /// Number of values of each digit.
    pub(crate) radices: Vec<u64>,
    /// Lowest bit of each digit in an address.
    pub(crate) bits: Vec<u32>,
}

impl Digits {
    fn of(cuts: &Cuts) -> Self {
        let sorted: Vec<u64> = cuts.iter().copied().collect();
        let (mut weights, mut radices, mut bits, mut at) = (vec![], vec![], vec![], 0);
        for pair in sorted.windows(2) {
            weights.push(pair[0]);
            radices.push(pair[1] / pair[0]);
            bits.push(at);
            at += bits_for(pair[1] / pair[0]);
        }
        Self { weights, radices, bits }
    }

    /// Digits of so many elements in groups of `inner`.
    pub(crate) fn grouped(outer: u64, inner: u64) -> Self {
        Self { weights: vec![1, inner], radices: vec![inner, outer], bits: vec![0, bits_for(inner)] }
    }

    /// Number of bits of an address.
    pub(crate) fn total_bits(&self) -> u32 {
        self.radices.iter().map(|r| bits_for(*r)).sum()
    }

    /// The address of an element.
    pub(crate) fn address(&self, index: u64) -> u64 {
        let parts = self.weights.iter().zip(&self.radices).zip(&self.bits);
        parts.map(|((w, r), b)| (index / w % r) << b).sum()
    }

    /// Elements whose addresses follow each other.
    pub(crate) fn run(&self) -> usize {
        match (self.weights.first(), self.radices.first()) {
            (Some(1), Some(radix)) => *radix as usize,
            _ => 1,
        }
    }

    /// Digits of a dimension that begins at `weight` and has `size` values; nothing if digits do not end where it does.
    pub(crate) fn within(&self, weight: u64, size: u64) -> Option<std::ops::Range<usize>> {
        if size == 1 {
            return Some(0..0);
        }
        let first = self.weights.iter().position(|w| *w == weight)?;
        let mut product = 1;
        let mut end = first;
        while product < size {
            product *= self.radices.get(end)?;
            end += 1;
        }
        (product == size).then_some(first..end)
    }
}

/// A relation's dimensions, and which of them each of its views has.
pub(crate) struct Space<'a> {
    /// Sizes of the dimensions.
    pub(crate) extents: Vec<u64>,
    /// Views, each with the relation's dimension for each of its own.
    pub(crate) views: Vec<(&'a View, Vec<usize>)>,
}

impl<'a> Space<'a> {
    /// That of a relation. Dimensions of a contraction: batch, rows, summed ones, columns.
    pub(crate) fn of(relation: &'a Relation) -> Self {
        let sizes = |map: &Map| -> Vec<u64> { map.shape.iter().map(|n| *n as u64).collect() };
        let Relation::Contract { a, b, addend, y, ranks: [rb, rm, rk, _] } = relation else {
            let views: Vec<&View> = relation.views();
            let extents = views.first().map_or_else(Vec::new, |v| sizes(&v.map));
            let rank = extents.len();
            return Self { extents, views: views.into_iter().map(|v| (v, (0..rank).collect())).collect() };
        };
        let mut extents = sizes(&a.map);
        extents.extend(&sizes(&b.map)[rb + rk..]);
        let (all, outer) = (extents.len(), rb + rm);
        let of_b = (0..*rb).chain(outer..all).collect();
        let of_y: Vec<usize> = (0..outer).chain(outer + rk..all).collect();
        let mut views = vec![(a, (0..outer + rk).collect()), (b, of_b), (y, of_y.clone())];
        views.extend(addend.iter().map(|v| (v, of_y.clone())));
        Self { extents, views }
    }
}

/// A part of a dimension: `index / divisor mod extent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sub {
    /// The dimension.
    pub(crate) dim: usize,
    /// What the index is divided by.
    pub(crate) divisor: u64,
    /// Number of values.
    pub(crate) extent: u64,
}

/// The parts of all dimensions in row-major order; dimensions of one value have none.
pub(crate) fn parts(extents: &[u64], splits: &[Cuts]) -> Vec<Sub> {
    let mut out = Vec::new();
    for (dim, (extent, cuts)) in extents.iter().zip(splits).enumerate() {
        let sorted: Vec<u64> = cuts.iter().copied().filter(|c| c <= extent).collect();
        for pair in sorted.windows(2).rev() {
            out.push(Sub { dim, divisor: pair[0], extent: pair[1] / pair[0] });
        }
    }
    out
}

/// Digits of an index space, cut like its dimensions.
pub(crate) fn space_digits(extents: &[u64], splits: &[Cuts]) -> Digits {
    let mut cuts = Cuts::from([1]);
    let mut weight = 1;
    for (extent, own) in extents.iter().zip(splits).rev() {
        cuts.extend(own.iter().map(|c| weight * c));
        weight *= extent;
    }
    Digits::of(&cuts)
}

/// Digits of all variables, and for each relation the cuts of its dimensions.
pub(crate) struct Plan {
    /// By variable.
    pub(crate) digits: Vec<Digits>,
    /// By relation and dimension.
    pub(crate) splits: Vec<Vec<Cuts>>,
}

/// Row-major steps of a shape.
pub(crate) fn steps(shape: &[usize]) -> Vec<u64> {
    let mut out = vec![1u64; shape.len()];
    for d in (1..shape.len()).rev() {
        out[d - 1] = out[d] * shape[d] as u64;
    }
    out
}

/// Adds a cut if it divides, or is divided by, all others.
fn refine(cuts: &mut Cuts, cut: u64) -> bool {
    let fits = cut > 0 && cuts.iter().all(|c| c.is_multiple_of(cut) || cut.is_multiple_of(*c));
    fits && cut <= cuts.last().copied().unwrap_or(0) && cuts.insert(cut)
}

impl Plan {
    /// The plan of these relations alone, variables being numbered as they are.
    pub(crate) fn of_some(&self, relations: &[usize]) -> Self {
        let splits = relations.iter().map(|i| self.splits[*i].clone()).collect();
        Self { digits: self.digits.clone(), splits }
    }

    /// Refines digits and dimensions against each other.
    pub(crate) fn new(system: &System) -> Self {
        let mut cuts: Vec<Cuts> = system.vars.iter().map(|v| Cuts::from([1, v.len() as u64])).collect();
        let shapes = system.vars.iter().enumerate().map(|(i, v)| (i, &v.shape));
        let views = system.relations.iter().flat_map(|(_, r)| r.views());
        for (var, shape) in shapes.chain(views.map(|v| (v.var.0 as usize, &v.map.source))) {
            for (step, size) in steps(shape).into_iter().zip(shape) {
                refine(&mut cuts[var], step);
                refine(&mut cuts[var], step * *size as u64);
            }
        }
        let spaces: Vec<Space<'_>> = system.relations.iter().map(|(_, r)| Space::of(r)).collect();
        let of_dims = |s: &Space<'_>| s.extents.iter().map(|e| Cuts::from([1, *e])).collect();
        let mut splits: Vec<Vec<Cuts>> = spaces.iter().map(of_dims).collect();
        for _ in 0..MAX_ROUNDS {
            let mut changed = false;
            for (space, splits) in spaces.iter().zip(&mut splits) {
                for (view, dims) in &space.views {
                    changed |= split_dims(view, dims, &cuts[view.var.0 as usize], splits);
                }
                for (view, dims) in &space.views {
                    changed |= cut_variable(view, dims, &mut cuts[view.var.0 as usize], splits);
                }
            }
            if !changed {
                break;
            }
        }
        Self { digits: cuts.iter().map(Digits::of).collect(), splits }
    }
}

/// Cuts dimensions that walk over more than one digit of a variable.
fn split_dims(view: &View, dims: &[usize], cuts: &Cuts, splits: &mut [Cuts]) -> bool {
    let mut changed = false;
    for ((axis, size), weight) in view.map.axes.iter().zip(&view.map.source).zip(steps(&view.map.source)) {
        let end = weight * *size as u64;
        for (step, dim) in axis.steps.iter().zip(dims) {
            let Ok(step @ 1..) = u64::try_from(*step) else { continue };
            for cut in cuts.iter().filter(|c| **c > weight && **c < end) {
                // Where the dimension's steps reach the cut exactly.
                let unit = step * weight;
                if cut.is_multiple_of(unit) {
                    changed |= refine(&mut splits[*dim], cut / unit);
                }
            }
        }
    }
    changed
}

/// Cuts a variable where a dimension that walks it alone is cut.
fn cut_variable(view: &View, dims: &[usize], cuts: &mut Cuts, splits: &[Cuts]) -> bool {
    let mut changed = false;
    for (axis, weight) in view.map.axes.iter().zip(steps(&view.map.source)) {
        let walking: Vec<(u64, usize)> = axis
            .steps
            .iter()
            .zip(dims)
            .zip(&view.map.shape)
            .filter(|((step, _), size)| **step != 0 && **size > 1)
            .filter_map(|((step, dim), _)| Some((u64::try_from(*step).ok()?, *dim)))
            .collect();
        let [(step, dim)] = walking.as_slice() else { continue };
        for cut in &splits[*dim] {
            changed |= refine(cuts, step * weight * cut);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_number_elements() {
        let digits = Digits::of(&Cuts::from([1, 5, 25, 400]));
        assert_eq!(
            (digits.radices.as_slice(), digits.bits.as_slice()),
            ([5, 5, 16].as_slice(), [0, 3, 6].as_slice())
        );
        assert_eq!(digits.address(399), 15 << 6 | 4 << 3 | 4);
        assert_eq!(digits.total_bits(), 10);
        assert_eq!(digits.within(5, 80), Some(1..3));
        assert_eq!(digits.within(1, 10), None);
        let mut cuts = Cuts::from([1, 12]);
        assert!(refine(&mut cuts, 4) && !refine(&mut cuts, 6), "4 and 6 are no chain");
        assert!(!refine(&mut cuts, 24));
    }
}
