//! The nodes of an ensemble in the order of the integer graph: siblings side by side, leaves at full depth last.

use zkml_graph::ops::{Split, Trees};
use zkml_graph::{Bounds, Map};

use super::{Cut, Forest, Node};

/// An ensemble whose nodes have the numbers of the integer graph.
#[derive(Debug, Clone)]
pub(crate) struct Numbered {
    /// Number of comparisons of each walk.
    depth: usize,
    /// For each tree and each of its nodes, the number; the root has none, unless it is a leaf.
    numbers: Vec<Vec<Option<u32>>>,
    /// Number of nodes that walks come to before they end.
    inner: u32,
    /// The first number that a walk may end at, and the first that no node has.
    leaves: std::ops::Range<u32>,
}

/// Children of one node: tree, first child, second child, if there is one.
type Siblings = (usize, usize, Option<usize>);

impl Numbered {
    /// Numbers the nodes of an ensemble.
    pub(crate) fn new(forest: &Forest) -> Self {
        let depth = forest.trees.iter().map(super::Tree::depth).max().unwrap_or(0).max(1);
        // Groups without a leaf, those with one, those at full depth.
        let mut groups: [Vec<Siblings>; 3] = Default::default();
        for (t, tree) in forest.trees.iter().enumerate() {
            let mut level = vec![0usize; tree.nodes.len()];
            let leaf = |n: usize| matches!(tree.nodes[n], Node::Leaf(_));
            if leaf(0) {
                // Nothing is compared at its root, and so there is one way only.
                groups[if depth == 1 { 2 } else { 1 }].push((t, 0, None));
            }
            for (n, node) in tree.nodes.iter().enumerate() {
                let Node::Cut(_, [left, right]) = node else { continue };
                level[*left] = level[n] + 1;
                level[*right] = level[n] + 1;
                let group = match level[n] + 1 {
                    l if l == depth => 2,
                    _ => usize::from(leaf(*left) || leaf(*right)),
                };
                groups[group].push((t, *left, Some(*right)));
            }
        }
        let mut numbers: Vec<Vec<Option<u32>>> =
            forest.trees.iter().map(|t| vec![None; t.nodes.len()]).collect();
        let mut next = 0u32;
        let mut ends = [0u32; 3];
        for (group, end) in groups.iter().zip(&mut ends) {
            for (t, left, right) in group {
                for n in std::iter::once(left).chain(right) {
                    numbers[*t][*n] = Some(next);
                    next += 1;
                }
            }
            *end = next;
        }
        Self { depth, numbers, inner: ends[1], leaves: ends[0]..next }
    }

    /// The first number that a walk may end at.
    pub(crate) fn first_leaf(&self) -> i64 {
        self.leaves.start.into()
    }

    /// Numbers of the leaves at which the walks of a row of features end.
    pub(crate) fn walk(&self, forest: &Forest, row: &[f64]) -> Vec<i64> {
        let row: Vec<f64> = row.iter().map(|x| forest.seen(*x)).collect();
        let ends = forest.trees.iter().zip(&self.numbers);
        ends.map(|(tree, numbers)| numbers[tree.leaf(&row)].map_or(-1, i64::from)).collect()
    }

    /// One number for each leaf, made by `of`, from the first that a walk may end at on; zero in between.
    pub(crate) fn at_leaves(&self, forest: &Forest, of: impl Fn(&[(usize, f64)]) -> f64) -> Vec<f64> {
        let mut out = vec![0.0; self.leaves.len()];
        for (tree, numbers) in forest.trees.iter().zip(&self.numbers) {
            for (node, number) in tree.nodes.iter().zip(numbers) {
                if let (Node::Leaf(weights), Some(number)) = (node, number) {
                    out[(number - self.leaves.start) as usize] = of(weights);
                }
            }
        }
        out
    }

