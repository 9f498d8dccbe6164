//! Everything that can go wrong between a file and an integer graph.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use tract_onnx::prelude::TractError;
use zkml_graph::GraphError;
use zkml_interface::SampleError;

/// A node that cannot be lowered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsupportedNode {
    /// Name of the node in the ONNX file, or of its first result when it has none.
    pub name: String,
    /// Operator, with its domain when that is not the standard one.
    pub op: String,
    /// Shapes of its inputs as far as they are known.
    pub shape: String,
    /// What exactly is not supported.
    pub reason: String,
}

impl fmt::Display for UnsupportedNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {} on {} ({})", self.name, self.op, self.shape, self.reason)
    }
}

/// Why a model or a sample was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}; check the path and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The file is larger than anything this toolkit can prove.
    #[error("{path} has {size} bytes, more than the {limit} that are read; is it the right file?")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The file is not an ONNX model.
    #[error(
        "{path} is not an ONNX model: {detail}; export the model again, or check that the download is complete"
    )]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The model contradicts itself.
    #[error("the model is malformed: {detail}; run `onnx.checker.check_model` on it and export it again")]
    Malformed {
        /// What contradicts what.
        detail: String,
    },
    /// A value that a node reads is provided by nothing: usually a weight that was not exported.
    #[error(
        "node `{node}` reads `{tensor}`, which no input, weight or node provides; export the model with its weights"
    )]
    MissingTensor {
        /// The reading node.
        node: String,
        /// The missing value.
        tensor: String,
    },
    /// Weights in another file cannot be had.
    #[error("the weights of `{tensor}` lie in the file `{file}`: {cause}; put that file beside the model")]
    ExternalData {
        /// The tensor.
        tensor: String,
        /// The other file, as the model names it.
        file: String,
        /// The fault: a sentence, or the answer of the operating system.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A dimension other than the batch is left open.
    #[error(
        "input `{input}`: dimension {axis} (`{dim}`) is left open; {}export the model with a fixed shape",
        if dim == "?" { String::new() } else { format!("set it by its name, as in --dim {dim}=16, or ") }
    )]
    OpenDimension {
        /// The input.
        input: String,
        /// Index of the dimension.
        axis: usize,
        /// Its symbolic name, or `?`.
        dim: String,
    },
    /// No input has a symbolic dimension of this name.
    #[error(
        "no input has a dimension `{dim}`; {}",
        if known.is_empty() { "none of them is left open".into() } else { format!("open are: {}", known.join(", ")) }
    )]
    UnknownDimension {
        /// The name.
        dim: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// Nodes need each other's results.
    #[error("node `{node}` needs its own result: the graph has a cycle; export the model again")]
    Cycle {
        /// One node on the cycle.
        node: String,
    },
    /// A weight is NaN or infinite.
    #[error(
        "tensor `{tensor}`, element {index}, is {value}; the model cannot be proven with it: train or export it again"
    )]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// Row-major index of the element.
        index: usize,
        /// The value, printed.
        value: String,
    },
    /// The model has nodes that cannot be lowered; all of them are listed.
    #[error("{} of the model's nodes cannot be proven:\n{}\nsupported operators: {supported}", nodes.len(), list(nodes))]
    Unsupported {
        /// The nodes.
        nodes: Vec<UnsupportedNode>,
        /// Names of all supported operators.
        supported: String,
    },
    /// Some weights cannot be kept private.
    #[error(
        "the weights cannot be kept private, since the circuit would depend on them:\n{obstacle}\nrewrite that part of \
         the model, or make its weights public"
    )]
    NotPrivate {
        /// Where, and why.
        obstacle: Obstacle,
    },
    /// The model was loaded for another visibility of its weights than the settings ask for.
    #[error(
        "the model was loaded with {loaded} weights, the settings say {wanted}: load it with the options of its settings"
    )]
    WeightVisibility {
        /// How it was loaded.
        loaded: &'static str,
        /// What the settings say.
        wanted: &'static str,
    },
    /// A visibility is given for an input or output that the model does not have.
    #[error("the settings name the {what} `{name}`; the model has {expected:?}")]
    UnknownPort {
        /// `input` or `output`.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        expected: Vec<String>,
    },
    /// Recorded scales belong to a model of another architecture.
    #[error("the model has another architecture than the one that was calibrated: {difference}")]
    Architecture {
        /// The first difference.
        difference: String,
    },
    /// A private weight does not fit the width that its tensor had when the architecture was first compiled.
    #[error(
        "weight tensor `{tensor}`, element {index}: {value} lies outside [{lo}, {hi}], the range of the {bits} bits \
         that the compiled architecture gives it; scale the weights down, or compile the model on its own"
    )]
    WeightRange {
        /// The tensor.
        tensor: String,
        /// Row-major index of the element.
        index: usize,
        /// The weight.
        value: f64,
        /// Smallest weight that fits.
        lo: f64,
        /// Largest weight that fits.
        hi: f64,
        /// Width in bits, sign included.
        bits: u32,
    },
    /// An input is not made of numbers.
    #[error("input `{input}` holds {kind}; only tensors of numbers can be proven")]
    InputType {
        /// The input.
        input: String,
        /// Its element type.
        kind: String,
    },
    /// Type and shape inference failed.
    #[error("the model does not type-check: {detail}")]
    Analysis {
        /// What the analysis said.
        detail: String,
    },
    /// A sample does not fit the model.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The float model leaves the range of floats on a sample.
    #[error("`{value}` is not finite on calibration sample {sample}; the model or the sample is broken")]
    FloatOverflow {
        /// Name of the value.
        value: String,
        /// Index of the sample.
        sample: usize,
    },
    /// A value or its weights are of a magnitude that scales cannot bring to integers.
    #[error(
        "`{value}`: its values, or the weights that make it, reach 2^±{exponent} on the calibration samples, beyond the \
         limit of 2^±{limit}; a weight or a sample is broken, or inputs have to be brought to one scale before the model"
    )]
    Magnitude {
        /// Name of the value.
        value: String,
        /// Binary logarithm that it would need, without its sign.
        exponent: i32,
        /// Largest one that is recorded.
        limit: i32,
    },
    /// A setting is outside its range.
    #[error("setting `{name}` is {value}; it must lie in [{lo}, {hi}]")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// Smallest value.
        lo: f64,
        /// Largest value.
        hi: f64,
    },
    /// The integer graph refused a node or a value.
    #[error(transparent)]
    Graph(Box<GraphError>),
}

