//! Tables of smooth functions: straight segments whose largest error is as small as it gets, of one length where that suffices.

mod curve;
mod pieces;

use zkml_graph::Op;
use zkml_graph::ops::Lookup;

use self::curve::Curve;
use super::scales::{integer_bits, power};
use crate::net::Function;

/// Domain and precision of a table, in integers at the scales of argument and result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// Smallest argument.
    pub(crate) lo: i64,
    /// Largest argument.
    pub(crate) hi: i64,
    /// Fraction bits of the argument.
    pub(crate) from: i32,
    /// Fraction bits of the result.
    pub(crate) to: i32,
    /// The largest error is to be two to the minus this many bits.
    pub(crate) goal: i32,
    /// Binary logarithm of the most rows.
    pub(crate) max_bits: u32,
}

/// Bits of slopes beyond those of the distances that they are multiplied by: rounding them costs an eighth of a step at most.
const FINER: u32 = 2;

/// The table with the fewest rows whose segments are as exact as requested. Where the limit of rows does not allow that with
/// segments of one length, pieces that are long where the function is straight; the least error that either can do otherwise.
pub(crate) fn build(name: &str, f: Function, r: Request) -> Op {
    let width = (i128::from(r.hi) - i128::from(r.lo) + 1).max(1) as f64;
    let finest = (integer_bits(width) - r.max_bits as i32).max(0) as u32;
    let coarsest = (integer_bits(width) - 3).max(finest as i32) as u32;
    let (curve, goal) = (Curve::new(f, r), power(-r.goal));
    let even = (finest + 1..=coarsest).rev().find(|bits| error(&curve, *bits) <= goal);
    if let Some(bits) = even {
        return table(name, &curve, bits).into();
    }
    let least = if finest == 0 { 0.0 } else { error(&curve, finest) };
    let goals = std::iter::successors(Some(goal), |g| Some(2.0 * g)).take_while(|g| *g < least);
    let pieces = goals.into_iter().find_map(|goal| pieces::build(name, &curve, goal, finest + 1..=coarsest));
    pieces.map_or_else(|| table(name, &curve, finest).into(), Op::from)
}

/// First and last argument of a segment; the last may lie beyond those of the request.
fn ends(r: Request, bits: u32, key: i64) -> (i64, i64) {
    let first = r.lo + (key << bits);
    (first, first + (1 << bits))
}

fn rows(r: Request, bits: u32) -> i64 {
    ((i128::from(r.hi) - i128::from(r.lo)) >> bits) as i64 + 1
}

/// Largest error of segments of a width.
fn error(curve: &Curve, bits: u32) -> f64 {
    let chord = |key| {
        let (first, last) = ends(curve.request, bits, key);
        curve.chord(first, last)
    };
    (0..rows(curve.request, bits)).map(|key| chord(key).error).fold(0.0, f64::max)
}

