//! Control flow that is known beforehand: bodies are put in the place of the node, once for each step.
//! <https://onnx.ai/onnx/operators/onnx__Scan.html>, <https://onnx.ai/onnx/operators/onnx__Loop.html>,
//! <https://onnx.ai/onnx/operators/onnx__If.html>

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::array::TypedConcat;
use tract_onnx::tract_core::ops::change_axes::AxisOp;

use super::unrolled::{Body, MOST_NODES, fits, step};
use super::{Along, Own, Wiring, other};

pub(super) const OWN: &[Own] = &[
    other("Scan", "unrolled; either direction, any axis, from operator set 9 on", scan),
    other("Loop", "unrolled; a trip count that is constant, a condition that folds to a constant", repeated),
    other("If", "a condition that is constant", chosen),
];

/// The branch that the condition chooses.
fn chosen(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let (branch, at) = match constant(w, w.input(0)?)? {
        Some(0) => ("else_branch", "else"),
        Some(_) => ("then_branch", "then"),
        None => bail!(
            "its condition depends on the input, and a circuit has no branches; compute both and choose with Where, or export the \
             model with the condition fixed"
        ),
    };
    let body = w.body(branch)?;
    let results = w.inline(body, at, &[])?;
    w.wanted(&results)
}

/// The value of a constant of one element, as an integer.
fn constant(w: &Wiring<'_>, outlet: OutletId) -> TractResult<Option<i64>> {
    let Some(value) = &w.model.outlet_fact(outlet)?.konst else { return Ok(None) };
    ensure!(value.len() == 1, "a count or condition of shape {:?}", value.shape());
    let value = value.cast_to::<i64>()?;
    Ok(value.to_plain_array_view::<i64>()?.iter().next().copied())
}

fn repeated(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    let body = w.body("body")?;
    ensure!(body.inputs >= 2, "the body of a loop has {} inputs", body.inputs);
    let trips = trips(w)?;
    let mut on = match w.optional(1) {
        Some(condition) => condition_of(w, condition)?,
        None => true,
    };
    let mut states = (2..body.inputs).map(|slot| w.input(slot)).collect::<TractResult<Vec<_>>>()?;
    let mut rows: Vec<Vec<OutletId>> = Vec::new();
    let mut index = 0;
    while on && trips.is_none_or(|trips| index < trips) {
        fits(index.saturating_add(1).max(trips.unwrap_or(0)), body.len())?;
        let at = step(index);
        w.within(&format!("{at}.trip"));
        let (trip, going) = (tensor0(index as i64), tensor0(true));
        let trip = add(w, trip)?;
        let going = add(w, going)?;
        let inputs: Vec<OutletId> = [trip, going].into_iter().chain(states.iter().copied()).collect();
        let made = w.inline(body, &at, &inputs)?;
        ensure!(
            made.len() > states.len(),
            "the body gives {} results for {} states",
            made.len(),
            states.len()
        );
        on = condition_of(w, made[0])?;
        states = made[1..=states.len()].to_vec();
        rows.push(made[states.len() + 1..].to_vec());
        index += 1;
    }
    ensure!(
        index > 0 || w.node.output.len() <= states.len(),
        "it has no trip, so that there is nothing in its scanned outputs"
    );
    let mut results = states;
    let count = rows.first().map_or(0, Vec::len);
    for k in 0..count {
        results.push(stacked(w, k, rows.iter().map(|r| r[k]), 0)?);
    }
    w.wanted(&results)
}

fn add(w: &mut Wiring<'_>, value: Tensor) -> TractResult<OutletId> {
    let name = w.name();
    w.model.add_const(name, value)
}

/// The trip count, where there is one.
fn trips(w: &Wiring<'_>) -> TractResult<Option<usize>> {
    let Some(given) = w.optional(0) else { return Ok(None) };
    match constant(w, given)? {
        Some(trips) => Ok(Some(usize::try_from(trips).unwrap_or(0))),
        None => bail!(
            "its trip count depends on the input, and a circuit has a fixed number of steps; export the model for one length, or set \
             its open dimensions"
        ),
    }
}

fn condition_of(w: &Wiring<'_>, outlet: OutletId) -> TractResult<bool> {
    match constant(w, outlet)? {
        Some(condition) => Ok(condition != 0),
        None => bail!(
            "its condition depends on the input, and a circuit has a fixed number of steps; export the model with a trip count alone, \
             and choose states with Where"
        ),
    }
}

