//! Integer square root: standard deviations, norms.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::tensor::SAFE_BITS;
use crate::{Bounds, Evaluated, Fact, GraphError, OpSpec, RelationBuilder, Tensor, View};

/// `y = ⌊√(x · 2^shift)⌋`, element-wise. Scale of the result: half of `scale(x) + shift`, which is even.
///
/// Operands below zero are refused, whatever the bounds of `x` allow. The relative error is below `1 / y`, for
/// small operands and large ones alike: a table over the same range would be coarse at one end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Binary logarithm by which the operand is enlarged first.
    pub shift: u32,
    /// Bounds of the result found by calibration, or known by construction.
    pub calibrated: Option<Bounds>,
}

impl Root {
    /// Bounds of the enlarged operand, as far as it has a root.
    fn radicand(&self, x: Bounds) -> Bounds {
        Bounds { lo: x.lo.max(0), hi: x.hi }.scale(1i128 << self.shift)
    }
}

impl OpSpec for Root {
    fn kind(&self) -> &'static str {
        "Root"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 1)?;
        let x = inputs[0];
        if self.shift >= SAFE_BITS {
            return operand::misfit(node, format!("a shift by {} bits is beyond {SAFE_BITS}", self.shift));
        }
        if x.bounds.hi < 0 {
            return operand::misfit(node, format!("`{}` is at most {}, below zero", x.name, x.bounds.hi));
        }
        let scale = i64::from(x.scale) + i64::from(self.shift);
        if scale % 2 != 0 {
            return operand::misfit(node, format!("the root of a number of scale {scale}, which is odd"));
        }
        let all = self.radicand(x.bounds).checked(node)?;
        let possible = Bounds { lo: all.lo.isqrt(), hi: all.hi.isqrt() };
        let bounds = operand::narrowed(node, possible, self.calibrated)?;
        Ok(Fact { shape: x.shape.clone(), scale: operand::scale(node, scale / 2)?, bounds })
    }

    fn eval(
        &self,
        _node: &str,
        inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let mut out = Vec::with_capacity(output.len());
        let mut aux = vec![Vec::new(); 3];
        for (i, &x) in values[0].iter().enumerate() {
            let y = (i128::from(x) << self.shift).checked_isqrt().ok_or_else(|| {
                let possible = Bounds { lo: 0, hi: inputs[0].bounds.hi };
                crate::graph::out_of_bounds(inputs[0], i, x.into(), possible)
            })?;
            let rem = (i128::from(x) << self.shift) - y * y;
            out.push(y as i64);
            aux.iter_mut().zip([y * y, rem, 2 * y - rem]).for_each(|(v, a)| v.push(a as i64));
        }
        Ok(Evaluated { output: out, aux })
    }

    /// `x·2^shift = y² + rem` with `rem ≥ 0` and `gap = 2y − rem ≥ 0`, so that `y² ≤ x·2^shift < (y + 1)²`. Both
    /// together also prove that `y` is not negative, which leaves one root; and with it `x ≥ 0`.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], (out, y): (&Tensor, View)) {
        let (tensor, x) = &inputs[0];
        let rest = Bounds::new(0, 2 * out.bounds.hi);
        let square = Bounds { lo: out.bounds.lo * out.bounds.lo, hi: self.radicand(tensor.bounds).hi };
        let square = b.aux("square", &out.shape, square);
        let rem = b.aux("rem", &out.shape, rest);
        let gap = b.aux("gap", &out.shape, rest);
        b.product(&y, &y, &square);
        b.linear(&[(1 << self.shift, x), (-1, &square), (-1, &rem)], 0);
        b.linear(&[(2, &y), (-1, &rem), (-1, &gap)], 0);
        b.at_least_zero(&rem, rest.hi);
        b.at_least_zero(&gap, rest.hi);
        b.confine(&y, out.bounds);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, given};
    let root = |shift| Root { shift, calibrated: None };
    // Squares and their neighbours.
    let x = given(&[2, 4], (0, 50), &[0, 1, 2, 3, 4, 48, 49, 50]);
    let below = given(&[3], (-9, 20), &[0, 9, 20]);
    let narrowed = Root { shift: 4, calibrated: Some(Bounds::new(3, 17)) };
    vec![
        case("Root: of squares and their neighbours", root(0), [x.clone()], &[0, 1, 1, 1, 2, 6, 7, 7]),
        case("Root: enlarged", root(6), [x], &[0, 8, 11, 13, 16, 55, 56, 56]),
        case("Root: of what bounds allow to be negative", root(2), [below], &[0, 6, 8]),
        case("Root: calibrated", narrowed, [given(&[2], (0, 20), &[1, 18]).at_scale(2)], &[4, 16]),
    ]
}