    /// The walks as an operator of the graph, on features that `x` shows, with thresholds as `threshold` makes them.
    ///
    /// # Errors
    /// Those of `threshold`.
    pub(crate) fn trees<E>(
        &self,
        forest: &Forest,
        x: Map,
        threshold: impl Fn(&Cut) -> Result<i64, E>,
    ) -> Result<Trees, E> {
        let mut nodes = vec![Split::leaf(0); self.inner as usize];
        let mut roots = Vec::with_capacity(forest.trees.len());
        for (tree, numbers) in forest.trees.iter().zip(&self.numbers) {
            for (n, (node, number)) in tree.nodes.iter().zip(numbers).enumerate() {
                let split = match node {
                    Node::Leaf(_) => Split::leaf(number.unwrap_or(0)),
                    Node::Cut(cut, [left, _]) => Split {
                        feature: Some(cut.feature as u32),
                        threshold: threshold(cut)?,
                        left: numbers[*left].unwrap_or(0),
                    },
                };
                if n == 0 {
                    roots.push(split);
                }
                if let Some(place) = number.and_then(|i| nodes.get_mut(i as usize)) {
                    *place = split;
                }
            }
        }
        Ok(Trees { x, depth: self.depth as u32, roots, nodes })
    }
}

/// The smallest integer that goes right of a threshold, where features and thresholds are rounded alike: what is smaller than a threshold
/// is then never larger, and only what rounds to the same integer may change its side. Values lie within `bounds`,
/// so a threshold beyond them need not be further away than where none passes, or all do.
pub(crate) fn cut_at(rounded: f64, strict: bool, bounds: Bounds) -> i64 {
    // A float beyond the integers saturates, which is beyond any bounds.
    let first = (rounded as i128).saturating_add(i128::from(strict));
    first.clamp(bounds.lo, bounds.hi + 1) as i64
}

#[cfg(test)]
mod tests {
    use super::super::Tree;
    use super::*;

    fn leaf(v: f64) -> Node {
        Node::Leaf(vec![(0, v)])
    }

    fn cut(feature: usize, threshold: f64, children: [usize; 2]) -> Node {
        Node::Cut(Cut { feature, threshold, strict: true }, children)
    }

    /// A tree of two levels, one of one, and a leaf.
    fn forest() -> Forest {
        let deep = vec![
            cut(0, 1.5, [1, 2]),
            cut(1, -2.5, [3, 4]),
            cut(1, 2.5, [5, 6]),
            leaf(1.0),
            leaf(2.0),
            leaf(3.0),
            leaf(4.0),
        ];
        let flat = vec![cut(1, 0.5, [1, 2]), leaf(10.0), leaf(20.0)];
        let trees = [deep, flat, vec![leaf(100.0)]].map(|nodes| Tree { nodes });
        Forest { trees: trees.to_vec(), features: 2, base: vec![0.0], double: false }
    }

    #[test]
    fn the_integer_walk_ends_where_the_float_one_does() {
        let f = forest();
        let numbered = Numbered::new(&f);
        let values = numbered.at_leaves(&f, |w| w.iter().map(|(_, v)| v).sum());
        let exact = |c: &Cut| Ok::<_, ()>(cut_at(c.threshold.floor(), true, Bounds::new(-9, 9)));
        let trees = numbered.trees(&f, Map::identity(&[1, 2]), exact).expect("numbers");
        let mut b = zkml_graph::GraphBuilder::new("walk");
        let visible = zkml_graph::Visibility::Public;
        let x = b.input("x", &[1, 2], 0, Bounds::new(-9, 9), visible).expect("an input");
        let y = b.node("walk", trees, &[x]).expect("fits");
        b.output("y", y, visible);
        let graph = b.finish().expect("sound");
        for (a, c) in (-9..=9).flat_map(|a| (-9..=9).map(move |c| (a, c))) {
            let row = [f64::from(a as i32), f64::from(c as i32)];
            let ends = graph.eval(&[vec![a, c]]).expect("runs").values[1].clone();
            assert_eq!(ends, numbered.walk(&f, &row), "{row:?}");
            let sum: f64 = ends.iter().map(|e| values[(e - numbered.first_leaf()) as usize]).sum();
            assert_eq!(sum, f.scores(&row)[0], "{row:?}");
        }
    }

    #[test]
    fn thresholds_beyond_all_values_always_or_never_pass() {
        let bounds = Bounds::new(-8, 7);
        assert_eq!([3.0, -8.0, 7.0].map(|t| cut_at(t, false, bounds)), [3, -8, 7]);
        assert_eq!([3.0, -8.0, 7.0].map(|t| cut_at(t, true, bounds)), [4, -7, 8]);
        assert_eq!([1e300, 9.0, -9.0, -1e300].map(|t| cut_at(t, false, bounds)), [8, 8, -8, -8]);
    }
}
