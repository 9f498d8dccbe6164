//! Images of another size: one linear map along each axis.
//! <https://onnx.ai/onnx/operators/onnx__Resize.html>, <https://onnx.ai/onnx/operators/onnx__Upsample.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use super::{Along, Own, Wiring, other};

pub(super) const OWN: &[Own] = &[
    other(
        "Resize",
        "constant scales or sizes; nearest, linear and cubic, every coordinate transformation",
        |w| {
            let slots = if w.node.input.len() > 2 { (Some(1), 2, Some(3)) } else { (None, 1, None) };
            resized(w, slots, "half_pixel")
        },
    ),
    other("Upsample", "constant scales; nearest and linear", |w| resized(w, (None, 1, None), "asymmetric")),
];

/// Interpolation, as the attributes say.
struct Sampling {
    mode: String,
    coordinates: String,
    nearest: String,
    cubic: f64,
    outside_excluded: bool,
    antialiased: bool,
    extrapolated: f64,
}

/// What one axis becomes.
struct Resized {
    axis: usize,
    scale: f64,
    len: usize,
    region: Option<(f64, f64)>,
}

fn resized(
    w: &mut Wiring<'_>,
    (region, scales, sizes): (Option<usize>, usize, Option<usize>),
    transformation: &str,
) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let old = w.node.op_type == "Upsample" || w.node.input.len() == 2;
    let sampling = Sampling {
        mode: w.text("mode", "nearest"),
        coordinates: w
            .text("coordinate_transformation_mode", if old { "asymmetric" } else { transformation }),
        nearest: w.text("nearest_mode", if old { "floor" } else { "round_prefer_floor" }),
        cubic: w.float("cubic_coeff_a", -0.75).into(),
        outside_excluded: w.int("exclude_outside", 0) != 0,
        antialiased: w.int("antialias", 0) != 0,
        extrapolated: w.float("extrapolation_value", 0.0).into(),
    };
    let mut y = x;
    for r in targets(w, &shape, region, scales, sizes)? {
        if r.len == shape[r.axis] && r.scale == 1.0 && r.region.is_none() {
            continue;
        }
        let rows =
            (0..r.len).map(|at| sampling.row(&r, at, shape[r.axis])).collect::<TractResult<Vec<_>>>()?;
        let constants =
            rows.iter().map(|row| if row.is_none() { sampling.extrapolated } else { 0.0 }).collect();
        let rows = rows.into_iter().map(Option::unwrap_or_default).collect();
        y = w.apply(Along { axis: r.axis, rows, constants }, &[y])?;
    }
    Ok(tvec!(y))
}

/// Scale and length of each axis that is named.
fn targets(
    w: &Wiring<'_>,
    shape: &[usize],
    region: Option<usize>,
    scales: usize,
    sizes: Option<usize>,
) -> TractResult<Vec<Resized>> {
    let axes = w.ints("axes").unwrap_or_else(|| (0..shape.len() as i64).collect());
    let axes = axes.into_iter().map(|a| w.axis(a, shape.len())).collect::<TractResult<Vec<_>>>()?;
    let given = |slot: usize, what: &str| -> TractResult<Vec<f64>> {
        let there = w.optional(slot).is_some();
        let values = if there { w.reals(slot, what)? } else { Vec::new() };
        ensure!(
            values.is_empty() || values.len() == axes.len(),
            "{} {what} for {} axes",
            values.len(),
            axes.len()
        );
        Ok(values)
    };
    let own = w
        .node
        .attribute
        .iter()
        .find(|a| a.name == "scales")
        .map(|a| a.floats.iter().map(|v| f64::from(*v)).collect());
    let scales = match own {
        Some(scales) => scales,
        None => given(scales, "scales")?,
    };
    let sizes = sizes.map_or(Ok(Vec::new()), |slot| given(slot, "sizes"))?;
    ensure!(scales.len() == axes.len() || sizes.len() == axes.len(), "neither scales nor sizes are given");
    let cropped = w.text("coordinate_transformation_mode", "") == "tf_crop_and_resize";
    let regions = match region.filter(|r| cropped && w.optional(*r).is_some()) {
        Some(slot) => w.reals(slot, "the region")?,
        None => Vec::new(),
    };
    ensure!(
        !cropped || regions.len() == 2 * axes.len(),
        "{} ends of a region for {} axes",
        regions.len(),
        axes.len()
    );
    let ratio = |i: usize| sizes[i] / shape[axes[i]] as f64;
    let policy = w.text("keep_aspect_ratio_policy", "stretch");
    let ratios = || (0..sizes.len()).map(ratio);
    let common = match policy.as_str() {
        "not_larger" => Some(ratios().fold(f64::INFINITY, f64::min)),
        "not_smaller" => Some(ratios().fold(0.0, f64::max)),
        _ => None,
    };
    let one = |(i, axis): (usize, &usize)| {
        let from = shape[*axis] as f64;
        let (scale, len) = match (sizes.is_empty(), common) {
            (true, _) => (scales[i], (scales[i] * from).floor()),
            (false, Some(scale)) => (scale, (scale * from + 0.5).floor()),
            (false, None) => (ratio(i), sizes[i]),
        };
        ensure!(
            scale.is_finite() && scale > 0.0 && (1.0..=65536.0).contains(&len),
            "axis {axis} would have {len} elements"
        );
        let region = cropped.then(|| (regions[i], regions[axes.len() + i]));
        Ok(Resized { axis: *axis, scale, len: len as usize, region })
    };
    axes.iter().enumerate().map(one).collect()
}

