//! The leaves that decision trees lead to: one comparison for each level of a tree, not for each of its nodes.

#[cfg(any(test, feature = "testing"))]
mod cases;
mod relate;

use serde::{Deserialize, Serialize};

#[cfg(any(test, feature = "testing"))]
pub(super) use cases::cases;

use super::operand;
use crate::tensor::{SAFE_BITS, elements};
use crate::{Bounds, Evaluated, Fact, GraphError, Map, OpSpec, RelationBuilder, Tensor, View};

/// Most comparisons on a path.
const MAX_DEPTH: u32 = 64;
/// Most bits of the number that says which feature a node compares.
const MAX_BITS: usize = 60;

/// Walks down every tree once for each row of features: from its root, then from node to node, `depth` comparisons
/// in all. The result is where each walk ends, shape `rows ++ [trees]`, scale 0.
///
/// The trees share one set of numbered nodes. The numbers from `nodes.len()` on are leaves that every walk reaches with its last
/// comparison; a leaf nearer to its root is a node that leads to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trees {
    /// View of the input of shape `[rows, features]`.
    pub x: Map,
    /// Number of comparisons of a walk, 1 to 64.
    pub depth: u32,
    /// First comparison of each tree.
    pub roots: Vec<Split>,
    /// Nodes that walks come to before they end.
    pub nodes: Vec<Split>,
}

/// A comparison: it leads to node `left + 1` if `feature ≥ threshold`, else to `left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Split {
    /// Index of the feature; none where nothing is compared, and the way is always to `left`.
    pub feature: Option<u32>,
    /// Smallest value of the feature that leads to `left + 1`.
    pub threshold: i64,
    /// Number of the node that smaller values lead to.
    pub left: u32,
}

impl Split {
    /// A leaf that a walk comes to before its last comparison.
    pub fn leaf(own: u32) -> Self {
        Self { feature: None, threshold: 1, left: own }
    }

    /// The difference between feature and threshold; where nothing is compared, that of a smaller one.
    fn difference(&self, row: &[i64]) -> i64 {
        self.feature.map_or(-1, |f| row[f as usize] - self.threshold)
    }
}

/// A layout of the features in rows of `columns` each, so that few bits choose one.
#[derive(Debug, Clone, Copy)]
struct Grid {
    rows: usize,
    columns: usize,
}

impl Grid {
    /// The cheapest grid for so many features, if their number leaves one with few enough bits.
    fn of(features: usize) -> Self {
        let grid = |columns: usize| Self { rows: features.div_ceil(columns), columns };
        // A column beyond the first costs a bit, an element of the chosen row and a product.
        let cost = |g: &Self| g.rows + if g.columns > 1 { 3 * g.columns } else { 0 };
        let grids = || (0..6).map(|b| grid(1 << b));
        let cheapest = grids().filter(|g| g.bits() <= MAX_BITS).min_by_key(cost);
        cheapest.unwrap_or_else(|| grid(32))
    }

    /// Number of bits that choose a feature: one for each row, and for each column unless there is only one.
    fn bits(self) -> usize {
        self.rows + if self.columns > 1 { self.columns } else { 0 }
    }

    /// The number whose bits choose a feature.
    fn word(self, feature: Option<u32>) -> i64 {
        let Some(f) = feature.map(|f| f as usize) else { return 0 };
        let column = if self.columns > 1 { 1 << (self.rows + f % self.columns) } else { 0 };
        (1 << (f / self.columns)) | column
    }
}

/// Nodes that walks may be at.
#[derive(Debug, Clone)]
struct Reached {
    /// Nodes that a walk may be at before its last comparison, ends included; nothing where walks have one comparison.
    inner: Option<(u32, u32)>,
    /// Nodes that a walk may end at.
    last: (u32, u32),
}

impl Trees {
    /// Most features that bits of one number can choose from.
    pub const MAX_FEATURES: usize = 896;

    fn rows(&self) -> usize {
        self.x.shape.first().copied().unwrap_or(1)
    }

    fn features(&self) -> usize {
        self.x.shape.get(1).copied().unwrap_or(1)
    }

    /// Number of comparisons of each walk behind the root.
    fn steps(&self) -> usize {
        self.depth as usize - 1
    }

    /// Shape of what belongs to a comparison behind the root: `steps ++ rows ++ trees`.
    fn walk(&self) -> [usize; 3] {
        [self.steps(), self.rows(), self.roots.len()]
    }

