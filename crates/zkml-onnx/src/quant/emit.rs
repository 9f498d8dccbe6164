//! Turns the float network into the integer graph, node by node.

use std::collections::{BTreeMap, HashMap};

use zkml_graph::ops::{ArgMax, Divide, Max, MaxOperand, Product, Reindex, Rescale};
use zkml_graph::{Bounds, Graph, GraphBuilder, Map, Op, TensorId};

use super::constants::Widths;
use super::scales::{Scales, Sign, power, quantize};
use super::table::Request;
use super::trees::Walk;
use crate::net::{Function, LOWEST, Net, NetOp, Numbers, Operand, Side};
use crate::{Error, Settings};

/// The graph, and which tensor holds which value of the network.
#[derive(Debug)]
pub(crate) struct Emitted {
    /// The integer graph.
    pub(crate) graph: Graph,
    /// Values of its private weights.
    pub(crate) weights: Vec<Vec<i64>>,
    /// Width of each of them, by name.
    pub(crate) weight_bits: BTreeMap<String, u32>,
    /// Per value of the network, name of the tensor that holds it, rounded to the scale between layers where
    /// it is needed so.
    pub(crate) layers: Vec<(usize, String)>,
    /// Walks down trees.
    pub(crate) walks: Vec<Walk>,
}

/// Bits by which the bounds of a value may exceed its calibrated range before they are narrowed.
const SLACK: i32 = 4;
/// Bits of an integer that rounding gives without its range being narrowed to what calibration saw.
pub(super) const FLOOR_BITS: u32 = 24;
/// Bits that a final function or quotient gets on top of the scale between layers: they cost nothing there.
pub(super) const FINAL_BITS: i32 = 4;
/// The same where it is rounded to an integer next: whatever is rounded before decides some halves.
const PRECISE_BITS: i32 = 12;

pub(super) struct Emitter<'a> {
    pub(super) net: &'a Net,
    pub(super) scales: &'a Scales,
    pub(super) settings: &'a Settings,
    pub(super) builder: GraphBuilder,
    raw: Vec<Option<TensorId>>,
    rounded: Vec<Option<TensorId>>,
    pub(super) last: Vec<bool>,
    /// Values that are rounded to integers next: whatever is rounded before would decide some halves.
    pub(super) precise: Vec<bool>,
    names: HashMap<String, usize>,
    pub(super) widths: Widths,
    pub(super) private: BTreeMap<String, (u32, Vec<i64>)>,
    /// Weights and private constants of the network that are tensors already, by value and scale.
    pub(super) known: HashMap<(usize, i32), TensorId>,
    pub(super) walks: Vec<Walk>,
    /// Tables that were built: the steps of a sequence have the same ones.
    pub(super) tables: HashMap<(Function, Request), Op>,
}

/// Lowers the network at the given scales.
pub(crate) fn emit(
    name: &str,
    net: &Net,
    scales: &Scales,
    settings: &Settings,
    widths: Widths,
) -> Result<Emitted, Error> {
    let empty = vec![None; net.nodes.len()];
    let mut e = Emitter {
        net,
        scales,
        settings,
        builder: GraphBuilder::new(name),
        raw: empty.clone(),
        rounded: empty,
        last: last_values(net),
        precise: precise_values(net),
        names: HashMap::new(),
        widths,
        private: BTreeMap::new(),
        known: HashMap::new(),
        walks: Vec::new(),
        tables: HashMap::new(),
    };
    let live = net.live();
    for &value in &net.inputs {
        e.raw[value] = Some(e.input(value)?);
    }
    for (value, node) in net.nodes.iter().enumerate() {
        if live[value] && !matches!(node.op, NetOp::Input | NetOp::Const(_)) {
            let id = e.node(value, &node.op)?;
            e.raw[value] = Some(id);
        }
    }
    for (name, operand) in &net.outputs {
        let id = e.result(name, operand)?;
        e.builder.output(name, id, settings.output(name));
    }
    let held = |v: usize| e.rounded[v].or(e.raw[v]).map(|t| (v, e.builder.tensor(t).name.clone()));
    let layers = (0..net.nodes.len()).filter_map(held).collect();
    let (graph, mut private) = (e.builder.finish()?, e.private);
    let (mut weights, mut weight_bits) = (Vec::new(), BTreeMap::new());
    for name in graph.weights.iter().map(|t| &graph.tensor(*t).name) {
        let (bits, values) = private.remove(name).unwrap_or_default();
        weights.push(values);
        weight_bits.insert(name.clone(), bits);
    }
    Ok(Emitted { graph, weights, weight_bits, layers, walks: e.walks })
}

