//! Ensembles as the attributes of TreeEnsembleClassifier and TreeEnsembleRegressor.
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html>

use std::collections::HashMap;

use tract_onnx::pb;

use super::read::{Mode, Raw, grow};
use super::{Forest, MAX_NODES, Tree};
use crate::node::{attribute, text_attribute};

/// Number of a tree and of a node in it.
type Key = (i64, i64);

/// The way in which the results of trees are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
}

impl Aggregate {
    /// Reads its name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        match name {
            "SUM" => Ok(Self::Sum),
            "AVERAGE" => Ok(Self::Average),
            other => Err(format!("the aggregate_function {other}; SUM and AVERAGE are supported")),
        }
    }

    /// Divides what the leaves add by the number of trees, if that is asked for.
    pub(super) fn apply(self, trees: &mut [Tree]) {
        let count = match self {
            Self::Sum => return,
            Self::Average => trees.len() as f64,
        };
        let leaves = trees.iter_mut().flat_map(|t| &mut t.nodes);
        for node in leaves {
            if let super::Node::Leaf(weights) = node {
                weights.iter_mut().for_each(|(_, w)| *w /= count);
            }
        }
    }
}

/// Attributes of one node of a graph.
struct Attributes<'a> {
    node: &'a pb::NodeProto,
    /// `class` or `target`.
    prefix: &'a str,
}

impl Attributes<'_> {
    fn ints(&self, name: &str, len: usize) -> Result<Vec<i64>, String> {
        sized(name, attribute(self.node, name).map_or_else(Vec::new, |a| a.ints.clone()), len)
    }

    /// Numbers, which the file may have as floats or as a tensor of doubles.
    fn reals(&self, name: &str, len: Option<usize>) -> Result<(Vec<f64>, bool), String> {
        let (values, double) = reals(self.node, name)?;
        let values = if let Some(len) = len { sized(name, values, len)? } else { values };
        match values.iter().find(|v| !v.is_finite()) {
            Some(v) => Err(format!("the attribute {name} has the value {v}")),
            None => Ok((values, double)),
        }
    }

    fn modes(&self, len: usize) -> Result<Vec<String>, String> {
        let read = |s: &Vec<u8>| String::from_utf8_lossy(s).into_owned();
        let modes = attribute(self.node, "nodes_modes").map(|a| a.strings.iter().map(read).collect());
        sized("nodes_modes", modes.unwrap_or_default(), len)
    }

    /// Targets and numbers that each leaf adds.
    fn weights(&self) -> Result<HashMap<Key, Vec<(usize, f64)>>, String> {
        let name = |part: &str| format!("{}_{part}", self.prefix);
        let (weights, _) = self.reals(&name("weights"), None)?;
        let len = weights.len();
        let trees = self.ints(&name("treeids"), len)?;
        let nodes = self.ints(&name("nodeids"), len)?;
        let targets = self.ints(&name("ids"), len)?;
        let mut out: HashMap<Key, Vec<(usize, f64)>> = HashMap::new();
        for (((tree, node), target), weight) in trees.into_iter().zip(nodes).zip(targets).zip(weights) {
            let target = usize::try_from(target).map_err(|_| format!("{} is {target}", name("ids")))?;
            out.entry((tree, node)).or_default().push((target, weight));
        }
        Ok(out)
    }
}

fn sized<T>(name: &str, values: Vec<T>, len: usize) -> Result<Vec<T>, String> {
    if values.len() == len {
        return Ok(values);
    }
    Err(format!("the attribute {name} has {} values instead of {len}", values.len()))
}

/// An attribute of floats, or the tensor that stands for it, and whether its numbers are doubles.
fn reals(node: &pb::NodeProto, name: &str) -> Result<(Vec<f64>, bool), String> {
    if let Some(t) = attribute(node, &format!("{name}_as_tensor")).and_then(|a| a.t.as_ref()) {
        return super::plan::reals(t).map_err(|e| format!("the attribute {name}_as_tensor: {e}"));
    }
    let floats = attribute(node, name).map_or(&[][..], |a| &a.floats);
    Ok((floats.iter().map(|v| f64::from(*v)).collect(), false))
}

impl Forest {
    /// Reads the ensemble of a node with so many targets; base values may be fewer, and what they are for is the caller's.
    ///
    /// # Errors
    /// Names what is missing, contradicts itself or is not supported.
    pub(crate) fn of_attributes(node: &pb::NodeProto, prefix: &str, targets: usize) -> Result<Self, String> {
        let attributes = Attributes { node, prefix };
        let len = attribute(node, "nodes_treeids").map_or(0, |a| a.ints.len());
        if len == 0 || len > MAX_NODES {
            return Err(format!("{len} nodes, not between 1 and {MAX_NODES}"));
        }
        let (raw, roots, double) = raw(&attributes, len)?;
        let aggregate = Aggregate::named(&text_attribute(node, "aggregate_function", "SUM"))?;
        Self::grown(&raw, &roots, targets, double, aggregate)
    }

