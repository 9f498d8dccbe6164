//! What lies between DequantizeLinear and QuantizeLinear, where that is a function of one integer: a table of all of them, computed as the
//! model would in floats of 32 bits. What only moves or compares elements is left to integers.

use std::collections::HashMap;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;

use super::{Quantized, node_name, quantized, standard};
use crate::net::Function;
use crate::proto::{attribute, producers};

/// Operators that move elements or take the largest: they do the same to integers.
const MOVES: [&str; 6] = ["MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze"];
/// Most nodes that are looked through.
const LONGEST: usize = 8;

/// Puts a table, or nothing, in the place of each such stretch.
pub(super) fn join(graph: &mut pb::GraphProto) {
    let mut weights = Vec::new();
    let joined: HashMap<usize, Vec<pb::NodeProto>> = (0..graph.node.len())
        .filter(|i| graph.node[*i].op_type == "QuantizeLinear")
        .filter_map(|i| Some((i, stretch(graph, &graph.node[i])?.nodes(&mut weights)?)))
        .collect();
    let nodes = graph.node.iter().enumerate();
    let replaced = nodes.flat_map(|(i, n)| joined.get(&i).cloned().unwrap_or_else(|| vec![n.clone()]));
    graph.node = replaced.collect();
    graph.initializer.extend(weights);
}

/// The nodes from a DequantizeLinear to a QuantizeLinear.
struct Stretch<'a> {
    /// What makes reals of integers.
    from: Quantized,
    /// Nodes between, in order.
    between: Vec<&'a pb::NodeProto>,
    /// What makes integers of reals.
    to: Quantized,
    last: &'a pb::NodeProto,
    graph: &'a pb::GraphProto,
}

/// The stretch that a QuantizeLinear ends, if all of it can be joined.
fn stretch<'a>(graph: &'a pb::GraphProto, last: &'a pb::NodeProto) -> Option<Stretch<'a>> {
    let to = quantized(graph, last)?;
    let made = producers(graph);
    let (mut value, mut between) = (last.input.first()?, Vec::new());
    while between.len() < LONGEST {
        let node = &graph.node[*made.get(value.as_str())?];
        if node.op_type == "DequantizeLinear" {
            let from = quantized(graph, node)?;
            between.reverse();
            let single = from.scale.len() == 1 && to.scale.len() == 1;
            return single.then_some(Stretch { from, between, to, last, graph });
        }
        if node.output.len() != 1 {
            return None;
        }
        between.push(node);
        value = node.input.first()?;
    }
    None
}

impl Stretch<'_> {
    /// The nodes that take its place.
    fn nodes(&self, weights: &mut Vec<pb::TensorProto>) -> Option<Vec<pb::NodeProto>> {
        let moves = |n: &&pb::NodeProto| MOVES.contains(&n.op_type.as_str());
        let functions: Vec<&pb::NodeProto> = self.between.iter().copied().filter(|n| !moves(n)).collect();
        // The largest of results is the result of the largest only where functions rise.
        let first = self.between.iter().position(|n| !moves(n)).unwrap_or(self.between.len());
        if functions.len() > 1 || self.between[first..].iter().any(|n| n.op_type == "MaxPool") {
            return None;
        }
        let same = functions.is_empty() && self.from.same(&self.to);
        let y = self.last.output.first()?;
        let name = node_name(self.last);
        let (mut nodes, mut value) = (Vec::new(), self.from.value.clone());
        let moved: Vec<&pb::NodeProto> = self.between.iter().copied().filter(moves).collect();
        for (i, node) in moved.iter().enumerate() {
            let end = same && i + 1 == moved.len();
            let output = if end { y.clone() } else { format!("{name}.moved{i}") };
            let mut moved = (*node).clone();
            moved.name = if end { name.to_owned() } else { output.clone() };
            *moved.input.first_mut()? = value;
            moved.output = vec![output.clone()];
            nodes.push(moved);
            value = output;
        }
        if same && moved.is_empty() {
            nodes.push(standard("Identity", name, &[&value], y));
        } else if !same {
            let table = format!("{name}.table");
            weights.push(self.table(&table, functions.first().copied())?);
            nodes.push(standard("Gather", name, &[&table, &value], y));
        }
        Some(nodes)
    }

    /// The results for all integers; negative ones are counted from the end, as indices are.
    fn table(&self, name: &str, function: Option<&pb::NodeProto>) -> Option<pb::TensorProto> {
        let function = match function {
            Some(node) => Real::of(self.graph, node)?,
            None => Real::Same,
        };
        let of = |code: i32| {
            let x = (code - self.from.zero) as f32 * self.from.scale[0];
            let steps = (function.at(x)? / self.to.scale[0]).round_ties_even();
            let (lo, hi) = range(self.to.kind);
            steps.is_finite().then(|| (steps + self.to.zero as f32).clamp(lo as f32, hi as f32) as i32)
        };
        let (lo, _) = range(self.from.kind);
        let codes = (0..256).map(|i| if lo < 0 && i > 127 { i - 256 } else { i });
        Some(pb::TensorProto {
            name: name.into(),
            dims: vec![256],
            data_type: self.to.kind as i32,
            int32_data: codes.map(of).collect::<Option<_>>()?,
            ..Default::default()
        })
    }
}