/// Values from which results come without another layer in between.
fn last_values(net: &Net) -> Vec<bool> {
    let mut last = vec![false; net.nodes.len()];
    net.outputs.iter().for_each(|(_, o)| last[o.value] = true);
    for i in (0..net.nodes.len()).rev() {
        if last[i] && matches!(net.nodes[i].op, NetOp::Join { .. } | NetOp::Sum { .. } | NetOp::Affine { .. })
        {
            net.nodes[i].op.operands().iter().for_each(|o| last[o.value] = true);
        }
    }
    last
}

/// Values that are rounded to integers next, and those that are nothing but parts of them.
fn precise_values(net: &Net) -> Vec<bool> {
    let mut precise = vec![false; net.nodes.len()];
    for i in (0..net.nodes.len()).rev() {
        match &net.nodes[i].op {
            NetOp::Round { x } => precise[x.value] = true,
            NetOp::Sum { .. } | NetOp::Affine { .. } | NetOp::Divide { .. } | NetOp::Contract(_)
                if precise[i] =>
            {
                net.nodes[i].op.operands().iter().for_each(|o| precise[o.value] = true);
            }
            _ => {}
        }
    }
    precise
}

impl Emitter<'_> {
    /// A name that no other node has.
    pub(super) fn unique(&mut self, name: &str) -> String {
        let count = self.names.entry(name.to_owned()).or_insert(0);
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name}#{count}") }
    }

    pub(super) fn name(&mut self, value: usize, part: &str) -> String {
        let name = format!("{}{part}", self.net.nodes[value].name);
        self.unique(&name)
    }

    /// Real magnitude that a value may reach.
    pub(super) fn allowed(&self, value: usize) -> f64 {
        power(self.scales.values[value].reach)
    }

    fn input(&mut self, value: usize) -> Result<TensorId, Error> {
        let scale = self.scales.values[value].scale;
        let name = self.name(value, "");
        let bounds = match self.net.nodes[value].span {
            Some((lo, hi)) => Bounds::new(lo.into(), hi.into()),
            None => {
                let reach = quantize(&name, self.allowed(value), scale)?;
                let lo = if self.scales.values[value].sign == Sign::Positive { 0 } else { -reach };
                // The end itself would take one more bit; the margin keeps data away from it.
                Bounds::new(lo.into(), (reach - 1).max(1).into())
            }
        };
        let shape = &self.net.nodes[value].shape;
        let visibility = self.settings.input(&self.net.nodes[value].name);
        Ok(self.builder.input(&name, shape, scale, bounds, visibility)?)
    }

    /// The tensor of a value as it came out of its node, at whatever scale. Constants have none of their own.
    pub(super) fn raw(&self, value: usize) -> Result<TensorId, Error> {
        let node = &self.net.nodes[value];
        let missing =
            || Error::Malformed { detail: format!("`{}` is read before it is computed", node.name) };
        self.raw[value].ok_or_else(missing)
    }

    /// The tensor of a value at the scale between layers.
    pub(super) fn rounded(&mut self, value: usize) -> Result<TensorId, Error> {
        if let Some(id) = self.rounded[value] {
            return Ok(id);
        }
        let id = self.raw(value)?;
        let (scale, bounds) = (self.builder.tensor(id).scale, self.builder.tensor(id).bounds);
        let target = self.scales.values[value].scale;
        let calibrated = self.range(value, target)?;
        let id = if scale > target {
            self.rescale(value, id, 1i64 << (scale - target).min(60), target, calibrated)?
        } else if scale == target && self.beyond(value, bounds, calibrated) {
            self.rescale(value, id, 1, scale, calibrated)?
        } else {
            id
        };
        self.rounded[value] = Some(id);
        Ok(id)
    }

    /// The range of a value between layers: what is known of it, or what calibration saw. Integers have some room, since a number that
    /// counts few things may count more.
    fn range(&self, value: usize, scale: i32) -> Result<Bounds, Error> {
        let node = &self.net.nodes[value];
        if let Some((lo, hi)) = node.span {
            return Ok(Bounds::new(lo.into(), hi.into()));
        }
        let reach = i128::from(quantize("range", self.allowed(value), scale)?.max(1));
        let reach = if node.integer { reach.max(1 << FLOOR_BITS) } else { reach };
        Ok(Bounds::new(-reach, if node.never_positive { 0 } else { reach - 1 }))
    }

    /// Whether the bounds of a value exceed its range by so much that they are narrowed.
    fn beyond(&self, value: usize, bounds: Bounds, range: Bounds) -> bool {
        match self.net.nodes[value].span {
            Some(_) => bounds.lo < range.lo || bounds.hi > range.hi,
            None => bounds.magnitude() >> SLACK > range.magnitude(),
        }
    }

    pub(super) fn rescale(
        &mut self,
        value: usize,
        x: TensorId,
        divisor: i64,
        scale: i32,
        calibrated: Bounds,
    ) -> Result<TensorId, Error> {
        let name = self.name(value, ".rescale");
        Ok(self.builder.node(&name, Rescale { divisor, scale, calibrated: Some(calibrated) }, &[x])?)
    }

    /// A view as the graph has it: padding that must never win is the lower bound of the tensor.
    pub(super) fn view(&self, o: &Operand, tensor: TensorId) -> Map {
        let mut map = o.map.clone();
        if map.pad == Some(LOWEST) {
            map.pad = Some(self.builder.tensor(tensor).bounds.lo as i64);
        }
        map
    }

    fn node(&mut self, value: usize, op: &NetOp) -> Result<TensorId, Error> {
        match op {
            NetOp::Input | NetOp::Const(_) => self.raw(value),
            NetOp::Contract(c) => self.contract(value, c),
            NetOp::Affine { x, scale, shift } => self.affine(value, x, scale, shift),
            NetOp::Sum { terms, constant } => self.sum(value, terms, &Numbers::public(vec![*constant])),
            NetOp::Product { a, b } => self.product(value, a, b),
            NetOp::Max { a, b: Side::Constant(c) } => self.at_least(value, a, *c),
            NetOp::Max { a, b: Side::Operand(b) } => self.larger(value, a, b),
            NetOp::Apply { function: Function::Sqrt, x } => self.root(value, x),
            NetOp::Apply { function: Function::Rsqrt, x } => self.reciprocal_root(value, x),
            NetOp::Apply { function, x } => self.apply(value, *function, x),
            NetOp::Join { parts } => self.join(value, parts),
            NetOp::Divide { a, b } => self.divide(value, a, b),
            NetOp::Quotient { a, b } => self.quotient(value, a, b),
            NetOp::Floor { x } => self.floor(value, x),
            NetOp::Round { x } => self.nearest(value, x),
            NetOp::Table { x, first, values } => self.looked_up(value, x, *first, values),
            NetOp::Trees { x, forest } => self.trees(value, x, forest),
            NetOp::ArgMax { x } => {
                let id = self.raw(x.value)?;
                let (name, map) = (self.name(value, ""), self.view(x, id));
                let shape = self.net.nodes[value].shape.clone();
                Ok(self.builder.node(&name, ArgMax { x: map, shape }, &[id])?)
            }
        }
    }

    /// The greatest integer below the quotient of two numbers at one scale, which is that of their integers.
    fn quotient(&mut self, value: usize, a: &Operand, b: &Operand) -> Result<TensorId, Error> {
        let [top, mut bottom] = self.common(value, [a, b])?;
        if self.builder.tensor(bottom).bounds.lo < 1 {
            bottom = self.divisor(value, b.value, bottom)?;
        }
        let (name, a, b) = (self.name(value, ""), self.view(a, top), self.view(b, bottom));
        Ok(self.builder.node(&name, Divide { a, b, shift: 0, calibrated: None }, &[top, bottom])?)
    }

    fn product(&mut self, value: usize, a: &Operand, b: &Operand) -> Result<TensorId, Error> {
        let ids = [self.rounded(a.value)?, self.rounded(b.value)?];
        let (name, a, b) = (self.name(value, ""), self.view(a, ids[0]), self.view(b, ids[1]));
        Ok(self.builder.node(&name, Product { a, b }, &ids)?)
    }

    fn at_least(&mut self, value: usize, x: &Operand, c: f64) -> Result<TensorId, Error> {
        let id = self.rounded(x.value)?;
        let id = self.as_fine_as(value, x, id, &Numbers::public(vec![c]))?;
        let (name, map) = (self.name(value, ""), self.view(x, id));
        let t = self.builder.tensor(id);
        let c = quantize(&name, c, t.scale)?;
        if t.bounds.lo >= i128::from(c) && map.pad.is_none() {
            return self.wire(&name, id, map);
        }
        Ok(self.builder.node(&name, Max { a: map, b: MaxOperand::Constant(c) }, &[id])?)
    }

    /// A view as a tensor: the tensor itself when it shows nothing else.
    pub(super) fn wire(&mut self, name: &str, id: TensorId, map: Map) -> Result<TensorId, Error> {
        if map.pad.is_none() && map.is_identity() && map.shape == self.builder.tensor(id).shape {
            return Ok(id);
        }
        let shape = map.shape.clone();
        let to = Map::identity(&shape);
        Ok(self.builder.node(name, Reindex { shape, parts: vec![(map, to)] }, &[id])?)
    }

    /// The tensor of integers at the scale between layers, where it meets numbers that are none; any other as it is.
    pub(super) fn as_fine_as(
        &mut self,
        value: usize,
        x: &Operand,
        id: TensorId,
        numbers: &Numbers,
    ) -> Result<TensorId, Error> {
        if !self.net.is_integer(x) || numbers.are_integers() {
            return Ok(id);
        }
        self.enlarged(value, id, self.scales.activation)
    }

    fn larger(&mut self, value: usize, a: &Operand, b: &Operand) -> Result<TensorId, Error> {
        let [left, right] = self.common(value, [a, b])?;
        let (name, a, b) = (self.name(value, ""), self.view(a, left), self.view(b, right));
        Ok(self.builder.node(&name, Max { a, b: MaxOperand::View(b) }, &[left, right])?)
    }

    /// Two operands at one scale: as they are when their scales agree, else rounded, else enlarged.
    fn common(&mut self, value: usize, operands: [&Operand; 2]) -> Result<[TensorId; 2], Error> {
        let constant = operands.map(|o| matches!(self.net.nodes[o.value].op, NetOp::Const(_)));
        let scale_of = |e: &Self, id: TensorId| e.builder.tensor(id).scale;
        if let Some(c) = constant.iter().position(|c| *c) {
            let other = self.rounded(operands[1 - c].value)?;
            let other = match &self.net.nodes[operands[c].value].op {
                NetOp::Const(numbers) => self.as_fine_as(value, operands[1 - c], other, numbers)?,
                _ => other,
            };
            let id = self.constant(operands[c].value, scale_of(self, other))?;
            return Ok(if c == 0 { [id, other] } else { [other, id] });
        }
        let ids = [self.raw(operands[0].value)?, self.raw(operands[1].value)?];
        if scale_of(self, ids[0]) == scale_of(self, ids[1]) {
            return Ok(ids);
        }
        let mut ids = [self.rounded(operands[0].value)?, self.rounded(operands[1].value)?];
        let most = scale_of(self, ids[0]).max(scale_of(self, ids[1]));
        for id in &mut ids {
            *id = self.enlarged(value, *id, most)?;
        }
        Ok(ids)
    }

    fn join(&mut self, value: usize, parts: &[(Operand, Map)]) -> Result<TensorId, Error> {
        let computed: Vec<usize> = parts
            .iter()
            .map(|(o, _)| o.value)
            .filter(|v| !matches!(self.net.nodes[*v].op, NetOp::Const(_)))
            .collect();
        let raw = computed.iter().map(|v| self.raw(*v)).collect::<Result<Vec<_>, _>>()?;
        let scales: Vec<i32> = raw.iter().map(|t| self.builder.tensor(*t).scale).collect();
        let as_is = scales.windows(2).all(|w| w[0] == w[1]);
        let mut target = scales.first().copied().unwrap_or(self.scales.activation);
        if !as_is {
            let rounded = computed.iter().map(|v| self.rounded(*v)).collect::<Result<Vec<_>, _>>()?;
            target = rounded.iter().map(|t| self.builder.tensor(*t).scale).max().unwrap_or(target);
        }
        let net = self.net;
        let fraction =
            parts.iter().any(|(o, _)| matches!(&net.nodes[o.value].op, NetOp::Const(n) if !n.are_integers()));
        let integers = computed.iter().all(|v| net.nodes[*v].integer);
        if fraction && integers && target < self.scales.activation {
            target = self.scales.activation;
        }
        let as_is = as_is && scales.iter().all(|s| *s == target);
        let (mut ids, mut views) = (Vec::new(), Vec::new());
        for (o, to) in parts {
            let id = match &self.net.nodes[o.value].op {
                NetOp::Const(_) => self.constant(o.value, target)?,
                _ if as_is => self.raw(o.value)?,
                _ => {
                    let id = self.rounded(o.value)?;
                    self.enlarged(value, id, target)?
                }
            };
            views.push((self.view(o, id), to.clone()));
            ids.push(id);
        }
        let (name, shape) = (self.name(value, ""), self.net.nodes[value].shape.clone());
        Ok(self.builder.node(&name, Reindex { shape, parts: views }, &ids)?)
    }

    fn divide(&mut self, value: usize, a: &Operand, b: &Operand) -> Result<TensorId, Error> {
        let (top, mut bottom) = (self.raw_or_constant(a.value)?, self.raw_or_constant(b.value)?);
        let target = self.scales.values[value].scale + self.extra_bits(value);
        if self.builder.tensor(bottom).bounds.lo < 1 {
            bottom = self.divisor(value, b.value, bottom)?;
        }
        let shift = target - self.builder.tensor(top).scale + self.builder.tensor(bottom).scale;
        let shift = shift.clamp(0, 60) as u32;
        let (name, a, b) = (self.name(value, ""), self.view(a, top), self.view(b, bottom));
        let scale = self.builder.tensor(top).scale - self.builder.tensor(bottom).scale + shift as i32;
        let reach = quantize(&name, self.allowed(value), scale)?.max(1);
        let calibrated = Some(Bounds::new(-i128::from(reach), i128::from(reach)));
        Ok(self.builder.node(&name, Divide { a, b, shift, calibrated }, &[top, bottom])?)
    }

    /// Bits of a quotient, or of a table's results, beyond those of a value between layers.
    pub(super) fn extra_bits(&self, value: usize) -> i32 {
        match (self.precise[value], self.last[value]) {
            (true, _) => PRECISE_BITS,
            (_, true) => FINAL_BITS,
            _ => 0,
        }
    }

    /// A divisor that is positive: where it is so by construction, a bound that never applies; else a smaller one than
    /// calibration saw is refused when it is proven.
    fn divisor(&mut self, value: usize, divisor: usize, id: TensorId) -> Result<TensorId, Error> {
        let (shape, scale) = (self.builder.tensor(id).shape.clone(), self.builder.tensor(id).scale);
        let least = self.net.nodes[divisor].least.unwrap_or(0.0);
        if quantize(&self.net.nodes[divisor].name, least, scale)? >= 1 {
            let name = self.name(divisor, ".positive");
            let (a, b) = (Map::identity(&shape), MaxOperand::Constant(1));
            return Ok(self.builder.node(&name, Max { a, b }, &[id])?);
        }
        let name = &self.net.nodes[value].name;
        let lowest = self.lowest(name, "division by", divisor, scale)?;
        let highest = quantize(name, self.allowed(divisor), scale)?.max(lowest);
        self.rescale(divisor, id, 1, scale, Bounds::new(lowest.into(), highest.into()))
    }

    /// The least integer that a value may be where zero and below make no sense.
    pub(super) fn lowest(&self, name: &str, what: &str, value: usize, scale: i32) -> Result<i64, Error> {
        let lowest = quantize(name, self.scales.values[value].floor.map_or(0.0, power), scale)?;
        if lowest < 1 {
            let detail = format!("`{name}`: {what} values that come too close to zero or below it");
            return Err(Error::Analysis { detail });
        }
        Ok(lowest)
    }

    pub(super) fn raw_or_constant(&mut self, value: usize) -> Result<TensorId, Error> {
        match self.net.nodes[value].op {
            NetOp::Const(_) => self.constant(value, self.scales.activation),
            _ => self.raw(value),
        }
    }

    fn result(&mut self, name: &str, o: &Operand) -> Result<TensorId, Error> {
        let id = self.raw_or_constant(o.value)?;
        let (name, map) = (self.unique(name), self.view(o, id));
        if map.pad.is_none() && map.is_identity() {
            return Ok(id);
        }
        self.wire(&name, id, map)
    }
}
