//! A tree from nodes that refer to each other by number, as files have them.

use std::collections::HashMap;

use super::{Cut, MAX_DEPTH, MAX_NODES, Node, Tree};

/// The comparison of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
}

/// A node as a file has it.
#[derive(Debug, Clone)]
pub(super) enum Raw<K> {
    /// Feature, comparison, threshold, and where true and false lead.
    Split { feature: usize, mode: Mode, threshold: f64, yes: K, no: K },
    /// A feature, numbers in order, and where it leads to that it is one of them, and that it is not.
    Among { feature: usize, members: Vec<f64>, yes: K, no: K },
    /// Targets, and the numbers that are added to their scores.
    Leaf(Vec<(usize, f64)>),
}

impl<K> Raw<K> {
    /// A node that asks if a feature is one of some numbers; nothing for no numbers.
    pub(super) fn among(feature: usize, mut members: Vec<f64>, yes: K, no: K) -> Option<Self> {
        members.sort_unstable_by(f64::total_cmp);
        members.dedup();
        (!members.is_empty()).then_some(Self::Among { feature, members, yes, no })
    }
}

/// Grows a tree from its root. Nodes that several lead to are copied; a cycle is deeper than any tree may be.
pub(super) fn grow<K>(nodes: &HashMap<K, Raw<K>>, root: K, count: &mut usize) -> Result<Tree, String>
where
    K: Copy + Eq + std::hash::Hash + std::fmt::Debug,
{
    let mut tree = Tree::default();
    let mut todo = vec![(Grown::Whole(root), 0, None)];
    while let Some((grown, depth, parent)) = todo.pop() {
        let at = tree.nodes.len();
        *count += 1;
        if *count > MAX_NODES || depth > MAX_DEPTH {
            return Err(format!(
                "its trees have more than {MAX_NODES} nodes or {MAX_DEPTH} comparisons on a path, or lead in a circle"
            ));
        }
        if let Some((parent, side)) = parent
            && let Some(Node::Cut(_, children)) = tree.nodes.get_mut::<usize>(parent)
        {
            children[side] = at;
        }
        let (node, children) = grown.expand(nodes)?;
        tree.nodes.push(node);
        for (side, child) in children.into_iter().enumerate() {
            todo.push((child, depth + 1, Some((at, side))));
        }
    }
    Ok(tree)
}

/// A place of the tree that is not grown yet.
#[derive(Debug, Clone, Copy)]
enum Grown<K> {
    /// A node of the file.
    Whole(K),
    /// One of the two comparisons with a member of such a set: at least it, and above it.
    Member { key: K, index: usize, above: bool },
}

impl<K: Copy + Eq + std::hash::Hash + std::fmt::Debug> Grown<K> {
    /// The node, and what stands left and right of it.
    fn expand(self, nodes: &HashMap<K, Raw<K>>) -> Result<(Node, Vec<Self>), String> {
        let cut = |feature, threshold, strict| Node::Cut(Cut { feature, threshold, strict }, [0, 0]);
        let (key, index, above) = match self {
            Self::Whole(key) => (key, 0, false),
            Self::Member { key, index, above } => (key, index, above),
        };
        match nodes.get(&key) {
            None => Err(format!("a node leads to {key:?}, which does not exist")),
            Some(Raw::Leaf(weights)) => Ok((Node::Leaf(weights.clone()), vec![])),
            Some(Raw::Split { feature, mode, threshold, yes, no }) => {
                let (strict, left, right) = match mode {
                    Mode::Leq => (true, *yes, *no),
                    Mode::Lt => (false, *yes, *no),
                    Mode::Gte => (false, *no, *yes),
                    Mode::Gt => (true, *no, *yes),
                };
                Ok((cut(*feature, *threshold, strict), vec![Self::Whole(left), Self::Whole(right)]))
            }
            Some(Raw::Among { feature, members, yes, no }) => {
                let more = index + 1 < members.len();
                let children = match above {
                    false => vec![Self::Whole(*no), Self::Member { key, index, above: true }],
                    true if more => {
                        vec![Self::Whole(*yes), Self::Member { key, index: index + 1, above: false }]
                    }
                    true => vec![Self::Whole(*yes), Self::Whole(*no)],
                };
                Ok((cut(*feature, members[index], above), children))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Forest;
    use super::*;

    /// Scores of a tree of one node: 10 where it is true, 20 where it is false.
    fn table<const N: usize>(split: Raw<u8>, x: [f64; N]) -> [f64; N] {
        let leaf = |v| Raw::Leaf(vec![(0, v)]);
        let nodes = HashMap::from([(0, split), (1, leaf(10.0)), (2, leaf(20.0))]);
        let tree = grow(&nodes, 0, &mut 0).expect("grows");
        let forest = Forest { trees: vec![tree], features: 1, base: vec![0.0], double: false };
        x.map(|x| forest.scores(&[x])[0])
    }

    #[test]
    fn every_comparison_is_what_its_name_says() {
        let (t, f) = (10.0, 20.0);
        let with_two =
            |mode| table(Raw::Split { feature: 0, mode, threshold: 2.0, yes: 1, no: 2 }, [1.0, 2.0, 3.0]);
        assert_eq!(with_two(Mode::Leq), [t, t, f]);
        assert_eq!(with_two(Mode::Lt), [t, f, f]);
        assert_eq!(with_two(Mode::Gte), [f, t, t]);
        assert_eq!(with_two(Mode::Gt), [f, f, t]);
        let among = |members: &[f64]| Raw::among(0, members.to_vec(), 1, 2);
        assert_eq!(table(among(&[2.0]).expect("one"), [1.0, 2.0, 3.0]), [f, t, f]);
        let several = among(&[5.0, -1.0, 2.0, 5.0]).expect("three");
        assert_eq!(table(several, [-2.0, -1.0, 0.0, 2.0, 3.0, 5.0, 6.0]), [f, t, f, t, f, t, f]);
        assert!(among(&[]).is_none());
    }

    #[test]
    fn circles_and_lost_nodes_are_refused() {
        let to = |yes, no| Raw::Split { feature: 0, mode: Mode::Lt, threshold: 0.0, yes, no };
        let circle = HashMap::from([(0, to(1, 1)), (1, to(0, 1))]);
        assert!(grow(&circle, 0, &mut 0).expect_err("a circle").contains("lead in a circle"));
        let lost = HashMap::from([(0, to(7, 7))]);
        assert_eq!(grow(&lost, 0, &mut 0), Err("a node leads to 7, which does not exist".into()));
    }
}