fn table(name: &str, curve: &Curve, fraction_bits: u32) -> Lookup {
    let r = curve.request;
    let keys = 0..rows(r, fraction_bits);
    let name = name.to_owned();
    let base =
        Lookup { name, lo: r.lo, fraction_bits, value: Vec::new(), slope: Vec::new(), shift: 0, scale: r.to };
    if fraction_bits == 0 {
        let value = keys.map(|k| (curve.at(r.lo + k) * power(r.to)).round() as i64).collect();
        return Lookup { value, ..base };
    }
    let shift = fraction_bits + FINER;
    let segment = |key| {
        let (first, last) = ends(r, fraction_bits, key);
        curve.chord(first, last).scaled(r.to + shift as i32)
    };
    let (value, slope) = keys.map(segment).unzip();
    Lookup { value, slope, shift, ..base }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkml_graph::{Bounds, Graph, GraphBuilder, Visibility};

    const ALL: [Function; 21] = [
        Function::Sigmoid,
        Function::Tanh,
        Function::Exp,
        Function::Ln,
        Function::Erf,
        Function::Gelu,
        Function::GeluTanh,
        Function::Silu,
        Function::Sqrt,
        Function::Rsqrt,
        Function::Recip,
        Function::HardSwish,
        Function::Sin,
        Function::Cos,
        Function::Atan,
        Function::Sinh,
        Function::Cosh,
        Function::Asinh,
        Function::Softplus,
        Function::Softsign,
        Function::Mish,
    ];

    /// A graph that only applies the table.
    fn graph(op: Op, r: Request) -> Graph {
        let mut b = GraphBuilder::new("table");
        let bounds = Bounds::new(r.lo.into(), r.hi.into());
        let x = b.input("x", &[1], r.from, bounds, Visibility::Committed).expect("an input");
        let y = b.node("y", op, &[x]).expect("a table");
        b.output("y", y, Visibility::Public);
        b.finish().expect("a graph")
    }

    /// Largest error at places `step` apart, and all of the first and last few thousand.
    fn worst(op: &Op, f: Function, r: Request, step: usize) -> f64 {
        let graph = graph(op.clone(), r);
        let (near, far) = (r.lo..r.hi.min(r.lo + 4096), (r.hi - 4096).max(r.lo)..=r.hi);
        let error = |x: i64| {
            let y = graph.eval(&[vec![x]]).expect("within the table").values[1][0];
            (y as f64 * power(-r.to) - f.at(x as f64 * power(-r.from))).abs()
        };
        (r.lo..=r.hi).step_by(step).chain(near).chain(far).map(error).fold(0.0, f64::max)
    }

    fn rows(op: &Op) -> usize {
        match op {
            Op::Lookup(t) => t.value.len(),
            Op::Pieces(p) => p.pieces.len(),
            other => panic!("{other:?} is no table"),
        }
    }

    #[test]
    fn tables_stay_within_one_step() {
        let symmetric = [Function::Sigmoid, Function::Tanh, Function::Erf, Function::Gelu, Function::Silu];
        for f in symmetric {
            let r = Request { lo: -(1 << 15), hi: (1 << 15) - 1, from: 12, to: 12, goal: 14, max_bits: 10 };
            let t = build(f.name(), f, r);
            assert!(matches!(t, Op::Lookup(_)) && rows(&t) <= 1 << 10, "{} has {} rows", f.name(), rows(&t));
            let worst = worst(&t, f, r, 1);
            assert!(worst <= power(-12), "{}: {worst} with {} rows", f.name(), rows(&t));
        }
    }

    #[test]
    fn wide_functions_are_as_exact_as_narrow_ones() {
        for f in ALL {
            // To ±2^8 in steps of 2^-14, or as far as values are below 2^8.
            let (lo, hi) = match f {
                Function::Exp => (-(1 << 22), 5 << 14),
                Function::Sinh | Function::Cosh => (-(6 << 14), 6 << 14),
                Function::Ln | Function::Recip | Function::Rsqrt => (1 << 6, (1 << 22) - 1),
                Function::Sqrt => (0, (1 << 22) - 1),
                // They bend everywhere.
                Function::Sin | Function::Cos => (-(20 << 14), 20 << 14),
                _ => (-(1 << 22), (1 << 22) - 1),
            };
            let r = Request { lo, hi, from: 14, to: 15, goal: 15, max_bits: 12 };
            let t = build(f.name(), f, r);
            let worst = worst(&t, f, r, 509);
            assert!(worst <= power(-14), "{}: {worst} with {} rows", f.name(), rows(&t));
        }
    }

    #[test]
    fn too_few_rows_do_what_they_can() {
        let r = Request { lo: -(1 << 20), hi: (1 << 20) - 1, from: 12, to: 12, goal: 13, max_bits: 7 };
        for f in [Function::Sin, Function::Gelu, Function::Mish, Function::HardSwish] {
            let (t, even) = (build(f.name(), f, r), table(f.name(), &Curve::new(f, r), 14).into());
            assert!(rows(&t) <= 128, "{}: {} rows", f.name(), rows(&t));
            let (found, otherwise) = (worst(&t, f, r, 101), worst(&even, f, r, 101));
            assert!(
                found <= otherwise + power(-12),
                "{}: {found}, {otherwise} in segments of one length",
                f.name()
            );
        }
    }

    #[test]
    fn narrow_domains_are_exact() {
        let r = Request { lo: -4, hi: 3, from: 2, to: 12, goal: 14, max_bits: 10 };
        let t = build("exp", Function::Exp, r);
        assert!(matches!(&t, Op::Lookup(l) if l.fraction_bits == 0 && l.value.len() == 8), "{t:?}");
        assert!(worst(&t, Function::Exp, r, 1) < 1.3e-4);
    }
}
