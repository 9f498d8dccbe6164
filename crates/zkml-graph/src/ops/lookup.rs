//! A function of one variable from a table, exact or piecewise linear.

use serde::{Deserialize, Serialize};

/// With `key = ⌊(x − lo) / 2^fraction_bits⌋` and `fraction = (x − lo) mod 2^fraction_bits`:
/// `y = ⌊(value[key] + slope[key] · fraction + 2^(shift−1)) / 2^shift⌋` (no rounding term when `shift = 0`).
///
/// `fraction_bits = 0` is an exact table: `slope` is empty, `shift` is 0 and `y = value[key]`.
/// `x` outside `[lo, lo + len(value)·2^fraction_bits)` is refused, never saturated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Name of the function, for messages.
    pub name: String,
    /// Smallest `x`.
    pub lo: i64,
    /// Binary logarithm of the width of a segment.
    pub fraction_bits: u32,
    /// Value at the start of each segment, at scale `scale + shift`.
    pub value: Vec<i64>,
    /// Increase per step of `x` in each segment, at scale `scale + shift`; empty for an exact table.
    pub slope: Vec<i64>,
    /// Binary logarithm of the divisor of the final rounding.
    pub shift: u32,
    /// Scale of the result.
    pub scale: i32,
}
