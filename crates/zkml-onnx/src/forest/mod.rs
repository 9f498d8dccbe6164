//! Ensembles of decision trees in floats, in one form whatever operator they come from.

mod attributes;
mod numbered;
mod plan;
mod read;
mod version5;

pub(crate) use numbered::{Numbered, cut_at};
pub(crate) use plan::{CORE, Scores, register};

/// Most comparisons on a path; also what ends a cycle.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most nodes of an ensemble.
const MAX_NODES: usize = 1 << 20;

/// A comparison of a feature with a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    /// Index of the feature.
    pub(crate) feature: usize,
    /// The threshold.
    pub(crate) threshold: f64,
    /// True if only what is larger than the threshold goes right; else what is equal to it does, too.
    pub(crate) strict: bool,
}

impl Cut {
    /// Returns true if a value of the feature goes right.
    pub(crate) fn goes_right(&self, x: f64) -> bool {
        if self.strict { x > self.threshold } else { x >= self.threshold }
    }
}

/// A node of a tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A comparison, and the nodes to its left and right.
    Cut(Cut, [usize; 2]),
    /// Targets, and the numbers that are added to their scores.
    Leaf(Vec<(usize, f64)>),
}

/// A tree: its root is the first node, and children come after their parents.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

impl Tree {
    /// The leaf that a row of features leads to.
    pub(crate) fn leaf(&self, row: &[f64]) -> usize {
        let mut at = 0;
        while let Some(Node::Cut(cut, children)) = self.nodes.get(at) {
            at = children[usize::from(cut.goes_right(row[cut.feature]))];
        }
        at
    }

    /// Most comparisons on a path from a node on.
    pub(crate) fn depth(&self) -> usize {
        let mut depths = vec![0usize; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate().rev() {
            if let Node::Cut(_, [left, right]) = node {
                depths[i] = 1 + depths[*left].max(depths[*right]);
            }
        }
        depths.first().copied().unwrap_or(0)
    }
}

/// An ensemble: scores are sums of what the leaves of its trees say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forest {
    /// Its trees; at least one.
    pub(crate) trees: Vec<Tree>,
    /// Number of features that a row must have at least.
    pub(crate) features: usize,
    /// Added to the scores, one for each target.
    pub(crate) base: Vec<f64>,
    /// True if features are compared as doubles; else they are rounded to floats first, as their thresholds were.
    pub(crate) double: bool,
}

impl Forest {
    /// Number of scores.
    pub(crate) fn targets(&self) -> usize {
        self.base.len()
    }

    /// A feature as it is compared.
    pub(crate) fn seen(&self, x: f64) -> f64 {
        if self.double { x } else { f64::from(x as f32) }
    }

    /// Scores of a row of features.
    pub(crate) fn scores(&self, row: &[f64]) -> Vec<f64> {
        let row: Vec<f64> = row.iter().map(|x| self.seen(*x)).collect();
        let mut out = self.base.clone();
        for tree in &self.trees {
            if let Some(Node::Leaf(weights)) = tree.nodes.get(tree.leaf(&row)) {
                weights.iter().for_each(|(target, w)| out[*target] += w);
            }
        }
        out
    }

