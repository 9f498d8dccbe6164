//! Float evaluation of the network.

use super::{Contraction, Net, NetOp, Operand, Side, pad_value};
use zkml_graph::Map;

/// Runs a network in `f64`; views are expanded once.
#[derive(Debug)]
pub(crate) struct Evaluator<'a> {
    net: &'a Net,
    live: Vec<bool>,
    plans: Vec<Vec<Option<Vec<Option<usize>>>>>,
    weights: Vec<Option<Vec<f64>>>,
    scatter: Vec<Vec<Vec<Option<usize>>>>,
}

/// Indices of a view, or nothing when it shows the source as it is.
fn plan(o: &Operand) -> Option<Vec<Option<usize>>> {
    let indices = o.map.indices();
    let plain = indices.len() == o.map.source.iter().product::<usize>()
        && indices.iter().enumerate().all(|(i, s)| *s == Some(i));
    (!plain).then_some(indices)
}

/// `b` as `batch ++ n ++ k`, so that dot products walk memory in order.
pub(crate) fn transposed(b: &[f64], [batch, _, k, n]: [usize; 4]) -> Vec<f64> {
    let mut out = Vec::with_capacity(b.len());
    for i in 0..batch {
        for col in 0..n {
            out.extend((0..k).map(|row| b[(i * k + row) * n + col]));
        }
    }
    out
}

/// Sums of products over dense operands, plus the addend; in the order `batch ++ m ++ n`.
fn contract(a: &[f64], b_rows: &[f64], c: &Contraction) -> Vec<f64> {
    let mut out = products(a, b_rows, c.sizes());
    if let Some(addend) = &c.addend {
        out.iter_mut().zip(addend.values()).for_each(|(y, v)| *y += v);
    }
    out
}

/// Sums of products over dense operands, the second one as `batch ++ n ++ k`.
pub(crate) fn products(a: &[f64], b_rows: &[f64], [batch, m, k, n]: [usize; 4]) -> Vec<f64> {
    let mut out = Vec::with_capacity(batch * m * n);
    for i in 0..batch {
        for row in 0..m {
            let x = &a[(i * m + row) * k..][..k];
            for col in 0..n {
                let w = &b_rows[(i * n + col) * k..][..k];
                out.push(x.iter().zip(w).map(|(x, w)| x * w).sum());
            }
        }
    }
    out
}

/// Puts values where the map of the result says.
pub(crate) fn scatter(map: &Map, values: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; map.source.iter().product()];
    for (i, v) in map.indices().into_iter().zip(values) {
        if let Some(i) = i {
            out[i] = *v;
        }
    }
    out
}

impl<'a> Evaluator<'a> {
    /// Prepares a network.
    pub(crate) fn new(net: &'a Net) -> Self {
        let live = net.live();
        let mut this = Self { net, plans: Vec::new(), weights: Vec::new(), scatter: Vec::new(), live };
        for (node, &live) in net.nodes.iter().zip(&this.live) {
            let operands = if live { node.op.operands() } else { Vec::new() };
            this.plans.push(operands.iter().map(|o| plan(o)).collect());
            this.scatter.push(match &node.op {
                NetOp::Contract(c) if live => vec![c.y.indices()],
                NetOp::Join { parts } if live => parts.iter().map(|(_, to)| to.indices()).collect(),
                _ => Vec::new(),
            });
            this.weights.push(match &node.op {
                NetOp::Contract(c) if live => net.constant(&c.b).map(|b| transposed(b.values(), c.sizes())),
                _ => None,
            });
        }
        this
    }

