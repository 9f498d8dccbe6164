//! Operators of ai.onnx.ml on numbers.
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html> and its neighbours

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::array::TypedConcat;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::{binary::TypedBinOp, logic, math};

use super::{Own, Wiring, other, same};
use crate::proto::attribute;

pub(super) const OWN: &[Own] = &[
    same("Binarizer", "ai.onnx.ml; one above the threshold, which quantized values are compared with", |w| {
        let (x, threshold) = (w.input(0)?, w.float("threshold", 0.0));
        let threshold = w.number(x, threshold.into())?;
        let above = w.apply(TypedBinOp(logic::comp_gt(), None), &[x, threshold])?;
        let kind = w.kind(x)?;
        Ok(tvec!(w.cast(above, kind)?))
    }),
    other("FeatureVectorizer", "ai.onnx.ml; free wiring", |w| {
        let mut all = tvec!();
        for slot in 0..w.inputs.len() {
            let x = w.input(slot)?;
            all.push(w.cast(x, DatumType::F32)?);
        }
        Ok(tvec!(w.apply(TypedConcat::new(1), &all)?))
    }),
    same(
        "Imputer",
        "ai.onnx.ml; of a number that stands for what is missing; NaN does not occur in a proof",
        imputed,
    ),
    other("OneHotEncoder", "ai.onnx.ml; categories that are integers", encoded),
    other("LabelEncoder", "ai.onnx.ml; from numbers to numbers", labelled),
];

/// One where `x` is the number.
fn hit(w: &mut Wiring<'_>, x: OutletId, number: f64, kind: DatumType) -> TractResult<OutletId> {
    let number = w.number(x, number)?;
    let equal = w.apply(TypedBinOp(logic::comp_eq(), None), &[x, number])?;
    w.apply(cast(kind), &[equal])
}

fn imputed(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let shape = w.shape(x)?;
    let (values, missing): (Vec<f64>, f64) = match attribute(w.node, "imputed_value_floats") {
        Some(a) => (
            a.floats.iter().map(|v| f64::from(*v)).collect(),
            w.float("replaced_value_float", f32::NAN).into(),
        ),
        None => (
            w.ints("imputed_value_int64s").unwrap_or_default().iter().map(|v| *v as f64).collect(),
            w.int("replaced_value_int64", 0) as f64,
        ),
    };
    let columns = shape.last().copied().unwrap_or(1);
    ensure!(values.len() == 1 || values.len() == columns, "{} values for {columns} columns", values.len());
    if missing.is_nan() {
        return Ok(tvec!(x));
    }
    let missing = w.number(x, missing)?;
    let there = w.apply(TypedBinOp(logic::comp_eq(), None), &[x, missing])?;
    let values = w.numbers(x, &values, &[values.len()])?;
    Ok(tvec!(w.apply(logic::Iff, &[there, values, x])?))
}

fn encoded(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let mut x = w.input(0)?;
    let categories = w.ints("cats_int64s").unwrap_or_default();
    ensure!(!categories.is_empty(), "categories that are no integers");
    ensure!(w.int("zeros", 1) != 0, "a category that is not listed would be an error");
    let rank = w.shape(x)?.len();
    x = w.apply(tract_onnx::tract_core::ops::change_axes::AxisOp::Add(rank), &[x])?;
    let numbers: Vec<f64> = categories.iter().map(|c| *c as f64).collect();
    let line = [&vec![1; rank][..], &[numbers.len()]].concat();
    let numbers = w.numbers(x, &numbers, &line)?;
    let equal = w.apply(TypedBinOp(logic::comp_eq(), None), &[x, numbers])?;
    Ok(tvec!(w.apply(cast(DatumType::F32), &[equal])?))
}

/// `default + Σ (value − default)·[x = key]`.
fn labelled(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let x = w.input(0)?;
    let numbers = |part: &str| -> Option<(Vec<f64>, DatumType)> {
        let ints = w.ints(&format!("{part}_int64s"));
        let ints = ints.map(|v| (v.iter().map(|v| *v as f64).collect(), DatumType::I64));
        let floats = attribute(w.node, &format!("{part}_floats"));
        ints.or_else(|| floats.map(|a| (a.floats.iter().map(|v| f64::from(*v)).collect(), DatumType::F32)))
    };
    let (Some((keys, _)), Some((values, kind))) = (numbers("keys"), numbers("values")) else {
        bail!("keys or values that are no numbers")
    };
    ensure!(
        keys.len() == values.len() && keys.len() <= 1024,
        "{} keys for {} values",
        keys.len(),
        values.len()
    );
    ensure!(keys.iter().all(|k| !k.is_nan()), "a key is NaN");
    let default = if kind == DatumType::I64 {
        w.int("default_int64", -1) as f64
    } else {
        w.float("default_float", -0.0).into()
    };
    let mut y = None;
    for (key, value) in keys.iter().zip(values) {
        let hit = hit(w, x, *key, kind)?;
        let part = w.times(hit, value - default)?;
        y = Some(match y {
            Some(sum) => w.binary(math::Add, sum, part)?,
            None => part,
        });
    }
    let y = y.with_context(|| "there are no keys")?;
    Ok(tvec!(w.plus(y, default)?))
}
