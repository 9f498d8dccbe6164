//! The relations that tie a walk together.
//!
//! A node's number is the key of a table of all nodes, so threshold, way and feature are the node's own; the start is a constant, and
//! so there is one walk. A feature is chosen by bits, which are those of the table's word: `Σ 2^i·bit_i = word` has one solution. With a
//! bit for each row of the grid, a contraction gives the chosen row, and a bit for each column the element. A word of no bits
//! chooses zero, which is below the threshold 1: nothing is compared there.
//!
//! With `δ = x − threshold`: a side `s` and a magnitude `m ≥ 0` such that `δ = m` for `s = 1` and `δ = −m − 1` for `s = 0`,
//! so that zero has one form only; `next = left + s`.

use super::{Grid, Reached, Trees};
use crate::map::Axis;
use crate::{Bounds, Map, Relation, RelationBuilder, Table, Tensor, VarId, View};

const BIT: Bounds = Bounds { lo: 0, hi: 1 };

/// States the relations.
pub(super) fn state(
    trees: &Trees,
    b: &mut RelationBuilder,
    (x_tensor, x): &(&Tensor, View),
    (out, y): (&Tensor, View),
) {
    // The fact has been established when relations are stated, so neither is an error.
    let (Ok(seen), Ok(reached)) = (trees.seen(&out.name, x_tensor), trees.reached(&out.name)) else { return };
    let (grid, m_max) = (Grid::of(trees.features()), trees.magnitude(seen));
    let all = Reached { last: out_ends(out), ..reached };
    let w = Walker { trees, b, x: x.var, grid, seen, m_max, reached: all };
    w.state(&y);
}

fn out_ends(out: &Tensor) -> (u32, u32) {
    (out.bounds.lo as u32, out.bounds.hi as u32)
}

struct Walker<'a> {
    trees: &'a Trees,
    b: &'a mut RelationBuilder,
    x: VarId,
    grid: Grid,
    seen: Bounds,
    m_max: i128,
    reached: Reached,
}

/// Auxiliary values of one comparison that say on which side of the threshold a feature lies.
struct Side {
    magnitude: View,
    right: View,
    positive: View,
}

