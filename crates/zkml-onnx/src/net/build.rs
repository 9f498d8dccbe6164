//! Building the network, with the simplifications that are exact in real arithmetic.

use zkml_graph::Map;

use super::eval::{products, scatter, transposed};
use super::view::{compose, constant_view, flat};
use super::{Contraction, Evaluator, Function, Net, NetNode, NetOp, Numbers, Operand, Side, gather};

impl Net {
    /// Adds a node; the operand shows its whole value. What constants alone determine is a constant.
    pub(crate) fn push(&mut self, name: &str, op: NetOp, shape: &[usize]) -> Operand {
        let op = self.folded(&op, shape).map_or(op, NetOp::Const);
        let integer = match &op {
            NetOp::Const(numbers) => numbers.are_integers(),
            op => self.stays_integer(op),
        };
        self.nodes.push(NetNode { integer, ..NetNode::new(name, op, shape) });
        Operand { value: self.nodes.len() - 1, map: Map::identity(shape) }
    }

    /// The result of an operator on constants: private when one of them is.
    fn folded(&self, op: &NetOp, shape: &[usize]) -> Option<Numbers> {
        let operands = op.operands();
        let constant = |o: &&Operand| match &self.nodes[o.value].op {
            NetOp::Const(n) => Some((n, &self.nodes[o.value])),
            _ => None,
        };
        let constants: Vec<(&Numbers, &NetNode)> = operands.iter().map(constant).collect::<Option<_>>()?;
        if constants.is_empty() {
            return None;
        }
        let run = |pick: fn(&Numbers) -> &[f64]| {
            let input = |(n, node): &(&Numbers, &NetNode)| {
                let op = NetOp::Const(Numbers::public(pick(n).to_vec()));
                NetNode { op, ..(*node).clone() }
            };
            let mut op = op.clone();
            op.operands_mut().into_iter().enumerate().for_each(|(i, o)| o.value = i);
            op.numbers_mut().into_iter().for_each(|n| *n = Numbers::public(pick(n).to_vec()));
            let mut nodes: Vec<NetNode> = constants.iter().map(input).collect();
            let value = nodes.len();
            nodes.push(NetNode::new("", op, shape));
            let whole = Operand { value, map: Map::identity(shape) };
            let small = Net { nodes, outputs: vec![(String::new(), whole)], ..Net::default() };
            Evaluator::new(&small).run(&[]).swap_remove(value)
        };
        let values = run(Numbers::values);
        let private = constants.iter().any(|(n, _)| n.is_private()) || op.hides();
        Some(if private { Numbers::hidden(values, run(Numbers::form)) } else { Numbers::public(values) })
    }

    /// Adds a constant.
    pub(crate) fn push_const(&mut self, name: &str, numbers: Numbers, shape: &[usize]) -> Operand {
        self.push(name, NetOp::Const(numbers), shape)
    }

    /// What `outer` shows of an operand: a composed view where that is affine, else a copy.
    pub(crate) fn view(&mut self, name: &str, o: &Operand, outer: &Map) -> Operand {
        if let Some(numbers) = self.constant(o) {
            let shown = numbers.on(|v| gather(outer, v));
            return self.push_const(name, shown, &outer.shape);
        }
        if let Some(map) = compose(outer, &o.map) {
            return Operand { value: o.value, map };
        }
        let whole = self.copy(name, o);
        Operand { value: whole.value, map: outer.clone() }
    }

