//! Inputs that say what a node does rather than what it does it to: shapes, axes, indices, scales, zero points.
//!
//! The node tests give each of them as an input of the graph. In a model that somebody has trained and exported they are constants, and the
//! circuit depends on them; so they are constants here too.

use std::collections::BTreeSet;

use tract_onnx::pb;

/// Operators with the slots of such inputs.
const SLOTS: &[(&str, &[usize])] = &[
    ("AffineGrid", &[1]),
    ("ArrayFeatureExtractor", &[1]),
    ("BatchNormalization", &[1, 2, 3, 4]),
    ("BitShift", &[1]),
    ("BlackmanWindow", &[0]),
    ("CenterCropPad", &[1]),
    ("Clip", &[1, 2]),
    ("Col2Im", &[1, 2]),
    ("Compress", &[1]),
    ("ConstantOfShape", &[0]),
    ("ConvInteger", &[1, 2, 3]),
    ("ConvTranspose", &[1, 2]),
    ("CumSum", &[1]),
    ("DFT", &[1, 2]),
    ("DequantizeLinear", &[1, 2]),
    ("Dropout", &[1, 2]),
    ("Expand", &[1]),
    ("Gather", &[1]),
    ("GatherElements", &[1]),
    ("GatherND", &[1]),
    ("GridSample", &[1]),
    ("GRU", &[4]),
    ("HammingWindow", &[0]),
    ("HannWindow", &[0]),
    ("If", &[0]),
    ("LSTM", &[4]),
    ("Loop", &[0, 1]),
    ("MatMulInteger", &[2, 3]),
    ("MaxUnpool", &[1, 2]),
    ("MelWeightMatrix", &[0, 1, 2, 3, 4]),
    ("NegativeLogLikelihoodLoss", &[1, 2]),
    ("NonMaxSuppression", &[2, 3, 4]),
    ("OneHot", &[1, 2]),
    ("Pad", &[1, 2, 3]),
    ("Pow", &[1]),
    ("QLinearConv", &[1, 2, 3, 4, 5, 6, 7, 8]),
    ("QLinearMatMul", &[1, 2, 4, 5, 6, 7]),
    ("QuantizeLinear", &[1, 2]),
    ("RNN", &[4]),
    ("Range", &[0, 1, 2]),
    ("ReduceL1", &[1]),
    ("ReduceL2", &[1]),
    ("ReduceLogSum", &[1]),
    ("ReduceLogSumExp", &[1]),
    ("ReduceMax", &[1]),
    ("ReduceMean", &[1]),
    ("ReduceMin", &[1]),
    ("ReduceProd", &[1]),
    ("ReduceSum", &[1]),
    ("ReduceSumSquare", &[1]),
    ("Reshape", &[1]),
    ("Resize", &[1, 2, 3]),
    ("ReverseSequence", &[1]),
    ("RoiAlign", &[1, 2]),
    ("STFT", &[1, 2, 3]),
    ("Scatter", &[1]),
    ("ScatterElements", &[1]),
    ("ScatterND", &[1]),
    ("Slice", &[1, 2, 3, 4]),
    ("SoftmaxCrossEntropyLoss", &[1, 2]),
    ("Split", &[1]),
    ("Squeeze", &[1]),
    ("Tile", &[1]),
    ("TopK", &[1]),
    ("Trilu", &[1]),
    ("Unsqueeze", &[1]),
    ("Upsample", &[1]),
];

/// Operators whose node test is called after them while the graph holds their definition in terms of others: the inputs of
/// these definitions have the names that the operator gives them.
const NAMES: &[&str] = &["axes", "axis", "size", "target_shape", "target", "weight", "labels", "w", "shape"];

/// Names of the inputs that are constants here.
pub(crate) fn inputs(graph: &pb::GraphProto) -> BTreeSet<String> {
    let slots = |n: &pb::NodeProto| SLOTS.iter().find(|(op, _)| *op == n.op_type).map_or(&[][..], |(_, s)| s);
    let read = graph.node.iter().flat_map(|n| slots(n).iter().filter_map(|s| n.input.get(*s)));
    let mut all: BTreeSet<String> = read.filter(|n| !n.is_empty()).cloned().collect();
    if graph.node.len() > 1 {
        all.extend(NAMES.iter().map(|n| (*n).to_owned()));
    }
    let declared: BTreeSet<String> = graph.input.iter().map(|i| i.name.clone()).collect();
    all.intersection(&declared).cloned().collect()
}
