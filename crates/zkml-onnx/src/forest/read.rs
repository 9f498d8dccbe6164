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
    Eq,
    Neq,
}

/// A node as a file has it.
#[derive(Debug, Clone)]
pub(super) enum Raw<K> {
    /// Feature, comparison, threshold, and where true and false lead.
    Split { feature: usize, mode: Mode, threshold: f64, yes: K, no: K },
    /// What is added to the scores.
    Leaf(Vec<(usize, f64)>),
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

/// What stands at a place of the tree.
#[derive(Debug, Clone, Copy)]
enum Grown<K> {
    /// A node of the file.
    Whole(K),
    /// The second half of an equality, for values that are not below the threshold: feature, threshold, and where equal and
    /// larger values lead.
    Upper { feature: usize, threshold: f64, equal: K, larger: K },
}

impl<K: Copy + Eq + std::hash::Hash + std::fmt::Debug> Grown<K> {
    /// The node, and what stands left and right of it.
    fn expand(self, nodes: &HashMap<K, Raw<K>>) -> Result<(Node, Vec<Self>), String> {
        let cut = |feature, threshold, strict| Node::Cut(Cut { feature, threshold, strict }, [0, 0]);
        let key = match self {
            Self::Whole(key) => key,
            Self::Upper { feature, threshold, equal, larger } => {
                return Ok((cut(feature, threshold, true), vec![Self::Whole(equal), Self::Whole(larger)]));
            }
        };
        let (feature, mode, threshold, yes, no) = match nodes.get(&key) {
            None => return Err(format!("a node leads to {key:?}, which does not exist")),
            Some(Raw::Leaf(weights)) => return Ok((Node::Leaf(weights.clone()), vec![])),
            Some(Raw::Split { feature, mode, threshold, yes, no }) => {
                (*feature, *mode, *threshold, *yes, *no)
            }
        };
        let both = |left, right| vec![Self::Whole(left), Self::Whole(right)];
        let equality =
            |equal, larger| vec![Self::Whole(larger), Self::Upper { feature, threshold, equal, larger }];
        let (strict, children) = match mode {
            Mode::Leq => (true, both(yes, no)),
            Mode::Lt => (false, both(yes, no)),
            Mode::Gte => (false, both(no, yes)),
            Mode::Gt => (true, both(no, yes)),
            Mode::Eq => (false, equality(yes, no)),
            Mode::Neq => (false, equality(no, yes)),
        };
        Ok((cut(feature, threshold, strict), children))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Forest;
    use super::*;

    /// What a tree of one comparison with 2 gives for 1, 2 and 3: 10 where it is true, 20 where it is false.
    fn table(mode: Mode) -> [f64; 3] {
        let split = Raw::Split { feature: 0, mode, threshold: 2.0, yes: 1, no: 2 };
        let leaf = |v| Raw::Leaf(vec![(0, v)]);
        let nodes = HashMap::from([(0, split), (1, leaf(10.0)), (2, leaf(20.0))]);
        let tree = grow(&nodes, 0, &mut 0).expect("grows");
        let forest = Forest { trees: vec![tree], features: 1, base: vec![0.0], double: false };
        [1.0, 2.0, 3.0].map(|x| forest.scores(&[x])[0])
    }

    #[test]
    fn every_comparison_is_what_its_name_says() {
        let (t, f) = (10.0, 20.0);
        assert_eq!(table(Mode::Leq), [t, t, f]);
        assert_eq!(table(Mode::Lt), [t, f, f]);
        assert_eq!(table(Mode::Gte), [f, t, t]);
        assert_eq!(table(Mode::Gt), [f, f, t]);
        assert_eq!(table(Mode::Eq), [f, t, f]);
        assert_eq!(table(Mode::Neq), [t, f, t]);
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
