//! Tables of smooth functions: straight segments whose largest error is as small as it gets.

use zkml_graph::ops::Lookup;

use super::scales::{integer_bits, power};
use crate::net::Function;

/// Domain and precision of a table, in integers at the scales of argument and result.
#[derive(Debug, Clone, Copy)]
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

/// The table with the fewest rows whose segments are as exact as requested, or the finest one that the limit of
/// rows allows.
pub(crate) fn build(name: &str, f: Function, r: Request) -> Lookup {
    let width = (i128::from(r.hi) - i128::from(r.lo) + 1).max(1) as f64;
    let finest = (integer_bits(width) - r.max_bits as i32).max(0) as u32;
    let coarsest = (integer_bits(width) - 3).max(finest as i32) as u32;
    let goal = power(-r.goal);
    let mut fraction_bits = finest;
    for bits in (finest + 1..=coarsest).rev() {
        if error(f, r, bits) <= goal {
            fraction_bits = bits;
            break;
        }
    }
    table(name, f, r, fraction_bits)
}

/// Start and end of a segment as reals.
fn ends(r: Request, bits: u32, key: i64) -> (f64, f64) {
    let unit = power(-r.from);
    let start = r.lo as f64 + key as f64 * power(bits as i32);
    (start * unit, (start + power(bits as i32)) * unit)
}

fn rows(r: Request, bits: u32) -> i64 {
    ((i128::from(r.hi) - i128::from(r.lo)) >> bits) as i64 + 1
}

/// How far the function bends away from the chord of a segment, in its middle.
fn sag(f: Function, (a, b): (f64, f64)) -> f64 {
    f.at(f64::midpoint(a, b)) - f64::midpoint(f.at(a), f.at(b))
}

/// Largest error of segments of a width; the chord is moved by half the sag, so that is what remains.
fn error(f: Function, r: Request, bits: u32) -> f64 {
    (0..rows(r, bits)).map(|k| sag(f, ends(r, bits, k)).abs() / 2.0).fold(0.0, f64::max)
}

fn table(name: &str, f: Function, r: Request, fraction_bits: u32) -> Lookup {
    let keys = 0..rows(r, fraction_bits);
    let name = name.to_owned();
    let base =
        Lookup { name, lo: r.lo, fraction_bits, value: Vec::new(), slope: Vec::new(), shift: 0, scale: r.to };
    if fraction_bits == 0 {
        let step = power(r.to);
        let value = keys.map(|k| (f.at(ends(r, 0, k).0) * step).round() as i64).collect();
        return Lookup { value, ..base };
    }
    // Two more bits than the fraction has: the rounding of the slope then costs an eighth of a step at most.
    let shift = fraction_bits + 2;
    let step = power(r.to + shift as i32);
    let segment = |k: i64| {
        let (a, b) = ends(r, fraction_bits, k);
        let slope = ((f.at(b) - f.at(a)) * step / power(fraction_bits as i32)).round();
        // The rounded slope pivots around the middle of the segment.
        let middle = (f64::midpoint(f.at(a), f.at(b)) + sag(f, (a, b)) / 2.0) * step;
        ((middle - slope * power(fraction_bits as i32) / 2.0).round() as i64, slope as i64)
    };
    let (value, slope) = keys.map(segment).unzip();
    Lookup { value, slope, shift, ..base }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpolate(t: &Lookup, x: i64) -> f64 {
        let offset = x - t.lo;
        let (key, rest) = ((offset >> t.fraction_bits) as usize, offset & ((1 << t.fraction_bits) - 1));
        let slope = t.slope.get(key).copied().unwrap_or(0);
        let raw = t.value[key] + slope * rest + ((1i64 << t.shift) >> 1);
        (raw >> t.shift) as f64 * power(-t.scale)
    }

    #[test]
    fn tables_stay_within_one_step() {
        let symmetric = [Function::Sigmoid, Function::Tanh, Function::Erf, Function::Gelu, Function::Silu];
        for f in symmetric {
            let r = Request { lo: -(1 << 15), hi: (1 << 15) - 1, from: 12, to: 12, goal: 14, max_bits: 10 };
            let t = build(f.name(), f, r);
            assert!(t.value.len() <= 1 << 10, "{} has {} rows", f.name(), t.value.len());
            let unit = 1.0 / 4096.0;
            let worst =
                (r.lo..=r.hi).map(|x| (interpolate(&t, x) - f.at(x as f64 * unit)).abs()).fold(0.0, f64::max);
            assert!(worst <= unit, "{}: {worst} with {} rows", f.name(), t.value.len());
        }
    }

    #[test]
    fn narrow_domains_are_exact() {
        let r = Request { lo: -4, hi: 3, from: 2, to: 12, goal: 14, max_bits: 10 };
        let t = build("exp", Function::Exp, r);
        assert_eq!((t.fraction_bits, t.value.len()), (0, 8));
        assert!((interpolate(&t, -4) - (-1.0f64).exp()).abs() < 1.3e-4);
    }
}
