//! Products of dequantized tensors, as quantizers write them, are products of the integers with one factor behind them.
//!
//! `DequantizeLinear(x) · DequantizeLinear(w)` is a product of reals on paper. Computed like that, the factors go into the weights, and
//! their rounding into every sum. With the factor behind, sums are exact, and what comes out of the next QuantizeLinear is what the model
//! defines.

use std::collections::HashMap;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;

use super::{attribute, floats, int_attribute, node_name, producers, standard};

mod between;

/// Puts products of integers in place of products of dequantized tensors, where the second one is a constant; and tables of integers in
/// place of functions between DequantizeLinear and QuantizeLinear.
pub(crate) fn join_quantized(graph: &mut pb::GraphProto) {
    between::join(graph);
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut weights = Vec::new();
    let found: HashMap<usize, [Dequantized; 2]> =
        (0..graph.node.len()).filter_map(|i| Some((i, operands(graph, &graph.node[i])?))).collect();
    for (i, node) in graph.node.iter().enumerate() {
        let joined = found.get(&i).and_then(|[x, w]| joined(node, x, w, &mut weights));
        nodes.extend(joined.unwrap_or_else(|| vec![node.clone()]));
    }
    graph.node = nodes;
    graph.initializer.extend(weights);
}

/// What a DequantizeLinear with constants makes a tensor of.
struct Dequantized {
    quantized: Quantized,
    axis: i64,
    /// Dimensions of the integers, when they are a constant.
    dims: Option<Vec<i64>>,
}

/// Integers of 8 bits that stand for reals.
struct Quantized {
    /// What is quantized or dequantized.
    value: String,
    scale: Vec<f32>,
    zero_point: String,
    /// Zero point of the first element.
    zero: i32,
    kind: DataType,
}

impl Quantized {
    /// Returns true if an integer stands for the same real.
    fn same(&self, other: &Self) -> bool {
        self.scale == other.scale && self.zero == other.zero && self.kind == other.kind
    }
}

/// Both operands of a product, when both are dequantized and the second one is constant.
fn operands(graph: &pb::GraphProto, node: &pb::NodeProto) -> Option<[Dequantized; 2]> {
    if !["MatMul", "Gemm", "Conv"].contains(&node.op_type.as_str()) {
        return None;
    }
    let (x, w) = (dequantized(graph, node.input.first()?)?, dequantized(graph, node.input.get(1)?)?);
    // A scale for each row of the first operand would not be one factor behind the sums.
    (x.quantized.scale.len() == 1 && w.dims.is_some()).then_some([x, w])
}

fn dequantized(graph: &pb::GraphProto, name: &str) -> Option<Dequantized> {
    let node = &graph.node[*producers(graph).get(name)?];
    if node.op_type != "DequantizeLinear" {
        return None;
    }
    let quantized = quantized(graph, node)?;
    let constant = graph.initializer.iter().find(|t| t.name == quantized.value);
    let dims = constant.map(|t| t.dims.clone());
    Some(Dequantized { quantized, axis: attribute(node, "axis").map_or(1, |a| a.i), dims })
}

/// Scale and zero point of a QuantizeLinear or DequantizeLinear, where they are constants and without blocks.
fn quantized(graph: &pb::GraphProto, node: &pb::NodeProto) -> Option<Quantized> {
    if attribute(node, "block_size").is_some_and(|a| a.i != 0) {
        return None;
    }
    let [value, scale, zero_point] = node.input.as_slice() else { return None };
    let weight = |name: &str| graph.initializer.iter().find(|t| t.name == name);
    let zero = weight(zero_point)?;
    let kind = [DataType::Int8, DataType::Uint8].into_iter().find(|t| *t as i32 == zero.data_type)?;
    let raw = |b: &u8| if kind == DataType::Int8 { i32::from(b.cast_signed()) } else { i32::from(*b) };
    Some(Quantized {
        value: value.clone(),
        scale: reals(weight(scale)?)?,
        zero_point: zero.name.clone(),
        zero: zero.int32_data.first().copied().or_else(|| zero.raw_data.first().map(raw))?,
        kind,
    })
}

