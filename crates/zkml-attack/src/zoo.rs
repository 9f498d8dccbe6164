//! Graphs to attack: every operator with every kind of operand in every position, all pairs, random ones.
//!
//! All tensors have [`LEN`] elements, or one that is broadcast, so that any operator can follow any other. Which
//! operands are constants is enumerated, not remembered.

mod random;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zkml_graph::{
    Bounds, Graph, GraphBuilder, GraphError, Map, TensorId, Visibility,
    map::Axis,
    ops::{
        ArgMax, Contract, Divide, Linear, Lookup, Max, MaxOperand, Piece, Pieces, Product, Reindex, Rescale,
        Root, Split, Trees,
    },
    testing,
};

use crate::Target;

/// Number of elements of most tensors.
pub const LEN: usize = 3;
/// Widest domain of a table in the zoo.
const MAX_DOMAIN: i128 = 96;

/// Role of an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// An input of the model.
    Input,
    /// The result of another operator.
    Intermediate,
    /// A constant with one value everywhere.
    Uniform,
    /// A constant whose elements differ.
    Varied,
    /// A private weight.
    Weight,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Input, Self::Intermediate, Self::Uniform, Self::Varied, Self::Weight];
}

/// An operator of the zoo, with what is special about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A matrix times a vector.
    Contract,
    /// The same with the matrix on the left, and an addend.
    ContractAdd,
    /// Products at several positions.
    Outer,
    /// `a + b`.
    Sum,
    /// `2a − 3b + 5`.
    Weighted,
    /// `a · b`.
    Product,
    /// Division by four.
    Rescale,
    /// Division by six.
    RescaleOdd,
    /// A table over the whole domain.
    Table,
    /// An interpolated table, rounded.
    Interpolated,
    /// An interpolated table without rounding.
    Unrounded,
    /// `max(a, 0)`.
    Relu,
    /// `max(a, 2)`.
    Floor,
    /// `max(a, b)`.
    Max,
    /// The elements in reverse, behind one of padding.
    Reverse,
    /// `⌊4a / b⌋`.
    Divide,
    /// Position of the largest element.
    ArgMax,
    /// `⌊√(4a)⌋`.
    Root,
    /// Three trees of one or two comparisons.
    Trees,
    /// A function in pieces of uneven length.
    Pieces,
}

impl Kind {
    /// All operators.
    pub const ALL: [Self; 20] = [
        Self::Contract,
        Self::ContractAdd,
        Self::Outer,
        Self::Sum,
        Self::Weighted,
        Self::Product,
        Self::Rescale,
        Self::RescaleOdd,
        Self::Table,
        Self::Interpolated,
        Self::Unrounded,
        Self::Relu,
        Self::Floor,
        Self::Max,
        Self::Reverse,
        Self::Divide,
        Self::ArgMax,
        Self::Root,
        Self::Trees,
        Self::Pieces,
    ];

    /// Number of operands.
    pub fn arity(self) -> usize {
        match self {
            Self::ContractAdd => 3,
            Self::Contract
            | Self::Outer
            | Self::Sum
            | Self::Weighted
            | Self::Product
            | Self::Max
            | Self::Divide => 2,
            _ => 1,
        }
    }

    /// Returns true if operand `i` has to be positive.
    fn positive(self, i: usize) -> bool {
        (self == Self::Divide && i == 1) || self == Self::Root
    }
}

/// Builds a graph, with values for its inputs and weights.
struct Zoo {
    b: GraphBuilder,
    rng: ChaCha8Rng,
    /// One view in this many reads padding behind the end of a tensor; zero for none.
    shifted: u32,
    inputs: Vec<Vec<i64>>,
    weights: Vec<Vec<i64>>,
    nodes: usize,
}

impl Zoo {
    fn new(name: &str, seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { b: GraphBuilder::new(name), rng, shifted: 0, inputs: vec![], weights: vec![], nodes: 0 }
    }

    fn name(&mut self) -> String {
        self.nodes += 1;
        format!("n{}", self.nodes)
    }