    /// The ensemble of these nodes and roots.
    ///
    /// # Errors
    /// Trees that lead in a circle or to no node, and leaves that add to no target.
    pub(super) fn grown<K: Copy + Eq + std::hash::Hash + std::fmt::Debug>(
        raw: &HashMap<K, Raw<K>>,
        roots: &[K],
        targets: usize,
        double: bool,
        aggregate: Aggregate,
    ) -> Result<Self, String> {
        let feature = |r: &Raw<K>| match r {
            Raw::Split { feature, .. } | Raw::Among { feature, .. } => Some(*feature),
            Raw::Leaf(_) => None,
        };
        let target = |r: &Raw<K>| match r {
            Raw::Leaf(weights) => weights.iter().map(|(t, _)| *t).max(),
            _ => None,
        };
        if let Some(t) = raw.values().filter_map(target).find(|t| *t >= targets) {
            return Err(format!("a leaf adds to target {t}, but there are {targets}"));
        }
        if roots.is_empty() {
            return Err("no trees".into());
        }
        let features = 1 + raw.values().filter_map(feature).max().unwrap_or(0);
        let mut count = 0;
        let grown = roots.iter().map(|root| grow(raw, *root, &mut count));
        let mut trees = grown.collect::<Result<Vec<_>, _>>()?;
        aggregate.apply(&mut trees);
        Ok(Self { trees, features, base: vec![0.0; targets], double })
    }

    /// The base values of a node: none, or as many as the file has.
    ///
    /// # Errors
    /// Numbers that are not finite or cannot be read.
    pub(crate) fn base_values(node: &pb::NodeProto) -> Result<Vec<f64>, String> {
        Ok(Attributes { node, prefix: "" }.reals("base_values", None)?.0)
    }
}

/// Nodes by number, the root of each tree in the order of the file, and whether thresholds are doubles.
#[expect(clippy::type_complexity, reason = "three results of one pass")]
fn raw(attributes: &Attributes<'_>, len: usize) -> Result<(HashMap<Key, Raw<Key>>, Vec<Key>, bool), String> {
    let tree = attributes.ints("nodes_treeids", len)?;
    let node = attributes.ints("nodes_nodeids", len)?;
    let features = attributes.ints("nodes_featureids", len)?;
    let (yes, no) = (attributes.ints("nodes_truenodeids", len)?, attributes.ints("nodes_falsenodeids", len)?);
    let (thresholds, double) = attributes.reals("nodes_values", Some(len))?;
    let modes = attributes.modes(len)?;
    let mut weights = attributes.weights()?;
    let mut raw = HashMap::with_capacity(len);
    let mut children = std::collections::HashSet::new();
    for i in 0..len {
        let key = (tree[i], node[i]);
        let new = if modes[i] == "LEAF" {
            Raw::Leaf(weights.remove(&key).unwrap_or_default())
        } else {
            let (yes, no) = ((tree[i], yes[i]), (tree[i], no[i]));
            children.extend([yes, no]);
            split(&modes[i], super::feature(features[i])?, thresholds[i], yes, no)?
        };
        if raw.insert(key, new).is_some() {
            return Err(format!("node {} of tree {} is there twice", key.1, key.0));
        }
    }
    if let Some((tree, node)) = weights.keys().min() {
        return Err(format!("a weight for node {node} of tree {tree}, which is no leaf"));
    }
    let keys = || tree.iter().copied().zip(node.iter().copied());
    let roots: Vec<Key> = keys().filter(|k| !children.contains(k)).collect();
    let mut seen = std::collections::HashSet::new();
    if let Some((tree, _)) = roots.iter().find(|(tree, _)| !seen.insert(*tree)) {
        return Err(format!("tree {tree} has several roots"));
    }
    match keys().find(|(tree, _)| !seen.contains(tree)) {
        Some((tree, _)) => Err(format!("tree {tree} has no root")),
        None => Ok((raw, roots, double)),
    }
}

/// A comparison by its name.
pub(super) fn split<K>(name: &str, feature: usize, threshold: f64, yes: K, no: K) -> Result<Raw<K>, String> {
    let mode = match name {
        "BRANCH_LEQ" => Mode::Leq,
        "BRANCH_LT" => Mode::Lt,
        "BRANCH_GTE" => Mode::Gte,
        "BRANCH_GT" => Mode::Gt,
        "BRANCH_EQ" => return Raw::among(feature, vec![threshold], yes, no).ok_or_else(String::new),
        "BRANCH_NEQ" => return Raw::among(feature, vec![threshold], no, yes).ok_or_else(String::new),
        other => return Err(format!("nodes_modes has {other}")),
    };
    Ok(Raw::Split { feature, mode, threshold, yes, no })
}
