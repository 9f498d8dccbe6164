//! Functions in straight pieces, each as long as the error allows.

use std::ops::RangeInclusive;

use zkml_graph::ops::{Piece, Pieces};

use super::FINER;
use super::curve::Curve;

/// The last place of the longest piece from `first` on that is within the goal and no wider than `widest`.
fn reach(curve: &Curve, first: i64, goal: f64, widest: i64) -> i64 {
    let end = curve.request.hi.min(first.saturating_add(widest - 1));
    let fits = |last: i64| curve.chord(first, last).error <= goal;
    let (mut good, mut width) = (first, 1);
    while good < end {
        let next = end.min(first + width);
        if !fits(next) {
            // Between a piece that is short enough and one that is not.
            let mut bad = next;
            while bad - good > 1 {
                let middle = good + (bad - good) / 2;
                if fits(middle) { good = middle } else { bad = middle }
            }
            return good;
        }
        good = next;
        width *= 2;
    }
    end
}

/// The last places of the fewest pieces; nothing where these are more than `most`.
fn cut(curve: &Curve, goal: f64, widest: i64, most: usize) -> Option<Vec<i64>> {
    let (mut first, mut lasts) = (curve.request.lo, vec![]);
    loop {
        let last = reach(curve, first, goal, widest);
        lasts.push(last);
        match () {
            () if last >= curve.request.hi => return Some(lasts),
            () if lasts.len() >= most => return None,
            () => first = last + 1,
        }
    }
}

/// Pieces with an error of at most `goal`, as short as their number allows: distances within a piece, and the remainder of the
/// rounding, then have the fewest bits. Nothing where the rows do not suffice.
pub(super) fn build(name: &str, curve: &Curve, goal: f64, bits: RangeInclusive<u32>) -> Option<Pieces> {
    let r = curve.request;
    let (bits, lasts) =
        bits.into_iter().find_map(|bits| Some((bits, cut(curve, goal, 1 << bits, 1 << r.max_bits)?)))?;
    let shift = bits + FINER;
    let mut first = r.lo;
    let piece = |last: i64| {
        let (value, slope) = curve.chord(first, last).scaled(r.to + shift as i32);
        first = last + 1;
        Piece { last, value, slope }
    };
    let pieces = lasts.into_iter().map(piece).collect();
    Some(Pieces { name: name.to_owned(), lo: r.lo, pieces, shift, scale: r.to })
}
