//! Structured functionals at a point, without their tables.

use super::{
    super::{Automaton, Axis, AxisStep, Index, Part, Point, Source, Term, Transition},
    Inconsistent,
    builder::{AxisKey, Builder, Node, Operation},
    simpler::joined,
};
use crate::sumcheck::Challenge;

/// For each bit of an index, what it counts when it is zero, and when it is one; and the coordinate of which that is `eq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bit {
    zero: Node,
    one: Node,
    pub(super) coordinate: Option<Node>,
}

pub(super) type Weights = Vec<Bit>;

const BAD: Inconsistent = Inconsistent("axis");

/// Groups of more cells than these are folded; cells of the others are selected one by one.
const FEW: usize = 24;

impl Builder {
    fn eq_weights(&mut self, point: impl IntoIterator<Item = Node>) -> Weights {
        point.into_iter().map(|x| Bit { zero: self.complement(x), one: x, coordinate: Some(x) }).collect()
    }

    /// The weights `base^(stride · i)`.
    fn power_weights(&mut self, base: Node, stride: u64, bits: u32) -> Weights {
        let (zero, mut one) = (self.one(), self.power(base, stride));
        let mut out = Vec::new();
        for _ in 0..bits {
            out.push(Bit { zero, one, coordinate: None });
            one = self.mul(one, one);
        }
        out
    }

    /// The weights of the indices of a part.
    pub(super) fn weights(&mut self, part: &Part) -> Vec<Weights> {
        let mut out = Vec::new();
        for (index, point) in part.indices.iter().zip(&part.points) {
            let bits = index.bits();
            out.push(match point {
                Point::Relation(from) => {
                    let point = self.coordinates(Challenge::Relation, *from, bits);
                    self.eq_weights(point)
                }
                Point::Row(from) => {
                    let point = self.coordinates(Challenge::First, *from, bits);
                    self.eq_weights(point)
                }
                Point::Fixed(value) => {
                    let value = self.constant(crate::Word::from_u64(*value));
                    self.eq_weights(vec![value; bits as usize])
                }
                Point::Packed(base) => {
                    let base = self.constant(*base);
                    self.power_weights(base, 1, bits)
                }
                Point::Sequence(stride) => {
                    let base = self.challenge(Challenge::Sequence);
                    self.power_weights(base, *stride, bits)
                }
            });
        }
        out
    }

    /// Consecutive challenges of a vector.
    pub(super) fn coordinates(&mut self, which: fn(u32) -> Challenge, from: u32, count: u32) -> Vec<Node> {
        (from..from.saturating_add(count)).map(|i| self.challenge(which(i))).collect()
    }

    /// The product over a term's axes, and its repetitions, of what they are at `address`.
    pub(super) fn axes(
        &mut self,
        term: &Term,
        indices: &[Index],
        weights: &[Weights],
        address: &[Node],
    ) -> Result<Node, Inconsistent> {
        let mut product = self.one();
        let address = (term.source != Source::One).then_some(address);
        for axis in &term.axes {
            let own = joined(axis, indices, weights).ok_or(BAD)?;
            let value = self.axis(&own.axis, &own.indices, &own.weights, address)?;
            product = self.mul(product, value);
        }
        for index in &term.broadcast {
            let steps = vec![AxisStep { index: *index, stride: 0 }];
            let all = Axis { bit: 0, bits: 0, offset: 0, bound: 1, steps };
            let value = self.axis(&all, indices, weights, None)?;
            product = self.mul(product, value);
        }
        Ok(product)
    }

    /// The sum over all valid index values of their weights and `eq(address, coordinate)`, which is left out without an
    /// address. Worked out once: parts of a vector share all but the highest bits of an address.
    fn axis(
        &mut self,
        axis: &Axis,
        indices: &[Index],
        weights: &[Weights],
        address: Option<&[Node]>,
    ) -> Result<Node, Inconsistent> {
        // The key outlives the address, of which it has the axis's part alone.
        let own =
            address.map(|a| a.iter().copied().skip(axis.bit as usize).take(axis.bits as usize).collect());
        let key = (axis.clone(), indices.to_vec(), weights.to_vec(), own);
        if let Some(node) = self.axes.get(&key) {
            return Ok(*node);
        }
        let matching = if self.loops { self.matching(&key) } else { None };
        let node = match matching {
            Some(matching) => self.node(Operation::Matching(matching)),
            None => self.summed(&key)?,
        };
        self.axes.insert(key, node);
        Ok(node)
    }

