//! Building the network, with the simplifications that are exact in real arithmetic.

use zkml_graph::Map;

use super::eval::{contract, scatter};
use super::view::compose;
use super::{Contraction, Function, Net, NetNode, NetOp, Operand, Side, gather};

impl Net {
    /// Adds a node; the operand shows its whole value.
    pub(crate) fn push(&mut self, name: &str, op: NetOp, shape: &[usize]) -> Operand {
        self.nodes.push(NetNode { name: name.into(), op, shape: shape.to_vec(), never_positive: false });
        Operand { value: self.nodes.len() - 1, map: Map::identity(shape) }
    }

    /// Adds a constant.
    pub(crate) fn push_const(&mut self, name: &str, values: Vec<f64>, shape: &[usize]) -> Operand {
        self.push(name, NetOp::Const(values), shape)
    }

    /// What `outer` shows of an operand: a composed view where that is affine, else a copy.
    pub(crate) fn view(&mut self, name: &str, o: &Operand, outer: &Map) -> Operand {
        if let Some(values) = self.constant(o) {
            let shown = gather(outer, &values);
            return self.push_const(name, shown, &outer.shape);
        }
        if let Some(map) = compose(outer, &o.map) {
            return Operand { value: o.value, map };
        }
        let whole = self.copy(name, o);
        Operand { value: whole.value, map: outer.clone() }
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
        scale: Vec<f64>,
        shift: Vec<f64>,
    ) -> Operand {
        if let Some(values) = self.constant(&x) {
            let out = values.iter().zip(scale.iter().zip(&shift)).map(|(x, (s, t))| x * s + t).collect();
            return self.push_const(name, out, &x.map.shape);
        }
        let whole = x.map.pad.is_none() && is_bijective(&x.map);
        if exclusive && whole && self.fold_after(&x, &scale, &shift) {
            return x;
        }
        let shape = x.map.shape.clone();
        self.push(name, NetOp::Affine { x, scale, shift }, &shape)
    }

    /// Folds `scale · x + shift` into the node that makes `x`; whether that was possible.
    fn fold_after(&mut self, x: &Operand, scale: &[f64], shift: &[f64]) -> bool {
        let own = |v: &[f64]| scatter(&x.map, v);
        let (scale, shift) = (own(scale), own(shift));
        match self.nodes[x.value].op.clone() {
            NetOp::Affine { x: inner, scale: s, shift: t } => {
                let t = t.iter().zip(scale.iter().zip(&shift)).map(|(t, (s, u))| t * s + u).collect();
                let s = s.iter().zip(&scale).map(|(a, b)| a * b).collect();
                self.nodes[x.value].op = NetOp::Affine { x: inner, scale: s, shift: t };
                true
            }
            NetOp::Contract(c) => {
                self.scaled(&c, &gather(&c.y, &scale), &gather(&c.y, &shift)).is_some_and(|c| {
                    self.nodes[x.value].op = NetOp::Contract(c);
                    true
                })
            }
            _ => false,
        }
    }

    /// A contraction with scaled and shifted results, when its second operand is constant and the scale does
    /// not change along `m`. Both vectors are in the order `batch ++ m ++ n`.
    fn scaled(&mut self, c: &Contraction, scale: &[f64], shift: &[f64]) -> Option<Contraction> {
        let [batch, m, k, n] = c.sizes();
        let unit = scale.iter().all(|&s| s == 1.0);
        let mut b = c.b.clone();
        if !unit {
            let mut dense = self.constant(&c.b)?;
            for i in 0..batch {
                let first = &scale[i * m * n..][..n];
                if (1..m).any(|row| &scale[(i * m + row) * n..][..n] != first) {
                    return None;
                }
                for row in 0..k {
                    let w = &mut dense[(i * k + row) * n..][..n];
                    w.iter_mut().zip(first).for_each(|(w, s)| *w *= s);
                }
            }
            let name = self.nodes[c.b.value].name.clone();
            b = self.push_const(&name, dense, &c.b.map.shape);
        }
        let old = c.addend.clone().unwrap_or_else(|| vec![0.0; scale.len()]);
        let addend = old.iter().zip(scale.iter().zip(shift)).map(|(a, (s, t))| a * s + t).collect();
        Some(Contraction { b, addend: Some(addend), ..c.clone() })
    }

    /// A contraction. An affine map in front of it is folded into constant weights.
    pub(crate) fn contract(&mut self, name: &str, c: Contraction) -> Operand {
        let shape = c.y.source.clone();
        let c = self.fold_before(&c).unwrap_or(c);
        self.push(name, NetOp::Contract(c), &shape)
    }

    fn fold_before(&mut self, c: &Contraction) -> Option<Contraction> {
        let NetOp::Affine { x, scale, shift } = self.nodes[c.a.value].op.clone() else { return None };
        let map = compose(&c.a.map, &x.map)?;
        if c.a.map.pad.is_some_and(|p| p != 0) {
            return None;
        }
        let [batch, m, k, n] = c.sizes();
        let mut dense = self.constant(&c.b)?;
        let rows = transpose_weights(&dense, [batch, m, k, n]);
        let shift = gather(&c.a.map, &shift);
        let addend = contract(&shift, &rows, c);
        let scale = gather(&Map { pad: c.a.map.pad.map(|_| LOST), ..c.a.map.clone() }, &scale);
        for i in 0..batch {
            for row in 0..k {
                // Elements of the padding say nothing about the scale.
                let mut seen = (0..m).map(|r| scale[(i * m + r) * k + row]).filter(|s| *s != LOST as f64);
                let s = seen.next().unwrap_or(1.0);
                if seen.any(|other| other != s) {
                    return None;
                }
                dense[(i * k + row) * n..][..n].iter_mut().for_each(|w| *w *= s);
            }
        }
        let name = self.nodes[c.b.value].name.clone();
        let b = self.push_const(&name, dense, &c.b.map.shape);
        Some(Contraction { a: Operand { value: x.value, map }, b, addend: Some(addend), ..c.clone() })
    }
}

/// Marks padding while scales are compared; no real scale has this value.
const LOST: i64 = -(1 << 52);

fn transpose_weights(b: &[f64], [batch, _, k, n]: [usize; 4]) -> Vec<f64> {
    let at = |j: usize| b[(j / (n * k) * k + j % k) * n + j / k % n];
    (0..batch * n * k).map(at).collect()
}

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
