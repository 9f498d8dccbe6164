//! Constraint expressions as a graph of shared nodes.

use super::{Challenge, Eval};
use crate::{Word, field};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Index of a node in [`Constraints::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The index as a `usize`.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One value at the evaluation point `x`, modulo the scalar field's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Node {
    /// A canonical constant.
    Constant(Word),
    /// An evaluation that the proof carries. [`Eval::Quotient`] never appears here.
    Eval(Eval),
    /// The instance column at `x`, computed from the public instances.
    Instance,
    /// A squeezed challenge, `x` included.
    Challenge(Challenge),
    /// `L_0(x)`: one on the first row.
    LagrangeFirst,
    /// `L_{n−1−b}(x)`: one on the row after the usable ones, where the permutation product must have closed.
    LagrangeLast,
    /// One on the usable rows: `1 − Σ_{i ≥ n−1−b} L_i(x)`.
    LagrangeActive,
    /// The additive inverse.
    Neg(NodeId),
    /// The sum.
    Add(NodeId, NodeId),
    /// First minus second.
    Sub(NodeId, NodeId),
    /// The product.
    Mul(NodeId, NodeId),
}

impl Node {
    /// The nodes that this one reads, at most two.
    pub fn operands(&self) -> impl Iterator<Item = NodeId> {
        let (first, second) = match *self {
            Self::Neg(a) => (Some(a), None),
            Self::Add(a, b) | Self::Sub(a, b) | Self::Mul(a, b) => (Some(a), Some(b)),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// An expression that must vanish on every row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What it states, for people. Free text: never print it into code unescaped.
    pub name: String,
    /// Its value at `x`.
    pub node: NodeId,
}

/// All identities of a program: gates first, then the permutation argument.
///
/// Operands precede the nodes that read them, so one pass in order evaluates everything.
/// No node occurs twice: a node with several readers is a common subexpression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// Nodes, operands first.
    pub nodes: Vec<Node>,
    /// Roots, in the order in which powers of `y` fold them (Horner: the first gets the highest power).
    pub identities: Vec<Identity>,
}

impl Constraints {
    /// How many times each node is read by other nodes and by identities.
    pub fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0u32; self.nodes.len()];
        let operands = self.nodes.iter().flat_map(Node::operands);
        for id in operands.chain(self.identities.iter().map(|identity| identity.node)) {
            if let Some(count) = uses.get_mut(id.index()) {
                *count = count.saturating_add(1);
            }
        }
        uses
    }
}

/// Where the permutation argument finds a column's value at `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermutationColumn {
    /// An evaluation in the proof.
    Eval(Eval),
    /// The instance column.
    Instance,
}

/// Builds [`Constraints`], sharing equal nodes and folding constants.
#[derive(Debug, Default)]
pub struct ExprBuilder {
    constraints: Constraints,
    known: HashMap<Node, NodeId>,
}

impl ExprBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// A leaf, or a node whose operands are known already; equal nodes get equal ids.
    pub fn node(&mut self, node: Node) -> NodeId {
        let nodes = &mut self.constraints.nodes;
        *self.known.entry(node).or_insert_with(|| {
            nodes.push(node);
            NodeId(nodes.len() as u32 - 1)
        })
    }

    /// A constant, reduced.
    pub fn constant(&mut self, value: Word) -> NodeId {
        self.node(Node::Constant(field::reduce(value)))
    }

    /// A challenge.
    pub fn challenge(&mut self, challenge: Challenge) -> NodeId {
        self.node(Node::Challenge(challenge))
    }

    /// An evaluation from the proof.
    pub fn eval(&mut self, eval: Eval) -> NodeId {
        self.node(Node::Eval(eval))
    }

    /// `−a`.
    pub fn neg(&mut self, a: NodeId) -> NodeId {
        match self.get(a) {
            Node::Constant(value) => self.constant(field::neg(value)),
            Node::Neg(inner) => inner,
            Node::Sub(left, right) => self.sub(right, left),
            _ => self.node(Node::Neg(a)),
        }
    }

    /// `a + b`.
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.get(a), self.get(b)) {
            (Node::Constant(left), Node::Constant(right)) => self.constant(field::add(left, right)),
            (Node::Constant(zero), _) if zero.is_zero() => b,
            (_, Node::Constant(zero)) if zero.is_zero() => a,
            (_, Node::Neg(right)) => self.sub(a, right),
            (Node::Neg(left), _) => self.sub(b, left),
            _ => self.node(Node::Add(a.min(b), a.max(b))),
        }
    }

    /// `a − b`.
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.get(a), self.get(b)) {
            _ if a == b => self.constant(Word::ZERO),
            (Node::Constant(left), Node::Constant(right)) => self.constant(field::sub(left, right)),
            (Node::Constant(zero), _) if zero.is_zero() => self.neg(b),
            (_, Node::Constant(zero)) if zero.is_zero() => a,
            (_, Node::Neg(right)) => self.add(a, right),
            _ => self.node(Node::Sub(a, b)),
        }
    }

    /// `a · b`.
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.get(a), self.get(b)) {
            (Node::Constant(left), Node::Constant(right)) => self.constant(field::mul(left, right)),
            (Node::Constant(value), _) => self.scale(b, value),
            (_, Node::Constant(value)) => self.scale(a, value),
            _ => self.node(Node::Mul(a.min(b), a.max(b))),
        }
    }

    /// `factor · a`.
    pub fn scale(&mut self, a: NodeId, factor: Word) -> NodeId {
        let factor = field::reduce(factor);
        if factor.is_zero() {
            return self.constant(Word::ZERO);
        }
        if factor == Word::ONE {
            return a;
        }
        if factor == field::neg(Word::ONE) {
            return self.neg(a);
        }
        if let Node::Constant(value) = self.get(a) {
            return self.constant(field::mul(value, factor));
        }
        let factor = self.constant(factor);
        self.node(Node::Mul(a.min(factor), a.max(factor)))
    }

    /// Adds an identity; the order of calls is the order of folding.
    pub fn identity(&mut self, name: impl Into<String>, node: NodeId) {
        self.constraints.identities.push(Identity { name: name.into(), node });
    }

    /// Adds the identities of the permutation argument (PLONK, <https://eprint.iacr.org/2019/953>, split into
    /// products of at most `chunk` columns each as halo2 does).
    ///
    /// `delta` separates the cosets of the columns; product `i` reads the evaluations
    /// [`Eval::product`]`(i, …)`, and column `j` the evaluation [`Eval::Sigma`]`(j)`.
    /// Does nothing without columns.
    pub fn permutation(&mut self, columns: &[PermutationColumn], chunk: usize, delta: Word) {
        let products = columns.chunks(chunk.max(1)).len();
        if products == 0 {
            return;
        }
        self.permutation_ends(products);
        let (beta, x) = (self.challenge(Challenge::Beta), self.challenge(Challenge::X));
        let mut coset = self.mul(beta, x);
        let mut sigma = 0u32;
        for (product, columns) in columns.chunks(chunk.max(1)).enumerate() {
            let mut left = self.eval(Eval::product_next(product as u32));
            let mut right = self.eval(Eval::product(product as u32));
            for column in columns {
                let value = match column {
                    PermutationColumn::Eval(eval) => self.eval(*eval),
                    PermutationColumn::Instance => self.node(Node::Instance),
                };
                let gamma = self.challenge(Challenge::Gamma);
                let shifted = self.add(value, gamma);
                let image = self.eval(Eval::Sigma(sigma));
                let image = self.mul(beta, image);
                let factor = self.add(shifted, image);
                left = self.mul(left, factor);
                let factor = self.add(shifted, coset);
                right = self.mul(right, factor);
                coset = self.scale(coset, delta);
                sigma += 1;
            }
            let difference = self.sub(left, right);
            let active = self.node(Node::LagrangeActive);
            let step = self.mul(active, difference);
            self.identity(format!("permutation: product {product} steps"), step);
        }
    }

    /// First value is one, last is zero or one, and each product starts where the one before ended.
    fn permutation_ends(&mut self, products: usize) {
        let last_product = products as u32 - 1;
        let (first, last) = (self.node(Node::LagrangeFirst), self.node(Node::LagrangeLast));
        let one = self.constant(Word::ONE);

        let start = self.eval(Eval::product(0));
        let start = self.sub(one, start);
        let start = self.mul(first, start);
        self.identity("permutation: first product starts at 1", start);

        let end = self.eval(Eval::product(last_product));
        let square = self.mul(end, end);
        let end = self.sub(square, end);
        let end = self.mul(last, end);
        self.identity("permutation: last product ends at 0 or 1", end);

        for product in 1..products as u32 {
            let start = self.eval(Eval::product(product));
            let end = self.eval(Eval::product_last(product - 1));
            let jump = self.sub(start, end);
            let jump = self.mul(first, jump);
            self.identity(format!("permutation: product {product} continues"), jump);
        }
    }

    /// The finished constraints, without nodes that no identity needs.
    pub fn finish(self) -> Constraints {
        let Constraints { nodes, identities } = self.constraints;
        let mut needed = vec![false; nodes.len()];
        for identity in &identities {
            needed[identity.node.index()] = true;
        }
        // Readers come after what they read, so one pass from the back reaches everything.
        for (index, node) in nodes.iter().enumerate().rev() {
            if needed[index] {
                node.operands().for_each(|operand| needed[operand.index()] = true);
            }
        }
        compact(&nodes, identities, &needed)
    }

    fn get(&self, id: NodeId) -> Node {
        self.constraints.nodes[id.index()]
    }
}

