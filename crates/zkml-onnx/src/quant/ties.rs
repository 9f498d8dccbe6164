//! Numbers that lie in the middle of two integers, and where there can be none.
//!
//! `c·x + t` with integers and `0 ≤ x − lo ≤ hi − lo` is `d/2` more than a multiple of `d` for one `x` in each residue class at most. Factors of
//! quantized models have so many bits that the first such `x` is out of range.

use std::collections::BTreeSet;

use zkml_graph::ops::{Contract, Linear};
use zkml_graph::{Bounds, GraphBuilder, Op, Tensor, TensorId};

/// Most combinations of factors and operands that are looked at; beyond, ties are possible.
const MOST: usize = 1 << 14;

/// Returns false if no element of a tensor can be `d/2` more than a multiple of `d`, a power of two.
pub(super) fn possible(builder: &GraphBuilder, id: TensorId, d: i64) -> bool {
    let Some(node) = builder.producer(id) else { return true };
    let inputs: Vec<&Tensor> = node.inputs.iter().map(|t| builder.tensor(*t)).collect();
    let forms = match &node.op {
        Op::Reindex(op) if op.parts.iter().all(|(from, _)| from.pad.is_none()) => {
            return node.inputs.iter().any(|t| possible(builder, *t, d));
        }
        Op::Linear(op) => of_sum(op, &inputs),
        Op::Contract(op) => of_products(op, &inputs),
        _ => None,
    };
    forms.is_none_or(|forms| forms.iter().any(|form| form.hits(d)))
}

/// `factor · x + shift` for all `x` of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    factor: i128,
    shift: i128,
    lo: i128,
    hi: i128,
}

impl Form {
    fn new(factor: i64, shift: i128, x: Bounds) -> Self {
        Self { factor: factor.into(), shift, lo: x.lo, hi: x.hi }
    }

    /// Returns true if some `x` gives `d/2` modulo `d`.
    fn hits(&self, d: i64) -> bool {
        let d = i128::from(d);
        let wanted = (d / 2 - self.shift).rem_euclid(d);
        // `factor = odd · twos`; what is wanted must be a multiple of `twos`, too.
        let twos = 1i128 << self.factor.rem_euclid(d).trailing_zeros().min(d.trailing_zeros());
        if wanted % twos != 0 {
            return false;
        }
        let (d, odd) = (d / twos, self.factor / twos);
        let first = (wanted / twos % d * inverse(odd.rem_euclid(d), d)).rem_euclid(d);
        // The least `x ≥ lo` of the residue class.
        self.lo + (first - self.lo).rem_euclid(d) <= self.hi
    }
}

/// The inverse of an odd number modulo a power of two, by Newton's iteration; zero modulo one.
fn inverse(odd: i128, d: i128) -> i128 {
    let mut y = odd % d;
    for _ in 0..6 {
        y = (y * (2 - odd * y % d)).rem_euclid(d);
    }
    y
}

/// What elements of a sum are, unless there are too many forms.
fn of_sum(op: &Linear, inputs: &[&Tensor]) -> Option<BTreeSet<Form>> {
    let mut shifts = BTreeSet::from([i128::from(op.constant)]);
    let mut widest: Option<(i64, Bounds)> = None;
    let mut terms = Vec::new();
    for ((c, map), x) in op.terms.iter().zip(inputs) {
        if map.pad.is_some() {
            return None;
        }
        match (&x.constant, widest) {
            (Some(values), _) => terms.push(values.iter().map(|v| i128::from(*c) * i128::from(*v)).collect()),
            (None, None) => widest = Some((*c, x.bounds)),
            (None, Some((other, bounds))) => {
                let (few, many) = if width(x.bounds) < width(bounds) {
                    ((*c, x.bounds), (other, bounds))
                } else {
                    ((other, bounds), (*c, x.bounds))
                };
                if width(few.1) > MOST as i128 {
                    return None;
                }
                terms.push((few.1.lo..=few.1.hi).map(|v| i128::from(few.0) * v).collect::<BTreeSet<_>>());
                widest = Some(many);
            }
        }
    }
    for term in terms {
        if shifts.len() * term.len() > MOST {
            return None;
        }
        shifts = shifts.iter().flat_map(|s| term.iter().map(move |t| s + t)).collect();
    }
    let (c, x) = widest?;
    Some(shifts.into_iter().map(|s| Form::new(c, s, x)).collect())
}

fn width(b: Bounds) -> i128 {
    b.hi - b.lo + 1
}

/// What elements of products with constants are, when nothing is summed up.
fn of_products(op: &Contract, inputs: &[&Tensor]) -> Option<BTreeSet<Form>> {
    let (a, b) = (inputs.first()?, inputs.get(1)?);
    if op.ranks[1..] != [0, 0, 0] || op.a.pad.is_some() || op.b.pad.is_some() {
        return None;
    }
    let factors = op.b.gather(b.constant.as_ref()?);
    let shifts = match (&op.addend, inputs.get(2)) {
        (Some(map), Some(t)) if map.pad.is_none() => map.gather(t.constant.as_ref()?),
        (None, _) => vec![0; factors.len()],
        _ => return None,
    };
    let forms = factors.iter().zip(shifts).map(|(f, s)| Form::new(*f, s.into(), a.bounds));
    let forms: BTreeSet<Form> = forms.collect();
    (forms.len() <= MOST).then_some(forms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_found_where_they_are() {
        for d in [2i64, 4, 8, 32] {
            for factor in -40i64..40 {
                for (shift, lo, hi) in [(0, -5, 5), (3, -9, 2), (-7, 4, 4), (16, 0, 30), (1, -40, 40)] {
                    let found = Form::new(factor, shift, Bounds::new(lo, hi)).hits(d);
                    let value = |x: i128| i128::from(factor) * x + shift;
                    let due = (lo..=hi).any(|x| value(x).rem_euclid(d.into()) == i128::from(d / 2));
                    assert_eq!(found, due, "{factor}·x + {shift} on [{lo}, {hi}] modulo {d}");
                }
            }
        }
    }

    #[test]
    fn factors_of_many_bits_leave_no_halves() {
        let x = Bounds::new(-(1 << 20), 1 << 20);
        assert!(!Form::new(0x2b3c_4d5f, 0, x).hits(1 << 38));
        assert!(Form::new(0x2b3c_4d5f, 1 << 37, x).hits(1 << 38), "the shift alone");
        assert!(Form::new(1 << 30, 0, x).hits(1 << 38), "a power of two");
    }
}
