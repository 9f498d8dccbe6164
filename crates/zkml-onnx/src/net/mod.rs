//! The model in floats, in the shape of the integer graph: the same few operators, no scales yet.
//!
//! Lowering an ONNX operator builds this network; calibration runs it to find ranges; quantization
//! turns each node into graph operators.

mod balance;
mod build;
pub(crate) mod eval;
mod function;
mod gathered;
mod integers;
mod numbers;
mod pick;
mod view;

pub(crate) use eval::Evaluator;
pub(crate) use function::Function;
pub(crate) use numbers::Numbers;
pub(crate) use pick::Source;
use std::sync::Arc;
pub(crate) use view::{constant_view, strides};

use crate::forest::Forest;
use zkml_graph::Map;

/// Pad value of a view that must never win a maximum; the integer graph gets the lower bound instead.
pub(crate) const LOWEST: i64 = i64::MIN;

/// A value of the network seen through a map.
#[derive(Debug, Clone)]
pub(crate) struct Operand {
    /// Index of the node that makes the value.
    pub(crate) value: usize,
    /// How it is seen.
    pub(crate) map: Map,
}

/// Right-hand side of a maximum.
#[derive(Debug, Clone)]
pub(crate) enum Side {
    /// Another value.
    Operand(Operand),
    /// The same number everywhere.
    Constant(f64),
}

/// What a node computes. Operand views have the shape of the node unless said otherwise.
#[derive(Debug, Clone)]
pub(crate) enum NetOp {
    /// An input of the model.
    Input,
    /// A constant.
    Const(Numbers),
    /// `Σ_k a·b + addend`, as [`zkml_graph::ops::Contract`] describes it.
    Contract(Contraction),
    /// `scale · x + shift`, element by element.
    Affine { x: Operand, scale: Numbers, shift: Numbers },
    /// `Σ coefficient · operand + constant`.
    Sum { terms: Vec<(f64, Operand)>, constant: f64 },
    /// `a · b`.
    Product { a: Operand, b: Operand },
    /// `max(a, b)`.
    Max { a: Operand, b: Side },
    /// A function of one variable.
    Apply { function: Function, x: Operand },
    /// Parts copied to where the map of the result says.
    Join { parts: Vec<(Operand, Map)> },
    /// `a / b`, the divisor positive.
    Divide { a: Operand, b: Operand },
    /// `⌊a / b⌋` of integers, the divisor positive.
    Quotient { a: Operand, b: Operand },
    /// `⌊x⌋`.
    Floor { x: Operand },
    /// The nearest integer; of two that are equally near, the even one.
    Round { x: Operand },
    /// `values[x − first]` of integers `x`; other ones are refused.
    Table { x: Operand, first: i64, values: Arc<Vec<f64>> },
    /// First index of the largest element along the last dimension of the view.
    ArgMax { x: Operand },
    /// Scores of a tree ensemble for each row of a view of shape `[rows, features]`.
    Trees { x: Operand, forest: Arc<Forest> },
}

/// Operands of a contraction.
#[derive(Debug, Clone)]
pub(crate) struct Contraction {
    /// View of shape `batch ++ m ++ k`.
    pub(crate) a: Operand,
    /// View of shape `batch ++ k ++ n`.
    pub(crate) b: Operand,
    /// Added to the sums: one number for each of `batch ++ m ++ n`.
    pub(crate) addend: Option<Numbers>,
    /// Number of dimensions of `batch`, `m`, `k`, `n`.
    pub(crate) ranks: [usize; 4],
    /// Where results lie: a view of the output of shape `batch ++ m ++ n`.
    pub(crate) y: Map,
}

impl Contraction {
    /// Number of elements of `batch`, `m`, `k`, `n`.
    pub(crate) fn sizes(&self) -> [usize; 4] {
        let [r0, r1, r2, _] = self.ranks;
        let a = &self.a.map.shape;
        let count = |dims: &[usize]| dims.iter().product::<usize>();
        let n = count(&self.b.map.shape[r0 + r2..]);
        [count(&a[..r0]), count(&a[r0..r0 + r1]), count(&a[r0 + r1..]), n]
    }
}

/// One value of the network.
#[derive(Debug, Clone)]
pub(crate) struct NetNode {
    /// Name of the ONNX node that it comes from.
    pub(crate) name: String,
    /// What it computes.
    pub(crate) op: NetOp,
    /// Shape of the value.
    pub(crate) shape: Vec<usize>,
    /// Whether no element can be positive, by construction: no interval shows that of the difference between a
    /// value and a maximum that it takes part in.
    pub(crate) never_positive: bool,
    /// A number that no element is below, by construction: no interval shows that of a sum of squares, or of
    /// exponentials below the largest element.
    pub(crate) least: Option<f64>,
    /// Range that all its elements have by their type, where that is narrow.
    pub(crate) span: Option<(i64, i64)>,
    /// True if all elements are integers by construction; then they stay so, at scale zero.
    pub(crate) integer: bool,
}

