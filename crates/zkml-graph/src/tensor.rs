//! Tensors: shape, scale and static bounds.

use serde::{Deserialize, Serialize};

use crate::GraphError;

/// Index of a tensor in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TensorId(pub u32);

/// Binary logarithm of the largest magnitude that any tensor element may have.
///
/// Elements are stored as `i64`; two bits of head room let sums and differences of two elements stay exact.
pub const SAFE_BITS: u32 = 61;

/// A closed interval of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bounds {
    /// Smallest value, inclusive.
    pub lo: i128,
    /// Largest value, inclusive.
    pub hi: i128,
}

impl Bounds {
    /// `[lo, hi]`; the ends are put in order.
    pub fn new(a: i128, b: i128) -> Self {
        Self { lo: a.min(b), hi: a.max(b) }
    }

    /// The interval holding one value.
    pub fn point(v: i128) -> Self {
        Self { lo: v, hi: v }
    }

    /// The smallest interval holding all values; `[0, 0]` for none.
    pub fn of(values: impl IntoIterator<Item = i64>) -> Self {
        let mut it = values.into_iter().map(i128::from);
        let first = it.next().unwrap_or(0);
        it.fold(Self::point(first), |b, v| Self { lo: b.lo.min(v), hi: b.hi.max(v) })
    }

    /// Sum of two intervals.
    pub fn add(self, o: Self) -> Self {
        Self { lo: self.lo.saturating_add(o.lo), hi: self.hi.saturating_add(o.hi) }
    }

    /// The interval times a constant.
    pub fn scale(self, c: i128) -> Self {
        Self::new(self.lo.saturating_mul(c), self.hi.saturating_mul(c))
    }

    /// All products of one element of each interval.
    pub fn mul(self, o: Self) -> Self {
        let p = [
            self.lo.saturating_mul(o.lo),
            self.lo.saturating_mul(o.hi),
            self.hi.saturating_mul(o.lo),
            self.hi.saturating_mul(o.hi),
        ];
        p.iter().skip(1).fold(Self::point(p[0]), |b, &v| Self { lo: b.lo.min(v), hi: b.hi.max(v) })
    }

    /// Smallest interval holding both.
    pub fn union(self, o: Self) -> Self {
        Self { lo: self.lo.min(o.lo), hi: self.hi.max(o.hi) }
    }

    /// Largest interval inside both, or `None` when they do not meet.
    pub fn intersect(self, o: Self) -> Option<Self> {
        let (lo, hi) = (self.lo.max(o.lo), self.hi.min(o.hi));
        (lo <= hi).then_some(Self { lo, hi })
    }

    /// Whether `v` lies inside.
    pub fn contains(self, v: i128) -> bool {
        self.lo <= v && v <= self.hi
    }

    /// Number of bits `b` with `hi - lo < 2^b`.
    pub fn bits(self) -> u32 {
        let width = self.hi.saturating_sub(self.lo);
        128 - width.leading_zeros()
    }

    /// Largest magnitude in the interval.
    pub fn magnitude(self) -> i128 {
        self.lo.saturating_abs().max(self.hi.saturating_abs())
    }

    /// The interval itself when it is within ±2^[`SAFE_BITS`], else an error that names `node`.
    pub fn checked(self, node: &str) -> Result<Self, GraphError> {
        if self.magnitude() >> SAFE_BITS == 0 {
            return Ok(self);
        }
        Err(GraphError::Overflow { node: node.to_owned(), lo: self.lo, hi: self.hi, limit_bits: SAFE_BITS })
    }
}

/// A tensor of the graph: `real = integer · 2^-scale`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// Name, for messages and reports; unique within a graph.
    pub name: String,
    /// Dimensions, row-major; empty for a scalar.
    pub shape: Vec<usize>,
    /// Binary logarithm of the number of integer steps per real unit; may be negative.
    pub scale: i32,
    /// Bounds that hold for every element of every admissible run.
    pub bounds: Bounds,
    /// Elements in row-major order when the tensor is a constant of the model.
    pub constant: Option<Vec<i64>>,
}

impl Tensor {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Real value of an integer at this tensor's scale.
    pub fn real(&self, v: i128) -> f64 {
        v as f64 * (-f64::from(self.scale)).exp2()
    }
}
