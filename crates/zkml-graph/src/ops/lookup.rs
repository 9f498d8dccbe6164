//! A function of one variable from a table, exact or piecewise linear.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::tensor::SAFE_BITS;
use crate::{
    Bounds, Evaluated, Fact, GraphError, OpSpec, RangeKind, Relation, RelationBuilder, Table, Tensor, View,
};

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

/// Bounds of the values between key and result of an interpolation.
struct Between {
    prod: Bounds,
    y: Bounds,
}

impl Lookup {
    /// Every `x` that the table covers.
    fn domain(&self) -> Bounds {
        let lo = i128::from(self.lo);
        Bounds { lo, hi: lo + ((self.value.len() as i128) << self.fraction_bits) - 1 }
    }

    /// The rounding term `2^(shift−1)`.
    fn half(&self) -> i64 {
        (1i64 << self.shift) >> 1
    }

    /// Key and fraction of an `x` in the domain.
    fn split(&self, x: i128) -> (usize, i64) {
        let offset = x - i128::from(self.lo);
        let key = offset >> self.fraction_bits;
        (key as usize, (offset - (key << self.fraction_bits)) as i64)
    }

    /// `slope · fraction` and `value + slope · fraction` rounded, for one key and fraction.
    fn interpolate(&self, key: usize, fraction: i64) -> (i128, i128) {
        let prod = i128::from(self.slope.get(key).copied().unwrap_or(0)) * i128::from(fraction);
        (prod, (i128::from(self.value[key]) + prod + i128::from(self.half())) >> self.shift)
    }

    /// Bounds over the `x` in `from`, which lies within the domain: a segment is monotone, so its ends suffice.
    fn between(&self, from: Bounds) -> Between {
        let ((first, start), (last, end)) = (self.split(from.lo), self.split(from.hi));
        let full = ((1i128 << self.fraction_bits) - 1) as i64;
        let mut all: Option<Between> = None;
        for key in first..=last {
            let ends = [if key == first { start } else { 0 }, if key == last { end } else { full }];
            for fraction in ends {
                let (prod, y) = self.interpolate(key, fraction);
                let (prod, y) = (Bounds::point(prod), Bounds::point(y));
                all =
                    Some(all.map_or(Between { prod, y }, |b| Between {
                        prod: b.prod.union(prod),
                        y: b.y.union(y),
                    }));
            }
        }
        all.unwrap_or(Between { prod: Bounds::point(0), y: Bounds::point(0) })
    }

    /// The admissible `x`: those of the tensor that the table covers.
    fn covered(&self, node: &str, x: &Tensor) -> Result<Bounds, GraphError> {
        let domain = self.domain();
        x.bounds.intersect(domain).map_or_else(
            || {
                let (lo, hi) = (domain.lo, domain.hi);
                operand::misfit(
                    node,
                    format!("table `{}` on [{lo}, {hi}] does not meet `{}`", self.name, x.name),
                )
            },
            Ok,
        )
    }

    /// Refuses a description whose parts contradict each other.
    fn check(&self, node: &str) -> Result<(), GraphError> {
        let exact = self.fraction_bits == 0 && self.slope.is_empty() && self.shift == 0;
        let interpolated = self.fraction_bits > 0 && self.slope.len() == self.value.len();
        let small = self.fraction_bits < SAFE_BITS && self.shift < SAFE_BITS && !self.value.is_empty();
        if !(small && (exact || interpolated)) {
            return operand::misfit(node, format!("table `{}` contradicts itself", self.name));
        }
        Bounds::of(self.value.iter().chain(&self.slope).copied()).checked(node)?;
        self.domain().checked(node)?;
        // Also for keys that honest values do not reach, so that evaluation has nothing to check.
        let all = self.between(self.domain());
        all.prod.checked(node)?;
        all.y.checked(node).map(|_| ())
    }
}

