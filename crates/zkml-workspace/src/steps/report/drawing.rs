//! The integer graph as a picture needs it.

use serde::Serialize;
use std::collections::HashMap;
use zkml_graph::{Graph, Op};
use zkml_onnx::CalibrationReport;

/// Nodes of a graph in the order in which they run.
#[derive(Debug, Clone, Serialize)]
pub struct Drawing {
    /// Inputs first, then nodes.
    pub nodes: Vec<Drawn>,
}

/// A node of the integer graph, or an input.
#[derive(Debug, Clone, Serialize)]
pub struct Drawn {
    /// Its name.
    pub name: String,
    /// Its operator; `input` for an input.
    pub operator: &'static str,
    /// Places in [`Drawing::nodes`] of what it reads; weights and constants are not among them.
    pub reads: Vec<usize>,
    /// Shape of its result.
    pub shape: Vec<usize>,
    /// Width of its result in bits.
    pub bits: u32,
    /// Fraction bits of its result.
    pub scale: i32,
    /// Multiplications that it takes.
    pub macs: u64,
    /// Largest error that calibration saw in its result; none where the float model has no such value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// Name of the output that it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

impl Drawing {
    pub(super) fn of(graph: &Graph, calibration: Option<&CalibrationReport>) -> Self {
        let layers = calibration.map_or(&[][..], |c| &c.layers);
        let errors: HashMap<&str, f64> = layers.iter().map(|l| (l.name.as_str(), l.max_abs_error)).collect();
        let outputs: HashMap<u32, &str> =
            graph.outputs.iter().map(|o| (o.tensor.0, o.name.as_str())).collect();
        let mut places: HashMap<u32, usize> = HashMap::new();
        let mut nodes = Vec::with_capacity(graph.inputs.len() + graph.nodes.len());
        let drawn = |id: zkml_graph::TensorId, operator, macs, reads| {
            let tensor = graph.tensor(id);
            Drawn {
                name: tensor.name.clone(),
                operator,
                reads,
                shape: tensor.shape.clone(),
                bits: tensor.bounds.bits(),
                scale: tensor.scale,
                macs,
                error: errors.get(tensor.name.as_str()).copied(),
                output: outputs.get(&id.0).map(|name| (*name).to_owned()),
            }
        };
        for (id, _) in &graph.inputs {
            places.insert(id.0, nodes.len());
            nodes.push(drawn(*id, "input", 0, vec![]));
        }
        for node in &graph.nodes {
            let mut reads: Vec<usize> =
                node.inputs.iter().filter_map(|t| places.get(&t.0).copied()).collect();
            reads.sort_unstable();
            reads.dedup();
            places.insert(node.output.0, nodes.len());
            nodes.push(drawn(node.output, node.op.name(), macs(&node.op), reads));
        }
        Self { nodes }
    }
}

fn macs(op: &Op) -> u64 {
    match op {
        Op::Contract(contract) => contract.macs(),
        _ => 0,
    }
}
