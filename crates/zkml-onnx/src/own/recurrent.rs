//! Recurrent layers, unrolled over their steps.
//! <https://onnx.ai/onnx/operators/onnx__LSTM.html>, <https://onnx.ai/onnx/operators/onnx__GRU.html>,
//! <https://onnx.ai/onnx/operators/onnx__RNN.html>
//!
//! Inputs times their weights are one product for all steps. Names of the rest say direction, step and gate, as in
//! `lstm.reverse.step3.forget_gate`.

mod activation;
mod cell;
mod direction;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::array::TypedConcat;
use tract_onnx::tract_core::ops::change_axes::AxisOp;

use super::{Own, Wiring, other, unrolled};
use direction::{Direction, Run};

const NOTES: &str =
    "unrolled over its steps; all attributes and activations, any initial state; sequence_lens constant";

pub(super) const OWN: &[Own] = &[
    other("LSTM", NOTES, |w| layer(w, Kind::Lstm)),
    other("GRU", NOTES, |w| layer(w, Kind::Gru)),
    other("RNN", NOTES, |w| layer(w, Kind::Rnn)),
];

/// Nodes that one gate of a step becomes, about.
const NODES_OF_GATE: usize = 4;

/// Slots of inputs after the sequence and its weights.
const BIAS: usize = 3;
const LENGTHS: usize = 4;
const INITIAL_H: usize = 5;
const INITIAL_C: usize = 6;
const PEEPHOLES: usize = 7;

/// A family of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lstm,
    Gru,
    Rnn,
}

impl Kind {
    /// Gates, each of which has its own weights.
    fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Rnn => 1,
        }
    }

    /// Activations of one direction, unless the node says otherwise.
    fn activations(self) -> &'static [&'static str] {
        match self {
            Self::Lstm => &["Sigmoid", "Tanh", "Tanh"],
            Self::Gru => &["Sigmoid", "Tanh"],
            Self::Rnn => &["Tanh"],
        }
    }
}

/// Sizes and attributes of a layer.
#[derive(Debug)]
struct Layer {
    kind: Kind,
    steps: usize,
    batch: usize,
    hidden: usize,
    /// For each direction, whether it runs from the end.
    directions: Vec<bool>,
    /// Steps of each row of the batch.
    lengths: Vec<usize>,
    /// The batch is the first axis of everything.
    batch_first: bool,
    clip: Option<f64>,
    /// The forget gate is one less the input gate.
    coupled: bool,
    /// The reset gate is applied after the product with the weights.
    reset_late: bool,
}

fn layer(w: &mut Wiring<'_>, kind: Kind) -> TractResult<TVec<OutletId>> {
    let layer = Layer::read(w, kind)?;
    let functions = activation::read(w, kind, layer.directions.len())?;
    let mut x = w.input(0)?;
    if layer.batch_first {
        w.within("steps_first");
        x = w.apply(AxisOp::Move(1, 0), &[x])?;
    }
    let mut runs = Vec::with_capacity(layer.directions.len());
    for (index, functions) in functions.chunks(kind.activations().len()).enumerate() {
        runs.push(Direction::new(w, &layer, index, functions).run(x)?);
    }
    results(w, &layer, &runs)
}

impl Layer {
    fn read(w: &Wiring<'_>, kind: Kind) -> TractResult<Self> {
        let directions = match w.text("direction", "forward").as_str() {
            "forward" => vec![false],
            "reverse" => vec![true],
            "bidirectional" => vec![false, true],
            other => bail!("the direction {other}"),
        };
        let layout = w.int("layout", 0);
        ensure!((0..=1).contains(&layout), "the layout {layout}");
        let (x, r) = (w.shape(w.input(0)?)?, w.shape(w.input(2)?)?);
        let given = x.len() == 3 && r.len() == 3 && !x.contains(&0) && !r.contains(&0);
        ensure!(given, "an input of shape {x:?} with recurrent weights of shape {r:?}");
        let (steps, batch) = if layout == 1 { (x[1], x[0]) } else { (x[0], x[1]) };
        let (clip, asked) = (f64::from(w.float("clip", 0.0)), w.int("hidden_size", r[2] as i64));
        ensure!(clip.is_finite() && clip >= 0.0, "the clip {clip}");
        ensure!(asked == r[2] as i64, "the hidden_size {asked} with recurrent weights of shape {r:?}");
        let layer = Self {
            kind,
            steps,
            batch,
            hidden: r[2],
            lengths: lengths(w, steps, batch)?,
            directions,
            batch_first: layout == 1,
            clip: (clip > 0.0).then_some(clip),
            coupled: kind == Kind::Lstm && w.int("input_forget", 0) != 0,
            reset_late: kind == Kind::Gru && w.int("linear_before_reset", 0) != 0,
        };
        layer.shapes(w, x[2])?;
        unrolled::fits(steps, layer.directions.len() * kind.gates() * NODES_OF_GATE)?;
        Ok(layer)
    }

