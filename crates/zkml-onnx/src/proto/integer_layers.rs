//! Layers of quantized models that onnxruntime has beside ONNX's own: each is the layer of reals between DequantizeLinear and QuantizeLinear,
//! which is how ONNX's quantizers write them without these operators.
//! <https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md>

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;

use super::{attribute, floats, int_attribute, node_name, standard};
use crate::operator::{OpSupport, op};

/// The operators, for the support table.
pub(crate) const ONNX: &[OpSupport] = &[
    op("QGemm", "com.microsoft; of integers, one factor behind the sums"),
    op("QLinearAdd", "com.microsoft; sums of integers with two factors"),
    op("QLinearAveragePool", "com.microsoft; of integers"),
    op("QLinearConcat", "com.microsoft; rescaled, and put side by side"),
    op("QLinearGlobalAveragePool", "com.microsoft; of integers, channels first"),
    op("QLinearLeakyRelu", "com.microsoft; a table of all integers"),
    op("QLinearMul", "com.microsoft; products of integers with one factor"),
    op("QLinearSigmoid", "com.microsoft; a table of all integers"),
    op("QLinearSoftmax", "com.microsoft; as Softmax between DequantizeLinear and QuantizeLinear"),
];

/// Puts layers of reals in the place of those operators, with the nodes around them that bring integers there and back.
pub(crate) fn open_integer_layers(graph: &mut pb::GraphProto) {
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut weights = Vec::new();
    for node in &graph.node {
        let known = node.domain == "com.microsoft" && ONNX.iter().any(|o| o.onnx_name == node.op_type);
        let opened = if known { opened(graph, node, &mut weights) } else { None };
        nodes.extend(opened.unwrap_or_else(|| vec![node.clone()]));
    }
    graph.node = nodes;
    graph.initializer.extend(weights);
}

/// The nodes that take the place of a layer; nothing where inputs are missing that it must have.
fn opened(
    graph: &pb::GraphProto,
    node: &pb::NodeProto,
    weights: &mut Vec<pb::TensorProto>,
) -> Option<Vec<pb::NodeProto>> {
    if int(node, "channels_last") != 0 {
        return None;
    }
    let mut layer = Layer { node, nodes: Vec::new(), real: Vec::new() };
    let inputs = node.input.len();
    let output = match node.op_type.as_str() {
        "QLinearConcat" => {
            (2..inputs).step_by(3).try_for_each(|at| layer.dequantize([at, at + 1, at + 2]))?;
            [0, 1]
        }
        "QLinearAdd" | "QLinearMul" => {
            layer.dequantize([0, 1, 2])?;
            layer.dequantize([3, 4, 5])?;
            [6, 7]
        }
        "QGemm" => {
            layer.dequantize([0, 1, 2])?;
            layer.dequantize([3, 4, 5])?;
            layer.bias(graph, weights)?;
            [7, 8]
        }
        _ => {
            layer.dequantize([0, 1, 2])?;
            [3, 4]
        }
    };
    let mut inner = standard(name_of(&node.op_type), &layer.part("real"), &[], &layer.part("real"));
    inner.input.clone_from(&layer.real);
    let foreign = ["channels_last", "opset"];
    inner.attribute =
        node.attribute.iter().filter(|a| !foreign.contains(&a.name.as_str())).cloned().collect();
    if node.op_type == "QLinearLeakyRelu" && attribute(node, "alpha").is_none() {
        inner.attribute.push(pb::AttributeProto {
            name: "alpha".into(),
            f: 0.01,
            r#type: pb::attribute_proto::AttributeType::Float as i32,
            ..Default::default()
        });
    }
    layer.nodes.push(inner);
    let [scale, zero] = output.map(|slot| node.input.get(slot).cloned().unwrap_or_default());
    let real = layer.part("real");
    let inputs = [real.as_str(), scale.as_str(), zero.as_str()];
    layer.nodes.push(standard("QuantizeLinear", node_name(node), &inputs, node.output.first()?));
    Some(layer.nodes)
}

fn name_of(op_type: &str) -> &str {
    op_type.strip_prefix("QLinear").unwrap_or("Gemm")
}

fn int(node: &pb::NodeProto, name: &str) -> i64 {
    attribute(node, name).map_or(0, |a| a.i)
}

/// A layer while it is opened.
struct Layer<'a> {
    node: &'a pb::NodeProto,
    nodes: Vec<pb::NodeProto>,
    /// Operands of the layer of reals.
    real: Vec<String>,
}

impl Layer<'_> {
    fn part(&self, part: &str) -> String {
        format!("{}.{part}", node_name(self.node))
    }

    /// The operand in the first slot as reals, by scale and zero point in the others.
    fn dequantize(&mut self, slots: [usize; 3]) -> Option<()> {
        let inputs: Vec<&str> =
            slots.iter().map(|s| self.node.input.get(*s).map_or("", String::as_str)).collect();
        let name = self.part(&format!("operand{}", self.real.len()));
        let mut node = standard("DequantizeLinear", &name, &inputs, &name);
        // Weights of a Gemm have scales for its columns.
        let rows = self.node.op_type == "QGemm" && int(self.node, "transB") != 0;
        node.attribute.push(int_attribute("axis", if rows { 0 } else { 1 }));
        self.nodes.push(node);
        self.real.push(name);
        (!inputs[0].is_empty() && !inputs[1].is_empty()).then_some(())
    }

    /// The bias of a Gemm, whose scale is the product of the others.
    fn bias(&mut self, graph: &pb::GraphProto, weights: &mut Vec<pb::TensorProto>) -> Option<()> {
        let Some(bias) = self.node.input.get(6).filter(|b| !b.is_empty()) else { return Some(()) };
        let scale = |slot: usize| {
            let t = graph.initializer.iter().find(|t| Some(&t.name) == self.node.input.get(slot))?;
            super::quantized::reals(t)
        };
        let (a, b) = (scale(1)?, scale(4)?);
        let product: Vec<f32> = b.iter().map(|b| a.first().map_or(0.0, |a| a * b)).collect();
        let dims = if product.len() == 1 { vec![] } else { vec![product.len()] };
        let (factor, name) = (self.part("bias_scale"), self.part("bias"));
        weights.push(floats(&factor, &dims, product));
        // An integer as a real, and its factor: there is no zero point.
        let cast_name = self.part("bias_real");
        let mut cast = standard("Cast", &cast_name, &[bias], &cast_name);
        cast.attribute.push(int_attribute("to", DataType::Float as i64));
        self.nodes.push(cast);
        self.nodes.push(standard("Mul", &name, &[&cast_name, &factor], &name));
        self.real.push(name);
        Some(())
    }
}