impl NetNode {
    /// A node of which nothing is known by construction.
    fn new(name: &str, op: NetOp, shape: &[usize]) -> Self {
        Self {
            name: name.into(),
            op,
            shape: shape.to_vec(),
            never_positive: false,
            least: None,
            span: None,
            integer: false,
        }
    }
}

/// The network: nodes in topological order, except that constants may follow their readers (folding makes new
/// ones).
#[derive(Debug, Clone, Default)]
pub(crate) struct Net {
    /// Nodes; a node's index is the value it makes.
    pub(crate) nodes: Vec<NetNode>,
    /// Inputs of the model, in order.
    pub(crate) inputs: Vec<usize>,
    /// Named results.
    pub(crate) outputs: Vec<(String, Operand)>,
    /// Constants that products read.
    weights: Vec<usize>,
}

impl NetOp {
    /// Whether all constants of the node are finite.
    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::Const(v) => v.is_finite(),
            Self::Contract(c) => c.addend.as_ref().is_none_or(Numbers::is_finite),
            Self::Affine { scale, shift, .. } => scale.is_finite() && shift.is_finite(),
            Self::Sum { terms, constant } => constant.is_finite() && terms.iter().all(|(c, _)| c.is_finite()),
            Self::Max { b: Side::Constant(c), .. } => c.is_finite(),
            _ => true,
        }
    }

    /// As [`NetOp::operands`], to be changed.
    fn operands_mut(&mut self) -> Vec<&mut Operand> {
        match self {
            Self::Input | Self::Const(_) => Vec::new(),
            Self::Contract(c) => vec![&mut c.a, &mut c.b],
            Self::Affine { x, .. }
            | Self::Apply { x, .. }
            | Self::ArgMax { x }
            | Self::Floor { x }
            | Self::Round { x }
            | Self::Table { x, .. }
            | Self::Trees { x, .. } => {
                vec![x]
            }
            Self::Sum { terms, .. } => terms.iter_mut().map(|(_, o)| o).collect(),
            Self::Product { a, b } | Self::Divide { a, b } | Self::Quotient { a, b } => vec![a, b],
            Self::Max { a, b: Side::Operand(b) } => vec![a, b],
            Self::Max { a, b: Side::Constant(_) } => vec![a],
            Self::Join { parts } => parts.iter_mut().map(|(o, _)| o).collect(),
        }
    }

    /// The numbers that the node itself brings along.
    fn numbers_mut(&mut self) -> Vec<&mut Numbers> {
        match self {
            Self::Const(n) => vec![n],
            Self::Contract(c) => c.addend.iter_mut().collect(),
            Self::Affine { scale, shift, .. } => vec![scale, shift],
            _ => Vec::new(),
        }
    }

    /// Returns true if numbers that the node itself brings along are private.
    fn hides(&self) -> bool {
        match self {
            Self::Const(n) => n.is_private(),
            Self::Contract(c) => c.addend.as_ref().is_some_and(Numbers::is_private),
            Self::Affine { scale, shift, .. } => scale.is_private() || shift.is_private(),
            _ => false,
        }
    }

    /// The values that the node reads.
    pub(crate) fn operands(&self) -> Vec<&Operand> {
        match self {
            Self::Input | Self::Const(_) => Vec::new(),
            Self::Contract(c) => vec![&c.a, &c.b],
            Self::Affine { x, .. }
            | Self::Apply { x, .. }
            | Self::ArgMax { x }
            | Self::Floor { x }
            | Self::Round { x }
            | Self::Table { x, .. }
            | Self::Trees { x, .. } => {
                vec![x]
            }
            Self::Sum { terms, .. } => terms.iter().map(|(_, o)| o).collect(),
            Self::Product { a, b } | Self::Divide { a, b } | Self::Quotient { a, b } => vec![a, b],
            Self::Max { a, b: Side::Operand(b) } => vec![a, b],
            Self::Max { a, b: Side::Constant(_) } => vec![a],
            Self::Join { parts } => parts.iter().map(|(o, _)| o).collect(),
        }
    }
}

impl Net {
    /// Which nodes the outputs depend on.
    pub(crate) fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        self.inputs.iter().for_each(|&i| live[i] = true);
        self.outputs.iter().for_each(|(_, o)| live[o.value] = true);
        for i in (0..self.nodes.len()).rev() {
            if live[i] {
                self.nodes[i].op.operands().iter().for_each(|o| live[o.value] = true);
            }
        }
        live
    }

    /// The constant behind an operand, element by element of its view.
    pub(crate) fn constant(&self, o: &Operand) -> Option<Numbers> {
        match &self.nodes[o.value].op {
            NetOp::Const(numbers) => Some(numbers.on(|v| gather(&o.map, v))),
            _ => None,
        }
    }
}

/// What a map shows of row-major values.
pub(crate) fn gather(map: &Map, values: &[f64]) -> Vec<f64> {
    let pad = pad_value(map);
    map.indices().into_iter().map(|i| i.map_or(pad, |i| values[i])).collect()
}

/// The real number behind a map's pad.
pub(crate) fn pad_value(map: &Map) -> f64 {
    match map.pad {
        Some(LOWEST) => f64::NEG_INFINITY,
        Some(v) => v as f64,
        None => 0.0,
    }
}