    /// Targets and numbers that the leaves add, leaf by leaf.
    fn leaves<'a>(&'a self) -> impl Iterator<Item = &'a [(usize, f64)]> {
        let leaf = |n: &'a Node| if let Node::Leaf(weights) = n { Some(weights.as_slice()) } else { None };
        self.trees.iter().flat_map(|t| &t.nodes).filter_map(leaf)
    }

    /// Returns true if some leaf adds a negative number.
    pub(crate) fn has_negative_weight(&self) -> bool {
        self.leaves().flatten().any(|(_, w)| *w < 0.0)
    }

    /// The only target that each tree adds to, if none adds to several.
    pub(crate) fn only_targets(&self) -> Option<Vec<usize>> {
        let targets = |t: &Tree| {
            let mut all = t.nodes.iter().filter_map(|n| if let Node::Leaf(w) = n { Some(w) } else { None });
            let first = all.clone().flatten().map(|(target, _)| *target).next().unwrap_or(0);
            all.all(|w| w.iter().all(|(target, _)| *target == first)).then_some(first)
        };
        self.trees.iter().map(targets).collect()
    }

    /// All comparisons.
    pub(crate) fn cuts<'a>(&'a self) -> impl Iterator<Item = &'a Cut> {
        let cut = |n: &'a Node| if let Node::Cut(cut, _) = n { Some(cut) } else { None };
        self.trees.iter().flat_map(|t| &t.nodes).filter_map(cut)
    }
}

/// The index of a feature that a file has.
fn feature(index: i64) -> Result<usize, String> {
    let feature = usize::try_from(index).ok().filter(|f| *f < MAX_NODES);
    feature.ok_or_else(|| format!("nodes_featureids has {index}"))
}

/// Thresholds by feature, in order, so that the nearest one is found quickly.
#[derive(Debug, Clone)]
pub(crate) struct Thresholds {
    /// For each feature: the thresholds that only larger values pass, and those that equal ones pass, too.
    of: Vec<[Vec<f64>; 2]>,
}

impl Thresholds {
    pub(crate) fn new(forest: &Forest) -> Self {
        let mut of = vec![[vec![], vec![]]; forest.features];
        forest.cuts().for_each(|c| of[c.feature][usize::from(!c.strict)].push(c.threshold));
        for list in of.iter_mut().flatten() {
            list.sort_unstable_by(f64::total_cmp);
            list.dedup();
        }
        Self { of }
    }

    /// Distance of a value to the nearest threshold that rounding could move it over. Rounding keeps the order, so that is one
    /// below it which only larger values pass, or one above it which equal ones pass.
    pub(crate) fn gap(&self, feature: usize, x: f64) -> Option<f64> {
        let [strict, weak] = self.of.get(feature)?;
        let below = strict[..strict.partition_point(|t| *t < x)].last().map(|t| x - t);
        let above = weak.get(weak.partition_point(|t| *t <= x)).map(|t| t - x);
        [below, above].into_iter().flatten().reduce(f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest(strict: bool) -> Forest {
        let cut = Cut { feature: 1, threshold: 0.5, strict };
        let nodes = vec![Node::Cut(cut, [1, 2]), Node::Leaf(vec![(0, 1.0)]), Node::Leaf(vec![(0, 2.0)])];
        Forest { trees: vec![Tree { nodes }], features: 2, base: vec![0.25], double: false }
    }

    #[test]
    fn equal_values_go_right_unless_larger_ones_alone_do() {
        for (strict, at) in [(false, 2.25), (true, 1.25)] {
            let f = forest(strict);
            assert_eq!(f.scores(&[9.0, 0.5]), [at]);
            assert_eq!(f.scores(&[9.0, 0.499]), [1.25]);
            assert_eq!(f.scores(&[-9.0, 0.501]), [2.25]);
            // What is equal as a float.
            assert_eq!(f.scores(&[0.0, 0.5 + 1e-12]), [at]);
            assert_eq!(Forest { double: true, ..f }.scores(&[0.0, 0.5 + 1e-12]), [2.25]);
        }
    }

    #[test]
    fn only_thresholds_that_rounding_may_cross_are_near() {
        let gap = |strict, x| Thresholds::new(&forest(strict)).gap(1, x);
        assert_eq!((gap(true, 0.75), gap(true, 0.5), gap(true, 0.25)), (Some(0.25), None, None));
        assert_eq!((gap(false, 0.75), gap(false, 0.5), gap(false, 0.25)), (None, None, Some(0.25)));
        assert_eq!(Thresholds::new(&forest(true)).gap(0, 0.5), None);
    }
}
