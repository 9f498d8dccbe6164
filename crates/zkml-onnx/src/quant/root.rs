//! Square roots and their reciprocals, as integers: as exact for small operands as for large ones.

use zkml_graph::ops::{Divide, Root};
use zkml_graph::{Bounds, Map, TensorId};

use super::emit::{Emitter, FINAL_BITS};
use super::scales::{PRECISE, quantize};
use crate::Error;
use crate::net::{Function, Operand};

/// Most bits of an operand as it is handed to a root.
const MOST_BITS: i32 = 58;

/// An operand as it is handed to a root.
struct Radicand {
    id: TensorId,
    /// Bits by which the root enlarges it.
    shift: u32,
    /// A bound that no integer is below: by construction, or what calibration saw.
    lowest: i64,
}

impl Emitter<'_> {
    /// `√x` at the scale of the value.
    pub(super) fn root(&mut self, value: usize, x: &Operand) -> Result<TensorId, Error> {
        let extra = if self.last[value] { FINAL_BITS } else { 0 };
        let radicand = self.radicand(value, x, self.scales.values[value].scale + extra)?;
        self.rooted(value, "", radicand, 0)
    }

    /// `1 / √x = ⌊2^k / ⌊√x⌋⌋`: both have [`PRECISE`] more significant bits than values between layers have behind
    /// the point, for the smallest root that calibration saw and for the largest.
    pub(super) fn reciprocal_root(&mut self, value: usize, x: &Operand) -> Result<TensorId, Error> {
        let own = &self.scales.values[value];
        let (scale, fine) = (own.scale, self.scales.activation + PRECISE + own.reach);
        let radicand = self.radicand(value, x, fine)?;
        let least = match radicand.lowest {
            0 => {
                let at = self.builder.tensor(radicand.id).scale;
                self.lowest(
                    &self.net.nodes[value].name,
                    &format!("{} of", Function::Rsqrt.name()),
                    x.value,
                    at,
                )?
            }
            known => known,
        };
        let root = self.rooted(value, ".root", Radicand { lowest: least, ..radicand }, 1)?;
        let (shape, from) = (self.builder.tensor(root).shape.clone(), self.builder.tensor(root).scale);
        let one = self.name(value, ".one");
        let one = self.builder.constant(&one, &[1], 0, vec![1])?;
        let repeated = vec![zkml_graph::map::Axis { offset: 0, steps: vec![0; shape.len()] }];
        let a = Map { source: vec![1], shape: shape.clone(), axes: repeated, pad: None };
        let shift = (scale + from).clamp(0, 60) as u32;
        let name = self.name(value, "");
        let quotient = Divide { a, b: Map::identity(&shape), shift, calibrated: None };
        Ok(self.builder.node(&name, quotient, &[one, root])?)
    }

    /// The operand of a root that is to have a scale, within its calibrated range.
    fn radicand(&mut self, value: usize, x: &Operand, scale: i32) -> Result<Radicand, Error> {
        let raw = self.raw(x.value)?;
        let from = self.builder.tensor(raw).scale;
        let reach = self.scales.values[x.value].reach;
        let target = 2 * scale.min((MOST_BITS - reach).div_euclid(2));
        let name = self.net.nodes[value].name.clone();
        let least = self.net.nodes[x.value].least.map_or(0.0, |l| l.max(0.0));
        let lowest = quantize(&name, least, from)?;
        let at = from.min(target);
        let highest = quantize(&name, self.allowed(x.value), at)?.max(1);
        let divisor = 1i64 << (from - at).clamp(0, 60);
        let id = self.rescale(x.value, raw, divisor, at, Bounds::new(0, highest.into()))?;
        let (view, map) = (format!("{name}.of"), self.view(x, id));
        let id = self.wire(&view, id, map)?;
        let lowest = (i128::from(lowest) + i128::from(divisor) / 2) / i128::from(divisor);
        Ok(Radicand { id, shift: (target - at).clamp(0, 60) as u32, lowest: lowest as i64 })
    }

    /// The root itself, at least `least`: a smaller one is refused when it is proven, if construction allows it.
    fn rooted(&mut self, value: usize, part: &str, r: Radicand, least: i128) -> Result<TensorId, Error> {
        let name = self.name(value, part);
        let root = |x: i128| (x << r.shift).isqrt();
        let lo = root(i128::from(r.lowest)).max(least);
        let hi = root(self.builder.tensor(r.id).bounds.hi.max(0)).max(lo);
        let root = Root { shift: r.shift, calibrated: Some(Bounds::new(lo, hi)) };
        Ok(self.builder.node(&name, root, &[r.id])?)
    }
}