impl Walker<'_> {
    fn state(mut self, y: &View) {
        let outer = [self.trees.rows(), self.trees.roots.len()];
        let difference = self.first(&outer);
        let side = self.side("root", &outer);
        self.compare(&[(1, &difference)], &side);
        let left = self.trees.roots.iter().map(|r| r.left.into()).collect();
        let left = self.per_tree("left", left, &outer);
        if self.trees.steps() == 0 {
            return self.b.linear(&[(1, &left), (1, &side.right), (-1, y)], 0);
        }
        let first = self.b.aux("first", &outer, self.numbers());
        self.b.linear(&[(1, &left), (1, &side.right), (-1, &first)], 0);
        self.steps(&first, y);
    }

    /// A constant for each tree, in every row.
    fn per_tree(&mut self, name: &str, values: Vec<i64>, outer: &[usize; 2]) -> View {
        let constant = self.b.constant(name, &outer[1..], values);
        let axes = vec![Axis { offset: 0, steps: vec![0, 1] }];
        View {
            var: constant.var,
            map: Map { source: vec![outer[1]], shape: outer.to_vec(), axes, pad: None },
        }
    }

    /// Numbers of nodes that a walk may come to.
    fn numbers(&self) -> Bounds {
        let (lo, hi) = self.reached.last;
        let last = Bounds::new(lo.into(), hi.into());
        self.reached.inner.map_or(last, |(lo, hi)| last.union(Bounds::new(lo.into(), hi.into())))
    }

    /// The differences at the roots, whose features are fixed.
    fn first(&mut self, outer: &[usize; 2]) -> View {
        let (features, trees) = (self.trees.features(), outer[1]);
        let roots = &self.trees.roots;
        let mut pick = vec![0; features * trees];
        let chosen = roots.iter().enumerate().filter_map(|(t, r)| Some((t, r.feature?)));
        chosen.for_each(|(t, f)| pick[f as usize * trees + t] = 1);
        let above = roots.iter().map(|r| r.feature.map_or(-1, |_| -r.threshold)).collect();
        let pick = self.b.constant("features", &[features, trees], pick);
        let above = self.per_tree("thresholds", above, outer);
        let difference = self.b.aux("difference", outer, Bounds::new(-self.m_max - 1, self.m_max));
        self.b.state(Relation::Contract {
            a: View { var: self.x, map: self.trees.x.clone() },
            b: pick,
            addend: Some(above),
            y: difference.clone(),
            ranks: [0, 1, 1, 1],
        });
        difference
    }

    fn side(&mut self, name: &str, shape: &[usize]) -> Side {
        let upto = Bounds::new(0, self.m_max);
        let magnitude = self.b.aux(&format!("{name}.magnitude"), shape, upto);
        let right = self.b.aux(&format!("{name}.right"), shape, BIT);
        let positive = self.b.aux(&format!("{name}.positive"), shape, upto);
        Side { magnitude, right, positive }
    }

    /// Ties the sides to the differences, given as a sum.
    fn compare(&mut self, difference: &[(i64, &View)], side: &Side) {
        let Side { magnitude, right, positive } = side;
        let terms = [difference, &[(-2, positive), (-1, right), (1, magnitude)]].concat();
        self.b.linear(&terms, 1);
        self.b.product(right, right, right);
        self.b.product(magnitude, right, positive);
        self.b.at_least_zero(magnitude, self.m_max);
    }

    /// All comparisons behind the roots.
    fn steps(mut self, first: &View, y: &View) {
        let (shape, grid) = (self.trees.walk(), self.grid);
        let numbers = self.numbers();
        let node = self.b.aux("node", &shape, self.inner());
        let [threshold, left, word] = self.looked_up(&node, &shape);
        let bits: Vec<View> = (0..grid.bits()).map(|i| self.b.aux(&format!("bit{i}"), &shape, BIT)).collect();
        bits.iter().for_each(|bit| self.b.product(bit, bit, bit));
        let mut digits: Vec<(i64, &View)> = bits.iter().enumerate().map(|(i, b)| (1i64 << i, b)).collect();
        digits.push((-1, &word));
        self.b.linear(&digits, 0);
        let values = self.chosen(&bits, &shape);
        let side = self.side("step", &shape);
        let mut difference: Vec<(i64, &View)> = values.iter().map(|v| (1, v)).collect();
        difference.push((-1, &threshold));
        self.compare(&difference, &side);
        let next = self.b.aux("next", &shape, numbers);
        self.b.linear(&[(1, &left), (1, &side.right), (-1, &next)], 0);
        let step = |v: &View, from: usize, count: usize| View {
            var: v.var,
            map: Map::slice(&shape, &[from, 0, 0], &[count, shape[1], shape[2]]),
        };
        let as_steps = |v: &View| View { var: v.var, map: Map::identity(&[1, shape[1], shape[2]]) };
        self.b.state(Relation::Copy { from: as_steps(first), to: step(&node, 0, 1) });
        if shape[0] > 1 {
            let behind = shape[0] - 1;
            self.b.state(Relation::Copy { from: step(&next, 0, behind), to: step(&node, 1, behind) });
        }
        self.b.state(Relation::Copy { from: step(&next, shape[0] - 1, 1), to: as_steps(y) });
    }

    fn inner(&self) -> Bounds {
        let (lo, hi) = self.reached.inner.unwrap_or((0, 0));
        Bounds::new(lo.into(), hi.into())
    }

    /// Threshold, way and feature of a node. The tables cover only nodes that walks may be at; they are two, since a back end
    /// need not have more than two outputs of a table.
    fn looked_up(&mut self, node: &View, shape: &[usize; 3]) -> [View; 3] {
        let (lo, hi) = self.reached.inner.unwrap_or((0, 0));
        let splits = &self.trees.nodes[lo as usize..=hi as usize];
        let threshold = splits.iter().map(|s| if s.feature.is_some() { s.threshold } else { 1 }).collect();
        let left = splits.iter().map(|s| s.left.into()).collect();
        let word = splits.iter().map(|s| self.grid.word(s.feature)).collect();
        let columns: [Vec<i64>; 3] = [threshold, left, word];
        let of = |c: &Vec<i64>| Bounds::of(c.iter().copied());
        let outputs: [View; 3] = [("threshold", 0), ("left", 1), ("word", 2)]
            .map(|(name, c)| self.b.aux(name, shape, of(&columns[c])));
        let [threshold, left, word] = columns;
        for (name, columns, outputs) in
            [("splits", vec![threshold, left], &outputs[..2]), ("features", vec![word], &outputs[2..])]
        {
            let table = self.b.table(Table { name: name.into(), lo: lo.into(), columns });
            self.b.state(Relation::Lookup { table, key: node.clone(), outputs: outputs.to_vec() });
        }
        outputs
    }

    /// Values that sum up to the feature that the bits choose.
    fn chosen(&mut self, bits: &[View], &[steps, rows, trees]: &[usize; 3]) -> Vec<View> {
        let Grid { rows: high, columns } = self.grid;
        let shape = [steps, rows, trees];
        let all = self.b.aux("rows", &[high, steps, rows, trees], BIT);
        for (i, bit) in bits[..high].iter().enumerate() {
            let to = Map::slice(&[high, steps, rows, trees], &[i, 0, 0, 0], &[1, steps, rows, trees]);
            let from = View { var: bit.var, map: Map::identity(&[1, steps, rows, trees]) };
            self.b.state(Relation::Copy { from, to: View { var: all.var, map: to } });
        }
        let chosen = self.b.aux("chosen", &[columns, steps, rows, trees], self.seen);
        self.b.state(Relation::Contract {
            a: View { var: all.var, map: Map::permuted(&[high, steps, rows, trees], &[2, 1, 3, 0]) },
            b: self.features(),
            addend: None,
            y: View { var: chosen.var, map: Map::permuted(&[columns, steps, rows, trees], &[2, 1, 3, 0]) },
            ranks: [1, 2, 1, 1],
        });
        let element = |i: usize| {
            let whole = Map::slice(&[columns, steps, rows, trees], &[i, 0, 0, 0], &[1, steps, rows, trees]);
            // The slice without its first dimension.
            let axes = whole.axes.iter().map(|a| Axis { offset: a.offset, steps: a.steps[1..].to_vec() });
            View { var: chosen.var, map: Map { axes: axes.collect(), shape: shape.to_vec(), ..whole } }
        };
        if columns == 1 {
            return vec![element(0)];
        }
        let mut products = Vec::with_capacity(columns);
        for (i, bit) in bits[high..].iter().enumerate() {
            let product = self.b.aux(&format!("product{i}"), &shape, self.seen);
            self.b.product(bit, &element(i), &product);
            products.push(product);
        }
        products
    }

    /// The features as a grid for each row of the input. The bits choose none of what lies beyond the last.
    fn features(&self) -> View {
        let own = &self.trees.x;
        let Grid { rows, columns } = self.grid;
        let spread = |a: &Axis| {
            let (row, feature) = (a.steps[0], a.steps[1]);
            Axis { offset: a.offset, steps: vec![row, feature * columns as i64, feature] }
        };
        let axes = own.axes.iter().map(spread).collect();
        let shape = vec![self.trees.rows(), rows, columns];
        let mut map = Map { source: own.source.clone(), shape, axes, pad: own.pad };
        if map.pad.is_none() && !map.stays_inside() {
            map.pad = Some(0);
        }
        View { var: self.x, map }
    }
}