    /// As [`Net::view`]; products with the same numbers share them, as those of all steps of a sequence do. Dimensions of size one make
    /// no difference.
    pub(crate) fn weights(&mut self, name: &str, o: &Operand, outer: &Map) -> Operand {
        let Some(numbers) = self.constant(o) else { return self.view(name, o, outer) };
        let numbers = numbers.on(|v| gather(outer, v));
        let long = |shape: &[usize]| shape.iter().copied().filter(|d| *d != 1).collect::<Vec<_>>();
        let same = |value: &&usize| {
            let node = &self.nodes[**value];
            matches!(&node.op, NetOp::Const(n) if *n == numbers) && long(&node.shape) == long(&outer.shape)
        };
        if let Some(&value) = self.weights.iter().find(same) {
            let (here, there) = (Map::identity(&outer.shape), Map::identity(&self.nodes[value].shape));
            let map = if outer.shape == there.shape { Some(there) } else { flat(&here, &there) };
            if let Some(map) = map {
                return Operand { value, map };
            }
        }
        let shown = self.push_const(name, numbers, &outer.shape);
        self.weights.push(shown.value);
        shown
    }

    /// The operand as a value of its own.
    pub(crate) fn copy(&mut self, name: &str, o: &Operand) -> Operand {
        let shape = o.map.shape.clone();
        self.push(name, NetOp::Join { parts: vec![(o.clone(), Map::identity(&shape))] }, &shape)
    }

    /// `Σ coefficient · operand + constant` over operands of one shape.
    pub(crate) fn sum(&mut self, name: &str, terms: Vec<(f64, Operand)>, constant: f64) -> Operand {
        let shape = terms.first().map(|(_, o)| o.map.shape.clone()).unwrap_or_default();
        self.push(name, NetOp::Sum { terms, constant }, &shape)
    }

    /// `a · b` over operands of one shape, either of which may be constant.
    pub(crate) fn product(&mut self, name: &str, a: Operand, b: Operand) -> Operand {
        for (x, c) in [(&a, &b), (&b, &a)] {
            if let Some(numbers) = self.constant(c) {
                let zeros = Numbers::public(vec![0.0; numbers.len()]);
                return self.affine(name, x.clone(), false, numbers, zeros);
            }
        }
        let shape = a.map.shape.clone();
        self.push(name, NetOp::Product { a, b }, &shape)
    }

    /// `max(x, c)`.
    pub(crate) fn at_least(&mut self, name: &str, x: Operand, c: f64) -> Operand {
        let shape = x.map.shape.clone();
        self.push(name, NetOp::Max { a: x, b: Side::Constant(c) }, &shape)
    }

    /// `max(a, b)` over operands of one shape.
    pub(crate) fn larger(&mut self, name: &str, a: Operand, b: Operand) -> Operand {
        let shape = a.map.shape.clone();
        self.push(name, NetOp::Max { a, b: Side::Operand(b) }, &shape)
    }

    /// `−x`.
    pub(crate) fn negated(&mut self, name: &str, x: Operand) -> Operand {
        self.sum(name, vec![(-1.0, x)], 0.0)
    }

    /// `min(x, c) = c − max(c − x, 0)`.
    pub(crate) fn at_most(&mut self, name: &str, x: Operand, c: f64) -> Operand {
        let below = self.sum(&format!("{name}.below"), vec![(-1.0, x)], c);
        let kept = self.at_least(&format!("{name}.kept"), below, 0.0);
        self.sum(name, vec![(-1.0, kept)], c)
    }

    /// A function of one variable.
    pub(crate) fn apply(&mut self, name: &str, function: Function, x: Operand) -> Operand {
        let shape = x.map.shape.clone();
        self.push(name, NetOp::Apply { function, x }, &shape)
    }

    /// Largest element along the last dimension of a view, which disappears. Halves are compared with each
    /// other, so that the number of rounds is logarithmic.
    pub(crate) fn largest(&mut self, name: &str, x: &Operand) -> Operand {
        let shape = x.map.shape.clone();
        let len = shape.last().copied().unwrap_or(1);
        if len <= 1 {
            return self.view(name, x, &drop_last(&shape));
        }
        let part = |net: &mut Self, start, count| net.view(name, x, &range_of_last(&shape, start, count));
        if len % 2 == 1 {
            let (most, rest) = (part(self, 0, len - 1), part(self, len - 1, 1));
            let (most, rest) = (self.largest(name, &most), self.largest(name, &rest));
            return self.larger(&format!("{name}.max{len}"), most, rest);
        }
        let (first, second) = (part(self, 0, len / 2), part(self, len / 2, len / 2));
        let best = self.larger(&format!("{name}.max{len}"), first, second);
        self.largest(name, &best)
    }