    /// Refuses inputs whose shapes do not belong together.
    fn shapes(&self, w: &Wiring<'_>, width: usize) -> TractResult<()> {
        let (d, rows, hidden) = (self.directions.len(), self.kind.gates() * self.hidden, self.hidden);
        let state = if self.batch_first { vec![self.batch, d, hidden] } else { vec![d, self.batch, hidden] };
        let due = [
            (1, vec![d, rows, width]),
            (2, vec![d, rows, hidden]),
            (BIAS, vec![d, 2 * rows]),
            (INITIAL_H, state.clone()),
            (INITIAL_C, state),
            (PEEPHOLES, vec![d, 3 * hidden]),
        ];
        for (slot, want) in due {
            if let Some(input) = w.optional(slot) {
                let got = w.shape(input)?;
                ensure!(got == want, "input {slot} has the shape {got:?} instead of {want:?}");
            }
        }
        Ok(())
    }

    /// Rows of the batch that a step belongs to.
    fn active(&self, step: usize) -> Vec<bool> {
        self.lengths.iter().map(|len| step < *len).collect()
    }
}

/// Steps of each row of the batch.
fn lengths(w: &Wiring<'_>, steps: usize, batch: usize) -> TractResult<Vec<usize>> {
    if w.optional(LENGTHS).is_none() {
        return Ok(vec![steps; batch]);
    }
    let given = w.integers(LENGTHS, "the tensor of sequence_lens")?;
    ensure!(given.len() == batch, "{} sequence_lens for a batch of {batch}", given.len());
    let inside = given.iter().all(|len| (1..=steps as i64).contains(len));
    ensure!(inside, "the sequence_lens {given:?} of {steps} steps; each must be from 1 to {steps}");
    Ok(given.into_iter().map(|len| len as usize).collect())
}

/// The outputs that the node has, in their order.
fn results(w: &mut Wiring<'_>, layer: &Layer, runs: &[Run]) -> TractResult<TVec<OutletId>> {
    let wanted: Vec<bool> = w.node.output.iter().map(|o| !o.is_empty()).collect();
    let mut out = tvec!();
    for (slot, name) in ["Y", "Y_h", "Y_c"].into_iter().enumerate() {
        if !wanted.get(slot).copied().unwrap_or(false) {
            continue;
        }
        w.within(name);
        let mut each = Vec::with_capacity(runs.len());
        for run in runs {
            let (whole, axis) = match slot {
                0 => (stacked(w, &run.states)?, 1),
                1 => (run.last.h.context("there is no step")?, 0),
                _ => (run.last.c.context("there is no third output")?, 0),
            };
            each.push(w.apply(AxisOp::Add(axis), &[whole])?);
        }
        let axis = usize::from(slot == 0);
        let all = if let [one] = each.as_slice() { *one } else { w.apply(TypedConcat::new(axis), &each)? };
        let batch = axis + 1;
        out.push(if layer.batch_first { w.apply(AxisOp::Move(batch, 0), &[all])? } else { all });
    }
    Ok(out)
}

/// States side by side, along a new first axis.
fn stacked(w: &mut Wiring<'_>, states: &[OutletId]) -> TractResult<OutletId> {
    let rows = states.iter().map(|s| w.apply(AxisOp::Add(0), &[*s])).collect::<TractResult<Vec<_>>>()?;
    if let [one] = rows.as_slice() { Ok(*one) } else { w.apply(TypedConcat::new(0), &rows) }
}