fn range(kind: DataType) -> (i32, i32) {
    if kind == DataType::Int8 { (-128, 127) } else { (0, 255) }
}

/// A function of one real, as a node of ONNX says it.
enum Real {
    Same,
    Leaky(f32),
    HardSigmoid([f32; 2]),
    Elu(f64),
    Clip([f32; 2]),
    Absolute,
    Smooth(Function),
}

impl Real {
    fn of(graph: &pb::GraphProto, node: &pb::NodeProto) -> Option<Self> {
        let float = |name: &str, default: f32| attribute(node, name).map_or(default, |a| a.f);
        let limit = |slot: usize, default: f32| match node.input.get(slot).filter(|n| !n.is_empty()) {
            Some(name) => super::reals(graph.initializer.iter().find(|t| t.name == *name)?)?.first().copied(),
            None => Some(default),
        };
        Some(match node.op_type.as_str() {
            "Identity" => Self::Same,
            "Relu" => Self::Leaky(0.0),
            "LeakyRelu" => Self::Leaky(float("alpha", 0.01)),
            "HardSigmoid" => Self::HardSigmoid([float("alpha", 0.2), float("beta", 0.5)]),
            "Elu" => Self::Elu(float("alpha", 1.0).into()),
            "Clip" => Self::Clip([limit(1, float("min", f32::MIN))?, limit(2, float("max", f32::MAX))?]),
            "Abs" => Self::Absolute,
            "Sigmoid" => Self::Smooth(Function::Sigmoid),
            "Tanh" => Self::Smooth(Function::Tanh),
            "Exp" => Self::Smooth(Function::Exp),
            "Erf" => Self::Smooth(Function::Erf),
            "HardSwish" => Self::Smooth(Function::HardSwish),
            "Softplus" => Self::Smooth(Function::Softplus),
            "Softsign" => Self::Smooth(Function::Softsign),
            "Mish" => Self::Smooth(Function::Mish),
            _ => return None,
        })
    }

    /// Nothing where the result is no number.
    fn at(&self, x: f32) -> Option<f32> {
        let y = match self {
            Self::Same => x,
            Self::Leaky(alpha) if x < 0.0 => alpha * x,
            Self::Leaky(_) => x,
            Self::HardSigmoid([alpha, beta]) => (alpha * x + beta).clamp(0.0, 1.0),
            Self::Elu(alpha) if x < 0.0 => (alpha * (libm::exp(x.into()) - 1.0)) as f32,
            Self::Elu(_) => x,
            Self::Clip([lo, hi]) => x.max(*lo).min(*hi),
            Self::Absolute => x.abs(),
            Self::Smooth(f) => f.at(x.into()) as f32,
        };
        y.is_finite().then_some(y)
    }
}
