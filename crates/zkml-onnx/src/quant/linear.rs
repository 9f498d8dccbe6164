//! The linear part of the network: contractions, sums, scales and shifts.

use zkml_graph::map::Axis;
use zkml_graph::ops::{Contract, Linear};
use zkml_graph::{Map, TensorId};

use super::emit::Emitter;
use super::scales::{exact_or_fine, integer_bits, power, quantize, uniform};
use crate::Error;
use crate::net::{Contraction, NetOp, Operand, strides};

/// The same values with dimensions dropped along which they do not change, and the view that shows them all.
pub(super) fn constant_view(values: &[f64], shape: &[usize]) -> (Vec<f64>, Map) {
    let step = strides(shape);
    let changes = |d: usize| {
        (0..values.len())
            .any(|i| i as i64 / step[d] % shape[d] as i64 > 0 && values[i] != values[i - step[d] as usize])
    };
    let kept: Vec<usize> = (0..shape.len()).filter(|&d| shape[d] > 1 && changes(d)).collect();
    let source: Vec<usize> = kept.iter().map(|&d| shape[d]).collect();
    let inner = strides(&source);
    let pick = |j: usize| {
        let at = kept.iter().zip(&inner).zip(&source).map(|((&d, s), &n)| j as i64 / s % n as i64 * step[d]);
        values[at.sum::<i64>() as usize]
    };
    let few = if values.is_empty() { Vec::new() } else { (0..source.iter().product()).map(pick).collect() };
    let axes = kept
        .iter()
        .map(|&d| Axis { offset: 0, steps: (0..shape.len()).map(|v| i64::from(v == d)).collect() });
    (few, Map { axes: axes.collect(), source, shape: shape.to_vec(), pad: None })
}

/// Number of constants that the addend of a contraction takes.
pub(crate) fn compact_len(addend: &[f64], c: &Contraction) -> usize {
    constant_view(addend, &c.y.shape).0.len()
}

impl Emitter<'_> {
    pub(super) fn contract(&mut self, value: usize, c: &Contraction) -> Result<TensorId, Error> {
        let weights = self.net.constant(&c.b);
        // A plain sum or average rounds once, at its end.
        let plain = weights.as_deref().is_some_and(|w| uniform(w).is_some());
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
        let scale = self.builder.tensor(a).scale + self.builder.tensor(b.0).scale;
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
        weights: &[f64],
        scale: i32,
    ) -> Result<(TensorId, Map), Error> {
        if uniform(weights).is_some() {
            let name = format!("{}.weight", self.net.nodes[value].name);
            return self.compact(&name, weights, &c.b.map.shape, scale);
        }
        let id = self.constant(c.b.value, scale)?;
        Ok((id, self.view(&c.b, id)))
    }

    /// `Σ c · x + constant` with coefficients as integers. Factors that are powers of two only move the scale.
    pub(super) fn sum(
        &mut self,
        value: usize,
        terms: &[(f64, Operand)],
        constant: f64,
    ) -> Result<TensorId, Error> {
        let mut parts = Vec::with_capacity(terms.len());
        let mut scale = i32::MIN;
        for (factor, o) in terms.iter().filter(|(c, _)| *c != 0.0) {
            if matches!(self.net.nodes[o.value].op, NetOp::Const(_)) {
                parts.push((*factor, o, None, 0));
                continue;
            }
            let exact = power(integer_bits(factor.abs())) == factor.abs();
            let id = if exact { self.raw(o.value)? } else { self.rounded(o.value)? };
            let bits = exact_or_fine(*factor);
            scale = scale.max(self.builder.tensor(id).scale + bits);
            parts.push((*factor, o, Some(id), bits));
        }
        if scale == i32::MIN || constant != 0.0 || parts.iter().any(|p| p.2.is_none()) {
            scale = scale.max(self.scales.activation);
        }
        let name = self.name(value, "");
        let (mut inputs, mut views) = (Vec::new(), Vec::new());
        for (factor, o, id, bits) in parts {
            let Some(id) = id else {
                let values: Vec<f64> =
                    self.net.constant(o).unwrap_or_default().iter().map(|v| v * factor).collect();
                let (id, map) = self.compact(&format!("{name}.constant"), &values, &o.map.shape, scale)?;
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
        let constant = quantize(&name, constant, scale)?;
        Ok(self.builder.node(&name, Linear { terms: views, constant, scale }, &inputs)?)
    }

    /// `scale · x + shift`: one coefficient where the scale is the same everywhere, else a product with constants.
    pub(super) fn affine(
        &mut self,
        value: usize,
        x: &Operand,
        scale: &[f64],
        shift: &[f64],
    ) -> Result<TensorId, Error> {
        let shape = x.map.shape.clone();
        if let Some(factor) = uniform(scale)
            && let Some(constant) = uniform(shift)
        {
            return self.sum(value, &[(factor, x.clone())], constant);
        }
        let a = self.rounded(x.value)?;
        let largest = scale.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        let bits = match uniform(scale) {
            Some(factor) => exact_or_fine(factor),
            // At least as many significant bits as a single factor gets.
            None => self.scales.weight.max(15 - integer_bits(largest)),
        };
        let weights = format!("{}.scale", self.net.nodes[value].name);
        let (b, b_map) = self.compact(&weights, scale, &shape, bits)?;
        let total = self.builder.tensor(a).scale + bits;
        let mut inputs = vec![a, b];
        let mut addend = None;
        if shift.iter().any(|s| *s != 0.0) {
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

fn overflow(node: &str, v: i128) -> Error {
    let limit_bits = zkml_graph::tensor::SAFE_BITS;
    Error::from(zkml_graph::GraphError::Overflow { node: node.into(), lo: v, hi: v, limit_bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_stored_once() {
        let channel = [5.0, 5.0, 5.0, 7.0, 7.0, 7.0];
        let (few, map) = constant_view(&channel, &[2, 3]);
        assert_eq!((few.len(), map.is_valid()), (2, true));
        let all: Vec<f64> = crate::net::gather(&map, &few);
        assert_eq!(all, channel);
        assert_eq!(constant_view(&[3.0; 6], &[2, 3]).0, [3.0]);
        assert_eq!(constant_view(&[1.0, 2.0, 3.0, 4.0], &[2, 2]).0.len(), 4);
    }
}
