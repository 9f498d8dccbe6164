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

/// Largest number of elements of a tensor or of a view of one.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Largest number of dimensions of a tensor or of a view of one.
pub const MAX_RANK: usize = 16;

/// Largest magnitude of a scale.
pub const MAX_SCALE: i32 = 256;

/// Number of elements of a shape; `None` when a dimension is zero, when there are more than [`MAX_RANK`]
/// dimensions, or more than [`MAX_ELEMENTS`] elements.
pub fn elements(shape: &[usize]) -> Option<usize> {
    let fits = |n: &usize| (1..=MAX_ELEMENTS).contains(n);
    let product = || shape.iter().try_fold(1usize, |a, &d| a.checked_mul(d).filter(fits));
    (shape.len() <= MAX_RANK).then(product).flatten()
}

/// Row-major step of the index along each dimension of a shape.
pub(crate) fn strides(shape: &[usize]) -> Vec<i64> {
    let mut out = vec![1; shape.len()];
    for d in (1..shape.len()).rev() {
        out[d - 1] = out[d] * shape[d] as i64;
    }
    out
}

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

    /// Sum of two intervals, saturating.
    #[expect(clippy::should_implement_trait, reason = "it saturates, which a sign would hide")]
    pub fn add(self, o: Self) -> Self {
        Self { lo: self.lo.saturating_add(o.lo), hi: self.hi.saturating_add(o.hi) }
    }

    /// The interval times a constant.
    pub fn scale(self, c: i128) -> Self {
        Self::new(self.lo.saturating_mul(c), self.hi.saturating_mul(c))
    }

    /// All products of one element of each interval, saturating.
    #[expect(clippy::should_implement_trait, reason = "it saturates, which a sign would hide")]
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

    /// Largest of one element of each interval.
    pub fn max(self, o: Self) -> Self {
        Self { lo: self.lo.max(o.lo), hi: self.hi.max(o.hi) }
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
    ///
    /// # Errors
    /// [`GraphError::Overflow`] names `node` and the interval.
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

    /// The tensor itself when its shape, scale, bounds and constant are coherent and within limits, else an
    /// error that names it.
    pub(crate) fn checked(self) -> Result<Self, GraphError> {
        self.check().map(|()| self)
    }

    /// See [`Tensor::checked`].
    pub(crate) fn check(&self) -> Result<(), GraphError> {
        let shape = |detail: String| Err(GraphError::Shape { node: self.name.clone(), detail });
        let Some(expected) = elements(&self.shape) else {
            return shape(format!(
                "shape {:?} is not between 1 and {MAX_ELEMENTS} elements in at most {MAX_RANK} dimensions",
                self.shape
            ));
        };
        if self.scale.unsigned_abs() > MAX_SCALE as u32 {
            return shape(format!("scale {} is beyond ±{MAX_SCALE}", self.scale));
        }
        if self.bounds.lo > self.bounds.hi {
            return shape(format!("bounds [{}, {}] are empty", self.bounds.lo, self.bounds.hi));
        }
        if let Some(values) = &self.constant {
            let (tensor, shape_, got) = (self.name.clone(), self.shape.clone(), values.len());
            if got != expected {
                return Err(GraphError::Count { tensor, shape: shape_, expected, got });
            }
            if self.bounds != Bounds::of(values.iter().copied()) {
                return shape("bounds are not those of its constant".into());
            }
        }
        self.bounds.checked(&self.name).map(|_| ())
    }

    /// Real value of an integer at this tensor's scale.
    pub fn real(&self, v: i128) -> f64 {
        v as f64 * (-f64::from(self.scale)).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_capped_without_overflow() {
        assert_eq!(elements(&[]), Some(1));
        assert_eq!(elements(&[2, 3]), Some(6));
        assert_eq!(elements(&[1 << 28]), Some(MAX_ELEMENTS));
        assert_eq!(elements(&[1 << 28, 2]), None);
        assert_eq!(elements(&[usize::MAX, usize::MAX, 0]), None);
        assert_eq!(elements(&[0]), None);
        assert_eq!(elements(&[1; 17]), None);
    }

    #[test]
    fn interval_arithmetic_saturates() {
        let wide = Bounds::new(i128::MIN, i128::MAX);
        for b in [wide.add(wide), wide.mul(wide), wide.scale(-3)] {
            assert!(b.checked("n").is_err());
        }
        assert_eq!(wide.bits(), 127);
        assert_eq!(Bounds::new(-2, 3).mul(Bounds::new(-5, 4)), Bounds::new(-15, 12));
    }

    #[test]
    fn bits_count_the_width() {
        for (lo, hi, bits) in [(0, 0, 0), (0, 1, 1), (0, 255, 8), (0, 256, 9), (-128, 127, 8), (5, 6, 1)] {
            assert_eq!(Bounds::new(lo, hi).bits(), bits, "[{lo}, {hi}]");
        }
    }

    #[test]
    fn incoherent_tensors_are_refused() {
        let good = || Tensor {
            name: "t".into(),
            shape: vec![2],
            scale: 0,
            bounds: Bounds::new(1, 2),
            constant: Some(vec![1, 2]),
        };
        assert!(good().checked().is_ok());
        assert!(Tensor { shape: vec![3], ..good() }.checked().is_err());
        assert!(Tensor { scale: i32::MIN, ..good() }.checked().is_err());
        assert!(Tensor { bounds: Bounds::new(1, 1), ..good() }.checked().is_err());
        assert!(Tensor { bounds: Bounds { lo: 2, hi: 1 }, constant: None, ..good() }.checked().is_err());
        assert!(Tensor { bounds: Bounds::new(0, 1 << 61), constant: None, ..good() }.checked().is_err());
    }
}