    /// Bounds of what walks compare: the features, and the zero where nothing is chosen.
    fn seen(&self, node: &str, x: &Tensor) -> Result<Bounds, GraphError> {
        Ok(operand::bounds(node, x, &self.x)?.union(Bounds::point(0)))
    }

    /// Largest `m` for which a difference is `m` or `−m − 1`.
    fn magnitude(&self, seen: Bounds) -> i128 {
        let thresholds = self.roots.iter().chain(&self.nodes).map(|s| s.threshold);
        let all = Bounds::of(thresholds.chain([1]));
        (seen.hi - all.lo).max(all.hi - seen.lo - 1).max(0)
    }

    /// Follows all walks at once; refuses trees in which one leaves the nodes too early.
    fn reached(&self, node: &str) -> Result<Reached, GraphError> {
        let next = |s: &Split| [Some(s.left), s.feature.and_then(|_| s.left.checked_add(1))];
        let range = |set: &[u32]| (set.iter().min().copied(), set.iter().max().copied());
        let ends = |set: &[u32]| match range(set) {
            (Some(lo), Some(hi)) if hi < u32::MAX => Ok((lo, hi)),
            _ => operand::misfit(node, "a node with too large a number"),
        };
        let mut at: Vec<u32> = self.roots.iter().flat_map(next).flatten().collect();
        let mut inner: Option<(u32, u32)> = None;
        let mut marks = vec![0u32; self.nodes.len()];
        for step in 1..self.depth {
            let mut following = Vec::new();
            for id in at.iter().copied() {
                let Some(split) = self.nodes.get(id as usize) else {
                    let limit = self.nodes.len();
                    let detail = format!(
                        "comparison {step} of {} leads to {id}, which is none of the {limit} nodes",
                        self.depth
                    );
                    return operand::misfit(node, detail);
                };
                if std::mem::replace(&mut marks[id as usize], step) != step {
                    following.extend(next(split).into_iter().flatten());
                }
            }
            let (lo, hi) = ends(&at)?;
            inner = Some(inner.map_or((lo, hi), |(l, h)| (l.min(lo), h.max(hi))));
            at = following;
        }
        Ok(Reached { inner, last: ends(&at)? })
    }

    /// Refuses trees that do not fit their features or each other.
    fn check(&self, node: &str, x: &Tensor) -> Result<Reached, GraphError> {
        let (rows, features) = (self.rows(), self.features());
        if self.x.shape.len() != 2 || self.roots.is_empty() || !(1..=MAX_DEPTH).contains(&self.depth) {
            let (trees, shape) = (self.roots.len(), &self.x.shape);
            let detail = format!("{trees} trees of depth {} on features of shape {shape:?}", self.depth);
            return operand::misfit(node, detail);
        }
        let grid = Grid::of(features);
        if grid.bits() > MAX_BITS {
            let detail =
                format!("{features} features take {} bits to choose from, more than {MAX_BITS}", grid.bits());
            return operand::misfit(node, detail);
        }
        let largest = [features.max(grid.rows * grid.columns), self.steps().max(1), rows, self.roots.len()];
        if elements(&largest).is_none() {
            return operand::misfit(node, format!("walks of {largest:?} elements, too many"));
        }
        let limit = 1i64 << SAFE_BITS;
        for s in self.roots.iter().chain(&self.nodes) {
            if s.feature.is_some_and(|f| f as usize >= features)
                || !(-limit + 1..limit).contains(&s.threshold)
            {
                let detail =
                    format!("a comparison of feature {:?} of {features} with {}", s.feature, s.threshold);
                return operand::misfit(node, detail);
            }
        }
        Bounds::new(0, self.magnitude(self.seen(node, x)?)).checked(node)?;
        self.reached(node)
    }
}

