//! Quotient of two tensors: Softmax, normalisation.

use serde::{Deserialize, Serialize};

use crate::Map;

/// `y = ⌊a · 2^shift / b⌋`, element-wise over views of one shape (`⌊·⌋` towards −∞); `b` must be positive by
/// its bounds, and relations prove it positive. Scale of the result: `scale(a) − scale(b) + shift`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divide {
    /// View of the dividend.
    pub a: Map,
    /// View of the divisor.
    pub b: Map,
    /// Binary logarithm by which the dividend is enlarged first.
    pub shift: u32,
    /// Bounds of the result found by calibration.
    pub calibrated: Option<crate::Bounds>,
}
