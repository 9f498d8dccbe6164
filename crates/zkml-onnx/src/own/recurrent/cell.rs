//! The equations of one step.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::math;

use super::super::Apart;
use super::activation::Activation;
use super::direction::{Direction, State};
use super::{BIAS, Kind};

/// Weights of the recurrence, the same for every step.
#[derive(Debug)]
pub(super) struct Weights {
    /// Of gates that read the state as it is.
    direct: OutletId,
    /// Of the last gate of a GRU, which reads the state that is reset.
    reset: Option<OutletId>,
    /// Bias of that gate, where it is reset after the product.
    reset_bias: Option<OutletId>,
    /// Of the input, the output and the forget gate.
    peepholes: [Option<OutletId>; 3],
}

impl Direction<'_, '_> {
    /// What all steps multiply their states with.
    pub(super) fn weights(&mut self) -> TractResult<Weights> {
        let all = self.own(2, 0, "recurrence")?.context("the recurrent weights are missing")?;
        let (hidden, gates) = (self.layer.hidden, self.layer.kind.gates());
        let peepholes = match self.layer.kind {
            Kind::Lstm => [self.peephole(0)?, self.peephole(1)?, self.peephole(2)?],
            _ => [None; 3],
        };
        if self.layer.kind != Kind::Gru {
            return Ok(Weights { direct: all, reset: None, reset_bias: None, peepholes });
        }
        let biases = if self.layer.reset_late { self.own(BIAS, 0, "recurrent_biases")? } else { None };
        let end = 2 * gates * hidden;
        let reset_bias = biases.map(|b| self.part(b, 0, end - hidden..end)).transpose()?;
        self.w.within(if self.is_reverse() { "reverse.recurrence.gates" } else { "recurrence.gates" });
        let direct = self.part(all, 0, 0..2 * hidden)?;
        let reset = Some(self.part(all, 0, 2 * hidden..3 * hidden)?);
        Ok(Weights { direct, reset, reset_bias, peepholes })
    }

    /// States after a step, of what its input gives and the states before.
    pub(super) fn step(
        &mut self,
        at: &str,
        weights: &Weights,
        input: OutletId,
        state: State,
    ) -> TractResult<State> {
        match self.layer.kind {
            Kind::Lstm => self.lstm(at, weights, input, state),
            Kind::Gru => self.gru(at, weights, input, state),
            Kind::Rnn => self.rnn(at, weights, input, state),
        }
    }

    fn rnn(&mut self, at: &str, weights: &Weights, input: OutletId, state: State) -> TractResult<State> {
        let sum = self.with_state(&format!("{at}.sum"), input, weights.direct, state.h)?;
        let h = self.activated(&format!("{at}.hidden"), sum, 0)?;
        Ok(State { h: Some(h), c: None })
    }

    fn gru(&mut self, at: &str, weights: &Weights, input: OutletId, state: State) -> TractResult<State> {
        let hidden = self.layer.hidden;
        self.w.within(&format!("{at}.parts"));
        let gates = self.part(input, 1, 0..2 * hidden)?;
        let own = self.part(input, 1, 2 * hidden..3 * hidden)?;
        let gates = self.with_state(&format!("{at}.gates"), gates, weights.direct, state.h)?;
        let (update, reset) = (self.part(gates, 1, 0..hidden)?, self.part(gates, 1, hidden..2 * hidden)?);
        let z = self.activated(&format!("{at}.update_gate"), update, 0)?;
        let r = self.activated(&format!("{at}.reset_gate"), reset, 0)?;
        let name = format!("{at}.candidate.sum");
        self.w.within(&format!("{at}.reset"));
        let recurrent = weights.reset.context("a GRU has three gates")?;
        let sum = if self.layer.reset_late {
            let inner = match (state.h, weights.reset_bias) {
                (Some(h), bias) => {
                    let product = self.product(h, recurrent)?;
                    Some(bias.map_or(Ok(product), |b| self.w.binary(math::Add, product, b))?)
                }
                (None, bias) => bias,
            };
            let inner = inner.map(|i| self.w.binary(math::Mul, r, i)).transpose()?;
            self.w.within(&name);
            inner.map_or(Ok(own), |i| self.w.binary(math::Add, own, i))?
        } else {
            let inner = state.h.map(|h| self.w.binary(math::Mul, r, h)).transpose()?;
            self.with_state(&name, own, recurrent, inner)?
        };
        let candidate = self.activated(&format!("{at}.candidate"), sum, 1)?;
        // (1 − z)·n + z·h, with one product.
        self.w.within(&format!("{at}.change"));
        let difference = match state.h {
            Some(h) => self.w.binary(math::Sub, h, candidate)?,
            None => self.w.times(candidate, -1.0)?,
        };
        let moved = self.w.binary(math::Mul, z, difference)?;
        self.w.within(&format!("{at}.hidden"));
        let h = self.w.binary(math::Add, candidate, moved)?;
        Ok(State { h: Some(h), c: None })
    }