    /// One of the shapes that read the same elements.
    fn shape(&mut self) -> Vec<usize> {
        [vec![LEN], vec![1, LEN], vec![LEN, 1]][self.rng.gen_range(0..3)].clone()
    }

    fn operand(&mut self, role: Role, positive: bool) -> Result<TensorId, GraphError> {
        let (lo, hi) = if positive { (1, 9) } else { (-8, 7) };
        let mut draw = |n: usize| (0..n).map(|_| self.rng.gen_range(lo..=hi)).collect::<Vec<i64>>();
        let mut values = draw(LEN);
        // Another value somewhere, so that varied constants are.
        values[0] = if values[1] == hi { lo } else { values[1] + 1 };
        let (name, shape) = (self.name(), self.shape());
        let bounds = Bounds::new(lo.into(), hi.into());
        match role {
            Role::Input | Role::Intermediate => {
                let committed = self.rng.gen_ratio(1, 12);
                let visibility = if committed { Visibility::Committed } else { Visibility::Public };
                self.inputs.push(values);
                let x = self.b.input(&name, &shape, 0, bounds, visibility)?;
                if role == Role::Input {
                    return Ok(x);
                }
                let kind = if positive {
                    Kind::Floor
                } else {
                    [Kind::Sum, Kind::Product, Kind::Relu, Kind::Rescale][self.rng.gen_range(0..4)]
                };
                self.apply(kind, &[x, x])
            }
            Role::Uniform => self.b.constant(&name, &shape, 0, vec![values[0]; LEN]),
            Role::Varied => self.b.constant(&name, &shape, 0, values),
            Role::Weight if positive => {
                let m = format!("private `{name}` has no sign that is known");
                Err(GraphError::Shape { node: name, detail: m })
            }
            Role::Weight => {
                self.weights.push(values);
                self.b.weight(&name, &shape, 0, 6)
            }
        }
    }

    /// The view of a tensor as one of [`LEN`] elements.
    fn view(&mut self, t: TensorId, shape: &[usize]) -> Map {
        let own = &self.b.tensor(t).shape;
        if self.b.tensor(t).len() == 1 {
            let axes = own.iter().map(|_| Axis { offset: 0, steps: vec![0; shape.len()] }).collect();
            return Map { source: own.clone(), shape: shape.to_vec(), axes, pad: None };
        }
        let (offset, pad) = if self.shifted > 0 && self.rng.gen_ratio(1, self.shifted) {
            // Positive, so that it may be a divisor.
            (self.rng.gen_range(-2..=2), Some(self.rng.gen_range(1..=5)))
        } else {
            (0, None)
        };
        let axis = Axis { offset, steps: shape.iter().map(|&d| i64::from(d == LEN)).collect() };
        Map { source: vec![LEN], shape: shape.to_vec(), axes: vec![axis], pad }
    }

    /// A matrix from a tensor: its elements along rows (`across` false) or columns.
    fn matrix(&self, t: TensorId, across: bool) -> Map {
        let own = self.b.tensor(t).len();
        let step = |on: bool| i64::from(on && own == LEN);
        let axes = vec![Axis { offset: 0, steps: vec![step(!across), step(across)] }];
        Map { source: vec![own], shape: vec![LEN, LEN], axes, pad: None }
    }