/// The elements of a tensor of 32-bit floats.
pub(super) fn reals(t: &pb::TensorProto) -> Option<Vec<f32>> {
    if t.data_type != DataType::Float as i32 {
        return None;
    }
    let raw = t.raw_data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    Some(if t.raw_data.is_empty() { t.float_data.clone() } else { raw.collect() })
}

/// The nodes that take the place of a product; nothing where scales do not lie along its results.
fn joined(
    node: &pb::NodeProto,
    x: &Dequantized,
    w: &Dequantized,
    weights: &mut Vec<pb::TensorProto>,
) -> Option<Vec<pb::NodeProto>> {
    let (name, y) = (node_name(node), node.output.first()?);
    let (dims, axis) = (w.dims.as_ref()?, w.axis);
    let (x, w) = (&x.quantized, &w.quantized);
    let transposed = node.op_type == "Gemm" && attribute(node, "transB").is_some_and(|a| a.i != 0);
    let plain = |attr: &str| attribute(node, attr).is_none_or(|a| a.f == 1.0);
    if node.op_type == "Gemm"
        && !(plain("alpha") && plain("beta") && attribute(node, "transA").is_none_or(|a| a.i == 0))
    {
        return None;
    }
    let image = node.op_type == "Conv";
    let columns = if image || transposed { 0 } else { dims.len() as i64 - 1 };
    let axis = if axis < 0 { axis + dims.len() as i64 } else { axis };
    // Zero points of columns are zero in what quantizers write, and one for each row in what is transposed here.
    if w.scale.len() > 1 && axis != columns {
        return None;
    }
    let part = |p: &str| format!("{name}.{p}");
    let [sums, real, factor, scaled, turned] = ["sums", "real", "factor", "scaled", "turned"].map(part);
    let mut nodes = Vec::new();
    let mut right = w.value.as_str();
    if transposed {
        nodes.push(standard("Transpose", &turned, &[right], &turned));
        right = &turned;
    }
    let op = if image { "ConvInteger" } else { "MatMulInteger" };
    let mut product = standard(op, &sums, &[&x.value, right, &x.zero_point, &w.zero_point], &sums);
    if image {
        product.attribute.clone_from(&node.attribute);
    }
    nodes.push(product);
    let mut cast = standard("Cast", &real, &[&sums], &real);
    cast.attribute.push(int_attribute("to", DataType::Float as i64));
    nodes.push(cast);
    let factors: Vec<f32> = w.scale.iter().map(|s| s * x.scale[0]).collect();
    let tail = if image { dims.len().saturating_sub(2) } else { 0 };
    let shape = |n: usize| if n == 1 { Vec::new() } else { [&[n][..], &vec![1; tail]].concat() };
    weights.push(floats(&factor, &shape(factors.len()), factors));
    let bias = node.input.get(2).filter(|b| !b.is_empty());
    let last = if bias.is_some() { &scaled } else { y };
    nodes.push(standard("Mul", if bias.is_some() { &scaled } else { name }, &[&real, &factor], last));
    if let Some(bias) = bias {
        nodes.extend(added(node, [bias, &scaled, y], if image { tail } else { 0 }, weights));
    }
    Some(nodes)
}

/// A bias that is added to the product; of an image it belongs to the channels.
fn added(
    node: &pb::NodeProto,
    [bias, scaled, y]: [&String; 3],
    tail: usize,
    weights: &mut Vec<pb::TensorProto>,
) -> Vec<pb::NodeProto> {
    let name = node_name(node);
    if tail == 0 {
        return vec![standard("Add", name, &[scaled, bias], y)];
    }
    let (shape, shaped) = (format!("{name}.bias_shape"), format!("{name}.bias"));
    let dims: Vec<i64> = [&[-1][..], &vec![1; tail]].concat();
    weights.push(pb::TensorProto {
        name: shape.clone(),
        dims: vec![dims.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: dims,
        ..Default::default()
    });
    vec![standard("Reshape", &shaped, &[bias, &shape], &shaped), standard("Add", name, &[scaled, &shaped], y)]
}
