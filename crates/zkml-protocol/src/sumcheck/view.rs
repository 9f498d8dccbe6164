//! Linear functionals with structure: what a verifier evaluates without a table.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Word;

/// A vector that values are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// The constant one at every address.
    One,
    /// The witness, `T`.
    Witness,
    /// What the model fixes, `W`: public weights, function tables, constants of the hash.
    Weights,
    /// The helpers of the lookup argument, `H`.
    Helpers,
    /// The masks, `R`.
    Masks,
    /// Private weights, `V`: the statement shows a hash of the commitments to them.
    Private,
}

impl Source {
    /// The committed vectors, in the order in which a proof combines them.
    pub const COMMITTED: [Self; 5] =
        [Self::Witness, Self::Weights, Self::Helpers, Self::Masks, Self::Private];
    /// Those that are secret: what is sent of them is masked.
    pub const SECRET: [Self; 3] = [Self::Witness, Self::Helpers, Self::Private];
}

/// Number of bits that number `count` things: `⌈log₂ count⌉`.
pub fn bits_for(count: u64) -> u32 {
    u64::BITS - count.saturating_sub(1).leading_zeros()
}

/// An index that a relation runs over: it takes the values `0 … extent − 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Number of values.
    pub extent: u64,
    /// How values of the relation at different places are weighed against each other.
    pub weight: Weight,
}

impl Index {
    /// An index at a random point.
    pub fn random(extent: u64) -> Self {
        Self { extent, weight: Weight::Random }
    }

    /// Number of bits of the index.
    pub fn bits(&self) -> u32 {
        bits_for(self.extent)
    }
}

/// How an index is summed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Weight {
    /// With `eq(point, i)`: the relation holds for every `i`.
    Random,
    /// With `base^i`: values that share a field element.
    Packed(Word),
    /// With `χ^(stride · i)` for a challenge `χ`: two layouts of one sequence are the same.
    Sequence {
        /// Distance in the sequence of neighbours along this index.
        stride: u64,
    },
}

/// An index with the step of an address per step of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Number of the index among those of the relation.
    pub index: u32,
    /// Step of the coordinate; negative for a view that is turned round.
    pub stride: i64,
}

/// Bits of an address that hold one coordinate: `offset + Σ stride · index`, valid in `[0, bound)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Lowest bit.
    pub bit: u32,
    /// Number of bits.
    pub bits: u32,
    /// Coordinate where all indices are zero.
    pub offset: i64,
    /// Coordinates from here on show nothing, as negative ones do.
    pub bound: u64,
    /// The indices that it depends on.
    pub steps: Vec<Step>,
}

impl Axis {
    /// The axis that shows an index as it is.
    pub fn plain(bit: u32, index: u32, extent: u64) -> Self {
        let bits = bits_for(extent);
        Self { bit, bits, offset: 0, bound: 1 << bits, steps: vec![Step { index, stride: 1 }] }
    }
}

/// Cells of a vector, seen as a tensor over the indices of a relation, with coefficients.
///
/// Element `(i, j, …)` is `Σ_cells coefficient · vector[base + Σ_axes 2^bit · coordinate]`, and zero where an index or a
/// coordinate leaves its bounds: extents are exact, so that padding is never seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The vector.
    pub source: Source,
    /// Coordinates. No index occurs in two of them, nor in `broadcast` as well.
    pub axes: Vec<Axis>,
    /// Indices along which the same elements are repeated.
    pub broadcast: Vec<u32>,
    /// Base addresses, zero in the bits of all axes, with coefficients.
    pub cells: Vec<(u64, Word)>,
}

/// A sum of terms: a linear functional of the committed vectors, plus a constant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Form(pub Vec<Term>);

impl Form {
    /// Returns true if a term reads one of these vectors.
    pub fn reads(&self, sources: &[Source]) -> bool {
        self.0.iter().any(|term| sources.contains(&term.source))
    }
}

/// One step of an [`Automaton`]: from a state to another, where the bits are these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// State before the bit.
    pub from: usize,
    /// State after it.
    pub to: usize,
    /// For each step of the axis, the bit of its index; none beyond the bits that it has.
    pub index_bits: Vec<Option<bool>>,
    /// The bit of the coordinate; none beyond the bits that it has.
    pub address_bit: Option<bool>,
}

