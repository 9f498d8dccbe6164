//! The ONNX file before tract sees it: checks that give clear errors, label tails, classical-ML operators.

mod bodies;
pub(crate) mod check;
mod external;
mod integer_layers;
mod meaning;
mod private;
mod quantized;
mod rewrite;
mod tail;
pub(crate) mod unsupported;

use std::collections::HashMap;

pub(crate) use bodies::{bodies, open, own_inputs};
pub(crate) use external::{inline as inline_external, is_external};
pub(crate) use integer_layers::{ONNX as INTEGER_LAYERS, open_integer_layers};
pub(crate) use meaning::misread;
pub(crate) use private::{Private, take_out};
pub(crate) use quantized::join_quantized;
pub(crate) use rewrite::{rewrite, rewritten};
use serde::{Deserialize, Serialize};
pub(crate) use tail::{cut_labels, prune};
use tract_onnx::pb;

pub(crate) use crate::node::{attribute, text_attribute};

/// A part of the model that is not proven, and what remains instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The output of the ONNX model that was cut.
    pub output: String,
    /// Operators that were cut, from the end backwards.
    pub cut: Vec<String>,
    /// The output that takes its place, when it is not one that the model has anyway.
    pub replaced_by: Option<String>,
    /// The same in words.
    pub text: String,
}

/// Which node makes a value.
fn producers(graph: &pb::GraphProto) -> HashMap<&str, usize> {
    let made = graph.node.iter().enumerate();
    let outputs = made.flat_map(|(i, n)| n.output.iter().map(move |o| (o.as_str(), i)));
    // Outputs that are left out have no name.
    outputs.filter(|(name, _)| !name.is_empty()).collect()
}

/// Name of a node for messages: its own, or that of its first result.
pub(crate) fn node_name(node: &pb::NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name }
}

/// A node of the standard domain.
pub(crate) fn standard(op_type: &str, name: &str, input: &[&str], output: &str) -> pb::NodeProto {
    pb::NodeProto {
        input: input.iter().map(|s| (*s).to_owned()).collect(),
        output: vec![output.to_owned()],
        name: name.to_owned(),
        op_type: op_type.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn int_attribute(name: &str, value: i64) -> pb::AttributeProto {
    let r#type = pb::attribute_proto::AttributeType::Int as i32;
    pb::AttributeProto { name: name.into(), i: value, r#type, ..Default::default() }
}

/// A float tensor with a name.
pub(crate) fn floats(name: &str, dims: &[usize], values: Vec<f32>) -> pb::TensorProto {
    pb::TensorProto {
        name: name.into(),
        dims: dims.iter().map(|&d| d as i64).collect(),
        data_type: pb::tensor_proto::DataType::Float as i32,
        float_data: values,
        ..Default::default()
    }
}
