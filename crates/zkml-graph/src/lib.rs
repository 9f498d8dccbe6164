//! The quantized integer graph.
//!
//! A [`Graph`] is the definition of what is proven: tensors of integers, each with a shape, a
//! power-of-two scale and static bounds, connected by a small set of operators with exact semantics.
//! Each operator says twice what it does: [`op::OpSpec::eval`] computes its output, and
//! [`op::OpSpec::relate`] states, without computing anything, the tensor [`Relation`]s that pin the
//! output down. A proving back end implements relation kinds, never operators.
//!
//! What every back end needs to know of relations is found out here, by analyses that belong to none: [`intervals`],
//! [`wiring`], [`contraction`]; and each of them writes a [`Ledger`] of how it takes care of every relation.
//!
//! ```
//! # fn main() -> Result<(), zkml_graph::GraphError> {
//! use zkml_graph::{Bounds, GraphBuilder, Map, Visibility, ops::Linear};
//!
//! let mut graph = GraphBuilder::new("sum");
//! let x = graph.input("x", &[2], 0, Bounds::new(-9, 9), Visibility::Public)?;
//! let terms = vec![(1, Map::identity(&[2])), (1, Map::identity(&[2]))];
//! let y = graph.node("twice", Linear { terms, constant: 0, scale: 0 }, &[x, x])?;
//! graph.output("y", y, Visibility::Public);
//! let graph = graph.finish()?;
//! assert_eq!(graph.eval(&[vec![1, -4]])?.values[y.0 as usize], [2, -8]);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
mod case;
mod check;
pub mod contraction;
pub mod effort;
pub mod graph;
pub mod intervals;
pub mod ledger;
pub mod map;
pub mod op;
pub mod ops;
mod optimize;
pub mod relation;
pub mod standing;
pub mod tensor;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wiring;

pub use graph::{Graph, GraphBuilder, Node, Output, Trace, Visibility};
pub use ledger::{Ledger, LedgerError, Standing};
pub use map::Map;
pub use op::{Evaluated, Fact, MAX_LOOSE_BITS, Op, OpSpec};
pub use optimize::Optimize;
pub use relation::{
    Code, RangeKind, Relation, RelationBuilder, SLACK_BITS, Section, System, Table, TableId, Var, VarId, View,
};
pub use tensor::{Bounds, Tensor, TensorId};

/// Everything that can be wrong with a graph or with the values run through it.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum GraphError {
    /// Shapes of operands do not fit the operator.
    #[error("node `{node}`: {detail}")]
    Shape {
        /// Name of the node.
        node: String,
        /// What does not fit, with the shapes.
        detail: String,
    },
    /// Static bounds of a result leave the range in which integer arithmetic is exact.
    #[error(
        "node `{node}`: its values could reach [{lo}, {hi}], beyond the ±2^{limit_bits} that is exact here; \
         lower the bit budget or the calibrated range of its inputs"
    )]
    Overflow {
        /// Name of the node.
        node: String,
        /// Lower end of the interval.
        lo: i128,
        /// Upper end of the interval.
        hi: i128,
        /// Binary logarithm of the safe range.
        limit_bits: u32,
    },
    /// A value is outside the bounds that were fixed when the model was compiled.
    #[error(
        "tensor `{tensor}`, element {index}: value {real} (integer {value}) lies outside the calibrated range \
         [{lo_real}, {hi_real}]; calibrate again with data that covers it, or reject this input"
    )]
    OutOfBounds {
        /// Name of the tensor.
        tensor: String,
        /// Row-major index of the element.
        index: usize,
        /// The integer value.
        value: i128,
        /// The value in real units, printed.
        real: String,
        /// Lower bound in real units, printed.
        lo_real: String,
        /// Upper bound in real units, printed.
        hi_real: String,
    },
    /// The number of values given for a tensor is not the product of its shape.
    #[error("tensor `{tensor}` of shape {shape:?} takes {expected} values, {got} were given")]
    Count {
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Number of values it takes.
        expected: usize,
        /// Number of values given.
        got: usize,
    },
    /// The number of input tensors is wrong.
    #[error("the graph takes {expected} input tensors, {got} were given")]
    InputCount {
        /// Number of inputs of the graph.
        expected: usize,
        /// Number given.
        got: usize,
    },
    /// The number of private weight tensors is wrong.
    #[error("the graph takes {expected} private weight tensors, {got} were given")]
    WeightCount {
        /// Number of private weight tensors of the graph.
        expected: usize,
        /// Number given.
        got: usize,
    },
    /// A relation does not hold on the given values.
    #[error("{label}: {relation} does not hold at element {index}: {detail}")]
    Violated {
        /// Node that stated the relation.
        label: String,
        /// The relation, printed.
        relation: String,
        /// Row-major index of the element.
        index: usize,
        /// The values involved.
        detail: String,
    },
    /// The serialised form is not a graph.
    #[error("not a compiled graph: {0}")]
    Decode(String),
    /// The serialised form ends early or has a value that its type does not.
    #[error("not a compiled graph: {0}")]
    Postcard(#[from] postcard::Error),
}