/// Something that keeps weights from being private.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    /// Nodes whose circuit depends on what their weights are.
    #[error("{}", list(.0))]
    Nodes(Vec<UnsupportedNode>),
    /// A constant that cannot be read.
    #[error("the constant `{name}` cannot be read: {cause}")]
    Constant {
        /// Its name.
        name: String,
        /// What the library says.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A normalisation that does not become a scale and a shift.
    #[error("node `{node}`: {detail}")]
    Normalisation {
        /// The node.
        node: String,
        /// The obstacle.
        detail: String,
    },
    /// Decision trees, whose comparisons are tables of the verifying key.
    #[error(
        "node `{node}`: the comparisons of decision trees are part of the verifying key, which all see; prove it with public weights"
    )]
    Trees {
        /// The node.
        node: String,
    },
    /// Without its weights the model cannot be analysed.
    #[error(transparent)]
    Analysis(Box<Error>),
}

/// Why a family of operators does not take a node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    /// Something that is not supported.
    #[error("{0}")]
    Stated(String),
    /// The library that analysed the model cannot say what the lowering asks.
    #[error(transparent)]
    Analysis(#[from] TractError),
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::Stated(text)
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self::Stated(text.into())
    }
}

impl From<GraphError> for Error {
    fn from(e: GraphError) -> Self {
        Self::Graph(Box::new(e))
    }
}

/// Nodes, one per line.
pub(crate) fn list(nodes: &[UnsupportedNode]) -> String {
    nodes.iter().map(|n| format!("  {n}")).collect::<Vec<_>>().join("\n")
}
