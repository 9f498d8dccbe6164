//! A function of one variable in straight pieces, each as long as the function is straight there.

use serde::{Deserialize, Serialize};

use super::operand;
use crate::tensor::SAFE_BITS;
use crate::{
    Bounds, Evaluated, Fact, GraphError, OpSpec, RangeKind, Relation, RelationBuilder, Table, Tensor, View,
};

/// A piece of a function: it begins behind the piece before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The last `x` of the piece.
    pub last: i64,
    /// Value at its first `x`, at scale `scale + shift`.
    pub value: i64,
    /// Increase per step of `x`, at scale `scale + shift`.
    pub slope: i64,
}

/// With the piece that `x` lies in: `y = ⌊(value + slope · (x − first) + 2^(shift−1)) / 2^shift⌋`.
///
/// `x` before `lo` or behind the last piece is refused, never saturated. A function that bends in few places is as exact in few
/// pieces as in a [`Lookup`](super::Lookup) of many segments of one length; for each `x` a second range is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pieces {
    /// Name of the function, for messages.
    pub name: String,
    /// The first `x` of the first piece.
    pub lo: i64,
    /// The pieces, in the order of their `x`; none is empty.
    pub pieces: Vec<Piece>,
    /// Binary logarithm of the divisor of the final rounding, at least 1.
    pub shift: u32,
    /// Scale of the result.
    pub scale: i32,
}

/// Bounds of the values between piece and result.
struct Between {
    prod: Bounds,
    y: Bounds,
}

impl Pieces {
    /// Every `x` that lies in a piece.
    fn domain(&self) -> Bounds {
        let last = self.pieces.last().map_or(self.lo, |p| p.last);
        Bounds { lo: self.lo.into(), hi: last.into() }
    }

    /// The first `x` of a piece.
    fn first(&self, key: usize) -> i64 {
        key.checked_sub(1).map_or(self.lo, |before| self.pieces[before].last + 1)
    }

    /// The piece that an `x` of the domain lies in.
    fn key(&self, x: i64) -> usize {
        self.pieces.partition_point(|p| p.last < x)
    }

    /// Bits of the largest distance between two `x` of one piece.
    fn width_bits(&self) -> u32 {
        let widest = (0..self.pieces.len()).map(|k| self.pieces[k].last - self.first(k)).max();
        64 - widest.unwrap_or(0).max(1).leading_zeros()
    }

    /// The rounding term.
    fn half(&self) -> i64 {
        1 << (self.shift - 1)
    }

    /// `slope · (x − first)`, and the result.
    fn at(&self, key: usize, x: i64) -> (i128, i128) {
        let piece = self.pieces[key];
        let prod = i128::from(piece.slope) * i128::from(x - self.first(key));
        (prod, (i128::from(piece.value) + prod + i128::from(self.half())) >> self.shift)
    }

    /// Bounds over the `x` in `from`, which lies within the domain: a piece is monotone, so its ends suffice.
    fn between(&self, from: Bounds) -> Between {
        let (lo, hi) = (from.lo as i64, from.hi as i64);
        let mut all: Option<Between> = None;
        for key in self.key(lo)..=self.key(hi) {
            for x in [self.first(key).max(lo), self.pieces[key].last.min(hi)] {
                let (prod, y) = self.at(key, x);
                let (prod, y) = (Bounds::point(prod), Bounds::point(y));
                let union = |b: Between| Between { prod: b.prod.union(prod), y: b.y.union(y) };
                all = Some(all.map_or(Between { prod, y }, union));
            }
        }
        all.unwrap_or(Between { prod: Bounds::point(0), y: Bounds::point(0) })
    }

    /// Refuses a description whose parts contradict each other.
    fn check(&self, node: &str) -> Result<(), GraphError> {
        let sane = |v: i64| v.unsigned_abs() >> SAFE_BITS == 0;
        let whole = |p: &Piece| sane(p.last) && sane(p.value) && sane(p.slope);
        let mut before = i128::from(self.lo) - 1;
        let ordered =
            self.pieces.iter().all(|p| std::mem::replace(&mut before, p.last.into()) < p.last.into());
        let rounds = (1..SAFE_BITS).contains(&self.shift);
        if self.pieces.is_empty() || !(sane(self.lo) && self.pieces.iter().all(whole) && ordered && rounds) {
            return operand::misfit(node, format!("the pieces of `{}` contradict each other", self.name));
        }
        // Also for pieces that honest values do not reach, so that evaluation has nothing to check.
        let all = self.between(self.domain());
        all.prod.checked(node)?;
        all.y.checked(node).map(|_| ())
    }
}