    fn lstm(&mut self, at: &str, weights: &Weights, input: OutletId, state: State) -> TractResult<State> {
        let gates = self.with_state(&format!("{at}.gates"), input, weights.direct, state.h)?;
        let [to_input, to_output, to_forget] = weights.peepholes;
        let i = self.gate(&format!("{at}.input_gate"), gates, 0, to_input.zip(state.c), 0)?;
        let candidate = self.gate(&format!("{at}.candidate"), gates, 3, None, 1)?;
        let forget = match state.c {
            Some(c) if self.layer.coupled => {
                self.w.within(&format!("{at}.forget_gate"));
                let minus = self.w.times(i, -1.0)?;
                Some((c, self.w.plus(minus, 1.0)?))
            }
            Some(c) => {
                Some((c, self.gate(&format!("{at}.forget_gate"), gates, 2, to_forget.zip(state.c), 0)?))
            }
            // Nothing is forgotten of nothing.
            None => None,
        };
        self.w.within(&format!("{at}.written"));
        let mut c = self.w.binary(math::Mul, i, candidate)?;
        if let Some((old, forget)) = forget {
            self.w.within(&format!("{at}.remembered"));
            let rest = self.w.binary(math::Mul, forget, old)?;
            self.w.within(&format!("{at}.cell"));
            c = self.w.binary(math::Add, rest, c)?;
        }
        let o = self.gate(&format!("{at}.output_gate"), gates, 1, to_output.map(|p| (p, c)), 0)?;
        self.w.within(&format!("{at}.cell_activation"));
        let shown = self.functions[2].wire(self.w, c)?;
        self.w.within(&format!("{at}.hidden"));
        let h = self.w.binary(math::Mul, o, shown)?;
        Ok(State { h: Some(h), c: Some(c) })
    }

    /// One gate of an LSTM: its part of the sums, a peephole into the cell, the activation.
    fn gate(
        &mut self,
        name: &str,
        gates: OutletId,
        index: usize,
        peephole: Option<(OutletId, OutletId)>,
        function: usize,
    ) -> TractResult<OutletId> {
        let hidden = self.layer.hidden;
        self.w.within(&format!("{name}.sum"));
        let mut sum = self.part(gates, 1, index * hidden..(index + 1) * hidden)?;
        if let Some((weights, cell)) = peephole {
            let seen = self.w.binary(math::Mul, cell, weights)?;
            sum = self.w.binary(math::Add, sum, seen)?;
        }
        self.activated(name, sum, function)
    }

    /// A sum within the clip, and activated.
    fn activated(&mut self, name: &str, sum: OutletId, function: usize) -> TractResult<OutletId> {
        let mut x = sum;
        if let Some(clip) = self.layer.clip {
            self.w.within(&format!("{name}.clip"));
            x = self.w.at_most(x, clip)?;
            x = self.w.at_least(x, -clip)?;
        }
        self.w.within(name);
        let function: Activation = self.functions[function];
        function.wire(self.w, x)
    }

    /// `x + h·R`; where the state is zero, `x` apart from that of other steps.
    fn with_state(
        &mut self,
        name: &str,
        x: OutletId,
        weights: OutletId,
        state: Option<OutletId>,
    ) -> TractResult<OutletId> {
        let Some(h) = state else {
            self.w.within(name);
            return self.w.apply(Apart, &[x]);
        };
        self.w.within(&format!("{name}.recurrence"));
        let product = self.product(h, weights)?;
        self.w.within(name);
        self.w.binary(math::Add, x, product)
    }

    /// A state times weights, whose rows are results.
    fn product(&mut self, h: OutletId, weights: OutletId) -> TractResult<OutletId> {
        self.einsum("bh,gh->bg", h, weights)
    }
}
