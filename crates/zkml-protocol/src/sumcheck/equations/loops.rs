//! Values that a verifier may compute in a loop: one operation each instead of several for every bit.

use super::{
    super::{Axis, Challenge, Index},
    builder::{AxisKey, Builder, Node, Operation},
    functional::Weights,
};
use crate::Word;

/// Coordinates of a point, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coordinates {
    /// Consecutive challenges from this one on.
    From(Challenge),
    /// The same number each.
    All(Word),
}

/// `Σ_{i < extent} eq(weights, i) · eq(address, i)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matching {
    /// The first point.
    pub weights: Coordinates,
    /// First coordinate of the second point; the others are the challenges that follow.
    pub address: Challenge,
    /// Number of coordinates of each.
    pub bits: u32,
    /// Number of indices, `2^bits` at most.
    pub extent: u64,
}

/// Indices of fewer bits take few operations as they are.
const LEAST_BITS: u32 = 2;

impl Challenge {
    /// The coordinate `steps` later of the same point; nothing for a challenge that is no coordinate.
    pub fn after(self, steps: u32) -> Option<Self> {
        Some(match self {
            Self::Tau(i) => Self::Tau(i.checked_add(steps)?),
            Self::Relation(i) => Self::Relation(i.checked_add(steps)?),
            Self::First(i) => Self::First(i.checked_add(steps)?),
            Self::Second(i) => Self::Second(i.checked_add(steps)?),
            _ => return None,
        })
    }
}

impl Builder {
    /// The challenge from which these are consecutive ones.
    pub(super) fn consecutive(&self, nodes: &[Node]) -> Option<Challenge> {
        let challenge = |node: &Node| match self.operation(*node) {
            Some(Operation::Challenge(which)) => Some(which),
            _ => None,
        };
        let first = challenge(nodes.first()?)?;
        let follows =
            (0..).zip(nodes).all(|(i, node)| first.after(i).is_some_and(|c| challenge(node) == Some(c)));
        follows.then_some(first)
    }

    fn alike(&self, nodes: &[Node]) -> Option<Word> {
        let first = nodes.first()?;
        nodes.iter().all(|node| node == first).then(|| self.value(*first)).flatten()
    }

    /// An axis that shows one index as it is, over consecutive coordinates.
    pub(super) fn matching(&self, (axis, indices, weights, address): &AxisKey) -> Option<Matching> {
        let (index, weights) = plain(axis, indices, weights)?;
        let own: Vec<Node> = weights.iter().map(|bit| bit.coordinate).collect::<Option<_>>()?;
        let weights = match self.consecutive(&own) {
            Some(first) => Coordinates::From(first),
            None => Coordinates::All(self.alike(&own)?),
        };
        let address = self.consecutive(address.as_ref()?)?;
        Some(Matching { weights, address, bits: axis.bits, extent: index.extent })
    }
}

fn plain<'a>(axis: &Axis, indices: &[Index], weights: &'a [Weights]) -> Option<(Index, &'a Weights)> {
    let [step] = axis.steps.as_slice() else { return None };
    let index = indices.get(step.index as usize)?;
    let whole =
        step.stride == 1 && axis.offset == 0 && axis.bits == index.bits() && axis.bound >= index.extent;
    (whole && axis.bits >= LEAST_BITS).then_some((*index, weights.get(step.index as usize)?))
}