/// What the steps gave, side by side along a new axis.
fn stacked(
    w: &mut Wiring<'_>,
    index: usize,
    rows: impl Iterator<Item = OutletId>,
    axis: usize,
) -> TractResult<OutletId> {
    w.within(&format!("stacked{index}"));
    let rows = rows.map(|r| w.apply(AxisOp::Add(axis), &[r])).collect::<TractResult<Vec<_>>>()?;
    if let [one] = rows.as_slice() { Ok(*one) } else { w.apply(TypedConcat::new(axis), &rows) }
}

/// How a Scan goes through its sequences.
struct Sequences {
    states: usize,
    /// Of each sequence, its axis and whether it is read from the end.
    read: Vec<(usize, bool)>,
    steps: usize,
}

fn scan(w: &mut Wiring<'_>) -> TractResult<TVec<OutletId>> {
    ensure!(w.opset >= 9, "operator set {}, whose Scan has other inputs; export with 9 or later", w.opset);
    let body = w.body("body")?;
    let sequences = sequences(w, body)?;
    fits(sequences.steps, body.len())?;
    let mut states = (0..sequences.states).map(|slot| w.input(slot)).collect::<TractResult<Vec<_>>>()?;
    let mut rows: Vec<Vec<OutletId>> = Vec::with_capacity(sequences.steps);
    for index in 0..sequences.steps {
        let at = step(index);
        let mut inputs = states.clone();
        for (k, (axis, reverse)) in sequences.read.iter().enumerate() {
            w.within(&format!("{at}.part{k}"));
            let place = if *reverse { sequences.steps - 1 - index } else { index };
            let x = w.input(sequences.states + k)?;
            let part = w.apply(Along::picked(*axis, &[Some(place)], 0.0), &[x])?;
            inputs.push(w.without(part, *axis)?);
        }
        let made = w.inline(body, &at, &inputs)?;
        ensure!(
            made.len() >= states.len(),
            "the body gives {} results for {} states",
            made.len(),
            states.len()
        );
        states = made[..states.len()].to_vec();
        rows.push(made[states.len()..].to_vec());
    }
    let mut results = states;
    for k in 0..rows.first().map_or(0, Vec::len) {
        let (axis, reverse) = written(w, k, rows[0][k])?;
        let row = |i: usize| rows[if reverse { rows.len() - 1 - i } else { i }][k];
        results.push(stacked(w, k, (0..rows.len()).map(row), axis)?);
    }
    w.wanted(&results)
}

fn sequences(w: &Wiring<'_>, body: &Body) -> TractResult<Sequences> {
    let count = usize::try_from(w.int("num_scan_inputs", 0)).unwrap_or(0);
    ensure!((1..=body.inputs).contains(&count), "num_scan_inputs is {count} of {} inputs", body.inputs);
    let states = body.inputs - count;
    let given = |name: &str, k: usize| w.ints(name).and_then(|l| l.get(k).copied()).unwrap_or(0);
    let mut read = Vec::with_capacity(count);
    let mut steps = None;
    for k in 0..count {
        let shape = w.shape(w.input(states + k)?)?;
        let axis = w.axis(given("scan_input_axes", k), shape.len())?;
        let expected = *steps.get_or_insert(shape[axis]);
        ensure!(shape[axis] == expected, "sequences of {expected} and of {} steps", shape[axis]);
        read.push((axis, given("scan_input_directions", k) == 1));
    }
    let steps = steps.unwrap_or(0);
    ensure!(
        steps > 0 && steps <= MOST_NODES,
        "a sequence of {steps} steps; up to {MOST_NODES} are supported"
    );
    Ok(Sequences { states, read, steps })
}

/// The axis along which a scanned output is stacked, and whether it starts from the end.
fn written(w: &Wiring<'_>, k: usize, row: OutletId) -> TractResult<(usize, bool)> {
    let given = |name: &str| w.ints(name).and_then(|l| l.get(k).copied()).unwrap_or(0);
    let rank = w.shape(row)?.len() + 1;
    Ok((w.axis(given("scan_output_axes"), rank)?, given("scan_output_directions") == 1))
}
