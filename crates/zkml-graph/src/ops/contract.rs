//! Sum of products over shared dimensions: MatMul, Gemm, Conv, pooling averages, attention.

use serde::{Deserialize, Serialize};

use crate::Map;

/// `y[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n] + addend[batch, m, n]`.
///
/// Inputs: `a`, `b` and, when `addend` is given, a constant third tensor at the scale of the products.
/// The result has shape `output` (a reshaping of `batch ++ m ++ n`) and the sum of the operands' scales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// View of the first input, of shape `batch ++ m ++ k`.
    pub a: Map,
    /// View of the second input, of shape `batch ++ k ++ n`.
    pub b: Map,
    /// View of the third input, of shape `batch ++ m ++ n`.
    pub addend: Option<Map>,
    /// Number of dimensions of `batch`, `m`, `k`, `n`.
    pub ranks: [usize; 4],
    /// How the result is laid out: a view of the output tensor (its `source`), of shape `batch ++ m ++ n`,
    /// that shows every element exactly once.
    pub y: Map,
}