    fn apply(&mut self, kind: Kind, operands: &[TensorId]) -> Result<TensorId, GraphError> {
        let (name, shape) = (self.name(), self.shape());
        let x = operands[0];
        let bounds = self.b.tensor(x).bounds;
        let left = self.view(x, &shape);
        let right = operands.get(1).map_or_else(|| left.clone(), |t| self.view(*t, &shape));
        let table = |fraction_bits, shift| wave(bounds, fraction_bits, shift);
        match kind {
            Kind::Contract | Kind::ContractAdd | Kind::Outer => self.contraction(kind, &name, operands),
            Kind::Sum => {
                let op = Linear { terms: vec![(1, left), (1, right)], constant: 0, scale: 0 };
                self.b.node(&name, op, &operands[..2])
            }
            Kind::Weighted => {
                let op = Linear { terms: vec![(2, left), (-3, right)], constant: 5, scale: 0 };
                self.b.node(&name, op, &operands[..2])
            }
            Kind::Product => self.b.node(&name, Product { a: left, b: right }, &operands[..2]),
            Kind::Rescale => self.b.node(&name, Rescale { divisor: 4, scale: 0, calibrated: None }, &[x]),
            Kind::RescaleOdd => self.b.node(&name, Rescale { divisor: 6, scale: 0, calibrated: None }, &[x]),
            Kind::Table => self.b.node(&name, table(0, 0)?, &[x]),
            Kind::Interpolated => self.b.node(&name, table(3, 2)?, &[x]),
            Kind::Unrounded => self.b.node(&name, table(2, 0)?, &[x]),
            Kind::Relu => self.b.node(&name, Max { a: left, b: MaxOperand::Constant(0) }, &[x]),
            Kind::Floor => self.b.node(&name, Max { a: left, b: MaxOperand::Constant(2) }, &[x]),
            Kind::Max => self.b.node(&name, Max { a: left, b: MaxOperand::View(right) }, &operands[..2]),
            Kind::Reverse => {
                let own = self.b.tensor(x).len();
                let (offset, step) = if own == LEN { (LEN as i64, -1) } else { (1, -1) };
                let axes = vec![Axis { offset, steps: vec![step] }];
                let part = Map { source: vec![own], shape: vec![LEN], axes, pad: Some(4) };
                let op = Reindex { shape: vec![LEN], parts: vec![(part, Map::identity(&[LEN]))] };
                self.b.node(&name, op, &[x])
            }
            Kind::Divide => {
                let op = Divide { a: left, b: right, shift: 2, calibrated: None };
                self.b.node(&name, op, &operands[..2])
            }
            Kind::Root => self.b.node(&name, Root { shift: 2, calibrated: None }, &[x]),
            Kind::Trees => {
                let op = grown(self.view(x, &[1, LEN]), bounds);
                self.b.node(&name, op, &[x])
            }
            Kind::Pieces => self.b.node(&name, bent(bounds), &[x]),
            Kind::ArgMax => {
                let op = ArgMax { x: self.view(x, &[LEN]), shape: vec![1] };
                self.b.node(&name, op, &[x])
            }
        }
    }

    fn contraction(&mut self, kind: Kind, name: &str, operands: &[TensorId]) -> Result<TensorId, GraphError> {
        let x = operands[0];
        match kind {
            Kind::Contract => {
                let (a, b) =
                    (self.view(x, &[1, LEN]), self.matrix(operands[1], self.nodes.is_multiple_of(2)));
                let op = Contract { a, b, addend: None, ranks: [0, 1, 1, 1], y: Map::identity(&[1, LEN]) };
                self.b.node(name, op, &operands[..2])
            }
            Kind::ContractAdd => {
                let (a, b) =
                    (self.matrix(x, self.nodes.is_multiple_of(2)), self.view(operands[1], &[LEN, 1]));
                let addend = Some(self.view(operands[2], &[LEN, 1]));
                let op = Contract { a, b, addend, ranks: [0, 1, 1, 1], y: Map::identity(&[LEN, 1]) };
                self.b.node(name, op, &operands[..3])
            }
            _ => {
                let (a, b) = (self.view(x, &[LEN, 1]), self.view(operands[1], &[1, LEN]));
                let op = Contract { a, b, addend: None, ranks: [0, 1, 1, 1], y: Map::identity(&[LEN, LEN]) };
                let y = self.b.node(name, op, &operands[..2])?;
                // The diagonal and two more, so that what follows sees a vector again.
                let axes = vec![Axis { offset: 0, steps: vec![1] }, Axis { offset: 0, steps: vec![1] }];
                let part = Map { source: vec![LEN, LEN], shape: vec![LEN], axes, pad: None };
                let diagonal = self.name();
                let op = Reindex { shape: vec![LEN], parts: vec![(part, Map::identity(&[LEN]))] };
                self.b.node(&diagonal, op, &[y])
            }
        }
    }