/// The sum over all valid index values of `Π weight(index) · eq(ρ, coordinate)`, bit by bit from the lowest.
///
/// A state is the carry of the sum so far and, for each bounded quantity, whether its bits so far are below those of its
/// bound. Their number depends on strides, not on sizes. There is one state before the first bit, numbered zero, and
/// one after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automaton {
    /// Transitions, by bit.
    pub levels: Vec<Vec<Transition>>,
    /// Number of states before each bit, and after the last.
    pub states: Vec<usize>,
}

/// States of one level beyond which an axis is refused.
const MAX_STATES: usize = 1 << 12;

type State = (i64, Vec<bool>, bool);

impl Automaton {
    /// The automaton of an axis over the indices of its relation; nothing if it would have too many states, or if an index
    /// is missing.
    pub fn of(axis: &Axis, indices: &[Index]) -> Option<Self> {
        let steps: Vec<(&Step, &Index)> =
            axis.steps.iter().map(|s| Some((s, indices.get(s.index as usize)?))).collect::<Option<_>>()?;
        let longest = steps.iter().map(|(_, i)| i.bits()).max().unwrap_or(0).max(axis.bits);
        let bounded = |extent: u64, bits: u32| bits < 64 && extent < 1 << bits;
        let start: State = (
            axis.offset,
            steps.iter().map(|(_, i)| !bounded(i.extent, i.bits())).collect(),
            !bounded(axis.bound, axis.bits),
        );
        let mut before = BTreeMap::from([(start.clone(), 0)]);
        let mut found = Self { levels: vec![], states: vec![1] };
        for bit in 0..longest {
            let mut after: BTreeMap<State, usize> = BTreeMap::new();
            let mut level = Vec::new();
            for (state, from) in &before {
                for (index_bits, address_bit, next) in moves(axis, &steps, &start, state, bit) {
                    let count = after.len();
                    let to = *after.entry(next).or_insert(count);
                    level.push(Transition { from: *from, to, index_bits, address_bit });
                }
            }
            if after.len() > MAX_STATES {
                return None;
            }
            found.levels.push(level);
            found.states.push(after.len());
            before = after;
        }
        let ends = |(state, at): (State, usize)| {
            (state.0 == 0 && state.1.iter().all(|b| *b) && state.2).then_some(at)
        };
        Some(found.pruned(before.into_iter().find_map(ends)))
    }

    /// Only what leads to the accepting state; nothing at all without one.
    fn pruned(mut self, accepting: Option<usize>) -> Self {
        let mut alive: Vec<usize> = accepting.into_iter().collect();
        for (level, states) in self.levels.iter_mut().zip(&mut self.states[1..]).rev() {
            level.retain(|t| alive.contains(&t.to));
            level.iter_mut().for_each(|t| t.to = alive.iter().position(|a| *a == t.to).unwrap_or(0));
            *states = alive.len();
            let mut origins: Vec<usize> = level.iter().map(|t| t.from).collect();
            origins.sort_unstable();
            origins.dedup();
            alive = origins;
        }
        for at in 0..self.levels.len().saturating_sub(1) {
            let mut origins: Vec<usize> = self.levels[at + 1].iter().map(|t| t.from).collect();
            origins.sort_unstable();
            origins.dedup();
            let place = |s: usize| origins.iter().position(|o| *o == s).unwrap_or(0);
            self.levels[at + 1].iter_mut().for_each(|t| t.from = place(t.from));
        }
        if accepting.is_none() && self.levels.is_empty() {
            self.states[0] = 0;
        }
        self
    }
}

