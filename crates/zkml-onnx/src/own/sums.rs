//! Sums so far.
//! <https://onnx.ai/onnx/operators/onnx__CumSum.html>

use tract_onnx::prelude::*;

use super::{Along, Own, Wiring, same};

pub(super) const OWN: &[Own] = &[same("CumSum", "constant axis", sums)];

fn sums(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let given = w.integers(1, "the axis")?.first().copied().unwrap_or(0);
    let axis = w.axis(given, shape.len())?;
    let (exclusive, reverse) = (w.int("exclusive", 0) != 0, w.int("reverse", 0) != 0);
    let counts = |row: usize, k: usize| match (reverse, exclusive) {
        (false, false) => k <= row,
        (false, true) => k < row,
        (true, false) => k >= row,
        (true, true) => k > row,
    };
    let len = shape[axis];
    let rows = (0..len).map(|row| (0..len).filter(|k| counts(row, *k)).map(|k| (k, 1.0)).collect()).collect();
    Ok(tvec!(w.apply(Along { axis, rows, constants: vec![0.0; len] }, &[x])?))
}