/// Keeps the needed nodes and renumbers what refers to them.
fn compact(nodes: &[Node], identities: Vec<Identity>, needed: &[bool]) -> Constraints {
    let mut renamed = vec![NodeId(0); nodes.len()];
    let mut kept = Vec::new();
    for (index, node) in nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
        let name = |id: NodeId| renamed[id.index()];
        let node = match *node {
            Node::Neg(a) => Node::Neg(name(a)),
            Node::Add(a, b) => Node::Add(name(a), name(b)),
            Node::Sub(a, b) => Node::Sub(name(a), name(b)),
            Node::Mul(a, b) => Node::Mul(name(a), name(b)),
            leaf => leaf,
        };
        renamed[index] = NodeId(kept.len() as u32);
        kept.push(node);
    }
    let identities = identities
        .into_iter()
        .map(|identity| Identity { node: renamed[identity.node.index()], ..identity })
        .collect();
    Constraints { nodes: kept, identities }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_expressions_share_a_node() {
        let mut builder = ExprBuilder::new();
        let (a, b) = (builder.eval(Eval::Advice(0)), builder.eval(Eval::Advice(1)));
        let (left, right) = (builder.mul(a, b), builder.mul(b, a));
        assert_eq!(left, right);
        let unused = builder.add(a, b);
        builder.identity("product", left);
        let constraints = builder.finish();
        assert_eq!(constraints.nodes.len(), 3, "{unused:?} is dropped");
        assert_eq!(constraints.uses(), [1, 1, 1]);
    }

    #[test]
    fn constants_fold_and_signs_merge() {
        let mut builder = ExprBuilder::new();
        let a = builder.eval(Eval::Advice(0));
        let b = builder.eval(Eval::Advice(1));
        let one = builder.constant(Word::ONE);
        let zero = builder.constant(Word::ZERO);
        let minus_b = builder.neg(b);
        let difference = builder.add(a, minus_b);
        assert_eq!(builder.get(difference), Node::Sub(a, b));
        let back = builder.neg(difference);
        assert_eq!(builder.get(back), Node::Sub(b, a));
        assert_eq!(builder.mul(a, one), a);
        assert_eq!(builder.add(a, zero), a);
        assert_eq!(builder.mul(a, zero), zero);
        assert_eq!(builder.sub(a, a), zero);
        let minus_one = builder.neg(one);
        assert_eq!(builder.mul(minus_one, b), minus_b);
    }

    #[test]
    fn permutation_has_one_step_per_product() {
        let mut builder = ExprBuilder::new();
        let columns = [0, 1, 2, 3, 4].map(|i| PermutationColumn::Eval(Eval::Advice(i)));
        builder.permutation(&columns, 2, Word::from_u64(7));
        let constraints = builder.finish();
        // start, end, two continuations, three steps
        assert_eq!(constraints.identities.len(), 7);
        let ordered = |(index, node): (usize, &Node)| node.operands().all(|id| id.index() < index);
        assert!(constraints.nodes.iter().enumerate().all(ordered));
        assert!(constraints.uses().iter().all(|uses| *uses > 0));
    }
}
