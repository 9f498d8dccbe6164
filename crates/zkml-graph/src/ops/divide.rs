//! Quotient of two tensors: Softmax, normalisation.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::tensor::SAFE_BITS;
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, RelationBuilder, Tensor, View};

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

impl Divide {
    /// Bounds of the enlarged dividend and of the divisor.
    fn sides(&self, node: &str, inputs: &[&Tensor]) -> Result<(Bounds, Bounds), GraphError> {
        let b = operand::bounds(node, inputs[1], &self.b)?;
        let a = operand::bounds(node, inputs[0], &self.a)?.scale(1i128 << self.shift);
        Ok((a, b))
    }
}

impl OpSpec for Divide {
    fn kind(&self) -> &'static str {
        "Divide"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 2)?;
        if self.shift >= SAFE_BITS {
            return operand::misfit(node, format!("a shift by {} bits is beyond {SAFE_BITS}", self.shift));
        }
        let (a, b) = self.sides(node, inputs)?;
        operand::same_shape(node, &self.a.shape, &self.b.shape)?;
        if b.lo < 1 {
            let name = &inputs[1].name;
            return operand::misfit(node, format!("the divisor `{name}` may be {}, below 1", b.lo));
        }
        // The product of divisor and quotient is a variable too.
        Bounds { lo: a.lo - b.hi, hi: a.hi }.checked(node)?;
        let ends = [(a.lo, b.lo), (a.lo, b.hi), (a.hi, b.lo), (a.hi, b.hi)];
        let quotients = ends.map(|(a, b)| Bounds::point(a.div_euclid(b)));
        let possible = quotients.into_iter().fold(quotients[0], Bounds::union);
        let bounds = operand::narrowed(node, possible, self.calibrated)?;
        let shift = i64::from(self.shift);
        let scale = operand::scale(node, i64::from(inputs[0].scale) - i64::from(inputs[1].scale) + shift)?;
        Ok(Fact { shape: self.a.shape.clone(), scale, bounds })
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let (a, b) = (self.a.gather(values[0]), self.b.gather(values[1]));
        let mut out = Vec::with_capacity(output.len());
        let mut aux = vec![Vec::new(); 3];
        for (a, b) in a.iter().map(|a| a << self.shift).zip(b) {
            let (y, rem) = (a.div_euclid(b), a.rem_euclid(b));
            out.push(y);
            aux.iter_mut().zip([b * y, rem, b - 1 - rem]).for_each(|(v, x)| v.push(x));
        }
        Ok(Evaluated { output: out, aux })
    }

    /// `a·2^shift = b·y + rem` with `rem ≥ 0` and `gap = b − 1 − rem ≥ 0`. Both together also prove `b ≥ 1`.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], (out, y): (&Tensor, View)) {
        let tensors: Vec<&Tensor> = inputs.iter().map(|(t, _)| *t).collect();
        // The fact has been established when relations are stated, so the bounds exist.
        let Ok((a_bounds, b_bounds)) = self.sides(&out.name, &tensors) else { return };
        let dividend = operand::through(&inputs[0].1, &self.a);
        let divisor = operand::through(&inputs[1].1, &self.b);
        let rest = Bounds::new(0, b_bounds.hi - 1);
        let prod = b.aux("prod", &out.shape, Bounds { lo: a_bounds.lo - rest.hi, hi: a_bounds.hi });
        let rem = b.aux("rem", &out.shape, rest);
        let gap = b.aux("gap", &out.shape, rest);
        b.product(&divisor, &y, &prod);
        b.linear(&[(1 << self.shift, &dividend), (-1, &prod), (-1, &rem)], 0);
        b.linear(&[(1, &divisor), (-1, &rem), (-1, &gap)], -1);
        b.at_least_zero(&rem, rest.hi);
        b.at_least_zero(&gap, rest.hi);
        b.confine(&y, out.bounds);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, given};
    let divide =
        |n, shift| Divide { a: Map::identity(&[n]), b: Map::identity(&[n]), shift, calibrated: None };
    let a = given(&[6], (-50, 50), &[-50, -7, 0, 7, 49, 50]);
    let shared = Map {
        shape: vec![3],
        axes: vec![crate::map::Axis { offset: 0, steps: vec![0] }],
        ..Map::identity(&[1])
    };
    let shared = Divide { b: shared, ..divide(3, 4) };
    vec![
        case(
            "Divide: both signs",
            divide(6, 0),
            &[a.clone(), given(&[6], (1, 50), &[7, 7, 7, 7, 50, 50])],
            &[-8, -1, 0, 1, 0, 1],
        ),
        case(
            "Divide: by one, enlarged",
            divide(6, 3),
            &[a, given(&[6], (1, 50), &[1, 1, 1, 1, 1, 1])],
            &[-400, -56, 0, 56, 392, 400],
        ),
        case(
            "Divide: by one shared divisor",
            shared,
            &[given(&[3], (0, 9), &[9, 4, 0]), given(&[1], (5, 40), &[13])],
            &[11, 4, 0],
        ),
    ]
}
