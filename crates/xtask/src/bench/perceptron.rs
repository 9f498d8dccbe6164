//! Seeded networks of any width and depth, as files.

use crate::error::Result;
use prost::Message;
use serde_json::json;
use std::path::Path;
use tract_onnx::pb;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::type_proto::{Tensor, Value as Type};
use zkml_workspace::{artifacts::write_whole, json::pretty};

/// Layers of one width with ReLUs in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Perceptron {
    /// Numbers of the input, and of every layer.
    pub(super) width: usize,
    /// Number of matrix products.
    pub(super) depth: usize,
}

/// Rows that scales are chosen from, and that errors are measured on.
const ROWS: usize = 16;

impl Perceptron {
    /// The name of its folder and files.
    pub(super) fn name(self) -> String {
        format!("w{}d{}", self.width, self.depth)
    }

    /// Number of weights.
    pub(super) fn parameters(self) -> usize {
        self.depth * self.width * (self.width + 1)
    }

    /// Writes the model below a folder, with samples and what it answers to them.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn write(self, below: &Path) -> Result<()> {
        let (name, mut random) = (self.name(), SplitMix((self.width << 16 | self.depth) as u64));
        let layers: Vec<Layer> = (0..self.depth).map(|_| Layer::random(self.width, &mut random)).collect();
        let mut row = || (0..self.width).map(|_| (random.number() * 1e4).round() / 1e4).collect::<Vec<f64>>();
        let rows: Vec<Vec<f64>> = (0..ROWS).map(|_| row()).collect();
        let samples: Vec<_> = rows.iter().map(|row| json!({ "x": row })).collect();
        let outputs: Vec<_> = rows.iter().map(|row| json!({ "y": answer(&layers, row) })).collect();
        let write = |file: &str, bytes: &[u8]| write_whole(&below.join(&name).join(file), bytes);
        write("sample.json", &pretty(&json!({ "inputs": samples[0] })))?;
        write("calibration.json", &pretty(&json!({ "samples": samples })))?;
        write("reference.json", &pretty(&json!({ "samples": samples, "outputs": outputs })))?;
        write(&format!("{name}.onnx"), &self.model(layers).encode_to_vec())?;
        Ok(())
    }

    fn model(self, layers: Vec<Layer>) -> pb::ModelProto {
        let (mut node, mut initializer) = (Vec::new(), Vec::new());
        let mut push = |op: &str, input: Vec<String>, output: String| {
            let (op_type, name) = (op.to_owned(), output.clone());
            node.push(pb::NodeProto { op_type, name, input, output: vec![output], ..Default::default() });
        };
        let mut last = "x".to_owned();
        for (layer, Layer { weights, bias }) in (1..).zip(layers) {
            let names = [format!("w{layer}"), format!("b{layer}")];
            initializer.push(tensor(&names[0], &[self.width, self.width], weights));
            initializer.push(tensor(&names[1], &[self.width], bias));
            let y = if layer == self.depth { "y".to_owned() } else { format!("h{layer}") };
            let [w, b] = names;
            push("Gemm", vec![last, w, b], y.clone());
            last = y;
            if layer < self.depth {
                push("Relu", vec![last], format!("r{layer}"));
                last = format!("r{layer}");
            }
        }
        let (input, output) = (vec![value("x", self.width)], vec![value("y", self.width)]);
        let graph =
            pb::GraphProto { name: self.name(), node, initializer, input, output, ..Default::default() };
        let opset_import = vec![pb::OperatorSetIdProto { domain: String::new(), version: 13 }];
        pb::ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }
    }
}

/// A matrix, whose rows are inputs, and what is added to its product.
struct Layer {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Layer {
    /// Uniform weights whose products keep their magnitude from layer to layer.
    fn random(width: usize, random: &mut SplitMix) -> Self {
        let mut numbers =
            |count: usize, reach: f64| (0..count).map(|_| (random.number() * reach) as f32).collect();
        let weights = numbers(width * width, (6.0 / width as f64).sqrt());
        Self { weights, bias: numbers(width, 0.05) }
    }
}

/// The output, in plain loops: nothing of what measures it is asked.
fn answer(layers: &[Layer], row: &[f64]) -> Vec<f64> {
    let mut values = row.to_vec();
    for (layer, Layer { weights, bias }) in layers.iter().enumerate() {
        let mut sums: Vec<f64> = bias.iter().map(|b| f64::from(*b)).collect();
        for (x, weights) in values.iter().zip(weights.chunks(bias.len())) {
            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * f64::from(*w));
        }
        let last = layer + 1 == layers.len();
        values = sums.into_iter().map(|sum| if last { sum } else { sum.max(0.0) }).collect();
    }
    values
}

fn tensor(name: &str, dims: &[usize], float_data: Vec<f32>) -> pb::TensorProto {
    pb::TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|d| *d as i64).collect(),
        data_type: pb::tensor_proto::DataType::Float as i32,
        float_data,
        ..Default::default()
    }
}

/// A row of numbers.
fn value(name: &str, width: usize) -> pb::ValueInfoProto {
    let dim = |d: usize| Dimension { value: Some(Dim::DimValue(d as i64)), ..Default::default() };
    let shape = Some(pb::TensorShapeProto { dim: vec![dim(1), dim(width)] });
    let kind = Tensor { elem_type: pb::tensor_proto::DataType::Float as i32, shape };
    let r#type = pb::TypeProto { value: Some(Type::TensorType(kind)), ..Default::default() };
    pb::ValueInfoProto { name: name.into(), r#type: Some(r#type), ..Default::default() }
}

/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix(u64);

impl SplitMix {
    /// A number in `[-1, 1)`.
    fn number(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_models_with_samples() {
        let folder = tempfile::tempdir().unwrap();
        let small = Perceptron { width: 5, depth: 3 };
        small.write(folder.path()).unwrap();
        let at = |file: &str| folder.path().join(small.name()).join(file);
        let model = zkml_onnx::Model::load(at("w5d3.onnx"), &zkml_onnx::LoadOptions::default()).unwrap();
        let text = std::fs::read_to_string(at("reference.json")).unwrap();
        let samples = zkml_onnx::Samples::parse(&text, model.inputs()).unwrap();
        assert_eq!((samples.rows.len(), model.inputs()[0].shape.as_slice()), (ROWS, &[1, 5][..]));
        assert_eq!((small.parameters(), model.inspect().macs), (3 * 30, 3 * 25));
        let answers: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (row, wanted) in samples.rows.iter().zip(answers["outputs"].as_array().unwrap()) {
            for (y, wanted) in model.run(row).unwrap()[0].iter().zip(wanted["y"].as_array().unwrap()) {
                assert!((y - wanted.as_f64().unwrap()).abs() < 1e-5, "{y} instead of {wanted}");
            }
        }
    }
}
