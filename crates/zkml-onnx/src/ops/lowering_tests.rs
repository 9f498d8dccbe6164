//! Operators that exporters write rarely, each as a graph of its own: tract, the float network and the integer
//! graph must agree.

use tract_onnx::pb;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::type_proto::{Tensor, Value as Type};

use crate::load::build;
use crate::net::Evaluator;
use crate::proto::{floats, int_attribute, standard};
use crate::{Error, LoadOptions, Model, Sample, Samples, Settings, calibrate};

/// A graph with float inputs `x` and perhaps `z`, weights, and the output `y`.
struct Graph {
    nodes: Vec<pb::NodeProto>,
    weights: Vec<pb::TensorProto>,
    inputs: Vec<(&'static str, Vec<usize>)>,
}

pub(super) fn value(name: &str, shape: &[usize]) -> pb::ValueInfoProto {
    let dim = |d: &usize| Dimension { value: Some(Dim::DimValue(*d as i64)), ..Default::default() };
    let shape = pb::TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = Tensor { elem_type: pb::tensor_proto::DataType::Float as i32, shape: Some(shape) };
    let r#type = pb::TypeProto { value: Some(Type::TensorType(tensor)), ..Default::default() };
    pb::ValueInfoProto { name: name.into(), r#type: Some(r#type), ..Default::default() }
}

pub(super) fn ints_attribute(name: &str, ints: &[i64]) -> pb::AttributeProto {
    let r#type = pb::attribute_proto::AttributeType::Ints as i32;
    pb::AttributeProto { name: name.into(), ints: ints.to_vec(), r#type, ..Default::default() }
}

pub(super) fn int64s(name: &str, values: &[i64]) -> pb::TensorProto {
    pb::TensorProto {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: pb::tensor_proto::DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..Default::default()
    }
}

impl Graph {
    fn new(op: &str, shape: &[usize]) -> Self {
        Self {
            nodes: vec![standard(op, "op", &["x"], "y")],
            weights: vec![],
            inputs: vec![("x", shape.to_vec())],
        }
    }

    /// Adds a second input to the last node.
    fn and(mut self, name: &'static str, shape: &[usize]) -> Self {
        self.inputs.push((name, shape.to_vec()));
        self.reads(name)
    }

    fn weight(mut self, tensor: pb::TensorProto) -> Self {
        let name = tensor.name.clone();
        self.weights.push(tensor);
        self.reads(&name)
    }

    fn reads(mut self, name: &str) -> Self {
        self.nodes.last_mut().expect("a node").input.push(name.into());
        self
    }

    fn attribute(mut self, attribute: pb::AttributeProto) -> Self {
        self.nodes.last_mut().expect("a node").attribute.push(attribute);
        self
    }

    /// Puts another node behind the last.
    fn then(mut self, op: &str) -> Self {
        let inner = format!("inner{}", self.nodes.len());
        self.nodes.last_mut().expect("a node").output = vec![inner.clone()];
        self.nodes.push(standard(op, &format!("op{}", self.nodes.len()), &[&inner], "y"));
        self
    }

    fn load(self, opset: i64) -> Result<Model, Error> {
        let graph = pb::GraphProto {
            node: self.nodes,
            initializer: self.weights,
            input: self.inputs.iter().map(|(n, s)| value(n, s)).collect(),
            output: vec![pb::ValueInfoProto { name: "y".into(), ..Default::default() }],
            ..Default::default()
        };
        let opset = pb::OperatorSetIdProto { domain: String::new(), version: opset };
        let file = pb::ModelProto {
            ir_version: 8,
            opset_import: vec![opset],
            graph: Some(graph),
            ..Default::default()
        };
        build("test", file, None, &LoadOptions::default())
    }
}

/// Runs random samples, mapped by `adapt`, through all three; they must agree within `tolerance`.
fn agrees_on(graph: Graph, opset: i64, adapt: fn(f64) -> f64, tolerance: f64) -> Model {
    let model = graph.load(opset).expect("loads");
    let mut samples = Samples::random(model.inputs(), 24, 11);
    for row in &mut samples.rows {
        let values = row.values().iter().map(|v| v.iter().map(|x| adapt(*x)).collect()).collect();
        *row = Sample::new(model.inputs(), values).expect("finite");
    }
    let evaluator = Evaluator::new(model.net());
    for row in &samples.rows {
        let (want, values) = (model.run(row).expect("runs"), evaluator.run(row.values()));
        for ((_, o), want) in model.net().outputs.iter().zip(want) {
            let got = crate::net::gather(&o.map, &values[o.value]);
            assert_eq!(got.len(), want.len());
            for (g, w) in got.iter().zip(&want) {
                assert!((g - w).abs() < 2e-5 * w.abs().max(1.0), "network {g}, tract {w}");
            }
        }
    }
    let done = calibrate(&model, &samples, &Settings::default()).expect("calibrates");
    assert!(done.report.max_abs_error() <= tolerance, "{:?}", done.report.outputs);
    let trace =
        done.graph.eval(&done.interface.quantize_inputs(&samples.rows[0]).expect("in range")).expect("runs");
    let system = done.graph.system();
    system.check(&system.assign(&trace).expect("fits")).expect("relations hold");
    model
}

fn agrees(graph: Graph) {
    agrees_on(graph, 13, |x| 3.0 * x, 3e-3);
}

#[test]
fn element_wise() {
    for op in ["Abs", "Neg", "Tanh", "Exp", "Erf", "Relu", "HardSigmoid", "Sigmoid", "Identity"] {
        agrees(Graph::new(op, &[2, 3]));
    }
    agrees_on(Graph::new("HardSwish", &[2, 3]), 14, |x| 5.0 * x, 3e-3);
    for op in ["Sqrt", "Reciprocal", "Log"] {
        agrees_on(Graph::new(op, &[2, 3]), 13, |x| x.abs() + 0.5, 3e-3);
    }
    for op in ["Add", "Sub", "Mul", "Max", "Min"] {
        agrees(Graph::new(op, &[2, 3]).and("z", &[1, 3]));
        agrees(Graph::new(op, &[2, 3]).weight(floats("w", &[3], vec![0.5, -2.0, 1.25])));
    }
    agrees(Graph::new("Sum", &[2, 3]).and("z", &[2, 3]).reads("x"));
    agrees(Graph::new("Pow", &[4]).weight(floats("w", &[], vec![2.0])));
    agrees(Graph::new("Div", &[2, 3]).weight(floats("w", &[3], vec![0.5, -2.0, 3.0])));
    agrees_on(Graph::new("Div", &[2, 3]).and("z", &[2, 1]), 13, |x| x.abs() + 0.5, 5e-3);
}

#[test]
fn chains_of_scales_and_shifts() {
    let graph = Graph::new("Mul", &[2, 3])
        .weight(floats("a", &[3], vec![0.3, -2.0, 1.5]))
        .then("Add")
        .weight(floats("b", &[3], vec![1.0, 0.25, -3.0]))
        .then("Neg")
        .then("Relu")
        .then("Mul")
        .weight(floats("c", &[1], vec![0.1]))
        .then("MatMul")
        .weight(floats("d", &[3, 2], vec![1.0, -1.0, 0.5, 0.25, -0.125, 2.0]))
        .then("Mul")
        .weight(floats("e", &[2], vec![3.0, -0.7]));
    let model = agrees_on(graph, 13, |x| 3.0 * x, 5e-3);
    let kinds: Vec<&str> = model.inspect().nodes.iter().map(|n| n.kind).collect();
    assert_eq!(kinds, ["scale and shift", "maximum", "contraction"], "everything else folds");
}

/// scikit-learn's calibrated classifiers and discretizers have a number alone as the index.
#[test]
fn a_column_keeps_its_dimension() {
    for dims in [vec![], vec![1], vec![1, 1]] {
        let index = pb::TensorProto { dims: dims.clone(), ..int64s("i", &[2]) };
        let model = agrees_on(Graph::new("ArrayFeatureExtractor", &[2, 3]).weight(index), 13, |x| x, 1e-3);
        assert_eq!(model.outputs()[0].shape, [2, 1], "an index of shape {dims:?}");
    }
}

fn floats_attribute(name: &str, floats: &[f32]) -> pb::AttributeProto {
    let r#type = pb::attribute_proto::AttributeType::Floats as i32;
    pb::AttributeProto { name: name.into(), floats: floats.to_vec(), r#type, ..Default::default() }
}

fn text(name: &str, text: &str) -> pb::AttributeProto {
    let r#type = pb::attribute_proto::AttributeType::String as i32;
    pb::AttributeProto { name: name.into(), s: text.into(), r#type, ..Default::default() }
}

const VECTORS: [[f32; 2]; 3] = [[0.5, -1.0], [1.5, 0.25], [-0.75, 0.5]];
const COEFFICIENTS: [f32; 3] = [1.0, -0.75, 0.5];
const PARAMETERS: [f32; 3] = [0.5, 0.25, 3.0];

/// An operator of support vectors on two features.
fn machine(op: &str, kernel: &str) -> Graph {
    Graph::new(op, &[2, 2])
        .attribute(text("kernel_type", kernel))
        .attribute(floats_attribute("kernel_params", &PARAMETERS))
        .attribute(floats_attribute("support_vectors", VECTORS.as_flattened()))
        .attribute(floats_attribute("coefficients", &COEFFICIENTS))
        .attribute(floats_attribute("rho", &[0.125]))
}

/// The decision as it is defined.
fn decided(kernel: &str, x: &[f64]) -> f64 {
    let [gamma, offset, degree] = PARAMETERS.map(f64::from);
    let of = |v: &[f32; 2]| {
        let pairs = || x.iter().zip(v).map(|(x, v)| (*x, f64::from(*v)));
        let inner: f64 = pairs().map(|(x, v)| x * v).sum();
        match kernel {
            "LINEAR" => inner,
            "POLY" => (gamma * inner + offset).powf(degree),
            "SIGMOID" => (gamma * inner + offset).tanh(),
            _ => (-gamma * pairs().map(|(x, v)| (x - v).powi(2)).sum::<f64>()).exp(),
        }
    };
    VECTORS.iter().zip(COEFFICIENTS).map(|(v, c)| of(v) * f64::from(c)).sum::<f64>() + 0.125
}

#[test]
fn support_vectors() {
    let rows = |model: &Model, expected: &dyn Fn(&[f64]) -> Vec<f64>| {
        for row in &Samples::random(model.inputs(), 8, 3).rows {
            let want: Vec<f64> = row.values()[0].chunks(2).flat_map(expected).collect();
            let got = model.run(row).expect("runs").remove(0);
            assert!(
                got.iter().zip(&want).all(|(g, w)| (g - w).abs() < 1e-5) && got.len() == want.len(),
                "{got:?}, {want:?}"
            );
        }
    };
    for kernel in ["LINEAR", "POLY", "RBF", "SIGMOID"] {
        let model = agrees_on(machine("SVMRegressor", kernel), 13, |x| x, 3e-3);
        rows(&model, &|x| vec![decided(kernel, x)]);
        let mut classifier = machine("SVMClassifier", kernel)
            .attribute(ints_attribute("classlabels_ints", &[0, 1]))
            .attribute(ints_attribute("vectors_per_class", &[2, 1]));
        classifier.nodes[0].output = vec!["label".into(), "y".into()];
        let model = agrees_on(classifier, 13, |x| x, 3e-3);
        rows(&model, &|x| vec![-decided(kernel, x), decided(kernel, x)]);
    }
    let mut platt = machine("SVMClassifier", "RBF")
        .attribute(ints_attribute("classlabels_ints", &[0, 1]))
        .attribute(floats_attribute("prob_a", &[-1.5]))
        .attribute(floats_attribute("prob_b", &[0.25]));
    platt.nodes[0].output = vec!["label".into(), "y".into()];
    let model = agrees_on(platt, 13, |x| x, 3e-3);
    rows(&model, &|x| {
        let first = 1.0 / (1.0 + (-1.5 * decided("RBF", x) + 0.25).exp());
        vec![first, 1.0 - first]
    });
    let refused = |graph: Graph, words: &str| {
        let error = graph.load(13).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(machine("SVMRegressor", "CHI2"), "kernel CHI2");
    refused(machine("SVMRegressor", "RBF").attribute(text("post_transform", "PROBIT")), "PROBIT");
    refused(machine("SVMRegressor", "RBF").attribute(int_attribute("one_class", 1)), "one class");
    refused(machine("SVMClassifier", "RBF"), "0 classes");
}

/// A machine of three classes with a vector each: scores of pairs, and probabilities that are the minimum that they are defined as.
#[test]
fn machines_of_three_classes() {
    const TABLE: [f32; 6] = [1.0, -0.75, 0.5, 0.25, 2.0, -1.5];
    const RHO: [f32; 3] = [0.125, -0.25, 0.5];
    let graph = |probabilities: bool| {
        let mut graph = Graph::new("SVMClassifier", &[2, 2])
            .attribute(text("kernel_type", "LINEAR"))
            .attribute(floats_attribute("kernel_params", &PARAMETERS))
            .attribute(floats_attribute("support_vectors", VECTORS.as_flattened()))
            .attribute(floats_attribute("coefficients", &TABLE))
            .attribute(floats_attribute("rho", &RHO))
            .attribute(ints_attribute("vectors_per_class", &[1, 1, 1]))
            .attribute(ints_attribute("classlabels_ints", &[0, 1, 2]));
        if probabilities {
            graph = graph
                .attribute(floats_attribute("prob_a", &[-1.5, -1.0, -2.0]))
                .attribute(floats_attribute("prob_b", &[0.25, 0.0, -0.5]));
        }
        graph.nodes[0].output = vec!["label".into(), "y".into()];
        graph
    };
    let scores = |x: &[f64]| {
        let kernel = |v: usize| x.iter().zip(VECTORS[v]).map(|(x, v)| x * f64::from(v)).sum::<f64>();
        [(0, 1), (0, 2), (1, 2)].map(|(i, j)| {
            let (own, other) = (f64::from(TABLE[(j - 1) * 3 + i]), f64::from(TABLE[i * 3 + j]));
            own * kernel(i) + other * kernel(j) + f64::from(RHO[i + j - 1])
        })
    };
    let model = agrees_on(graph(false), 13, |x| x, 3e-3);
    for row in &Samples::random(model.inputs(), 8, 3).rows {
        let want: Vec<f64> = row.values()[0].chunks(2).flat_map(scores).collect();
        let got = model.run(row).expect("runs").remove(0);
        assert!(
            got.iter().zip(&want).all(|(g, w)| (g - w).abs() < 1e-5) && got.len() == 6,
            "{got:?}, {want:?}"
        );
    }
    let model = agrees_on(graph(true), 13, |x| x, 3e-3);
    for row in &Samples::random(model.inputs(), 8, 3).rows {
        let all = model.run(row).expect("runs").remove(0);
        for (x, p) in row.values()[0].chunks(2).zip(all.chunks(3)) {
            let (s, [a, b]) = (scores(x), [[-1.5, -1.0, -2.0], [0.25, 0.0, -0.5]]);
            let r = |pair: usize| 1.0 / (1.0 + (a[pair] * s[pair] + b[pair]).exp());
            let loss = |p: &[f64]| {
                [(0, 1, r(0)), (0, 2, r(1)), (1, 2, r(2))]
                    .map(|(i, j, r)| ((1.0 - r) * p[i] - r * p[j]).powi(2))
                    .iter()
                    .sum::<f64>()
            };
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{p:?}");
            for (i, j) in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)] {
                let mut moved = p.to_vec();
                moved[i] += 1e-2;
                moved[j] -= 1e-2;
                assert!(loss(p) < loss(&moved), "{p:?} and {moved:?}");
            }
        }
    }
}

/// As a standard scaler in front of a linear model has them: an income, a share, and something in between.
#[test]
fn features_of_different_magnitudes_are_brought_together() {
    let graph = |scale: [f32; 3]| {
        Graph::new("Sub", &[1, 3])
            .weight(floats("mean", &[3], vec![1200.0, 0.005, 0.0]))
            .then("Mul")
            .weight(floats("scale", &[3], scale.to_vec()))
            .then("MatMul")
            .weight(floats("w", &[3, 1], vec![1.0, -1.5, 0.5]))
            .then("Sigmoid")
            .load(13)
            .expect("loads")
    };
    let kinds = |model: &Model| model.inspect().nodes.iter().map(|n| n.kind).collect::<Vec<_>>();
    let model = graph([1.0 / 600.0, 300.0, 1.0]);
    assert_eq!(kinds(&model)[..2], ["scale and shift", "contraction"]);
    let random = Samples::random(model.inputs(), 64, 5);
    let raw = |row: &Sample| {
        let unit = &row.values()[0];
        vec![vec![1200.0 + 1200.0 * unit[0], 0.005 + 0.005 * unit[1], unit[2]]]
    };
    let samples = Samples::new(model.inputs(), random.rows.iter().map(raw).collect()).expect("finite");
    let settings = Settings::default();
    let done = calibrate(&model, &samples, &settings).expect("calibrates");
    assert!(done.report.alarm(settings.tolerance).is_none(), "{:?}", done.report.outputs);
    let ints = done.interface.quantize_inputs(&samples.rows[7]).expect("in range");
    let (trace, system) = (done.graph.eval(&ints).expect("runs"), done.graph.system());
    system.check(&system.assign(&trace).expect("fits")).expect("relations hold");
    // Close factors are folded into the weights, and so are those of which one is zero.
    assert_eq!(kinds(&graph([0.5, 3.0, 1.0]))[..1], ["contraction"]);
    assert_eq!(kinds(&graph([0.0, 300.0, 1.0]))[..1], ["contraction"]);
}

#[test]
fn reductions() {
    for op in ["ReduceMax", "ReduceMin", "ReduceMean", "ReduceSumSquare"] {
        agrees(Graph::new(op, &[2, 3, 4]).attribute(ints_attribute("axes", &[1])));
        let flat = Graph::new(op, &[2, 3, 4]).attribute(ints_attribute("axes", &[0, 2]));
        agrees(flat.attribute(int_attribute("keepdims", 0)));
    }
    agrees(Graph::new("ReduceSum", &[2, 5]).weight(int64s("axes", &[1])));
    agrees(Graph::new("GlobalMaxPool", &[1, 2, 3, 3]));
    agrees(Graph::new("GlobalAveragePool", &[1, 2, 3, 3]));
    agrees(Graph::new("Softmax", &[2, 3, 4]).attribute(int_attribute("axis", 1)));
    agrees(Graph::new("LogSoftmax", &[2, 4]).attribute(int_attribute("axis", 1)));
    for op in ["ArgMax", "ArgMin"] {
        let graph = Graph::new(op, &[2, 5]).attribute(int_attribute("axis", 1));
        agrees_on(graph, 13, |x| (x * 4.0).round(), 0.0);
    }
}

/// A classifier of `rows` models over three features; its label is nobody's output.
fn classifier(rows: usize, classes: usize, post_transform: &str) -> Graph {
    let coefficients = (0..3 * rows).map(|i| (i as f32 * 0.7).sin() * 1.5).collect();
    let intercepts = (0..rows).map(|i| 0.25 - i as f32 * 0.5).collect();
    let numbers = |name: &str, floats: Vec<f32>| {
        let r#type = pb::attribute_proto::AttributeType::Floats as i32;
        pb::AttributeProto { name: name.into(), floats, r#type, ..Default::default() }
    };
    let text = pb::attribute_proto::AttributeType::String as i32;
    let post = pb::AttributeProto {
        name: "post_transform".into(),
        s: post_transform.as_bytes().to_vec(),
        r#type: text,
        ..Default::default()
    };
    let labels: Vec<i64> = (0..classes as i64).collect();
    let mut graph = Graph::new("LinearClassifier", &[2, 3])
        .attribute(numbers("coefficients", coefficients))
        .attribute(numbers("intercepts", intercepts))
        .attribute(ints_attribute("classlabels_ints", &labels))
        .attribute(post);
    graph.nodes[0].output = vec!["label".into(), "y".into()];
    graph
}

#[test]
fn classical_classifiers() {
    for (rows, classes) in [(3, 3), (2, 2), (1, 2)] {
        for post_transform in ["NONE", "LOGISTIC", "SOFTMAX"] {
            if rows == 1 && post_transform != "LOGISTIC" {
                // The edge cases show that it is refused: nobody says what the first column is.
                continue;
            }
            let model = agrees_on(classifier(rows, classes, post_transform), 13, |x| 2.0 * x, 3e-3);
            assert_eq!(model.outputs()[0].shape, [2, classes]);
        }
    }
    // One against the rest: probabilities that do not sum to one before the Normalizer.
    let mut graph = classifier(3, 3, "LOGISTIC");
    graph.nodes[0].output = vec!["label".into(), "raw".into()];
    graph.nodes.push(standard("Normalizer", "norm", &["raw"], "y"));
    let norm = pb::AttributeProto {
        name: "norm".into(),
        s: b"L1".to_vec(),
        r#type: pb::attribute_proto::AttributeType::String as i32,
        ..Default::default()
    };
    let model = agrees_on(graph.attribute(norm), 13, |x| 2.0 * x, 3e-3);
    let sample = Samples::random(model.inputs(), 1, 5);
    let sums: Vec<f64> =
        model.run(&sample.rows[0]).expect("runs")[0].chunks(3).map(|r| r.iter().sum()).collect();
    assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-5), "{sums:?}");
}

#[test]
fn wiring() {
    let transposed = || Graph::new("Transpose", &[2, 3, 4]).attribute(ints_attribute("perm", &[1, 0, 2]));
    agrees(transposed());
    agrees(transposed().then("Reshape").weight(int64s("shape", &[6, 4])).then("Relu"));
    agrees(
        Graph::new("Gather", &[3, 4]).weight(int64s("i", &[2, 0, -1])).attribute(int_attribute("axis", 1)),
    );
    agrees(Graph::new("Expand", &[1, 3]).weight(int64s("shape", &[4, 3])).then("Relu"));
    agrees(Graph::new("Concat", &[2, 3]).and("z", &[2, 1]).attribute(int_attribute("axis", 1)));
    let ends = [("s", [1, 0]), ("e", [3, 4]), ("a", [0, 1]), ("t", [1, 2])];
    agrees(ends.iter().fold(Graph::new("Slice", &[3, 4]), |g, (n, v)| g.weight(int64s(n, v))));
    agrees(Graph::new("Pad", &[2, 3]).weight(int64s("p", &[0, 1, 1, 0])).then("Neg"));
    let padded = Graph::new("Pad", &[1, 1, 3, 3]).weight(int64s("p", &[0, 0, 1, 1, 0, 0, 1, 1])).then("Conv");
    agrees(padded.weight(floats("w", &[2, 1, 2, 2], (0..8).map(|i| i as f32 - 3.0).collect())));
}

#[test]
fn what_is_not_supported_says_why() {
    let refused = |g: Graph, reason: &str| {
        let error = g.load(13).expect_err(reason);
        let Error::Unsupported { nodes, .. } = &error else { panic!("{error}") };
        assert!(nodes.iter().any(|n| n.reason.contains(reason)), "{error}");
        assert_eq!(nodes[0].name, "op");
    };
    refused(Graph::new("NonMaxSuppression", &[2]), "no such operator");
    refused(Graph::new("Div", &[2]).weight(floats("w", &[1], vec![0.0])), "not finite");
}

/// The epsilon keeps the divisor of a row from zero, whatever rows calibration saw; without one, they are refused.
#[test]
fn rows_of_less_spread_than_calibration_saw_are_proven_or_refused() {
    let scale = || floats("s", &[4], vec![1.0, 2.0, 0.5, 1.5]);
    for (epsilon, proven) in [(1e-3, true), (0.0, false)] {
        let kind = pb::attribute_proto::AttributeType::Float as i32;
        let epsilon =
            pb::AttributeProto { name: "epsilon".into(), f: epsilon, r#type: kind, ..Default::default() };
        let graph = Graph::new("LayerNormalization", &[2, 4]).weight(scale()).attribute(epsilon);
        let model = graph.load(17).expect("loads");
        let samples = Samples::random(model.inputs(), 24, 11);
        let done = calibrate(&model, &samples, &Settings::default()).expect("calibrates");
        let row = vec![0.5, 0.5, 0.5, 0.5, 0.501, 0.499, 0.5, 0.502];
        let sample = Sample::new(model.inputs(), vec![row]).expect("finite");
        let ran = done.graph.eval(&done.interface.quantize_inputs(&sample).expect("in range"));
        assert_eq!(ran.is_ok(), proven, "{:?}", ran.err());
        let Ok(trace) = ran else { continue };
        let output = trace.values[done.graph.outputs[0].tensor.0 as usize].clone();
        let got = done.interface.dequantize_outputs(&[output]).concat();
        for (got, want) in got.iter().zip(model.run(&sample).expect("runs").concat()) {
            assert!((got - want).abs() < 0.02, "{got} instead of {want}");
        }
    }
}
