//! The linear part of the network: contractions, sums, scales and shifts.

use zkml_graph::ops::{Contract, Linear};
use zkml_graph::{Map, TensorId};

use super::emit::Emitter;
use super::scales::{exact_or_fine, integer_bits, largest, power, quantize};
use crate::Error;
use crate::net::{Contraction, NetOp, Numbers, Operand, constant_view};

/// Number of constants that the addend of a contraction takes.
pub(crate) fn compact_len(addend: &Numbers, c: &Contraction) -> usize {
    constant_view(addend, &c.y.shape).0.len()
}

/// Most bits of a product with a factor that is as fine as there is room for.
const ROOM: i32 = 56;
/// Fraction bits of what is rounded to an integer next: of some hundred steps, floats of 32 bits tell as much.
const STEP_SCALE: i32 = 40;
/// Significant bits of floats.
const FLOAT_BITS: i32 = 24;
/// Bits of a tensor that leave room for a factor of 24 significant bits.
const NARROW: i32 = 32;

impl Emitter<'_> {
    pub(super) fn contract(&mut self, value: usize, c: &Contraction) -> Result<TensorId, Error> {
        let weights = self.net.constant(&c.b);
        // A plain sum or average rounds once, at its end.
        let plain = weights.as_ref().is_some_and(|w| w.uniform().is_some());
        let a = if plain { self.raw(c.a.value)? } else { self.rounded(c.a.value)? };
        let b = match weights {
            Some(weights) => {
                let scale = self.scales.of_weights(value, &weights);
                self.weights(value, c, &weights, scale)?
            }
            None => {
                let id = self.rounded(c.b.value)?;
                (id, self.view(&c.b, id))
            }
        };
        let mut a = a;
        if let Some(values) = &c.addend
            && self.builder.tensor(b.0).scale <= 0
        {
            a = self.as_fine_as(value, &c.a, a, values)?;
        }
        let mut scale = self.builder.tensor(a).scale + self.builder.tensor(b.0).scale;
        if scale < 0 && c.addend.is_some() && self.net.nodes[value].integer {
            a = self.enlarged(value, a, -self.builder.tensor(b.0).scale)?;
            scale = 0;
        }
        let mut inputs = vec![a, b.0];
        let mut addend = None;
        if let Some(values) = &c.addend {
            let name = format!("{}.bias", self.net.nodes[value].name);
            let (id, map) = self.compact(&name, values, &c.y.shape, scale)?;
            inputs.push(id);
            addend = Some(map);
        }
        let (name, a) = (self.name(value, ""), self.view(&c.a, a));
        Ok(self.builder.node(
            &name,
            Contract { a, b: b.1, addend, ranks: c.ranks, y: c.y.clone() },
            &inputs,
        )?)
    }

    /// Weights as a tensor, and their view; equal ones are stored once.
    fn weights(
        &mut self,
        value: usize,
        c: &Contraction,
        weights: &Numbers,
        scale: i32,
    ) -> Result<(TensorId, Map), Error> {
        if weights.uniform().is_some() {
            let name = format!("{}.weight", self.net.nodes[value].name);
            return self.compact(&name, weights, &c.b.map.shape, scale);
        }
        let id = self.constant(c.b.value, scale)?;
        // Contractions that read one constant share it.
        self.known.insert((c.b.value, scale), id);
        Ok((id, self.view(&c.b, id)))
    }

    /// `Σ c · x + shift` with coefficients as integers; the shift is one number or one per element. Factors that
    /// are powers of two only move the scale.
    pub(super) fn sum(
        &mut self,
        value: usize,
        terms: &[(f64, Operand)],
        shift: &Numbers,
    ) -> Result<TensorId, Error> {
        let net = self.net;
        let mut parts = Vec::with_capacity(terms.len());
        let mut scale = i32::MIN;
        for (factor, o) in terms.iter().filter(|(c, _)| *c != 0.0) {
            if let NetOp::Const(numbers) = &self.net.nodes[o.value].op {
                // A private constant keeps its values, which others may read too; a public one takes the factor in.
                let bits = if numbers.is_private() { exact_or_fine(*factor) } else { 0 };
                parts.push((*factor, o, None, bits));
                continue;
            }
            let exact = power(integer_bits(factor.abs())) == factor.abs();
            let id = if exact { self.raw(o.value)? } else { self.factor_of(value, o)? };
            let fine = net.is_integer(o) || self.precise[value];
            let bits = if fine { self.finer(value, *factor, id) } else { exact_or_fine(*factor) };
            scale = scale.max(self.builder.tensor(id).scale + bits);
            parts.push((*factor, o, Some(id), bits));
        }
        // All of it integers, as the factors are, needs no finer scale.
        let whole = net.nodes[value].integer;
        if !whole && (scale == i32::MIN || !shift.is_zero() || parts.iter().any(|p| p.2.is_none())) {
            scale = scale.max(self.scales.activation);
        }
        scale = if whole { scale.max(0) } else { scale };
        let name = self.name(value, "");
        let (mut inputs, mut views) = (Vec::new(), Vec::new());
        for (factor, o, id, bits) in parts {
            let private = matches!(&self.net.nodes[o.value].op, NetOp::Const(n) if n.is_private());
            let id = if private { Some(self.constant(o.value, scale - bits)?) } else { id };
            let Some(id) = id else {
                let numbers = self.net.constant(o).map(|n| n.each(|v| v * factor));
                let numbers = numbers.unwrap_or(Numbers::public(Vec::new()));
                let (id, map) = self.compact(&format!("{name}.constant"), &numbers, &o.map.shape, scale)?;
                inputs.push(id);
                views.push((1, map));
                continue;
            };
            let own = self.builder.tensor(id).scale + bits;
            let coefficient = quantize(&name, factor, bits)?;
            let enlarged = i128::from(coefficient) << (scale - own).clamp(0, 62);
            let coefficient = i64::try_from(enlarged).map_err(|_| overflow(&name, enlarged))?;
            views.push((coefficient, self.view(o, id)));
            inputs.push(id);
        }
        if let (None, Some((_, x))) = (shift.uniform(), terms.first()) {
            let (id, map) = self.compact(&format!("{name}.shift"), shift, &x.map.shape, scale)?;
            inputs.push(id);
            views.push((1, map));
        }
        let constant = quantize(&name, shift.uniform().unwrap_or(0.0), scale)?;
        Ok(self.builder.node(&name, Linear { terms: views, constant, scale }, &inputs)?)
    }

    /// The tensor of an operand that gets a factor: as it is where the result is rounded to integers next, and there is room.
    fn factor_of(&mut self, value: usize, o: &Operand) -> Result<TensorId, Error> {
        let narrow = |id: TensorId| self.builder.tensor(id).bounds.bits() as i32 <= NARROW;
        match self.raw(o.value) {
            Ok(id) if self.precise[value] && narrow(id) => Ok(id),
            _ => self.rounded(o.value),
        }
    }

    /// Fraction bits of a factor of integers: as many as there is room for, since what follows may round to integers again.
    fn finer(&self, value: usize, factor: f64, id: TensorId) -> i32 {
        let (exact, exponent) = (exact_or_fine(factor), integer_bits(factor.abs()));
        if exact == 15 - exponent { self.finest(value, exponent, id) } else { exact }
    }

    /// The same of factors that are no larger than a power of two. Values that are rounded next all have one scale where there is room for
    /// that, so that they are divided by one number.
    fn finest(&self, value: usize, exponent: i32, id: TensorId) -> i32 {
        let t = self.builder.tensor(id);
        let (most, common) = (ROOM - t.bounds.bits() as i32 - exponent, STEP_SCALE - t.scale);
        if self.precise[value] && (FLOAT_BITS - exponent..=most).contains(&common) {
            return common;
        }
        self.room(id) - exponent
    }

    /// Significant bits that a factor of a tensor may have.
    fn room(&self, id: TensorId) -> i32 {
        const MOST: i32 = 30;
        let own = self.builder.tensor(id).bounds.bits() as i32;
        MOST.min(ROOM - own).max(15)
    }

    /// `scale · x + shift`: one coefficient where the scale is the same everywhere, else a product with constants.
    pub(super) fn affine(
        &mut self,
        value: usize,
        x: &Operand,
        scale: &Numbers,
        shift: &Numbers,
    ) -> Result<TensorId, Error> {
        let shape = x.map.shape.clone();
        if let Some(factor) = scale.uniform()
            && (shift.is_private() || shift.uniform().is_some())
        {
            return self.sum(value, &[(factor, x.clone())], shift);
        }
        let a = self.factor_of(value, x)?;
        let fine = self.net.is_integer(x) || self.precise[value];
        let bits = match scale.uniform() {
            Some(factor) if fine => self.finer(value, factor, a),
            Some(factor) => exact_or_fine(factor),
            // What is recorded of the value, not the numbers themselves: these may be others next time.
            None if scale.is_private() => self.scales.of_weights(value, scale),
            // At least as many significant bits as a single factor gets.
            None if scale.are_integers() => 0,
            None if let Some(bits) = exact_powers(scale) => bits,
            None if fine => self.finest(value, integer_bits(largest(scale)), a),
            None => self.scales.weight.max(15 - integer_bits(largest(scale))),
        };
        let a = if bits <= 0 { self.as_fine_as(value, x, a, shift)? } else { a };
        let weights = format!("{}.scale", self.net.nodes[value].name);
        let (b, b_map) = self.compact(&weights, scale, &shape, bits)?;
        let total = self.builder.tensor(a).scale + bits;
        let mut inputs = vec![a, b];
        let mut addend = None;
        if !shift.is_zero() {
            let name = format!("{}.shift", self.net.nodes[value].name);
            let (id, map) = self.compact(&name, shift, &shape, total)?;
            inputs.push(id);
            addend = Some(map);
        }
        let (name, a) = (self.name(value, ""), self.view(x, a));
        let y = Map::identity(&shape);
        let ranks = [shape.len(), 0, 0, 0];
        Ok(self.builder.node(&name, Contract { a, b: b_map, addend, ranks, y }, &inputs)?)
    }

    /// The same tensor at a larger scale.
    pub(super) fn enlarged(&mut self, value: usize, id: TensorId, scale: i32) -> Result<TensorId, Error> {
        let t = self.builder.tensor(id);
        let (by, map) = (scale - t.scale, Map::identity(&t.shape));
        if by <= 0 {
            return Ok(id);
        }
        let name = self.name(value, ".aligned");
        let terms = vec![(1i64 << by.min(60), map)];
        Ok(self.builder.node(&name, Linear { terms, constant: 0, scale }, &[id])?)
    }
}

/// Fraction bits at which factors are exact that are powers of two, all of them, and of which there is room for all.
fn exact_powers(factors: &Numbers) -> Option<i32> {
    const ROOM: i32 = 30;
    let exponents = factors.values().iter().map(|v| integer_bits(v.abs()));
    let powers =
        factors.values().iter().zip(exponents.clone()).all(|(v, e)| *v != 0.0 && v.abs() == power(e));
    let (least, most) = (exponents.clone().min()?, exponents.max()?);
    (powers && most - least <= ROOM).then_some(-least)
}

fn overflow(node: &str, v: i128) -> Error {
    let limit_bits = zkml_graph::tensor::SAFE_BITS;
    Error::from(zkml_graph::GraphError::Overflow { node: node.into(), lo: v, hi: v, limit_bits })
}