impl OpSpec for Trees {
    fn kind(&self) -> &'static str {
        "Trees"
    }

    fn fact(&self, node: &str, inputs: &[&Tensor]) -> Result<Fact, GraphError> {
        operand::arity(node, inputs, 1)?;
        operand::bounds(node, inputs[0], &self.x)?;
        let (lo, hi) = self.check(node, inputs[0])?.last;
        let bounds = Bounds::new(lo.into(), hi.into());
        Ok(Fact { shape: vec![self.rows(), self.roots.len()], scale: 0, bounds })
    }

    fn eval(
        &self,
        _node: &str,
        _inputs: &[&Tensor],
        values: &[&[i64]],
        output: &Tensor,
    ) -> Result<Evaluated, GraphError> {
        let x = self.x.gather(values[0]);
        let walks: Vec<(&[i64], &Split)> =
            x.chunks(self.features()).flat_map(|row| self.roots.iter().map(move |r| (row, r))).collect();
        let differences: Vec<i64> = walks.iter().map(|(row, root)| root.difference(row)).collect();
        let mut aux = vec![differences.clone()];
        aux.extend(sides(&differences));
        let moved = |(split, d): (&Split, &i64)| i64::from(split.left) + i64::from(*d >= 0);
        let mut at: Vec<i64> = walks.iter().map(|(_, root)| *root).zip(&differences).map(moved).collect();
        if self.steps() == 0 {
            return Ok(Evaluated { output: at, aux });
        }
        aux.push(at.clone());
        let mut steps = Steps::new(Grid::of(self.features()));
        for _ in 0..self.steps() {
            let splits: Vec<&Split> = at.iter().map(|id| &self.nodes[*id as usize]).collect();
            for (((row, _), split), id) in walks.iter().zip(&splits).zip(&at) {
                steps.add(row, split, *id);
            }
            let differences = walks.iter().zip(&splits).map(|((row, _), s)| s.difference(row));
            at = splits.iter().copied().zip(&differences.collect::<Vec<_>>()).map(moved).collect();
        }
        aux.extend(steps.finished());
        debug_assert_eq!(at.len(), output.len());
        Ok(Evaluated { output: at, aux })
    }

    fn relate(&self, b: &mut RelationBuilder, inputs: &[(&Tensor, View)], output: (&Tensor, View)) {
        relate::state(self, b, &inputs[0], output);
    }
}

/// Magnitude, side and their product of each difference: `m` and 1 where it is not negative, else `−1 − d` and 0.
fn sides(differences: &[i64]) -> [Vec<i64>; 3] {
    let m = differences.iter().map(|&d| if d < 0 { -1 - d } else { d }).collect();
    let s = differences.iter().map(|&d| i64::from(d >= 0)).collect();
    let p = differences.iter().map(|&d| d.max(0)).collect();
    [m, s, p]
}

/// Auxiliary values of the comparisons behind the roots.
struct Steps {
    grid: Grid,
    node: Vec<i64>,
    threshold: Vec<i64>,
    left: Vec<i64>,
    word: Vec<i64>,
    bits: Vec<Vec<i64>>,
    chosen: Vec<Vec<i64>>,
    products: Vec<Vec<i64>>,
    differences: Vec<i64>,
}

impl Steps {
    fn new(grid: Grid) -> Self {
        let (node, threshold, left, word, differences) = Default::default();
        let bits = vec![vec![]; grid.bits()];
        let chosen = vec![vec![]; grid.columns];
        let products = vec![vec![]; if grid.columns > 1 { grid.columns } else { 0 }];
        Self { grid, node, threshold, left, word, bits, chosen, products, differences }
    }

    fn add(&mut self, row: &[i64], split: &Split, id: i64) {
        let word = self.grid.word(split.feature);
        self.node.push(id);
        self.threshold.push(if split.feature.is_some() { split.threshold } else { 1 });
        self.left.push(split.left.into());
        self.word.push(word);
        self.bits.iter_mut().enumerate().for_each(|(i, bit)| bit.push(word >> i & 1));
        let columns = self.grid.columns;
        let place = split.feature.map(|f| (f as usize / columns, f as usize % columns));
        for c in 0..columns {
            let at = |r: usize| row.get(r * columns + c).copied().unwrap_or(0);
            let chosen = place.map_or(0, |(r, _)| at(r));
            self.chosen[c].push(chosen);
            if columns > 1 {
                self.products[c].push(if place.is_some_and(|(_, own)| own == c) { chosen } else { 0 });
            }
        }
        self.differences.push(split.difference(row));
    }

    /// In the order of declaration.
    fn finished(self) -> Vec<Vec<i64>> {
        let rows = self.bits[..self.grid.rows].concat();
        let [m, s, p] = sides(&self.differences);
        let next = self.left.iter().zip(&s).map(|(l, s)| l + s).collect();
        let mut out = vec![self.node, self.threshold, self.left, self.word];
        out.extend(self.bits);
        out.push(rows);
        out.push(self.chosen.concat());
        out.extend(self.products);
        out.extend([m, s, p, next]);
        out
    }
}
