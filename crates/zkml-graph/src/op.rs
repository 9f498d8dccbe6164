//! What an operator of the graph is.

use serde::{Deserialize, Serialize};

use crate::{Bounds, GraphError, RelationBuilder, Tensor, View, ops};

/// Magnitudes that relations may let a tensor have, in bits, before its range is stated.
///
/// Two such factors, a coefficient of 63 bits, and sums of as many terms as a tensor may have stay below 240
/// bits, so that no accepted assignment wraps in a field of 254.
pub const MAX_LOOSE_BITS: u32 = 100;

/// Shape, scale and bounds of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Binary logarithm of steps per real unit.
    pub scale: i32,
    /// Bounds of every element.
    pub bounds: Bounds,
}

/// Values of one evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evaluated {
    /// The output, row-major.
    pub output: Vec<i64>,
    /// Auxiliary values in the order in which [`OpSpec::relate`] declares them.
    pub aux: Vec<Vec<i64>>,
}

/// One operator. Its file holds the four faces: facts, evaluation, relations, and test cases.
pub trait OpSpec {
    /// Kind of operator, for listings.
    fn kind(&self) -> &'static str;

    /// Shape, scale and bounds of the output; refuses operands that do not fit, naming `node`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] or [`GraphError::Overflow`], naming `node`.
    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError>;

    /// Exact integer semantics. `inputs` have the shapes that `fact` accepted and `output` is that fact.
    /// A value that the operator cannot carry (outside a table's domain, say) is an error, never clipped.
    ///
    /// # Errors
    /// [`GraphError::OutOfBounds`] for a value that the operator cannot carry.
    fn eval(
        &self,
        node: &str,
        inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError>;

    /// Bits of the magnitude that the relations let the result have, when they let the operands have `bits`
    /// each; `None` when they confine the result by themselves, to its bounds and the slack of a range. Range
    /// checks are loose, so this is more than the bounds of honest values say; see [`MAX_LOOSE_BITS`].
    fn loose_bits(&self, _bits: &[u32]) -> Option<u32> {
        None
    }

    /// States what ties `output` to `inputs`. Never computes values.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View));
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// An operator of the graph. Adding one is one file in `ops` and one line here.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Op { $($(#[$doc])* $name(ops::$name)),* }

        impl Op {
            /// The operator behind its common interface.
            pub fn spec(&self) -> &dyn OpSpec {
                match self { $(Self::$name(op) => op),* }
            }

            /// Its name, as in this list.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),* }
            }
        }

        $(impl From<ops::$name> for Op {
            fn from(op: ops::$name) -> Self {
                Self::$name(op)
            }
        })*
    };
}

operators! {
    /// Sum of products over shared dimensions, with an optional constant added.
    Contract,
    /// Weighted sum of tensors and a constant.
    Linear,
    /// Element-wise product.
    Product,
    /// Division by a constant, rounding half up.
    Rescale,
    /// A function of one variable, from a table, exact or interpolated.
    Lookup,
    /// Element-wise maximum of two tensors, or of a tensor and a constant.
    Max,
    /// Wiring: reshape, transpose, slice, concatenate, pad, broadcast.
    Reindex,
    /// Quotient of two tensors, the divisor proven positive.
    Divide,
    /// Index of the first largest element along an axis.
    ArgMax,
    /// Integer square root.
    Root,
    /// Leaves that decision trees lead to.
    Trees,
    /// A function of one variable, in straight pieces of uneven length.
    Pieces,
}