    /// Every value of the network for one sample; nothing where no output depends on it.
    pub(crate) fn run(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); self.net.nodes.len()];
        for (&id, given) in self.net.inputs.iter().zip(inputs) {
            values[id].clone_from(given);
        }
        let live = || self.net.nodes.iter().enumerate().filter(|(id, _)| self.live[*id]);
        // Constants may follow their readers.
        for (id, node) in live() {
            if let NetOp::Const(v) = &node.op {
                values[id] = v.values().to_vec();
            }
        }
        for (id, node) in live().filter(|(_, n)| !matches!(n.op, NetOp::Input | NetOp::Const(_))) {
            values[id] = self.node(id, &node.op, &values);
        }
        values
    }

    fn see(&self, id: usize, slot: usize, o: &Operand, values: &[Vec<f64>]) -> Vec<f64> {
        let source = &values[o.value];
        match &self.plans[id][slot] {
            None => source.clone(),
            Some(plan) => {
                let pad = pad_value(&o.map);
                plan.iter().map(|i| i.map_or(pad, |i| source[i])).collect()
            }
        }
    }

    fn place(&self, id: usize, slot: usize, values: Vec<f64>, out: &mut [f64]) {
        for (i, v) in self.scatter[id][slot].iter().zip(values) {
            if let Some(i) = i {
                out[*i] = v;
            }
        }
    }

    fn node(&self, id: usize, op: &NetOp, values: &[Vec<f64>]) -> Vec<f64> {
        let see = |slot: usize, o: &Operand| self.see(id, slot, o, values);
        let zip = |a: &Operand, b: &Operand, f: fn(f64, f64) -> f64| -> Vec<f64> {
            see(0, a).into_iter().zip(see(1, b)).map(|(x, y)| f(x, y)).collect()
        };
        let len = self.net.nodes[id].shape.iter().product();
        match op {
            NetOp::Input | NetOp::Const(_) => Vec::new(),
            NetOp::Contract(c) => {
                let rows = match &self.weights[id] {
                    Some(w) => contract(&see(0, &c.a), w, c),
                    None => contract(&see(0, &c.a), &transposed(&see(1, &c.b), c.sizes()), c),
                };
                let mut out = vec![0.0; len];
                self.place(id, 0, rows, &mut out);
                out
            }
            NetOp::Affine { x, scale, shift } => {
                let numbers = scale.values().iter().zip(shift.values());
                see(0, x).iter().zip(numbers).map(|(x, (s, t))| x * s + t).collect()
            }
            NetOp::Sum { terms, constant } => {
                let mut out = vec![*constant; len];
                for (slot, (c, o)) in terms.iter().enumerate() {
                    out.iter_mut().zip(see(slot, o)).for_each(|(y, x)| *y += c * x);
                }
                out
            }
            NetOp::Product { a, b } => zip(a, b, |x, y| x * y),
            NetOp::Max { a, b: Side::Operand(b) } => zip(a, b, f64::max),
            NetOp::Max { a, b: Side::Constant(c) } => see(0, a).into_iter().map(|x| x.max(*c)).collect(),
            NetOp::Apply { function, x } => see(0, x).into_iter().map(|x| function.at(x)).collect(),
            NetOp::Join { parts } => {
                let mut out = vec![0.0; len];
                for (slot, (o, _)) in parts.iter().enumerate() {
                    self.place(id, slot, see(slot, o), &mut out);
                }
                out
            }
            NetOp::Divide { a, b } => zip(a, b, |x, y| x / y),
            NetOp::Quotient { a, b } => zip(a, b, |x, y| (x / y).floor()),
            NetOp::Floor { x } => see(0, x).into_iter().map(f64::floor).collect(),
            NetOp::Round { x } => see(0, x).into_iter().map(f64::round_ties_even).collect(),
            NetOp::Table { x, first, values } => {
                let row = |x: f64| (x >= *first as f64).then_some((x - *first as f64) as usize);
                let at = |x: f64| row(x).and_then(|row| values.get(row)).copied().unwrap_or(f64::NAN);
                see(0, x).into_iter().map(at).collect()
            }
            NetOp::Trees { x, forest } => {
                let row = x.map.shape.last().copied().unwrap_or(1).max(1);
                see(0, x).chunks(row).flat_map(|r| forest.scores(r)).collect()
            }
            NetOp::ArgMax { x } => {
                let row = x.map.shape.last().copied().unwrap_or(1).max(1);
                see(0, x).chunks(row).map(|r| argmax(r) as f64).collect()
            }
        }
    }
}

/// First index of the largest element.
pub(crate) fn argmax(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