impl OpSpec for Pieces {
    fn kind(&self) -> &'static str {
        "Pieces"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 1)?;
        self.check(node)?;
        let (x, domain) = (inputs[0], self.domain());
        let Some(covered) = x.bounds.intersect(domain) else {
            let Bounds { lo, hi } = domain;
            let detail = format!("`{}` on [{lo}, {hi}] does not meet `{}`", self.name, x.name);
            return operand::misfit(node, detail);
        };
        let scale = operand::scale(node, self.scale.into())?;
        Ok(Fact { shape: x.shape.clone(), scale, bounds: self.between(covered).y })
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
        let mut aux: [Vec<i64>; 9] = Default::default();
        let mut result = Vec::with_capacity(output.len());
        for &x in values[0] {
            let key = self.key(x);
            let (Piece { last, value, slope }, first) = (self.pieces[key], self.first(key));
            let (prod, y) = self.at(key, x);
            result.push(y as i64);
            let rem = i128::from(value) + prod + i128::from(self.half()) - (y << self.shift);
            let row = [key as i64, first, last, x - first, last - x, value, slope, prod as i64, rem as i64];
            aux.iter_mut().zip(row).for_each(|(a, v)| a.push(v));
        }
        Ok(Evaluated { output: result, aux: aux.into() })
    }

    /// Tables give ends, value and slope of a piece; they are two, since a back end need not have more than two outputs of one. `x = first + passed` and `x = last − left`, neither negative: only the
    /// piece that `x` lies in has both. Then `value + slope · passed + half = 2^shift·y + rem`, and the result needs its own
    /// range: without it any remainder would have a quotient somewhere in the field.
    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], (out, y): (&Tensor, View)) {
        let (x, shape) = (&inputs[0].1, &out.shape);
        let (between, bits) = (self.between(self.domain()), self.width_bits());
        let firsts: Vec<i64> = (0..self.pieces.len()).map(|key| self.first(key)).collect();
        let column = |of: fn(&Piece) -> i64| self.pieces.iter().map(of).collect::<Vec<i64>>();
        let tables =
            [(".ends", [firsts, column(|p| p.last)]), (".lines", [column(|p| p.value), column(|p| p.slope)])];
        let spans = tables.each_ref().map(|(_, c)| c.each_ref().map(|c| Bounds::of(c.iter().copied())));
        let width = Bounds::new(0, (1 << bits) - 1);
        let key = b.aux("key", shape, Bounds::new(0, self.pieces.len() as i128 - 1));
        let first = b.aux("first", shape, spans[0][0]);
        let last = b.aux("last", shape, spans[0][1]);
        let passed = b.aux("passed", shape, width);
        let left = b.aux("left", shape, width);
        let value = b.aux("value", shape, spans[1][0]);
        let slope = b.aux("slope", shape, spans[1][1]);
        let prod = b.aux("prod", shape, between.prod);
        let divisor = 1i64 << self.shift;
        let rem = b.aux("rem", shape, Bounds::new(0, i128::from(divisor) - 1));
        let outputs = [[&first, &last], [&value, &slope]];
        for ((part, columns), outputs) in tables.into_iter().zip(outputs) {
            let name = format!("{}{part}", self.name);
            let table = b.table(Table { name, lo: 0, columns: columns.into() });
            let outputs = outputs.into_iter().cloned().collect();
            b.state(Relation::Lookup { table, key: key.clone(), outputs });
        }
        b.linear(&[(1, x), (-1, &first), (-1, &passed)], 0);
        b.linear(&[(1, &last), (-1, x), (-1, &left)], 0);
        b.range(&passed, 0, bits, RangeKind::AtLeast);
        b.range(&left, 0, bits, RangeKind::AtLeast);
        b.product(&slope, &passed, &prod);
        b.linear(&[(1, &value), (1, &prod), (-divisor, &y), (-1, &rem)], self.half());
        b.range(&rem, 0, self.shift, RangeKind::Exact);
        b.confine(&y, out.bounds);
    }
}

/// Test cases.
#[cfg(any(test, feature = "testing"))]
pub(super) fn cases() -> Vec<crate::case::Case> {
    use crate::case::{case, given};
    let piece = |last, value, slope| Piece { last, value, slope };
    // One, five, two and eight steps from −8 on; rounding by eight.
    let pieces = vec![piece(-8, -100, 9), piece(-3, 20, -4), piece(-1, 4, 0), piece(7, 400, -77)];
    let uneven = Pieces { name: "uneven".into(), lo: -8, pieces, shift: 3, scale: 0 };
    let x: Vec<i64> = (-8..8).collect();
    let by_hand = |x: i64| match x {
        ..-7 => -100,
        -7..-2 => 20 - 4 * (x + 7),
        -2..0 => 4,
        _ => 400 - 77 * x,
    };
    let expected: Vec<i64> = x.iter().map(|&x| (by_hand(x) as f64 / 8.0 + 0.5).floor() as i64).collect();
    let single = Pieces { name: "line".into(), lo: 0, pieces: vec![piece(3, 5, 2)], shift: 1, scale: 0 };
    vec![
        case("Pieces: of every length", uneven, [given(&[16], (-8, 7), &x)], &expected),
        case("Pieces: a single one", single, [given(&[4], (0, 3), &[0, 1, 2, 3])], &[3, 4, 5, 6]),
    ]
}
