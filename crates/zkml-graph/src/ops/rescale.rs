//! Division by a constant, rounding half up.

use serde::{Deserialize, Serialize};

use crate::Bounds;

/// `y = ⌊(x + d/2) / d⌋` for a positive constant `d` (`⌊·⌋` towards −∞, `d/2` rounded down).
///
/// With `d = 2^s` and `scale = scale(x) − s` this is requantization. `calibrated`, when given, narrows the
/// bounds of the result: a run that leaves it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescale {
    /// The divisor, at least 1.
    pub divisor: i64,
    /// Scale of the result.
    pub scale: i32,
    /// Bounds of the result found by calibration.
    pub calibrated: Option<Bounds>,
}