    fn summed(&mut self, (axis, indices, weights, address): &AxisKey) -> Result<Node, Inconsistent> {
        let automaton = Automaton::of(axis, indices).ok_or(BAD)?;
        let of_steps: Vec<&Weights> =
            axis.steps.iter().map(|s| weights.get(s.index as usize).ok_or(BAD)).collect::<Result<_, _>>()?;
        let mut state = vec![self.one(); automaton.states.first().copied().unwrap_or(0)];
        // The first number of states is that before any bit; each level leads to the next one.
        for ((bit, level), count) in automaton.levels.iter().enumerate().zip(automaton.states.iter().skip(1))
        {
            let mut next = vec![self.zero(); *count];
            let here = match address {
                None => None,
                Some(a) => a.get(bit).copied(),
            };
            if address.is_some() && here.is_none() && level.iter().any(|t| t.address_bit.is_some()) {
                return Err(BAD);
            }
            let mut rest = level.as_slice();
            while let Some(first) = rest.first() {
                let (same, others) = rest.split_at(run(rest));
                let factor = self.factor(same, &of_steps, bit, here)?;
                let value = self.mul(*state.get(first.from).ok_or(BAD)?, factor);
                let to = next.get_mut(first.to).ok_or(BAD)?;
                *to = self.add(*to, value);
                rest = others;
            }
            state = next;
        }
        let mut sum = self.zero();
        for value in state {
            sum = self.add(sum, value);
        }
        Ok(sum)
    }

    /// Products of weights for every choice of the bits of the indices, the first index lowest.
    fn choices(&mut self, bits: &[&Bit]) -> Vec<Node> {
        let mut out = vec![self.one()];
        for bit in bits {
            let unset: Vec<Node> = out.iter().map(|choice| self.mul(*choice, bit.zero)).collect();
            let set: Vec<Node> = out.iter().map(|choice| self.mul(*choice, bit.one)).collect();
            out = [unset, set].concat();
        }
        out
    }

    /// The sum of what transitions between the same states count: that of their choices, times `eq` of the address where it
    /// has the bit.
    fn factor(
        &mut self,
        transitions: &[Transition],
        steps: &[&Weights],
        bit: usize,
        address: Option<Node>,
    ) -> Result<Node, Inconsistent> {
        let Some(first) = transitions.first() else { return Err(BAD) };
        let open = steps.iter().zip(&first.index_bits).filter(|(_, set)| set.is_some());
        let open: Vec<&Bit> =
            open.map(|(weights, _)| weights.get(bit).ok_or(BAD)).collect::<Result<_, _>>()?;
        if let ([Bit { coordinate: Some(coordinate), .. }], Some(x), true) =
            (open.as_slice(), address, follows(transitions))
        {
            return Ok(self.eq(*coordinate, x));
        }
        let choices = self.choices(&open);
        let mut sums = [self.zero(); 2];
        for t in transitions {
            let bits = t.index_bits.iter().flatten().rev();
            let choice = bits.fold(0, |number, set| number << 1 | usize::from(*set));
            let of = usize::from(address.is_some() && t.address_bit == Some(true));
            sums[of] = self.add(sums[of], *choices.get(choice).ok_or(BAD)?);
        }
        let [unset, set] = sums;
        Ok(match (first.address_bit, address) {
            (Some(_), Some(x)) => self.select(x, unset, set),
            _ => unset,
        })
    }

    /// `Σ_cells weight · eq(address, base)` over the bits given, lowest first; cells are sorted by base and differ in them.
    pub(super) fn cells(&mut self, cells: &[(u64, Node)], bits: &[(u32, Node)]) -> Node {
        if cells.len() > FEW {
            return self.folded(cells, bits);
        }
        let mut sum = self.zero();
        for (base, weight) in cells {
            let selector = self.selector(*base, bits);
            let value = self.mul(*weight, selector);
            sum = self.add(sum, value);
        }
        sum
    }

    /// `eq(address, base)`, from the highest bit on: cells of other groups have those in common.
    fn selector(&mut self, base: u64, bits: &[(u32, Node)]) -> Node {
        let mut product = self.one();
        for (bit, x) in bits.iter().rev() {
            let factor = if is_set(base, *bit) { *x } else { self.complement(*x) };
            product = self.mul(product, factor);
        }
        product
    }

    /// The same by folding the cells bit by bit, which many cells that lie side by side share.
    fn folded(&mut self, cells: &[(u64, Node)], bits: &[(u32, Node)]) -> Node {
        match (cells, bits.split_last()) {
            ([], _) => self.zero(),
            (_, None) => {
                let mut sum = self.zero();
                for (_, value) in cells {
                    sum = self.add(sum, *value);
                }
                sum
            }
            (_, Some(((bit, x), lower))) => {
                let (low, high): (Vec<_>, Vec<_>) =
                    cells.iter().copied().partition(|(base, _)| !is_set(*base, *bit));
                let (low, high) = (self.folded(&low, lower), self.folded(&high, lower));
                self.select(*x, low, high)
            }
        }
    }
}

fn is_set(address: u64, bit: u32) -> bool {
    address.checked_shr(bit).unwrap_or(0) & 1 == 1
}

/// How many of the first transitions go between the same two states.
fn run(transitions: &[Transition]) -> usize {
    let first = transitions.first().map(|t| (t.from, t.to));
    transitions.iter().take_while(|t| Some((t.from, t.to)) == first).count()
}

/// Returns true if the bit of the coordinate is that of the only index, whatever it is.
fn follows(transitions: &[Transition]) -> bool {
    matches!(transitions, [a, b] if a.index_bits != b.index_bits)
        && transitions
            .iter()
            .all(|t| t.index_bits.len() == 1 && t.address_bit.is_some() && t.index_bits[0] == t.address_bit)
}