/// All bits of the indices, with the bit of the coordinate that follows, and the state after them.
fn moves(
    axis: &Axis,
    steps: &[(&Step, &Index)],
    start: &State,
    (carry, below, address_below): &State,
    bit: u32,
) -> Vec<(Vec<Option<bool>>, Option<bool>, State)> {
    let mut out = Vec::new();
    let open: Vec<bool> = steps.iter().map(|(_, index)| bit < index.bits()).collect();
    for choice in 0..1u32 << open.iter().filter(|o| **o).count() {
        let mut rest = choice;
        let bits: Vec<Option<bool>> = open
            .iter()
            .map(|open| {
                let set = rest & 1 == 1;
                rest >>= u32::from(*open);
                open.then_some(set)
            })
            .collect();
        let set = |b: &Option<bool>| b.unwrap_or(false);
        let sum = steps.iter().zip(&bits).filter(|(_, b)| set(b)).map(|((s, _), _)| s.stride);
        let total = sum.fold(*carry, i64::saturating_add);
        let address = total & 1 == 1;
        if bit >= axis.bits && address {
            continue;
        }
        let compare = |bit_set: bool, bound: u64, lower: bool| {
            let limit = bit < 64 && bound >> bit & 1 == 1;
            (!bit_set && limit) || (bit_set == limit && lower)
        };
        let flags = steps
            .iter()
            .zip(&bits)
            .zip(below.iter().zip(&start.1))
            .map(|(((_, index), b), (lower, free))| *free || compare(set(b), index.extent, *lower));
        let next = (total >> 1, flags.collect(), start.2 || compare(address, axis.bound, *address_below));
        out.push((bits, (bit < axis.bits).then_some(address), next));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of index values and coordinates that the automaton lets pass.
    fn accepted(axis: &Axis, indices: &[Index]) -> Vec<(Vec<u64>, u64)> {
        let automaton = Automaton::of(axis, indices).expect("few states");
        let mut paths = vec![(0usize, vec![0u64; axis.steps.len()], 0u64)];
        for (bit, level) in automaton.levels.iter().enumerate() {
            let mut next = Vec::new();
            for (state, values, address) in &paths {
                for t in level.iter().filter(|t| t.from == *state) {
                    let grown = values.iter().zip(&t.index_bits);
                    let values = grown.map(|(v, b)| v | u64::from(b.unwrap_or(false)) << bit).collect();
                    next.push((t.to, values, address | u64::from(t.address_bit.unwrap_or(false)) << bit));
                }
            }
            paths = next;
        }
        let mut out: Vec<_> = paths.into_iter().map(|(_, v, a)| (v, a)).collect();
        out.sort();
        out
    }

    #[test]
    fn an_automaton_accepts_what_an_axis_shows() {
        let mut tried = 0;
        for (first, second) in [(1, 1), (3, 1), (5, 3), (8, 2), (7, 7)] {
            let indices = [Index::random(first), Index::random(second)];
            for (s, t) in [(1, 1), (2, 1), (3, 2), (-1, 5), (28, -1)] {
                for (offset, bits) in [(0, 3), (-2, 4), (3, 4), (-1, 8), (7, 3)] {
                    for bound in [1, 5, 8, 1 << bits] {
                        let steps = vec![Step { index: 0, stride: s }, Step { index: 1, stride: t }];
                        let axis = Axis { bit: 0, bits, offset, bound, steps };
                        let mut expected = Vec::new();
                        for (i, j) in (0..first).flat_map(|i| (0..second).map(move |j| (i, j))) {
                            let c = offset + s * i as i64 + t * j as i64;
                            if c >= 0 && (c as u64) < bound && (c as u64) < 1 << bits {
                                expected.push((vec![i, j], c as u64));
                            }
                        }
                        assert_eq!(accepted(&axis, &indices), expected, "{axis:?} over {indices:?}");
                        tried += 1;
                    }
                }
            }
        }
        assert_eq!(tried, 500);
    }

    #[test]
    fn states_do_not_grow_with_size() {
        let window = |extent: u64, bits: u32| {
            let steps = vec![Step { index: 0, stride: 2 }, Step { index: 1, stride: 1 }];
            let axis = Axis { bit: 0, bits, offset: -1, bound: (1 << bits) - 3, steps };
            let found = Automaton::of(&axis, &[Index::random(extent), Index::random(3)]);
            found.expect("few states").states.into_iter().max()
        };
        assert_eq!(window((1 << 39) + 3, 41), window((1 << 9) + 3, 11));
        let wide = Axis { steps: vec![Step { index: 0, stride: 1 << 40 }], ..Axis::plain(0, 0, 1 << 20) };
        assert_eq!(Automaton::of(&wide, &[Index::random(1 << 20)]), None, "as many states as values");
    }
}