    /// Operands side by side along `axis`.
    pub(crate) fn concat(&mut self, name: &str, operands: Vec<Operand>, axis: usize) -> Operand {
        let mut shape = operands[0].map.shape.clone();
        shape[axis] = operands.iter().map(|o| o.map.shape[axis]).sum();
        let mut start = 0i64;
        let mut parts = Vec::with_capacity(operands.len());
        for o in operands {
            let mut to = Map::identity(&shape);
            to.shape.clone_from(&o.map.shape);
            to.axes[axis].offset = start;
            start += o.map.shape[axis] as i64;
            parts.push((o, to));
        }
        self.push(name, NetOp::Join { parts }, &shape)
    }

    /// `scale · x + shift` with one number per element; folded into the contraction or the affine map that
    /// made `x` when nothing else reads that (`exclusive`).
    pub(crate) fn affine(
        &mut self,
        name: &str,
        x: Operand,
        exclusive: bool,
        scale: Numbers,
        shift: Numbers,
    ) -> Operand {
        if let Some(numbers) = self.constant(&x) {
            return self.push_const(name, numbers.affine(&scale, &shift), &x.map.shape);
        }
        let whole = x.map.pad.is_none() && is_bijective(&x.map);
        let least = self.nodes[x.value].least.filter(|_| x.map.pad.is_none());
        let least = least.and_then(|l| Some(l * scale.uniform().filter(|s| *s >= 0.0)? + shift.uniform()?));
        if exclusive && whole && self.fold_after(&x, &scale, &shift) {
            self.nodes[x.value].least = least;
            return x;
        }
        let shape = x.map.shape.clone();
        let y = self.push(name, NetOp::Affine { x, scale, shift }, &shape);
        self.nodes[y.value].least = least;
        y
    }

    /// Folds `scale · x + shift` into the node that makes `x`; whether that was possible.
    fn fold_after(&mut self, x: &Operand, scale: &Numbers, shift: &Numbers) -> bool {
        let own = |n: &Numbers| n.on(|v| scatter(&x.map, v));
        let (scale, shift) = (own(scale), own(shift));
        match self.nodes[x.value].op.clone() {
            NetOp::Affine { x: inner, scale: s, shift: t } => {
                let t = t.affine(&scale, &shift);
                let s = s.with(&scale, |a, b| a.iter().zip(b).map(|(a, b)| a * b).collect());
                self.nodes[x.value].op = NetOp::Affine { x: inner, scale: s, shift: t };
                true
            }
            // Sums of integers stay such: the factor behind them is rounded once, after them.
            NetOp::Contract(_)
                if self.nodes[x.value].integer && !(scale.are_integers() && shift.are_integers()) =>
            {
                false
            }
            NetOp::Contract(c) => {
                let seen = |n: &Numbers| n.on(|v| gather(&c.y, v));
                self.scaled(&c, &seen(&scale), &seen(&shift)).is_some_and(|c| {
                    self.nodes[x.value].op = NetOp::Contract(c);
                    true
                })
            }
            _ => false,
        }
    }