impl Sampling {
    /// Where a result lies among `len` elements; nothing where it lies outside of what may be seen.
    fn coordinate(&self, r: &Resized, at: usize, len: usize) -> TractResult<Option<f64>> {
        let (at, from, to) = (at as f64, len as f64, r.scale * len as f64);
        Ok(Some(match self.coordinates.as_str() {
            "asymmetric" => at / r.scale,
            "half_pixel" => (at + 0.5) / r.scale - 0.5,
            "pytorch_half_pixel" if to == 1.0 => -0.5,
            "pytorch_half_pixel" => (at + 0.5) / r.scale - 0.5,
            "half_pixel_symmetric" => from / 2.0 * (1.0 - r.len as f64 / to) + (at + 0.5) / r.scale - 0.5,
            "align_corners" if to == 1.0 => 0.0,
            "align_corners" => at * (from - 1.0) / (to - 1.0),
            "tf_half_pixel_for_nn" => (at + 0.5) / r.scale,
            "tf_crop_and_resize" => {
                let (start, end) = r.region.unwrap_or((0.0, 1.0));
                let step = if to == 1.0 {
                    (end - start) * (from - 1.0) / 2.0
                } else {
                    at * (end - start) * (from - 1.0) / (to - 1.0)
                };
                let x = step + start * (from - 1.0);
                return Ok((0.0..=from - 1.0).contains(&x).then_some(x));
            }
            other => bail!("the coordinate_transformation_mode {other}"),
        }))
    }

    /// Factors of the elements of which one result is made.
    fn row(&self, r: &Resized, at: usize, len: usize) -> TractResult<Option<Vec<(usize, f64)>>> {
        let Some(x) = self.coordinate(r, at, len)? else { return Ok(None) };
        // The element on the left is strictly below, so that the ratio is in (0, 1].
        let left = x.ceil() - 1.0;
        let (first, mut factors) = self.factors(x - left, r.scale)?;
        let index = |i: usize| left as i64 + first + i as i64;
        if self.outside_excluded {
            let inside = |i: usize| (0..len as i64).contains(&index(i));
            factors.iter_mut().enumerate().filter(|(i, _)| !inside(*i)).for_each(|(_, f)| *f = 0.0);
            let total: f64 = factors.iter().sum();
            factors.iter_mut().for_each(|f| *f /= total);
        }
        let mut row: Vec<(usize, f64)> = Vec::new();
        for (i, factor) in factors.into_iter().enumerate().filter(|(_, f)| *f != 0.0) {
            let place = index(i).clamp(0, len as i64 - 1) as usize;
            match row.iter_mut().find(|(k, _)| *k == place) {
                Some((_, sum)) => *sum += factor,
                None => row.push((place, factor)),
            }
        }
        Ok(Some(row))
    }

    /// Offset of the first element from the one on the left, and the factors from there on.
    fn factors(&self, ratio: f64, scale: f64) -> TractResult<(i64, Vec<f64>)> {
        let scale = if self.antialiased { scale.min(1.0) } else { 1.0 };
        let (reach, kernel): (f64, &dyn Fn(f64) -> f64) = match self.mode.as_str() {
            "nearest" => return Ok((0, self.nearer(ratio)?)),
            "linear" | "bilinear" => (1.0, &|x: f64| (1.0 - x.abs()).max(0.0)),
            "cubic" => (2.0, &|x: f64| cubic(x.abs(), self.cubic)),
            other => bail!("the mode {other}"),
        };
        let first = (-reach / scale).floor() as i64 + 1;
        let raw: Vec<f64> = (first..2 - first).map(|i| kernel((i as f64 - ratio) * scale)).collect();
        let total: f64 = if self.antialiased { raw.iter().sum() } else { 1.0 };
        Ok((first, raw.into_iter().map(|f| f / total).collect()))
    }

    fn nearer(&self, ratio: f64) -> TractResult<Vec<f64>> {
        let right = match self.nearest.as_str() {
            _ if ratio == 1.0 => true,
            "round_prefer_floor" => ratio > 0.5,
            "round_prefer_ceil" => ratio >= 0.5,
            "floor" => false,
            "ceil" => true,
            other => bail!("the nearest_mode {other}"),
        };
        Ok(if right { vec![0.0, 1.0] } else { vec![1.0, 0.0] })
    }
}

/// Keys' kernel.
fn cubic(x: f64, a: f64) -> f64 {
    match x {
        x if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
        _ => 0.0,
    }
}
