//! Between real numbers and the integers of a compiled model.

use serde::{Deserialize, Serialize};
use zkml_graph::Graph;

use crate::{Port, Sample, SampleError};

/// An input or output of a compiled model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizedPort {
    /// Name, shape and type in the ONNX model.
    #[serde(flatten)]
    pub port: Port,
    /// Binary logarithm of integer steps per real unit.
    pub scale: i32,
    /// Smallest real value that the compiled model carries.
    pub lo: f64,
    /// Largest real value that the compiled model carries.
    pub hi: f64,
}

/// Inputs and outputs of a compiled model, in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// Inputs.
    pub inputs: Vec<QuantizedPort>,
    /// Outputs.
    pub outputs: Vec<QuantizedPort>,
}

/// A power of two, exactly.
pub fn power(exponent: i32) -> f64 {
    2f64.powi(exponent)
}

fn quantized(port: &Port, t: &zkml_graph::Tensor) -> QuantizedPort {
    QuantizedPort { port: port.clone(), scale: t.scale, lo: t.real(t.bounds.lo), hi: t.real(t.bounds.hi) }
}

impl Interface {
    /// The interface of a graph, whose inputs and outputs have these names and types in the ONNX model.
    pub fn new(graph: &Graph, inputs: &[Port], outputs: &[Port]) -> Self {
        let tensor = |id| graph.tensor(id);
        Self {
            inputs: inputs.iter().zip(&graph.inputs).map(|(p, (t, _))| quantized(p, tensor(*t))).collect(),
            outputs: outputs
                .iter()
                .zip(&graph.outputs)
                .map(|(p, o)| quantized(p, tensor(o.tensor)))
                .collect(),
        }
    }

    /// Names, shapes and types of the inputs, for [`Sample::parse`].
    pub fn input_ports(&self) -> Vec<Port> {
        self.inputs.iter().map(|q| q.port.clone()).collect()
    }

    /// The integers of a sample, one vector per input; a value outside the calibrated range is an error.
    ///
    /// # Errors
    /// Names the input, the element and its value, and the range.
    pub fn quantize_inputs(&self, sample: &Sample) -> Result<Vec<Vec<i64>>, SampleError> {
        self.inputs.iter().zip(sample.values()).map(|(q, values)| q.quantize(values)).collect()
    }

    /// Real values of the integers of all outputs.
    pub fn dequantize_outputs(&self, outputs: &[Vec<i64>]) -> Vec<Vec<f64>> {
        self.outputs.iter().zip(outputs).map(|(q, v)| v.iter().map(|&i| q.real(i)).collect()).collect()
    }
}

impl QuantizedPort {
    /// Real value of an integer.
    pub fn real(&self, v: i64) -> f64 {
        v as f64 * power(self.scale.saturating_neg())
    }

    fn quantize(&self, values: &[f64]) -> Result<Vec<i64>, SampleError> {
        let step = power(self.scale);
        let one = |(index, &value): (usize, &f64)| {
            let rounded = (value * step).round();
            if rounded >= (self.lo * step).round() && rounded <= (self.hi * step).round() {
                return Ok(rounded as i64);
            }
            let (lo, hi) = (self.lo, self.hi);
            Err(SampleError::OutOfRange { input: self.port.name.clone(), index, value, lo, hi })
        };
        values.iter().enumerate().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever derives keys compares what is written with what follows from the graph.
    #[test]
    fn limits_are_read_as_they_were_written() {
        let port = Port { name: "x".into(), shape: vec![1], kind: "f32".into() };
        // What a quick parser reads is 209.24984473735097.
        let limits =
            QuantizedPort { port, scale: 28, lo: -302.337_661_939_242_36, hi: 209.249_844_737_350_94 };
        let text = serde_json::to_string(&limits).expect("numbers");
        assert_eq!(serde_json::from_str::<QuantizedPort>(&text).expect("the same"), limits);
        for step in 0..10_000_i64 {
            let hi = (step * 7_919_777_777 - (1 << 39)) as f64 / f64::from(1 << 28);
            let text = serde_json::to_string(&hi).expect("a number");
            assert_eq!(
                serde_json::from_str::<f64>(&text).expect("a number").to_bits(),
                hi.to_bits(),
                "{text}"
            );
        }
    }

    #[test]
    fn rounds_inside_and_refuses_outside() {
        let port = Port { name: "x".into(), shape: vec![3], kind: "f32".into() };
        let q = QuantizedPort { port, scale: 2, lo: -1.0, hi: 1.0 };
        assert_eq!(q.quantize(&[0.3, -1.1, 1.0]).expect("inside after rounding"), [1, -4, 4]);
        assert!(matches!(q.quantize(&[0.0, 1.3, 0.0]), Err(SampleError::OutOfRange { index: 1, .. })));
        assert_eq!(q.real(-4), -1.0);
        // A file may say any scale.
        assert_eq!(QuantizedPort { scale: i32::MIN, ..q }.real(1), f64::INFINITY);
    }
}
