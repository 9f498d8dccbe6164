//! Learned numbers taken out of the file, so that the analysis of the model cannot depend on them.
//!
//! Every float constant with at least one dimension becomes an input of the analysed model. What remains are
//! single numbers without dimension, integers (shapes, axes, indices) and what operators need to know: these are
//! part of the architecture.

use std::collections::{HashMap, HashSet};

use tract_onnx::data_resolver;
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value as Type};
use tract_onnx::prelude::{DatumType, Tensor};

use super::{attribute, node_name, standard};
use crate::error::Obstacle;

/// Values of the constants that were taken out, by name.
pub(crate) type Private = HashMap<String, Vec<f64>>;

/// Inputs of operators that are options rather than operands.
const OPTIONS: [(&str, &[usize]); 4] = [("Clip", &[1, 2]), ("Pad", &[2]), ("Pow", &[1]), ("Dropout", &[1])];

/// Takes learned numbers out of a graph, whose nodes must have passed the usual analysis; `rank` knows the number
/// of dimensions of its values.
///
/// # Errors
/// The node and the reason when a constant cannot be taken out.
pub(crate) fn take_out(
    graph: &mut pb::GraphProto,
    rank: &dyn Fn(&str) -> Option<usize>,
) -> Result<Private, Obstacle> {
    constants_to_weights(graph);
    let made = normalisations(graph, rank)?;
    let options: HashSet<String> = graph.node.iter().flat_map(options).collect();
    let (taken, left): (Vec<_>, Vec<_>) = std::mem::take(&mut graph.initializer)
        .into_iter()
        .partition(|t| is_float(t) && !t.dims.is_empty() && !options.contains(&t.name));
    graph.initializer = left;
    graph.input.retain(|i| taken.iter().all(|t| t.name != i.name));
    graph.input.extend(taken.iter().chain(made.iter().map(|(t, _)| t)).map(declared));
    let values = taken.iter().map(|t| Ok((t.name.clone(), reals(t)?)));
    values.chain(made.iter().map(|(t, v)| Ok((t.name.clone(), v.clone())))).collect()
}

fn options(node: &pb::NodeProto) -> Vec<String> {
    let slots = OPTIONS.iter().find(|(op, _)| *op == node.op_type).map_or(&[][..], |(_, slots)| slots);
    slots.iter().filter_map(|s| node.input.get(*s)).cloned().collect()
}

fn is_float(t: &pb::TensorProto) -> bool {
    let kind = DataType::try_from(t.data_type).unwrap_or(DataType::Undefined);
    matches!(kind, DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16)
}

fn reals(t: &pb::TensorProto) -> Result<Vec<f64>, Obstacle> {
    let whole = || -> tract_onnx::prelude::TractResult<Vec<f64>> {
        let tensor: Tensor = tract_onnx::tensor::load_tensor(&*data_resolver::default(), t, None)?;
        let cast = tensor.cast_to_dt(DatumType::F64)?;
        Ok(cast.to_plain_array_view::<f64>()?.iter().copied().collect())
    };
    whole().map_err(|e| Obstacle::Constant { name: t.name.clone(), cause: e.into() })
}

/// A constant as an input of the same type and shape.
fn declared(t: &pb::TensorProto) -> pb::ValueInfoProto {
    let dim = |d: &i64| Dimension { value: Some(Dim::DimValue(*d)), ..Default::default() };
    let shape = pb::TensorShapeProto { dim: t.dims.iter().map(dim).collect() };
    let tensor = TensorType { elem_type: t.data_type, shape: Some(shape) };
    let r#type = pb::TypeProto { value: Some(Type::TensorType(tensor)), ..Default::default() };
    pb::ValueInfoProto { name: t.name.clone(), r#type: Some(r#type), ..Default::default() }
}

/// Constants that nodes hold are weights like all others.
fn constants_to_weights(graph: &mut pb::GraphProto) {
    let mut weights = Vec::new();
    graph.node.retain(|node| {
        let held = attribute(node, "value").and_then(|a| a.t.clone()).or_else(|| {
            let floats = attribute(node, "value_floats")?.floats.clone();
            Some(super::floats("", &[floats.len()], floats))
        });
        match (node.op_type.as_str(), held, node.output.first()) {
            ("Constant", Some(mut t), Some(name)) => {
                t.name.clone_from(name);
                weights.push(t);
                false
            }
            _ => true,
        }
    });
    graph.initializer.extend(weights);
}

/// Batch normalisation as a scale and a shift, which is all that it is once trained: their declarations and values.
fn normalisations(
    graph: &mut pb::GraphProto,
    rank: &dyn Fn(&str) -> Option<usize>,
) -> Result<Vec<(pb::TensorProto, Vec<f64>)>, Obstacle> {
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut made = Vec::new();
    for node in std::mem::take(&mut graph.node) {
        if node.op_type != "BatchNormalization" {
            nodes.push(node);
            continue;
        }
        let name = node_name(&node).to_owned();
        let bad = |detail: String| Obstacle::Normalisation { node: name.clone(), detail };
        let weight = |slot: usize| {
            let wanted = node.input.get(slot);
            let found = graph.initializer.iter().find(|t| Some(&t.name) == wanted);
            found.ok_or_else(|| bad(format!("its input {slot} is not constant")))
        };
        let data_type = weight(1)?.data_type;
        let numbers = |slot: usize| reals(weight(slot)?);
        let (gamma, beta, mean, variance) = (numbers(1)?, numbers(2)?, numbers(3)?, numbers(4)?);
        let epsilon = attribute(&node, "epsilon").map_or(1e-5, |a| f64::from(a.f));
        let scale: Vec<f64> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
        let shift = beta.iter().zip(mean.iter().zip(&scale)).map(|(b, (m, s))| b - m * s).collect();
        let (Some(x), Some(y)) = (node.input.first(), node.output.first()) else {
            return Err(bad("it has no input or no output".into()));
        };
        let rank = rank(x).ok_or_else(|| bad("the shape of its input is not known".into()))?;
        let mut dims = vec![1i64; rank.max(2) - 1];
        dims[0] = scale.len() as i64;
        let (by, to, scaled) = (format!("{name}.scale"), format!("{name}.shift"), format!("{name}.scaled"));
        for (name, values) in [(&by, scale), (&to, shift)] {
            let (name, dims) = (name.clone(), dims.clone());
            made.push((pb::TensorProto { name, dims, data_type, ..Default::default() }, values));
        }
        nodes.push(standard("Mul", &scaled, &[x, &by], &scaled));
        nodes.push(standard("Add", &name, &[&scaled, &to], y));
    }
    graph.node = nodes;
    Ok(made)
}
