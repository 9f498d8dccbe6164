//! Weighted sum of tensors: Add, Sub, Neg, Sum, multiplication by an integer.

use serde::{Deserialize, Serialize};

use crate::Map;

/// `y = Σ coefficients[i] · input_i + constant`, element-wise over views of one shape.
///
/// The scales of `coefficient · input` must agree: `scale(input_i) + shifts…` is the caller's business, so
/// `scale` is that of the result and is taken as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// Integer weight and view (broadcasting, say) of each input.
    pub terms: Vec<(i64, Map)>,
    /// Added to the sum.
    pub constant: i64,
    /// Scale of the result.
    pub scale: i32,
}
