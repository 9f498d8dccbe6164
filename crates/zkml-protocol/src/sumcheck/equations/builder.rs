//! Field arithmetic on names: what is computed twice is one node.

use std::collections::HashMap;

use super::{
    super::{Axis, Challenge, Index, SlotId},
    functional::Weights,
    loops::Matching,
};
use crate::{Word, field};

/// The value of an operation, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(u32);

impl Node {
    /// Place of its operation in [`super::Equations::operations`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One of the two sumchecks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounds {
    /// The first.
    First,
    /// The second.
    Second,
}

/// How a value comes about; operands are earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A constant.
    Constant(Word),
    /// A public value.
    Instance(u32),
    /// A scalar of the proof: slot and place in it.
    Scalar(SlotId, u32),
    /// A challenge.
    Challenge(Challenge),
    /// A sum.
    Add(Node, Node),
    /// A difference.
    Sub(Node, Node),
    /// A product.
    Mul(Node, Node),
    /// What is left of a claim after all rounds of a sumcheck. In each, from the highest variable to the lowest, the
    /// claim becomes the value at the round's challenge of the polynomial whose values at zero and one add up to it and
    /// whose coefficients but the linear one the proof carries.
    Rounds(Rounds, Node),
    /// The sum over an index of what two points weigh it with.
    Matching(Matching),
    /// `Π_k ((1 − u_k) + u_k x^(2^k))` over a number of coordinates `u` from this challenge on, `x` being the node.
    RowPolynomial(Challenge, u32, Node),
    /// `Π_k ((1 − u_k) x^(2^k) + u_k)`, as [`Operation::RowPolynomial`].
    ReversedPolynomial(Challenge, u32, Node),
}

impl Operation {
    /// The values that it reads.
    pub fn operands(&self) -> Vec<Node> {
        match self {
            Self::Add(a, b) | Self::Sub(a, b) | Self::Mul(a, b) => vec![*a, *b],
            Self::Rounds(_, a) | Self::RowPolynomial(_, _, a) | Self::ReversedPolynomial(_, _, a) => vec![*a],
            _ => vec![],
        }
    }

    /// Returns true if its value has to be computed; others are constants, challenges, or words of the calldata.
    pub fn is_computed(&self) -> bool {
        !matches!(self, Self::Constant(_) | Self::Instance(_) | Self::Scalar(..) | Self::Challenge(_))
    }
}

/// Operations under construction.
#[derive(Debug, Default)]
pub(super) struct Builder {
    operations: Vec<Operation>,
    known: HashMap<Operation, Node>,
    /// Whether there are operations that stand for a loop.
    pub(super) loops: bool,
    /// Axes over their indices, with their weights and the address that they are at.
    pub(super) axes: HashMap<AxisKey, Node>,
}

/// An axis over its indices, with their weights and its part of the address, lowest bit first.
pub(super) type AxisKey = (Axis, Vec<Index>, Vec<Weights>, Option<Vec<Node>>);

impl Builder {
    /// `loops`: whether an operation may stand for a loop.
    pub(super) fn new(loops: bool) -> Self {
        Self { loops, ..Self::default() }
    }

    pub(super) fn finish(self) -> Vec<Operation> {
        self.operations
    }

    pub(super) fn node(&mut self, operation: Operation) -> Node {
        let next = Node(self.operations.len() as u32);
        let operations = &mut self.operations;
        *self.known.entry(operation).or_insert_with(|| {
            operations.push(operation);
            next
        })
    }

    pub(super) fn operation(&self, node: Node) -> Option<Operation> {
        self.operations.get(node.index()).copied()
    }

    pub(super) fn value(&self, node: Node) -> Option<Word> {
        match self.operation(node) {
            Some(Operation::Constant(word)) => Some(word),
            _ => None,
        }
    }

    /// What a node is known to be the difference of.
    fn difference(&self, node: Node) -> Option<(Node, Node)> {
        match self.operation(node) {
            Some(Operation::Sub(a, b)) => Some((a, b)),
            _ => None,
        }
    }

    pub(super) fn constant(&mut self, word: Word) -> Node {
        self.node(Operation::Constant(field::reduce(word)))
    }

    pub(super) fn integer(&mut self, value: i64) -> Node {
        self.constant(field::from_i64(value))
    }

    pub(super) fn zero(&mut self) -> Node {
        self.constant(Word::ZERO)
    }

    pub(super) fn one(&mut self) -> Node {
        self.constant(Word::ONE)
    }

    pub(super) fn instance(&mut self, at: u32) -> Node {
        self.node(Operation::Instance(at))
    }

    pub(super) fn scalar(&mut self, slot: SlotId, at: u32) -> Node {
        self.node(Operation::Scalar(slot, at))
    }

