//! Borders of every kind, and their opposite.
//! <https://onnx.ai/onnx/operators/onnx__Pad.html>, <https://onnx.ai/onnx/operators/onnx__CenterCropPad.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::array::{Pad, PadMode};

use super::{Along, Own, Wiring, other};

pub(super) const OWN: &[Own] = &[
    other("Pad", "constant, reflect, edge and wrap; constant pads, negative ones too; free wiring", padded),
    other("CenterCropPad", "constant shape; free wiring", centred),
];

/// Pads of the dimensions: how many elements come before and after.
type Pads = Vec<(i64, i64)>;

fn padded(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let pads = pads(w, x)?;
    let value = match w.optional(2) {
        Some(_) => w.reals(2, "the value of the border")?.first().copied().unwrap_or(0.0),
        None => w.float("value", 0.0).into(),
    };
    let mode = w.text("mode", "constant");
    if mode == "constant" && pads.iter().all(|(a, b)| *a >= 0 && *b >= 0) {
        let kind = w.kind(x)?;
        let value = tensor0(value).cast_to_dt(kind)?.into_owned().into_arc_tensor();
        let pads = pads.iter().map(|(a, b)| (*a as usize, *b as usize)).collect();
        return Ok(tvec!(w.apply(Pad { pads, mode: PadMode::Constant(value) }, &[x])?));
    }
    bordered(w, x, &pads, &mode, value)
}

/// The pads that the node gives, in whatever form its operator set has.
fn pads(w: &Wiring<'_>, x: OutletId) -> TractResult<Pads> {
    let rank = w.shape(x)?.len();
    let given = match w.ints("pads").or_else(|| w.ints("paddings")) {
        Some(ints) => ints,
        None => w.integers(1, "the list of pads")?,
    };
    let axes = match w.optional(3) {
        Some(_) => w.integers(3, "the list of axes")?,
        None => (0..rank as i64).collect(),
    };
    ensure!(given.len() == 2 * axes.len(), "{} pads for {} axes", given.len(), axes.len());
    let mut pads = vec![(0, 0); rank];
    for (i, axis) in axes.iter().enumerate() {
        pads[w.axis(*axis, rank)?] = (given[i], given[axes.len() + i]);
    }
    Ok(pads)
}

/// Negative pads take elements away before anything else is looked at.
fn bordered(
    w: &mut Wiring<'_>,
    x: OutletId,
    pads: &Pads,
    mode: &str,
    value: f64,
) -> TractResult<TVec<OutletId>> {
    let shape = w.shape(x)?;
    let mut y = x;
    let mut left = Vec::with_capacity(pads.len());
    for (axis, &(before, after)) in pads.iter().enumerate() {
        let (first, last) = ((-before).max(0), shape[axis] as i64 - (-after).max(0));
        ensure!(first < last, "the pads {before} and {after} leave nothing of {} elements", shape[axis]);
        left.push(last - first);
        if last - first < shape[axis] as i64 {
            let picks: Vec<Option<usize>> = (first..last).map(|i| Some(i as usize)).collect();
            y = w.apply(Along::picked(axis, &picks, value), &[y])?;
        }
    }
    for (axis, &(before, after)) in pads.iter().enumerate().filter(|(_, p)| p.0 > 0 || p.1 > 0) {
        let (len, before, after) = (left[axis], before.max(0), after.max(0));
        let total = before.checked_add(after).and_then(|p| p.checked_add(len)).filter(|t| *t <= 1 << 24);
        let total = total
            .with_context(|| format!("the pads {before} and {after} make too many elements of {len}"))?;
        let at = |i: i64| place(i - before, len, mode).map(|p| p.map(|p| p as usize));
        let picks = (0..total).map(at).collect::<TractResult<Vec<_>>>()?;
        y = w.apply(Along::picked(axis, &picks, value), &[y])?;
    }
    Ok(tvec!(y))
}

/// The element that is seen at a place, which may lie outside.
fn place(i: i64, len: i64, mode: &str) -> TractResult<Option<i64>> {
    Ok(match mode {
        "constant" => (0..len).contains(&i).then_some(i),
        "edge" => Some(i.clamp(0, len - 1)),
        "wrap" => Some(i.rem_euclid(len)),
        "reflect" if len == 1 => Some(0),
        "reflect" => {
            let period = 2 * (len - 1);
            let folded = i.rem_euclid(period);
            Some(folded.min(period - folded))
        }
        other => bail!("the mode {other}"),
    })
}

/// Cut or padded with zeros evenly on both sides; of an odd number, the larger part at the end.
fn centred(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let wanted = w.integers(1, "the shape")?;
    let axes = w.ints("axes").unwrap_or_else(|| (0..shape.len() as i64).collect());
    ensure!(axes.len() == wanted.len(), "{} sizes for {} axes", wanted.len(), axes.len());
    let mut pads = vec![(0, 0); shape.len()];
    for (axis, size) in axes.iter().zip(wanted) {
        let axis = w.axis(*axis, shape.len())?;
        let more = size - shape[axis] as i64;
        let before = if more >= 0 { more / 2 } else { -((-more) / 2) };
        pads[axis] = (before, more - before);
    }
    bordered(w, x, &pads, "constant", 0.0)
}
