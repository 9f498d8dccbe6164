//! Functions of one variable: their tables and where these reach.

use zkml_graph::{Bounds, TensorId};

use super::emit::{Emitter, FINAL_BITS};
use super::scales::{power, quantize};
use super::table::{Request, build};
use crate::Error;
use crate::net::{Function, Operand};

impl Emitter<'_> {
    pub(super) fn apply(&mut self, value: usize, f: Function, x: &Operand) -> Result<TensorId, Error> {
        let mut id = self.rounded(x.value)?;
        let domain = self.domain(value, f, x.value, id)?;
        let bounds = self.builder.tensor(id).bounds;
        if bounds.lo < domain.lo || bounds.hi > domain.hi {
            let scale = self.builder.tensor(id).scale;
            id = self.rescale(x.value, id, 1, scale, domain)?;
        }
        let (name, map) = (self.name(value, ""), self.view(x, id));
        let id = self.wire(&format!("{name}.in"), id, map)?;
        let t = self.builder.tensor(id);
        let extra = if self.last[value] || f == Function::Exp { FINAL_BITS } else { 0 };
        let scale = self.scales.values[value].scale;
        let (lo, hi, from, to) = (t.bounds.lo as i64, t.bounds.hi as i64, t.scale, scale + extra);
        // Half a step between layers: less would be lost among the errors of the argument.
        let (goal, max_bits) = (scale + 1, self.settings.table_bits);
        for end in [lo, hi] {
            // A table has no room for numbers beyond all bounds.
            quantize(&name, f.at(end as f64 * power(-from)), to)?;
        }
        let request = Request { lo, hi, from, to, goal, max_bits };
        let table = self.tables.entry((f, request)).or_insert_with(|| build(f.name(), f, request)).clone();
        Ok(self.builder.node(&name, table, &[id])?)
    }

    /// Arguments that the table of a function covers: the calibrated range with its margin, and as far as the
    /// function is not flat.
    fn domain(&self, value: usize, f: Function, x: usize, id: TensorId) -> Result<Bounds, Error> {
        let scale = self.builder.tensor(id).scale;
        let name = &self.net.nodes[value].name;
        let mut reach = self.allowed(x);
        if let Some(flat) = f.flat_beyond() {
            // Most of the way to flat: what lies beyond is so rare that its share of the table is better saved.
            reach = reach.max(0.7 * flat);
        }
        let reach = i128::from(quantize(name, reach, scale)?.max(1));
        let mut domain = Bounds::new(-reach, reach - 1);
        if matches!(f, Function::Ln | Function::Recip) {
            let lowest = self.lowest(name, &format!("{} of", f.name()), x, scale)?;
            domain.lo = lowest.into();
        }
        if f == Function::Exp {
            // What lies beyond gives results beyond their own range.
            let most = f64::from(self.scales.values[value].reach) * std::f64::consts::LN_2;
            domain.hi = domain.hi.min(quantize(name, most, scale)?.into()).max(domain.lo);
        }
        if self.net.nodes[x].never_positive {
            domain.hi = 0;
        }
        let all = self.builder.tensor(id).bounds;
        Ok(all.intersect(domain).unwrap_or(domain))
    }
}
