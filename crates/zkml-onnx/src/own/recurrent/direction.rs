//! One direction of a recurrent layer: what its steps share, and the states that go from one to the next.

use std::ops::Range;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::array::TypedConcat;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math;

use super::super::{Along, Wiring, unrolled};
use super::activation::Activation;
use super::{BIAS, INITIAL_C, INITIAL_H, Layer, PEEPHOLES};

/// States between two steps, of shape `[batch, hidden]`; zero where there is none yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) h: Option<OutletId>,
    pub(super) c: Option<OutletId>,
}

/// Results of a direction.
#[derive(Debug)]
pub(super) struct Run {
    /// Hidden state of each step, zero where the row has ended.
    pub(super) states: Vec<OutletId>,
    pub(super) last: State,
}

/// One direction that is being wired.
pub(super) struct Direction<'a, 'b> {
    pub(super) w: &'a mut Wiring<'b>,
    pub(super) layer: &'a Layer,
    pub(super) functions: &'a [Activation],
    index: usize,
    /// What names of its parts begin with.
    at: &'static str,
}

impl<'a, 'b> Direction<'a, 'b> {
    pub(super) fn new(
        w: &'a mut Wiring<'b>,
        layer: &'a Layer,
        index: usize,
        functions: &'a [Activation],
    ) -> Self {
        let at = if layer.directions[index] { "reverse." } else { "" };
        Self { w, layer, functions, index, at }
    }

    pub(super) fn is_reverse(&self) -> bool {
        self.layer.directions[self.index]
    }

    pub(super) fn run(mut self, x: OutletId) -> TractResult<Run> {
        let layer = self.layer;
        // Steps that no row has are left out.
        let mut order: Vec<usize> = (0..layer.steps).filter(|t| layer.active(*t).contains(&true)).collect();
        if self.is_reverse() {
            order.reverse();
        }
        let axis = usize::from(layer.batch_first);
        let mut state =
            State { h: self.own(INITIAL_H, axis, "initial_h")?, c: self.own(INITIAL_C, axis, "initial_c")? };
        let inputs = self.projected(x)?;
        let weights = self.weights()?;
        let mut states: Vec<Option<OutletId>> = vec![None; layer.steps];
        for t in &order {
            let at = format!("{}{}", self.at, unrolled::step(*t));
            let new = self.step(&at, &weights, inputs[*t], state)?;
            let active = layer.active(*t);
            state = State {
                h: self.kept(&format!("{at}.hidden"), new.h, state.h, &active)?,
                c: self.kept(&format!("{at}.cell"), new.c, state.c, &active)?,
            };
            states[*t] = self.kept(&format!("{at}.shown"), new.h, None, &active)?;
        }
        let zeros = vec![0.0; layer.batch * layer.hidden];
        self.w.within(&format!("{}nothing", self.at));
        let nothing = self.w.numbers(x, &zeros, &[layer.batch, layer.hidden])?;
        Ok(Run { states: states.into_iter().map(|s| s.unwrap_or(nothing)).collect(), last: state })
    }

    /// The part of an input that is for this direction, without the axis of directions.
    pub(super) fn own(&mut self, slot: usize, axis: usize, name: &str) -> TractResult<Option<OutletId>> {
        let Some(mut input) = self.w.optional(slot) else { return Ok(None) };
        self.w.within(&format!("{}{name}", self.at));
        if self.layer.directions.len() > 1 {
            input = self.w.apply(Along::picked(axis, &[Some(self.index)], 0.0), &[input])?;
        }
        self.w.without(input, axis).map(Some)
    }

    /// Elements of an axis. A slice of tract's would be pushed through products, which would fall apart.
    pub(super) fn part(&mut self, x: OutletId, axis: usize, range: Range<usize>) -> TractResult<OutletId> {
        let picks: Vec<Option<usize>> = range.map(Some).collect();
        self.w.apply(Along::picked(axis, &picks, 0.0), &[x])
    }

    /// A product of operands of different ranks.
    pub(super) fn einsum(&mut self, axes: &str, x: OutletId, weights: OutletId) -> TractResult<OutletId> {
        let (op, name) = (EinSum::new(axes.parse()?, self.w.kind(x)?), self.w.name());
        Ok(self.w.model.wire_node(name, op, &[x, weights])?[0])
    }

    /// The part of the peepholes of one gate.
    pub(super) fn peephole(&mut self, gate: usize) -> TractResult<Option<OutletId>> {
        let Some(all) = self.own(PEEPHOLES, 0, &format!("peephole{gate}"))? else { return Ok(None) };
        self.part(all, 0, gate * self.layer.hidden..(gate + 1) * self.layer.hidden).map(Some)
    }

    /// `x·W + b` of each step.
    fn projected(&mut self, x: OutletId) -> TractResult<Vec<OutletId>> {
        let weights = self.own(1, 0, "weights")?.context("the weights are missing")?;
        let bias = self.bias()?;
        self.w.within(&format!("{}inputs", self.at));
        let mut all = self.einsum("sbi,gi->sbg", x, weights)?;
        if let Some(bias) = bias {
            all = self.w.binary(math::Add, all, bias)?;
        }
        let mut rows = Vec::with_capacity(self.layer.steps);
        for t in 0..self.layer.steps {
            self.w.within(&format!("{}{}.input", self.at, unrolled::step(t)));
            let row = self.part(all, 0, t..t + 1)?;
            rows.push(self.w.without(row, 0)?);
        }
        Ok(rows)
    }

    /// Sum of both biases, without that of a gate which is reset after the product.
    fn bias(&mut self) -> TractResult<Option<OutletId>> {
        let Some(both) = self.own(BIAS, 0, "biases")? else { return Ok(None) };
        let rows = self.layer.kind.gates() * self.layer.hidden;
        let inner = rows - if self.layer.reset_late { self.layer.hidden } else { 0 };
        self.w.within(&format!("{}bias", self.at));
        let outer = self.part(both, 0, 0..rows)?;
        let picks: Vec<Option<usize>> = (0..rows).map(|i| (i < inner).then_some(rows + i)).collect();
        let recurrent = self.w.apply(Along::picked(0, &picks, 0.0), &[both])?;
        self.w.binary(math::Add, outer, recurrent).map(Some)
    }

    /// New rows of a state where they are active, and old ones, or zeros, elsewhere.
    fn kept(
        &mut self,
        name: &str,
        new: Option<OutletId>,
        old: Option<OutletId>,
        active: &[bool],
    ) -> TractResult<Option<OutletId>> {
        let Some(new) = new.filter(|_| active.contains(&false)) else { return Ok(new) };
        self.w.within(&format!("{name}.rows"));
        let mut parts = tvec!();
        let mut start = 0;
        for rows in active.chunk_by(|a, b| a == b) {
            let range = start..start + rows.len();
            start = range.end;
            let zeros = [rows.len(), self.layer.hidden];
            parts.push(match (rows[0], old) {
                (true, _) => self.part(new, 0, range)?,
                (false, Some(old)) => self.part(old, 0, range)?,
                (false, None) => self.w.numbers(new, &vec![0.0; zeros.iter().product()], &zeros)?,
            });
        }
        self.w.apply(TypedConcat::new(0), &parts).map(Some)
    }
}