    fn finish(mut self, name: &str, outputs: &[TensorId]) -> Result<Target, GraphError> {
        for (i, y) in outputs.iter().enumerate() {
            let committed = self.rng.gen_ratio(1, 8);
            let visibility = if committed { Visibility::Committed } else { Visibility::Public };
            self.b.output(&format!("y{i}"), *y, visibility);
        }
        let graph: Graph = self.b.finish()?;
        // Weights that no output needs are pruned.
        let kept = graph.weights.len();
        self.weights.truncate(kept);
        Target::new(name, graph, &self.inputs, &self.weights)
    }
}

/// Trees whose thresholds lie around the middle of the features' bounds.
fn grown(x: Map, bounds: Bounds) -> Trees {
    let middle = ((bounds.lo + bounds.hi) / 2) as i64;
    let split = |feature, more: i64, left| Split { feature: Some(feature), threshold: middle + more, left };
    let nodes = vec![
        split(1, 1, 6),
        split(2, -1, 8),
        Split::leaf(2),
        split(0, 3, 10),
        split(2, 0, 12),
        Split::leaf(5),
    ];
    Trees { x, depth: 2, roots: vec![split(0, 0, 0), split(1, 0, 2), split(2, 2, 4)], nodes }
}

/// A graph by what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// One operator, with a role for each operand.
    Single(Kind, Vec<Role>),
    /// An operator whose result is operand `at` of another; the rest have the given role.
    Pair(Kind, Kind, usize, Role),
    /// Some operators on whatever there is, with padding here and there; one or two outputs.
    Random(u64),
    /// Contractions of several batches, positions and results, as layers have them, with what follows on each.
    Layers(u64),
    /// A case of the operators' own tests, by name: views, padding, copies and networks of all kinds.
    Case(String),
}

impl Recipe {
    /// All single operators and all pairs, in order.
    pub fn all() -> Vec<Self> {
        let mut out = Vec::new();
        for kind in Kind::ALL {
            let count = Role::ALL.len().pow(kind.arity() as u32);
            for i in 0..count {
                let digit = |d: usize| Role::ALL[i / Role::ALL.len().pow(d as u32) % Role::ALL.len()];
                let roles: Vec<Role> = (0..kind.arity()).map(digit).collect();
                if roles.iter().any(|r| !matches!(r, Role::Uniform | Role::Varied)) {
                    out.push(Self::Single(kind, roles));
                }
            }
        }
        out.extend(testing::cases().into_iter().map(|c| Self::Case(c.name)));
        for first in Kind::ALL {
            for second in Kind::ALL {
                for at in 0..second.arity() {
                    let roles: &[Role] = if second.arity() == 1 { &Role::ALL[..1] } else { &Role::ALL };
                    out.extend(roles.iter().map(|r| Self::Pair(first, second, at, *r)));
                }
            }
        }
        out
    }

    /// Builds it; the same seed gives the same graph.
    ///
    /// # Errors
    /// The graph's own, where the operators do not go together (a divisor that may be zero, a domain too wide).
    pub fn build(&self, seed: u64) -> Result<Target, GraphError> {
        let name = format!("{self:?}");
        if let Self::Case(wanted) = self {
            let case = testing::cases().into_iter().find(|c| c.name == *wanted);
            let case = case.ok_or_else(|| GraphError::Decode(format!("there is no case `{wanted}`")))?;
            return Target::new(&name, case.graph, &case.inputs, &case.weights);
        }
        let mut zoo = Zoo::new("zoo", seed);
        let y = match self {
            Self::Single(kind, roles) => {
                let roles = roles.iter().enumerate();
                let operands =
                    roles.map(|(i, r)| zoo.operand(*r, kind.positive(i))).collect::<Result<Vec<_>, _>>()?;
                zoo.apply(*kind, &operands)?
            }
            Self::Pair(first, second, at, role) => {
                let mut given = |kind: Kind, i: usize, role: Role| zoo.operand(role, kind.positive(i));
                let inner = (0..first.arity())
                    .map(|i| given(*first, i, if i == 0 { Role::Input } else { *role }))
                    .collect::<Result<Vec<_>, _>>()?;
                let middle = zoo.apply(*first, &inner)?;
                let operands = (0..second.arity())
                    .map(|i| if i == *at { Ok(middle) } else { zoo.operand(*role, second.positive(i)) })
                    .collect::<Result<Vec<_>, _>>()?;
                zoo.apply(*second, &operands)?
            }
            Self::Random(seed) => {
                let outputs = random::operators(&mut zoo, *seed)?;
                return zoo.finish(&name, &outputs);
            }
            Self::Layers(seed) => {
                let outputs = random::layers(&mut zoo, *seed)?;
                return zoo.finish(&name, &outputs);
            }
            Self::Case(name) => return Err(GraphError::Decode(format!("`{name}` is built above"))),
        };
        zoo.finish(&name, &[y])
    }
}

