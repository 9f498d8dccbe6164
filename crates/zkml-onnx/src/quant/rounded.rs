//! Rounding to integers, and tables of what integers stand for.

use zkml_graph::ops::{Linear, Lookup, Product, Rescale};
use zkml_graph::{Bounds, Map, TensorId};

use super::emit::{Emitter, FINAL_BITS, FLOOR_BITS};
use super::scales::quantize;
use crate::Error;
use crate::net::Operand;

impl Emitter<'_> {
    /// The operand as a tensor of its own, for a value that is an integer.
    fn shown(&mut self, value: usize, x: &Operand) -> Result<(String, TensorId), Error> {
        let id = self.raw_or_constant(x.value)?;
        let (name, map) = (self.name(value, ""), self.view(x, id));
        let id = self.wire(&format!("{name}.in"), id, map)?;
        Ok((name, id))
    }

    /// Numbers at a scale at which all are integers, at scale zero; narrowed to what is known of the value.
    fn as_integers(&mut self, value: usize, id: TensorId) -> Result<TensorId, Error> {
        let id = self.enlarged(value, id, 0)?;
        let own = self.builder.tensor(id).bounds;
        match self.span(value).filter(|s| own.lo < s.lo || own.hi > s.hi) {
            Some(span) => self.rescale(value, id, 1, 0, span),
            None => Ok(id),
        }
    }

    fn span(&self, value: usize) -> Option<Bounds> {
        self.net.nodes[value].span.map(|(lo, hi)| Bounds::new(lo.into(), hi.into()))
    }

    /// Range of the integers that a rounding gives. What saturates afterwards must not be refused before, so it is narrowed only where
    /// it is wide.
    fn whole_range(
        &self,
        value: usize,
        name: &str,
        bits: i32,
        id: TensorId,
    ) -> Result<Option<Bounds>, Error> {
        let reach = quantize(name, self.allowed(value), 0)?.max(1);
        let wide = self.builder.tensor(id).bounds.magnitude() >> (bits as u32 + FLOOR_BITS) != 0;
        let seen = wide.then(|| Bounds::new(-i128::from(reach), i128::from(reach)));
        Ok(self.span(value).or(seen))
    }

    /// The greatest integer below: half a unit less, rounded.
    pub(super) fn floor(&mut self, value: usize, x: &Operand) -> Result<TensorId, Error> {
        let (name, id) = self.shown(value, x)?;
        let t = self.builder.tensor(id);
        let (bits, map) = (t.scale, Map::identity(&t.shape));
        if bits <= 0 {
            return self.as_integers(value, id);
        }
        let half = 1i64 << (bits - 1).min(59);
        let low = Linear { terms: vec![(1, map)], constant: -half, scale: bits };
        let low = self.builder.node(&format!("{name}.half"), low, &[id])?;
        let calibrated = self.whole_range(value, &name, bits, low)?;
        Ok(self.builder.node(&name, Rescale { divisor: 2 * half, scale: 0, calibrated }, &[low])?)
    }

    /// The nearest integer; of two that are equally near, the even one.
    ///
    /// Rounding gives the upper one of two. Where both can be equally near, with `u = ⌊x + ½⌋` and `d = ⌈x − ½⌉`: they differ only there, by
    /// one, and `u` is too large by one exactly when it is odd, so the result is `u − (u − d)·(u mod 2)`.
    pub(super) fn nearest(&mut self, value: usize, x: &Operand) -> Result<TensorId, Error> {
        let (name, id) = self.shown(value, x)?;
        let bits = self.builder.tensor(id).scale;
        if bits <= 0 {
            return self.as_integers(value, id);
        }
        let calibrated = self.whole_range(value, &name, bits, id)?;
        let divisor = 1i64 << bits.min(60);
        let rounded = Rescale { divisor, scale: 0, calibrated };
        if !super::ties::possible(&self.builder, id, divisor) {
            return Ok(self.builder.node(&name, rounded, &[id])?);
        }
        let part = |p: &str| format!("{name}.{p}");
        let same = Map::identity(&self.builder.tensor(id).shape);
        let up = self.builder.node(&part("up"), rounded, &[id])?;
        let minus = Linear { terms: vec![(-1, same.clone())], constant: 0, scale: bits };
        let minus = self.builder.node(&part("minus"), minus, &[id])?;
        let down = Rescale { divisor, scale: 0, calibrated: calibrated.map(|b| b.scale(-1)) };
        let down = self.builder.node(&part("down"), down, &[minus])?;
        let tie = Linear { terms: vec![(1, same.clone()), (1, same.clone())], constant: 0, scale: 0 };
        let tie = self.bit(&part("tie"), tie, &[up, down])?;
        let less = Linear { terms: vec![(1, same.clone())], constant: -1, scale: 0 };
        let less = self.builder.node(&part("less"), less, &[up])?;
        let pairs = Rescale { divisor: 2, scale: 0, calibrated: None };
        let pairs = self.builder.node(&part("pairs"), pairs, &[less])?;
        let odd = Linear { terms: vec![(1, same.clone()), (-2, same.clone())], constant: 0, scale: 0 };
        let odd = self.bit(&part("odd"), odd, &[up, pairs])?;
        let excess = Product { a: same.clone(), b: same.clone() };
        let excess = self.builder.node(&part("excess"), excess, &[tie, odd])?;
        let y = Linear { terms: vec![(1, same.clone()), (-1, same)], constant: 0, scale: 0 };
        let y = self.builder.node(&name, y, &[up, excess])?;
        Ok(match calibrated {
            Some(range) => self.rescale(value, y, 1, 0, range)?,
            None => y,
        })
    }

    /// A sum that is zero or one, which no interval shows.
    fn bit(&mut self, name: &str, sum: Linear, inputs: &[TensorId]) -> Result<TensorId, Error> {
        let id = self.builder.node(&format!("{name}.sum"), sum, inputs)?;
        let calibrated = Some(Bounds::new(0, 1));
        Ok(self.builder.node(name, Rescale { divisor: 1, scale: 0, calibrated }, &[id])?)
    }

    /// What a table has for each integer. Its numbers may be as fine as those of a last value: they are looked up, not computed.
    pub(super) fn looked_up(
        &mut self,
        value: usize,
        x: &Operand,
        first: i64,
        values: &[f64],
    ) -> Result<TensorId, Error> {
        let id = self.rounded(x.value)?;
        let (name, map) = (self.name(value, ""), self.view(x, id));
        let id = self.wire(&format!("{name}.in"), id, map)?;
        let own = self.scales.values[value].scale;
        let scale =
            if self.net.nodes[value].integer { 0 } else { own + self.extra_bits(value).max(FINAL_BITS) };
        let numbers = values.iter().map(|v| quantize(&name, *v, scale)).collect::<Result<_, _>>()?;
        let table = Lookup {
            name: "integers".into(),
            lo: first,
            fraction_bits: 0,
            value: numbers,
            slope: vec![],
            shift: 0,
            scale,
        };
        Ok(self.builder.node(&name, table, &[id])?)
    }
}