    /// A contraction with scaled and shifted results, when its second operand is constant and the scale does
    /// not change along `m`. Both vectors are in the order `batch ++ m ++ n`.
    fn scaled(&mut self, c: &Contraction, scale: &Numbers, shift: &Numbers) -> Option<Contraction> {
        let [batch, m, k, n] = c.sizes();
        let mut b = c.b.clone();
        if scale.is_private() || scale.form().iter().any(|&s| s != 1.0) {
            let dense = self.constant(&c.b)?;
            let row = |form: &[f64], i: usize, row: usize| form[(i * m + row) * n..][..n].to_vec();
            let same = |i| (1..m).all(|r| row(scale.form(), i, r) == row(scale.form(), i, 0));
            if !(0..batch).all(same) {
                return None;
            }
            let scaled = |dense: &[f64], scale: &[f64]| {
                let at = |j: usize| dense[j] * scale[j / (k * n) * m * n + j % n];
                (0..dense.len()).map(at).collect()
            };
            let name = self.nodes[c.b.value].name.clone();
            b = self.push_const(&name, dense.with(scale, scaled), &c.b.map.shape);
        }
        let old = c.addend.clone().unwrap_or_else(|| Numbers::public(vec![0.0; scale.len()]));
        Some(Contraction { b, addend: Some(old.affine(scale, shift)), ..c.clone() })
    }

    /// Shows each private constant without the repetitions that broadcasting made, so that nobody has to commit to
    /// a number twice.
    pub(crate) fn compact_private(&mut self) {
        let mut done = Vec::new();
        for i in 0..self.nodes.len() {
            let shown: Vec<Operand> = self.nodes[i].op.operands().into_iter().cloned().collect();
            let shown: Vec<Operand> = shown.iter().map(|o| self.compacted(o, &mut done)).collect();
            self.nodes[i].op.operands_mut().into_iter().zip(shown).for_each(|(o, new)| *o = new);
        }
        for i in 0..self.outputs.len() {
            let shown = self.outputs[i].1.clone();
            self.outputs[i].1 = self.compacted(&shown, &mut done);
        }
    }

    /// `done` holds what was made of operands before: readers of one constant go on to share it.
    fn compacted(&mut self, o: &Operand, done: &mut Vec<(Operand, Operand)>) -> Operand {
        let same = |(before, _): &&(Operand, Operand)| (before.value, &before.map) == (o.value, &o.map);
        if let Some((_, new)) = done.iter().find(same) {
            return new.clone();
        }
        let Some(numbers) = self.constant(o).filter(Numbers::is_private) else { return o.clone() };
        let (few, map) = constant_view(&numbers, &o.map.shape);
        if o.map.pad.is_some() || few.len() >= o.map.source.iter().product() {
            return o.clone();
        }
        let (name, shape) = (self.nodes[o.value].name.clone(), map.source.clone());
        let new = Operand { value: self.push_const(&name, few, &shape).value, map };
        done.push((o.clone(), new.clone()));
        new
    }

    /// A contraction. An affine map in front of it is folded into constant weights.
    pub(crate) fn contract(&mut self, name: &str, c: Contraction) -> Operand {
        let shape = c.y.source.clone();
        let c = self.fold_before(name, &c).unwrap_or(c);
        self.push(name, NetOp::Contract(c), &shape)
    }

