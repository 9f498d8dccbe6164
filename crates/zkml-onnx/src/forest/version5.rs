//! Ensembles as the attributes of TreeEnsemble, version 5 of ai.onnx.ml.
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>

use std::collections::HashMap;

use tract_onnx::pb;

use super::attributes::{Aggregate, split};
use super::read::Raw;
use super::{Forest, MAX_NODES};
use crate::node::attribute;

/// Comparisons by number.
const MODES: [&str; 6] = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];
/// The number of the comparison with several values.
const MEMBER: u8 = 6;

/// An inner node or a leaf, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Node(i64),
    Leaf(i64),
}

impl Forest {
    /// Reads the ensemble of a node with so many targets.
    ///
    /// # Errors
    /// Names what is missing, contradicts itself or is not supported.
    pub(super) fn of_version5(node: &pb::NodeProto, targets: usize) -> Result<Self, String> {
        let (splits, double) = reals(node, "nodes_splits")?;
        let mut raw = inner(node, &splits)?;
        let weights = reals(node, "leaf_weights")?.0;
        for (i, (target, weight)) in
            ints(node, "leaf_targetids", weights.len())?.into_iter().zip(weights).enumerate()
        {
            let target = usize::try_from(target).map_err(|_| format!("leaf_targetids has {target}"))?;
            raw.insert(Key::Leaf(i as i64), Raw::Leaf(vec![(target, weight)]));
        }
        let roots = attribute(node, "tree_roots").map_or(&[][..], |a| &a.ints);
        let roots: Vec<Key> = roots.iter().map(|r| Key::Node(*r)).collect();
        let aggregate = match attribute(node, "aggregate_function").map_or(1, |a| a.i) {
            0 => "AVERAGE",
            1 => "SUM",
            2 => "MIN",
            3 => "MAX",
            _ => "of no name",
        };
        Self::grown(&raw, &roots, targets, double, Aggregate::named(aggregate)?)
    }
}

fn inner(node: &pb::NodeProto, splits: &[f64]) -> Result<HashMap<Key, Raw<Key>>, String> {
    let len = splits.len();
    if len == 0 || len > MAX_NODES {
        return Err(format!("{len} nodes, not between 1 and {MAX_NODES}"));
    }
    let modes = modes(node, len)?;
    let features = ints(node, "nodes_featureids", len)?;
    let [yes, no] = [("nodes_truenodeids", "nodes_trueleafs"), ("nodes_falsenodeids", "nodes_falseleafs")]
        .map(|(to, leaf)| Ok::<_, String>((ints(node, to, len)?, ints(node, leaf, len)?)));
    let (yes, no) = (yes?, no?);
    let key = |(to, leaf): &(Vec<i64>, Vec<i64>), i: usize| {
        if leaf[i] == 0 { Key::Node(to[i]) } else { Key::Leaf(to[i]) }
    };
    let mut sets = members(node)?.into_iter();
    let mut raw = HashMap::with_capacity(2 * len);
    for i in 0..len {
        let (feature, yes, no) = (super::feature(features[i])?, key(&yes, i), key(&no, i));
        let new = match MODES.get(usize::from(modes[i])) {
            Some(name) => split(name, feature, splits[i], yes, no)?,
            None if modes[i] == MEMBER => {
                let set =
                    sets.next().ok_or("membership_values has fewer sets than there are nodes for them")?;
                Raw::among(feature, set, yes, no).ok_or("membership_values has an empty set")?
            }
            None => return Err(format!("nodes_modes has {}", modes[i])),
        };
        raw.insert(Key::Node(i as i64), new);
    }
    match sets.count() {
        0 => Ok(raw),
        more => Err(format!("membership_values has {more} sets more than there are nodes for them")),
    }
}

fn ints(node: &pb::NodeProto, name: &str, len: usize) -> Result<Vec<i64>, String> {
    let values = attribute(node, name).map_or(&[][..], |a| &a.ints);
    if values.len() == len {
        return Ok(values.to_vec());
    }
    Err(format!("the attribute {name} has {} values instead of {len}", values.len()))
}

fn tensor<'a>(node: &'a pb::NodeProto, name: &str) -> Result<&'a pb::TensorProto, String> {
    attribute(node, name).and_then(|a| a.t.as_ref()).ok_or_else(|| format!("the attribute {name} is missing"))
}

fn reals(node: &pb::NodeProto, name: &str) -> Result<(Vec<f64>, bool), String> {
    let (values, double) =
        super::plan::reals(tensor(node, name)?).map_err(|e| format!("the attribute {name}: {e}"))?;
    match values.iter().find(|v| !v.is_finite()) {
        Some(v) => Err(format!("the attribute {name} has the value {v}")),
        None => Ok((values, double)),
    }
}

/// Comparisons by number: bytes, which the file may write one by one.
fn modes(node: &pb::NodeProto, len: usize) -> Result<Vec<u8>, String> {
    let t = tensor(node, "nodes_modes")?;
    let modes = if t.raw_data.is_empty() {
        t.int32_data.iter().map(|v| u8::try_from(*v).unwrap_or(u8::MAX)).collect()
    } else {
        t.raw_data.clone()
    };
    if modes.len() == len {
        Ok(modes)
    } else {
        Err(format!("nodes_modes has {} values instead of {len}", modes.len()))
    }
}

/// Sets of values, which end where the next value is no number.
fn members(node: &pb::NodeProto) -> Result<Vec<Vec<f64>>, String> {
    if attribute(node, "membership_values").is_none() {
        return Ok(vec![]);
    }
    let (values, _) = super::plan::reals(tensor(node, "membership_values")?)?;
    if let Some(v) = values.iter().find(|v| v.is_infinite()) {
        return Err(format!("membership_values has {v}"));
    }
    let mut sets: Vec<Vec<f64>> = values.split(|v| v.is_nan()).map(<[f64]>::to_vec).collect();
    if sets.last().is_some_and(Vec::is_empty) {
        sets.pop();
    }
    Ok(sets)
}
