//! Division by a constant, rounding half up.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::tensor::SAFE_BITS;
use crate::{
    Bounds, Evaluated, Fact, GraphError, OpSpec, RangeKind, Relation, RelationBuilder, Tensor, View,
};

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

impl Rescale {
    fn rounded(&self, x: i128) -> i128 {
        let d = i128::from(self.divisor);
        (x + d / 2).div_euclid(d)
    }
}

impl OpSpec for Rescale {
    fn kind(&self) -> &'static str {
        "Rescale"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 1)?;
        if !(1..=1i64 << SAFE_BITS).contains(&self.divisor) {
            return operand::misfit(node, format!("{} is no divisor in [1, 2^{SAFE_BITS}]", self.divisor));
        }
        let x = inputs[0].bounds;
        let possible = Bounds { lo: self.rounded(x.lo), hi: self.rounded(x.hi) };
        let bounds = operand::narrowed(node, possible, self.calibrated)?;
        let scale = operand::scale(node, self.scale.into())?;
        Ok(Fact { shape: inputs[0].shape.clone(), scale, bounds })
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        _output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let d = i128::from(self.divisor);
        let output: Vec<i64> = values[0].iter().map(|&x| self.rounded(x.into()) as i64).collect();
        if d == 1 {
            return Ok(Evaluated { output, aux: Vec::new() });
        }
        let rem = |(&x, &y): (&i64, &i64)| (i128::from(x) + d / 2 - d * i128::from(y)) as i64;
        let rem: Vec<i64> = values[0].iter().zip(&output).map(rem).collect();
        let gap = rem.iter().map(|r| self.divisor - 1 - r).collect();
        let aux = if self.divisor & (self.divisor - 1) == 0 { vec![rem] } else { vec![rem, gap] };
        Ok(Evaluated { output, aux })
    }

    fn loose_bits(&self, bits: &[u32]) -> Option<u32> {
        // Dividing by one is wiring: the operand's own range is all there is.
        (self.divisor == 1).then(|| bits[0])
    }

    /// `x + d/2 = d·y + rem` with `0 ≤ rem < d`. A power of two ranges the remainder exactly; any other
    /// divisor also keeps `gap = d − 1 − rem` from being negative.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], (y_tensor, y): (&Tensor, View)) {
        let (x, d) = (&inputs[0].1, self.divisor);
        if d == 1 {
            if y_tensor.bounds != inputs[0].0.bounds {
                b.confine(&y, y_tensor.bounds);
            }
            return b.state(Relation::Copy { from: x.clone(), to: y });
        }
        let range = Bounds::new(0, i128::from(d) - 1);
        let rem = b.aux("rem", &y_tensor.shape, range);
        b.linear(&[(1, x), (-d, &y), (-1, &rem)], d / 2);
        if d & (d - 1) == 0 {
            b.range(&rem, 0, d.trailing_zeros(), RangeKind::Exact);
        } else {
            let gap = b.aux("gap", &y_tensor.shape, range);
            b.linear(&[(1, &rem), (1, &gap)], 1 - d);
            b.at_least_zero(&rem, range.hi);
            b.at_least_zero(&gap, range.hi);
        }
        b.confine(&y, y_tensor.bounds);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, given};
    let by = |divisor| Rescale { divisor, scale: -3, calibrated: None };
    // Exact halves on both sides of zero, and their neighbours.
    let x = [-20, -13, -12, -11, -5, -4, -3, -1, 0, 1, 3, 4, 5, 11, 12, 13];
    let operand = given(&[4, 4], (-20, 20), &x);
    let one = |name: &str, op: Rescale| {
        let d = op.divisor;
        let half = (d / 2) as f64;
        let y = x.map(|x| ((x as f64 + half) / d as f64).floor() as i64);
        case(&format!("Rescale: {name}"), op, [operand.clone()], &y)
    };
    let narrowed = Rescale { calibrated: Some(Bounds::new(-3, 100)), ..by(8) };
    vec![
        one("by a power of two", by(8)),
        one("by two", by(2)),
        one("by an odd number", by(7)),
        one("by an even number", by(6)),
        one("by one", by(1)),
        one("by more than the range", by(64)),
        one("calibrated", narrowed),
    ]
}
