//! Operators that are rewritten to others before the analysis sees them: those of ai.onnx.ml, which it does not know, and
//! standard ones that it gets wrong. One file and one line in the registry each.

use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType as Kind;

use super::{attribute, floats, int_attribute, node_name, standard};
use crate::{
    error::UnsupportedNode,
    forest::{CORE, Forest},
    operator::{OpSupport, op},
};

macro_rules! rewrites {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every rewritten operator with its function.
        const REWRITES: &[(OpSupport, Rewrite)] = &[$(($module::ONNX, $module::rewrite)),*];
    };
}

rewrites![
    array_feature_extractor,
    cdist,
    celu,
    linear_classifier,
    linear_regressor,
    normalizer,
    scaler,
    svm_classifier,
    svm_regressor,
    tree_ensemble,
    tree_ensemble_classifier,
    tree_ensemble_regressor,
];

mod support_vectors;

type Rewrite = fn(&mut Rewriter<'_>) -> Rewritten;

/// Operators that are rewritten, for the support table.
pub(crate) fn rewritten() -> impl Iterator<Item = &'static OpSupport> {
    REWRITES.iter().map(|(op, _)| op).chain(super::INTEGER_LAYERS)
}

/// Rewrites what it can; what it cannot is reported with its reason.
pub(crate) fn rewrite(graph: &mut pb::GraphProto) -> Vec<UnsupportedNode> {
    let mut refused = Vec::new();
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut weights = Vec::new();
    for node in &mut graph.node {
        node.attribute.iter_mut().filter_map(|a| a.g.as_mut()).for_each(|body| refused.extend(rewrite(body)));
    }
    for node in &graph.node {
        let mut ctx = Rewriter { graph, node, weights: &mut weights };
        let known = REWRITES.iter().find(|(o, _)| o.onnx_name == node.op_type);
        let result = match known {
            Some((_, rewrite)) => rewrite(&mut ctx),
            // Files have no nodes of our own.
            None if node.op_type == CORE => Err("no such operator here".into()),
            None if node.op_type == "TopK" => {
                Ok(cdist::roots(graph, node).unwrap_or_else(|| vec![node.clone()]))
            }
            None => Ok(vec![node.clone()]),
        };
        match result {
            Ok(new) => nodes.extend(new),
            Err(reason) => {
                let (name, op) = (node_name(node).to_owned(), node.op_type.clone());
                refused.push(UnsupportedNode { name, op, shape: "?".into(), reason });
            }
        }
    }
    graph.node = nodes;
    graph.initializer.extend(weights);
    refused
}

struct Rewriter<'a> {
    graph: &'a pb::GraphProto,
    node: &'a pb::NodeProto,
    weights: &'a mut Vec<pb::TensorProto>,
}

/// An attribute without a value.
fn named(name: &str, kind: Kind) -> pb::AttributeProto {
    pb::AttributeProto { name: name.into(), r#type: kind as i32, ..Default::default() }
}

type Rewritten = Result<Vec<pb::NodeProto>, String>;

impl Rewriter<'_> {
    fn input(&self) -> Result<&str, String> {
        self.node.input.first().map(String::as_str).ok_or_else(|| "it has no input".into())
    }

    fn output(&self, slot: usize) -> Result<&str, String> {
        self.node.output.get(slot).map(String::as_str).ok_or_else(|| format!("it has no output {slot}"))
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        attribute(self.node, name).map_or_else(Vec::new, |a| a.floats.clone())
    }

    fn int(&self, name: &str, default: i64) -> i64 {
        attribute(self.node, name).map_or(default, |a| a.i)
    }

    /// The scores of the node's tree ensemble, before any transformation.
    fn scores(&self, prefix: &str, base: &[f64], y: &str) -> Result<pb::NodeProto, String> {
        Forest::read(self.node, prefix, base.len())?;
        let mut node = standard(CORE, node_name(self.node), &[self.input()?], y);
        node.attribute =
            self.node.attribute.iter().filter(|a| !a.name.starts_with("base_values")).cloned().collect();
        node.attribute.push(pb::AttributeProto { s: prefix.into(), ..named("prefix", Kind::String) });
        let floats = base.iter().map(|v| *v as f32).collect();
        node.attribute.push(pb::AttributeProto { floats, ..named("base_values", Kind::Floats) });
        Ok(node)
    }

    /// Adds a weight named after the node.
    fn weight(&mut self, part: &str, dims: &[usize], values: Vec<f32>) -> Result<String, String> {
        if values.iter().any(|v| !v.is_finite()) || dims.iter().product::<usize>() != values.len() {
            return Err(format!(
                "attribute `{part}` has {} values for shape {dims:?}, or one is not finite",
                values.len()
            ));
        }
        let name = format!("{}.{part}", node_name(self.node));
        self.weights.push(floats(&name, dims, values));
        Ok(name)
    }

    /// `x · wᵀ + b`.
    fn gemm(&mut self, rows: usize, w: Vec<f32>, b: Vec<f32>, y: &str) -> Result<pb::NodeProto, String> {
        if rows == 0 || w.is_empty() || !w.len().is_multiple_of(rows) {
            return Err(format!("{} coefficients for {rows} rows", w.len()));
        }
        let columns = w.len() / rows;
        let w = self.weight("coefficients", &[rows, columns], w)?;
        let b = if b.is_empty() { vec![0.0; rows] } else { b };
        let b = self.weight("intercepts", &[rows], b)?;
        let mut node = standard("Gemm", node_name(self.node), &[self.input()?, &w, &b], y);
        node.attribute.push(int_attribute("transB", 1));
        Ok(node)
    }
}