/// A function table over an interval, or its refusal where it would have too many segments.
fn wave(bounds: Bounds, fraction_bits: u32, shift: u32) -> Result<Lookup, GraphError> {
    let step = 1i128 << fraction_bits;
    let count = (bounds.hi - bounds.lo) / step + 1;
    let values = |a: i64, m: i64| (0..count as i64).map(|i| (i * a) % m - m / 2).collect::<Vec<i64>>();
    let slope = if fraction_bits > 0 { values(5, 7) } else { vec![] };
    let lookup = Lookup {
        name: format!("wave {fraction_bits}"),
        lo: bounds.lo as i64,
        fraction_bits,
        value: values(37, 23),
        slope,
        shift,
        scale: 0,
    };
    (count <= MAX_DOMAIN).then_some(lookup).ok_or_else(|| GraphError::Shape {
        node: "table".into(),
        detail: format!("{count} segments are too many for the zoo"),
    })
}

/// A function over an interval, in pieces of which each is a little longer than the one before.
fn bent(bounds: Bounds) -> Pieces {
    let (lo, hi) = (bounds.lo as i64, bounds.hi as i64);
    let unit = ((hi - lo) / 12).max(1);
    let last = |k: i64| (lo + k * (k + 1) / 2 * unit).min(hi);
    let count = (0..).find(|k| last(*k) == hi).unwrap_or(0) + 1;
    let piece = |k: i64| Piece { last: last(k), value: (k * 37) % 23 - 11, slope: (k * 5) % 7 - 3 };
    Pieces { name: "bent".into(), lo, pieces: (0..count).map(piece).collect(), shift: 2, scale: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_operator_is_built_with_every_role() {
        let mut built = BTreeSet::new();
        let mut refused = 0;
        for (recipe, seed) in Recipe::all().into_iter().flat_map(|r| [7, 8, 9].map(|seed| (r.clone(), seed)))
        {
            match (recipe.build(seed), recipe) {
                (Ok(_), Recipe::Single(kind, roles)) => {
                    built.extend(roles.iter().enumerate().map(|(i, r)| (kind, i, *r)));
                }
                (Err(_), _) => refused += 1,
                _ => {}
            }
        }
        for kind in Kind::ALL {
            for i in 0..kind.arity() {
                for role in Role::ALL {
                    let alone = kind.arity() == 1 && matches!(role, Role::Uniform | Role::Varied);
                    let private_divisor = kind.positive(i) && role == Role::Weight;
                    let wanted = !alone && !private_divisor;
                    assert_eq!(built.contains(&(kind, i, role)), wanted, "{kind:?}, operand {i}, {role:?}");
                }
            }
        }
        let all = 3 * Recipe::all().len();
        assert!(refused * 4 < all, "{refused} of {all} do not go together");
    }

    #[test]
    fn random_graphs_are_built() {
        for recipe in [Recipe::Random, Recipe::Layers] {
            let built: Vec<_> = (0..200).filter_map(|s| recipe(s).build(s).ok()).collect();
            assert!(built.len() > 150, "{} of 200", built.len());
            assert!(built.iter().any(|t| t.graph.outputs.len() > 1), "several outputs");
        }
    }
}
