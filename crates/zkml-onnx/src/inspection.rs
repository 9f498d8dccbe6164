//! What is known of a model before calibration.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Port;
use crate::proto::Notice;

/// A private weight tensor of the graph to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrivateTensor {
    /// What it belongs to.
    pub name: String,
    /// Number of values.
    pub values: usize,
    /// Whether it is added to products, and so has about twice the fraction bits of what it is multiplied from.
    pub added: bool,
}

/// A node of the lowered network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedNode {
    /// Name of the ONNX node that it comes from.
    pub name: String,
    /// What it computes.
    pub kind: &'static str,
    /// Shape of its result.
    pub shape: Vec<usize>,
    /// Multiplications with weights or between values.
    pub macs: u64,
}

/// What is known of a model before calibration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Name of the model.
    pub name: String,
    /// Inputs.
    pub inputs: Vec<Port>,
    /// Outputs that would be proven.
    pub outputs: Vec<Port>,
    /// How often each ONNX operator occurs, without what was cut.
    pub operators: BTreeMap<String, usize>,
    /// The lowered network.
    pub nodes: Vec<InspectedNode>,
    /// Number of constant elements that take part.
    pub parameters: u64,
    /// Number of multiplications of one inference.
    pub macs: u64,
    /// Private weights in the order of the graph; none when weights are public.
    pub weights: Vec<PrivateTensor>,
    /// What an observer of the verifier sees of the model although its weights are private; none when they are public.
    pub stays_public: Vec<String>,
    /// What was cut, and why.
    pub notices: Vec<Notice>,
}