    fn fold_before(&mut self, name: &str, c: &Contraction) -> Option<Contraction> {
        let NetOp::Affine { x, scale, shift } = self.nodes[c.a.value].op.clone() else { return None };
        let given = matches!(self.nodes[x.value].op, NetOp::Input);
        let even = if given { Even::of(&scale, &shift) } else { None };
        let (map, scale, shift) = match &even {
            Some(even) => (c.a.map.clone(), even.rest.clone(), shift.each(|_| 0.0)),
            None => (compose(&c.a.map, &x.map)?, scale, shift),
        };
        if c.a.map.pad.is_some_and(|p| p != 0) {
            return None;
        }
        let sizes @ [batch, m, k, n] = c.sizes();
        let dense = self.constant(&c.b)?;
        let shift = shift.on(|v| gather(&c.a.map, v));
        let mut addend = shift.with(&dense, |shift, dense| products(shift, &transposed(dense, sizes), sizes));
        if let Some(old) = &c.addend {
            addend = addend.with(old, |a, b| a.iter().zip(b).map(|(a, b)| a + b).collect());
        }
        let scale = scale.on(|v| gather(&Map { pad: c.a.map.pad.map(|_| LOST), ..c.a.map.clone() }, v));
        // Elements of the padding say nothing about the scale.
        let seen = |i: usize, row: usize| {
            (0..m).map(move |r| (i * m + r) * k + row).filter(|at| scale.form()[*at] != LOST as f64)
        };
        let mut at = Vec::with_capacity(batch * k);
        for (i, row) in (0..batch).flat_map(|i| (0..k).map(move |row| (i, row))) {
            let first = seen(i, row).next();
            if seen(i, row).any(|other| first.is_some_and(|f| scale.form()[f] != scale.form()[other])) {
                return None;
            }
            at.push(first);
        }
        let scaled = |dense: &[f64], scale: &[f64]| {
            dense.iter().enumerate().map(|(j, w)| at[j / n].map_or(*w, |s| w * scale[s])).collect()
        };
        let weights = self.nodes[c.b.value].name.clone();
        let b = self.push_const(&weights, dense.with(&scale, scaled), &c.b.map.shape);
        let mut value = x.value;
        if let Some(Even { powers: scale, shift, .. }) = even {
            let shape = self.nodes[c.a.value].shape.clone();
            value = self.push(&format!("{name}.even"), NetOp::Affine { x, scale, shift }, &shape).value;
        }
        Some(Contraction { a: Operand { value, map }, b, addend: Some(addend), ..c.clone() })
    }
}

/// A map `scale · x + shift` of raw features as `rest · (powers · x + shift)`.
///
/// Factors that are far apart, since one feature is an income and another a share, would make weights that no common scale is fine enough for.
/// Powers of two are exact, and bring the features to one magnitude before they are rounded; what is left is folded into the weights.
struct Even {
    powers: Numbers,
    shift: Numbers,
    /// From 1 to 2, or as much below zero.
    rest: Numbers,
}

impl Even {
    /// Largest ratio of factors that stay together: four bits of a weight are lost.
    const APART: f64 = 16.0;

    /// Nothing where the factors are close enough, where one is zero, and where somebody alone knows them.
    fn of(scale: &Numbers, shift: &Numbers) -> Option<Self> {
        if scale.is_private() || shift.is_private() {
            return None;
        }
        let magnitudes = || scale.values().iter().map(|s| s.abs());
        let (least, most) = (magnitudes().fold(f64::INFINITY, f64::min), magnitudes().fold(0.0, f64::max));
        let normal = scale.values().iter().all(|s| s.is_normal());
        let apart = normal && most > Self::APART * least;
        // The exponent alone.
        let powers = scale.each(|s| f64::from_bits(s.to_bits() & f64::INFINITY.to_bits()));
        let rest = scale.with(&powers, |s, p| s.iter().zip(p).map(|(s, p)| s / p).collect());
        let shift = shift.with(&rest, |t, q| t.iter().zip(q).map(|(t, q)| t / q).collect());
        apart.then_some(Self { powers, shift, rest })
    }
}

/// Marks padding while scales are compared; no real scale has this value.
const LOST: i64 = -(1 << 52);

/// The part `[start, start + len)` of the last dimension.
fn range_of_last(shape: &[usize], start: usize, len: usize) -> Map {
    let mut map = Map::identity(shape);
    if let (Some(last), Some(axis)) = (map.shape.last_mut(), map.axes.last_mut()) {
        *last = len;
        axis.offset = start as i64;
    }
    map
}

/// A shape whose last dimension is one, without it.
fn drop_last(shape: &[usize]) -> Map {
    let mut map = Map::identity(shape);
    map.shape.pop();
    map.axes.iter_mut().for_each(|a| {
        a.steps.pop();
    });
    map
}

/// Whether a view shows every element of its source exactly once.
pub(crate) fn is_bijective(map: &Map) -> bool {
    let count = map.source.iter().product::<usize>();
    let mut seen = vec![false; count];
    map.len() == count
        && map.indices().into_iter().all(|i| i.is_some_and(|i| !std::mem::replace(&mut seen[i], true)))
}
