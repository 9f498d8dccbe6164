//! Operators of the ai.onnx.ml domain, rewritten to standard ones.
//! <https://onnx.ai/onnx/operators/index.html#ai-onnx-ml>

use tract_onnx::pb;

use super::{attribute, floats, int_attribute, node_name, producers, standard, text_attribute};
use crate::error::UnsupportedNode;

/// Rewrites what it can; what it cannot is reported with its reason.
pub(crate) fn rewrite(graph: &mut pb::GraphProto) -> Vec<UnsupportedNode> {
    let mut refused = Vec::new();
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut weights = Vec::new();
    for node in &graph.node {
        let mut ctx = Rewriter { graph, node, weights: &mut weights };
        let result = match node.op_type.as_str() {
            "Scaler" => ctx.scaler(),
            "LinearRegressor" => ctx.regressor(),
            "LinearClassifier" => ctx.classifier(),
            "Normalizer" => ctx.normalizer(),
            "ArrayFeatureExtractor" => ctx.extractor(),
            _ => Ok(vec![node.clone()]),
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

    /// `(x − offset) · scale`.
    fn scaler(&mut self) -> Rewritten {
        let (offset, scale) = (self.floats("offset"), self.floats("scale"));
        let offset = self.weight("offset", &[offset.len()], offset)?;
        let scale = self.weight("scale", &[scale.len()], scale)?;
        let (x, y, name) = (self.input()?, self.output(0)?, node_name(self.node));
        let centred = format!("{name}.centred");
        Ok(vec![
            standard("Sub", &centred, &[x, &offset], &centred),
            standard("Mul", name, &[&centred, &scale], y),
        ])
    }

    fn regressor(&mut self) -> Rewritten {
        if text_attribute(self.node, "post_transform", "NONE") != "NONE" {
            return Err("a post_transform other than NONE".into());
        }
        let rows = self.int("targets", 1).max(1) as usize;
        let (w, b) = (self.floats("coefficients"), self.floats("intercepts"));
        let y = self.output(0)?.to_owned();
        Ok(vec![self.gemm(rows, w, b, &y)?])
    }

    fn classifier(&mut self) -> Rewritten {
        let classes = ["classlabels_ints", "classlabels_strings"]
            .iter()
            .filter_map(|n| attribute(self.node, n))
            .map(|a| a.ints.len() + a.strings.len())
            .sum::<usize>();
        let (mut w, mut b) = (self.floats("coefficients"), self.floats("intercepts"));
        let mut rows = if b.is_empty() { classes } else { b.len() };
        let post = text_attribute(self.node, "post_transform", "NONE");
        if rows == 1 && classes == 2 {
            if ["NONE", "SOFTMAX"].contains(&post.as_str()) {
                return Err(format!(
                    "one row of coefficients for two classes with the post_transform {post}: ONNX does not say what the \
                     score of the first class is; export probabilities, or a row for each class"
                ));
            }
            // One score stands for the second class, its opposite for the first.
            let negated = |v: &[f32]| v.iter().map(|x| -x).chain(v.iter().copied()).collect::<Vec<f32>>();
            (w, b, rows) = (negated(&w), negated(&b), 2);
        }
        let (name, y) = (node_name(self.node).to_owned(), self.output(1)?.to_owned());
        let raw = format!("{name}.scores");
        Ok(match post.as_str() {
            "NONE" => vec![self.gemm(rows, w, b, &y)?],
            "LOGISTIC" => {
                vec![
                    self.gemm(rows, w, b, &raw)?,
                    standard("Sigmoid", &format!("{name}.logistic"), &[&raw], &y),
                ]
            }
            "SOFTMAX" => {
                let mut softmax = standard("Softmax", &format!("{name}.softmax"), &[&raw], &y);
                softmax.attribute.push(int_attribute("axis", 1));
                vec![self.gemm(rows, w, b, &raw)?, softmax]
            }
            other => return Err(format!("the post_transform {other}")),
        })
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

    /// Probabilities that sum to one already stay as they are.
    fn normalizer(&mut self) -> Rewritten {
        let (x, y) = (self.input()?, self.output(0)?);
        let made = producers(self.graph).get(x).map(|&i| &self.graph.node[i]);
        let softmax = made.is_some_and(|n| {
            n.op_type == "Softmax"
                || n.op_type == "LinearClassifier" && text_attribute(n, "post_transform", "NONE") == "SOFTMAX"
        });
        match text_attribute(self.node, "norm", "MAX").as_str() {
            "L1" if softmax => Ok(vec![standard("Identity", node_name(self.node), &[x], y)]),
            "L1" => Ok(vec![self.node.clone()]),
            other => Err(format!("the norm {other}")),
        }
    }

    /// Chosen columns, as a standard Gather.
    fn extractor(&mut self) -> Rewritten {
        let (x, y) = (self.input()?, self.output(0)?);
        let index = self.node.input.get(1).map(String::as_str).unwrap_or_default();
        if !self.graph.initializer.iter().any(|t| t.name == index) {
            return Err("indices that are not constant".into());
        }
        let mut node = standard("Gather", node_name(self.node), &[x, index], y);
        node.attribute.push(int_attribute("axis", -1));
        Ok(vec![node])
    }
}