impl OpSpec for Lookup {
    fn kind(&self) -> &'static str {
        "Lookup"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 1)?;
        self.check(node)?;
        let bounds = self.between(self.covered(node, inputs[0])?).y;
        let scale = operand::scale(node, self.scale.into())?;
        Ok(Fact { shape: inputs[0].shape.clone(), scale, bounds })
    }

    fn eval(
        &self,
        _node: &str,
        inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let domain = self.domain();
        if let Some(i) = values[0].iter().position(|&x| !domain.contains(x.into())) {
            return Err(crate::graph::out_of_bounds(inputs[0], i, values[0][i].into(), domain));
        }
        let mut aux: [Vec<i64>; 6] = Default::default();
        let mut result = Vec::with_capacity(output.len());
        for &x in values[0] {
            let (key, fraction) = self.split(x.into());
            let (prod, y) = self.interpolate(key, fraction);
            result.push(y as i64);
            if self.fraction_bits > 0 {
                let (value, slope) = (self.value[key], self.slope[key]);
                let rem = i128::from(value) + prod + i128::from(self.half()) - (y << self.shift);
                let row = [key as i64, fraction, value, slope, prod as i64, rem as i64];
                aux.iter_mut().zip(row).for_each(|(a, v)| a.push(v));
            }
        }
        let used = match (self.fraction_bits, self.shift) {
            (0, _) => 0,
            (_, 0) => 5,
            _ => 6,
        };
        Ok(Evaluated { output: result, aux: aux.into_iter().take(used).collect() })
    }

    /// Exact: the table alone. Interpolated: `x = 2^f·key + fraction + lo`, the table gives value and slope,
    /// and `value + slope·fraction + half = 2^shift·y + rem`. The result needs its own range: without it any
    /// remainder would have a quotient somewhere in the field.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], (out, y): (&Tensor, View)) {
        let x = &inputs[0].1;
        let name = self.name.clone();
        if self.fraction_bits == 0 {
            let table = b.table(Table { name, lo: self.lo, columns: vec![self.value.clone()] });
            return b.state(Relation::Lookup { table, key: x.clone(), outputs: vec![y] });
        }
        let (shape, keys) = (&out.shape, self.value.len() as i128);
        let step = 1i64 << self.fraction_bits;
        let between = self.between(self.domain());
        let key = b.aux("key", shape, Bounds::new(0, keys - 1));
        let fraction = b.aux("fraction", shape, Bounds::new(0, i128::from(step) - 1));
        let value = b.aux("value", shape, Bounds::of(self.value.iter().copied()));
        let slope = b.aux("slope", shape, Bounds::of(self.slope.iter().copied()));
        let prod = b.aux("prod", shape, between.prod);
        b.linear(&[(1, x), (-step, &key), (-1, &fraction)], -self.lo);
        b.range(&fraction, 0, self.fraction_bits, RangeKind::Exact);
        let table = b.table(Table { name, lo: 0, columns: vec![self.value.clone(), self.slope.clone()] });
        let outputs = vec![value.clone(), slope.clone()];
        b.state(Relation::Lookup { table, key, outputs });
        b.product(&slope, &fraction, &prod);
        if self.shift == 0 {
            return b.linear(&[(1, &value), (1, &prod), (-1, &y)], 0);
        }
        let divisor = 1i64 << self.shift;
        let rem = b.aux("rem", shape, Bounds::new(0, i128::from(divisor) - 1));
        b.linear(&[(1, &value), (1, &prod), (-divisor, &y), (-1, &rem)], self.half());
        b.range(&rem, 0, self.shift, RangeKind::Exact);
        b.confine(&y, out.bounds);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, given};
    let table = |value: Vec<i64>| Lookup {
        name: "table".into(),
        lo: -2,
        fraction_bits: 0,
        value,
        slope: vec![],
        shift: 0,
        scale: 0,
    };
    // Four segments of four steps from −8 on; rounding by eight.
    let steep = Lookup {
        lo: -8,
        fraction_bits: 2,
        value: vec![-100, 20, 4, 400],
        slope: vec![30, -4, 0, -77],
        shift: 3,
        ..table(vec![])
    };
    let flat = Lookup { shift: 0, ..steep.clone() };
    let x: Vec<i64> = (-8..8).collect();
    let by_hand = |divisor: f64| -> Vec<i64> {
        let segment = |x: i64| match x {
            ..-4 => -100 + 30 * (x + 8),
            -4..0 => 20 - 4 * (x + 4),
            0..4 => 4,
            _ => 400 - 77 * (x - 4),
        };
        let half = if divisor > 1.0 { 0.5 } else { 0.0 };
        x.iter().map(|&x| (segment(x) as f64 / divisor + half).floor() as i64).collect()
    };
    let whole = given(&[16], (-8, 7), &x);
    vec![
        case(
            "Lookup: exact, whole domain",
            table(vec![9, -9, 0, 5]),
            &[given(&[4], (-2, 1), &[-2, -1, 0, 1])],
            &[9, -9, 0, 5],
        ),
        case("Lookup: interpolated and rounded", steep, [whole.clone()], &by_hand(8.0)),
        case("Lookup: interpolated", flat, &[whole], &by_hand(1.0)),
    ]
}
