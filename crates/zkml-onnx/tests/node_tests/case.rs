//! One node test: a model, inputs, and the outputs that ONNX says are due.

use std::path::{Path, PathBuf};

use prost::Message;
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;

use super::structural;

/// Types of which the test data say nothing that could be proven.
const FOREIGN: &str = "no tensor of numbers";

/// Operators of training, and such that draw random numbers.
const NOT_INFERENCE: [(&str, &str); 9] = [
    ("Adagrad", "training"),
    ("Adam", "training"),
    ("Momentum", "training"),
    ("Gradient", "training"),
    ("Bernoulli", "random"),
    ("RandomNormal", "random"),
    ("RandomNormalLike", "random"),
    ("RandomUniform", "random"),
    ("RandomUniformLike", "random"),
];

/// A tensor of the test data.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) proto: pb::TensorProto,
    pub(crate) reals: Vec<f64>,
}

/// A case as it is run: structural inputs are constants of the model.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) model: pb::ModelProto,
    /// Inputs that stayed inputs.
    pub(crate) inputs: Vec<Value>,
    /// Outputs that are due.
    pub(crate) outputs: Vec<Value>,
}

/// Reads a case, or says why it is none of inference.
pub(crate) fn read(folder: &Path) -> Result<Case, String> {
    let bytes = std::fs::read(folder.join("model.onnx")).expect("model.onnx");
    let mut model = pb::ModelProto::decode(&bytes[..]).expect("an ONNX model");
    let graph = model.graph.as_mut().expect("a graph");
    inference(graph)?;
    let data = folder.join("test_data_set_0");
    // A name may be left out where an optional input is.
    let given = |infos: &[pb::ValueInfoProto], kind: &str| -> Result<Vec<Value>, String> {
        let path = |i: usize| data.join(format!("{kind}_{i}.pb"));
        infos.iter().enumerate().map(|(i, info)| value(&path(i), info)).collect()
    };
    let (inputs, outputs) = (given(&graph.input, "input")?, given(&graph.output, "output")?);
    let constant = structural::inputs(graph);
    let (fixed, inputs): (Vec<Value>, Vec<Value>) =
        inputs.into_iter().partition(|v| constant.contains(&v.name));
    graph.input.retain(|i| !constant.contains(&i.name));
    graph.initializer.extend(fixed.into_iter().map(|v| pb::TensorProto { name: v.name, ..v.proto }));
    Ok(Case { model, inputs, outputs })
}

fn inference(graph: &pb::GraphProto) -> Result<(), String> {
    for node in &graph.node {
        if let Some((_, why)) = NOT_INFERENCE.iter().find(|(op, _)| *op == node.op_type) {
            return Err((*why).into());
        }
    }
    for info in graph.input.iter().chain(&graph.output) {
        let Some(pb::type_proto::Value::TensorType(t)) = info.r#type.as_ref().and_then(|t| t.value.as_ref())
        else {
            return Err("sequences or optional values".into());
        };
        match DataType::try_from(t.elem_type) {
            Ok(DataType::String) => return Err("strings".into()),
            Ok(DataType::Undefined | DataType::Complex64 | DataType::Complex128) | Err(_) => {
                return Err(FOREIGN.into());
            }
            Ok(_) => {}
        }
    }
    let training = |n: &pb::NodeProto| {
        n.attribute.iter().any(|a| a.name == "training_mode" && a.i != 0)
            // The third input of Dropout says so too.
            || (n.op_type == "Dropout" && n.input.len() > 2)
    };
    if graph.node.iter().any(training) { Err("training".into()) } else { Ok(()) }
}

fn value(path: &PathBuf, info: &pb::ValueInfoProto) -> Result<Value, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    // Some types of the newest operator sets are not known to the decoder.
    let proto = pb::TensorProto::decode(&bytes[..]).map_err(|_| FOREIGN.to_owned())?;
    let reals = reals(&proto).ok_or_else(|| format!("elements of type {}", type_name(proto.data_type)))?;
    Ok(Value { name: info.name.clone(), proto, reals })
}

fn type_name(code: i32) -> String {
    match (DataType::try_from(code), code) {
        (Ok(t), _) => format!("{t:?}").to_lowercase(),
        (_, 17..=20) => "float8".into(),
        (_, 21 | 22) => "int4".into(),
        (_, other) => other.to_string(),
    }
}

/// Elements as reals; nothing for types of less than eight bits, and such that are no numbers.
fn reals(t: &pb::TensorProto) -> Option<Vec<f64>> {
    let raw = &t.raw_data;
    fn all<const N: usize>(raw: &[u8], f: fn([u8; N]) -> f64) -> Vec<f64> {
        raw.chunks_exact(N).map(|b| f(b.try_into().expect("N bytes"))).collect()
    }
    let half = |b: u16| tract_onnx::prelude::f16::from_bits(b).to_f64();
    let brain = |b: u16| f64::from(f32::from_bits(u32::from(b) << 16));
    let ints = || t.int32_data.iter().map(|v| f64::from(*v)).collect();
    let plain = raw.is_empty();
    Some(match DataType::try_from(t.data_type).ok()? {
        DataType::Float if plain => t.float_data.iter().map(|v| f64::from(*v)).collect(),
        DataType::Double if plain => t.double_data.clone(),
        DataType::Int64 if plain => t.int64_data.iter().map(|v| *v as f64).collect(),
        DataType::Uint64 | DataType::Uint32 if plain => t.uint64_data.iter().map(|v| *v as f64).collect(),
        DataType::Float16 if plain => t.int32_data.iter().map(|v| half(*v as u16)).collect(),
        DataType::Bfloat16 if plain => t.int32_data.iter().map(|v| brain(*v as u16)).collect(),
        DataType::Bool
        | DataType::Uint8
        | DataType::Int8
        | DataType::Uint16
        | DataType::Int16
        | DataType::Int32
            if plain =>
        {
            ints()
        }
        DataType::Float => all(raw, |b| f64::from(f32::from_le_bytes(b))),
        DataType::Double => all(raw, f64::from_le_bytes),
        DataType::Float16 => {
            all(raw, |b| tract_onnx::prelude::f16::from_bits(u16::from_le_bytes(b)).to_f64())
        }
        DataType::Bfloat16 => all(raw, |b| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))),
        DataType::Bool | DataType::Uint8 => all(raw, |[b]| f64::from(b)),
        DataType::Int8 => all(raw, |[b]| f64::from(b as i8)),
        DataType::Uint16 => all(raw, |b| f64::from(u16::from_le_bytes(b))),
        DataType::Int16 => all(raw, |b| f64::from(i16::from_le_bytes(b))),
        DataType::Uint32 => all(raw, |b| f64::from(u32::from_le_bytes(b))),
        DataType::Int32 => all(raw, |b| f64::from(i32::from_le_bytes(b))),
        DataType::Uint64 => all(raw, |b| u64::from_le_bytes(b) as f64),
        DataType::Int64 => all(raw, |b| i64::from_le_bytes(b) as f64),
        _ => return None,
    })
}