    pub(super) fn challenge(&mut self, which: Challenge) -> Node {
        self.node(Operation::Challenge(which))
    }

    pub(super) fn rounds(&mut self, which: Rounds, claim: Node) -> Node {
        self.node(Operation::Rounds(which, claim))
    }

    pub(super) fn add(&mut self, a: Node, b: Node) -> Node {
        match (self.value(a), self.value(b)) {
            (Some(x), Some(y)) => return self.constant(field::add(x, y)),
            (Some(Word::ZERO), _) => return b,
            (_, Some(Word::ZERO)) => return a,
            _ => {}
        }
        match (self.difference(a), self.difference(b)) {
            // (c − b) + b, a + (c − a): weights of a bit that is free.
            (Some((c, taken)), _) if taken == b => return c,
            (_, Some((c, taken))) if taken == a => return c,
            (_, Some((c, taken))) if self.value(c) == Some(Word::ZERO) => return self.sub(a, taken),
            (Some((c, taken)), _) if self.value(c) == Some(Word::ZERO) => return self.sub(b, taken),
            _ => {}
        }
        self.node(Operation::Add(a.min(b), a.max(b)))
    }

    pub(super) fn sub(&mut self, a: Node, b: Node) -> Node {
        if a == b {
            return self.zero();
        }
        match (self.value(a), self.value(b)) {
            (Some(x), Some(y)) => self.constant(field::sub(x, y)),
            (_, Some(Word::ZERO)) => a,
            _ => self.node(Operation::Sub(a, b)),
        }
    }

    pub(super) fn mul(&mut self, a: Node, b: Node) -> Node {
        match (self.value(a), self.value(b)) {
            (Some(x), Some(y)) => return self.constant(field::mul(x, y)),
            (Some(x), _) if x == Word::ZERO => return a,
            (_, Some(y)) if y == Word::ZERO => return b,
            (Some(x), _) if x == Word::ONE => return b,
            (_, Some(y)) if y == Word::ONE => return a,
            (Some(x), _) if field::neg(x) == Word::ONE => {
                let zero = self.zero();
                return self.sub(zero, b);
            }
            (_, Some(y)) if field::neg(y) == Word::ONE => {
                let zero = self.zero();
                return self.sub(zero, a);
            }
            _ => {}
        }
        self.node(Operation::Mul(a.min(b), a.max(b)))
    }

    pub(super) fn double(&mut self, a: Node) -> Node {
        self.add(a, a)
    }

    /// `1 − a`.
    pub(super) fn complement(&mut self, a: Node) -> Node {
        let one = self.one();
        self.sub(one, a)
    }

    /// `base^exponent`.
    pub(super) fn power(&mut self, base: Node, exponent: u64) -> Node {
        let (mut result, mut square, mut left) = (self.one(), base, exponent);
        while left > 0 {
            if left & 1 == 1 {
                result = self.mul(result, square);
            }
            left >>= 1;
            if left > 0 {
                square = self.mul(square, square);
            }
        }
        result
    }

    /// `1, base, base², …`.
    pub(super) fn powers(&mut self, base: Node, count: usize) -> Vec<Node> {
        let mut power = self.one();
        let mut out = Vec::with_capacity(count);
        for _ in 0..count {
            out.push(power);
            power = self.mul(power, base);
        }
        out
    }

    /// `Σ_i weights_i · values_i`.
    pub(super) fn inner(&mut self, pairs: impl IntoIterator<Item = (Node, Node)>) -> Node {
        let mut sum = self.zero();
        for (weight, value) in pairs {
            let product = self.mul(weight, value);
            sum = self.add(sum, product);
        }
        sum
    }

    /// `eq(a, x) = 1 − a − x + 2ax`; what depends on `x` alone is shared.
    pub(super) fn eq(&mut self, a: Node, x: Node) -> Node {
        let (one, double) = (self.one(), self.double(x));
        let slope = self.sub(double, one);
        let rest = self.complement(x);
        let product = self.mul(a, slope);
        self.add(rest, product)
    }

    /// `(1 − x) · low + x · high`.
    pub(super) fn select(&mut self, x: Node, low: Node, high: Node) -> Node {
        match (self.value(x), self.value(low), self.value(high)) {
            (Some(x), ..) if x == Word::ZERO => low,
            (Some(x), ..) if x == Word::ONE => high,
            (_, _, Some(Word::ZERO)) => {
                let rest = self.complement(x);
                self.mul(rest, low)
            }
            _ => {
                let difference = self.sub(high, low);
                let step = self.mul(x, difference);
                self.add(low, step)
            }
        }
    }
}
