//! Private weights: the graph says nothing about them, and computes the same.

use std::path::{Path, PathBuf};

use prost::Message;
use serde::Deserialize;
use serde_json::Value;
use tract_onnx::pb;
use zkml_graph::Visibility;
use zkml_onnx::{Calibrated, Error, Model, Samples, Scales, Settings, calibrate, lower};

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    batch: usize,
    samples: Vec<Value>,
    tolerance: f64,
}

#[derive(Deserialize)]
struct Cases {
    supported: Vec<Case>,
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx")
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(fixtures().join("cases.json")).expect("cases.json");
    let only = std::env::var("CASE").unwrap_or_default();
    let all = serde_json::from_str::<Cases>(&text).expect("cases").supported;
    all.into_iter().filter(|c| c.name.contains(&only)).collect()
}

fn private(batch: usize) -> Settings {
    Settings { batch, margin: 2.0, weights: Visibility::Committed, ..Settings::default() }
}

/// A temporary ONNX file in a folder of its own, under the name of the original.
struct Variant(PathBuf);

impl Drop for Variant {
    fn drop(&mut self) {
        let _ = self.0.parent().map(std::fs::remove_dir_all);
    }
}

impl Variant {
    fn new(source: &Path, kind: &str, change: impl Fn(f32) -> f32) -> Self {
        let bytes = std::fs::read(source).expect("a model");
        let mut file = pb::ModelProto::decode(bytes.as_slice()).expect("ONNX");
        let graph = file.graph.as_mut().expect("a graph");
        let options = |n: &pb::NodeProto| matches!(n.op_type.as_str(), "Clip" | "Pad" | "Pow" | "Dropout");
        let kept: Vec<String> =
            graph.node.iter().filter(|n| options(n)).flat_map(|n| n.input.clone()).collect();
        let learned = |t: &&mut pb::TensorProto| !t.dims.is_empty() && !kept.contains(&t.name);
        graph.initializer.iter_mut().filter(learned).for_each(|t| changed(t, &change));
        for node in &mut graph.node {
            let name = node.output.first().cloned().unwrap_or_default();
            for a in &mut node.attribute {
                if let Some(t) = a.t.as_mut().filter(|t| !t.dims.is_empty() && !kept.contains(&name)) {
                    changed(t, &change);
                }
                if node.domain == "ai.onnx.ml" {
                    a.floats.iter_mut().for_each(|v| *v = change(*v));
                }
            }
        }
        let folder = std::env::temp_dir().join(format!("zkml-private-{}-{kind}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(source.file_name().expect("a name"));
        std::fs::write(&path, file.encode_to_vec()).expect("writable");
        if let Some(external) = source.file_name().filter(|n| n.to_string_lossy().contains("external")) {
            let data = source.with_file_name(external).with_extension("bin");
            let floats = std::fs::read(&data).expect("weights");
            let word = |b: &[u8]| change(f32::from_le_bytes([b[0], b[1], b[2], b[3]])).to_le_bytes();
            let new: Vec<u8> = floats.chunks_exact(4).flat_map(word).collect();
            std::fs::write(folder.join(data.file_name().expect("a name")), new).expect("writable");
        }
        Self(path)
    }
}

fn changed(t: &mut pb::TensorProto, change: &impl Fn(f32) -> f32) {
    if t.data_type == pb::tensor_proto::DataType::Float as i32 {
        t.float_data.iter_mut().for_each(|v| *v = change(*v));
        let word = |b: &[u8]| change(f32::from_le_bytes([b[0], b[1], b[2], b[3]])).to_le_bytes();
        t.raw_data = t.raw_data.chunks_exact(4).flat_map(word).collect();
    }
}

fn compiled(
    path: &Path,
    settings: &Settings,
    samples: &[Value],
) -> Result<(Model, Samples, Calibrated), Error> {
    let model = Model::load(path, &settings.load_options())?;
    let json = serde_json::json!({ "samples": samples }).to_string();
    let samples = Samples::parse(&json, model.inputs())?;
    let done = calibrate(&model, &samples, settings)?;
    Ok((model, samples, done))
}

/// Other weights, and the scales that both sets are lowered with.
struct Change<'a> {
    kind: &'a str,
    of: fn(f32) -> f32,
    scales: &'a Scales,
}

/// Everything that is checked of one case; the first thing that is wrong.
fn check(case: &Case) -> Result<String, String> {
    let fail = |what: &str, e: &dyn std::fmt::Display| format!("{}: {what}: {e}", case.name);
    let (path, settings) = (fixtures().join(&case.file), private(case.batch));
    let (model, samples, done) =
        compiled(&path, &settings, &case.samples).map_err(|e| fail("private", &e))?;
    let public = Settings { weights: Visibility::Public, ..settings.clone() };
    let (_, _, open) = compiled(&path, &public, &case.samples).map_err(|e| fail("public", &e))?;
    // The same error bound as with public weights.
    if done.report.max_abs_error() > case.tolerance.max(open.report.max_abs_error() * 1.5) {
        return Err(fail("error", &format!("{:?}", done.report.outputs)));
    }
    // Relations hold with the weights as values of the run.
    let ints = done.interface.quantize_inputs(&samples.rows[0]).map_err(|e| fail("quantize", &e))?;
    let trace = done.graph.eval_with(&ints, &done.weights).map_err(|e| fail("eval", &e))?;
    let system = done.graph.system();
    let values = system.assign(&trace).ok_or_else(|| fail("assign", &"counts do not fit"))?;
    system.check(&values).map_err(|e| fail("relations", &e))?;
    // What inspection announces is what comes.
    let announced: Vec<usize> = model.inspect().weights.iter().map(|w| w.values).collect();
    let there: Vec<usize> = done.weights.iter().map(Vec::len).collect();
    if announced != there {
        return Err(fail("announced", &format!("{announced:?}, there are {there:?}")));
    }
    // Recorded scales give the same bytes; so do other weights, zeros and equal ones among them.
    let json = serde_json::to_string(&done.scales).map_err(|e| fail("scales", &e))?;
    let scales: Scales = serde_json::from_str(&json).map_err(|e| fail("scales", &e))?;
    let bytes = done.graph.to_bytes();
    let again = lower(&model, &done.settings, &scales).map_err(|e| fail("lower", &e))?;
    if again.graph.to_bytes() != bytes || again.weights != done.weights {
        return Err(fail("lower", &"other bytes"));
    }
    let mut wide = scales.clone();
    wide.weight_bits.values_mut().for_each(|bits| *bits += 5);
    let variants = [
        Change { kind: "smaller", of: |v| v * 0.75, scales: &scales },
        Change { kind: "equal", of: |_| 0.5, scales: &wide },
        Change { kind: "neutral", of: |_| 1.0, scales: &wide },
    ];
    for Change { kind, of, scales } in variants {
        let same = lower(&model, &done.settings, scales).map_err(|e| fail(kind, &e))?;
        let variant = Variant::new(&path, kind, of);
        let other = Model::load(&variant.0, &settings.load_options()).map_err(|e| fail(kind, &e))?;
        let other = lower(&other, &done.settings, scales).map_err(|e| fail(kind, &e))?;
        if other.graph.to_bytes() != same.graph.to_bytes() {
            return Err(fail(kind, &"another graph"));
        }
        if other.stays_public != done.stays_public {
            return Err(fail(kind, &format!("{:?} and {:?}", other.stays_public, done.stays_public)));
        }
        if !there.is_empty() && other.weights == done.weights {
            return Err(fail(kind, &"the same weights"));
        }
    }
    Ok(format!(
        "{}: {} weights in {} tensors, visible: {:?}",
        case.name,
        there.iter().sum::<usize>(),
        there.len(),
        done.stays_public
    ))
}

#[test]
fn graphs_say_nothing_about_private_weights() {
    let outcomes: Vec<Result<String, String>> = cases().iter().map(check).collect();
    outcomes.iter().flatten().for_each(|line| println!("{line}"));
    let wrong: Vec<&String> = outcomes.iter().filter_map(|o| o.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{} fail:\n{wrong:#?}", wrong.len());
}

/// A weight by name, shape and values.
type Weight<'a> = (&'a str, &'a [i64], &'a [f32]);

fn tensor(&(name, dims, values): &Weight<'_>) -> pb::TensorProto {
    pb::TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: pb::tensor_proto::DataType::Float as i32,
        float_data: values.to_vec(),
        ..Default::default()
    }
}

fn declared(name: &str, dims: &[i64]) -> pb::ValueInfoProto {
    use pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
    use pb::type_proto::{Tensor, Value as Type};
    let dim = |d: &i64| Dimension { value: Some(Dim::DimValue(*d)), ..Default::default() };
    let shape = Some(pb::TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = Tensor { elem_type: pb::tensor_proto::DataType::Float as i32, shape };
    let r#type = Some(pb::TypeProto { value: Some(Type::TensorType(tensor)), ..Default::default() });
    pb::ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}

/// A model of one operator, with the input `x` and the output `y`.
fn one_operator(
    op: &str,
    inputs: &[&str],
    attributes: &[(&str, i64)],
    shape: &[i64],
    weights: &[Weight<'_>],
) -> Model {
    let int = pb::attribute_proto::AttributeType::Int as i32;
    let attribute = |(name, i): &(&str, i64)| pb::AttributeProto {
        name: (*name).into(),
        i: *i,
        r#type: int,
        ..Default::default()
    };
    let node = pb::NodeProto {
        name: "op".into(),
        op_type: op.into(),
        input: inputs.iter().map(|i| (*i).into()).collect(),
        output: vec!["y".into()],
        attribute: attributes.iter().map(attribute).collect(),
        ..Default::default()
    };
    let graph = pb::GraphProto {
        node: vec![node],
        initializer: weights.iter().map(tensor).collect(),
        input: vec![declared("x", shape)],
        output: vec![pb::ValueInfoProto { name: "y".into(), ..Default::default() }],
        ..Default::default()
    };
    let opset = pb::OperatorSetIdProto { domain: String::new(), version: 13 };
    let file =
        pb::ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() };
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("zkml-private-op-{}-{count}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("op.onnx");
    std::fs::write(&path, file.encode_to_vec()).expect("writable");
    let model = Model::load(&path, &private(1).load_options()).unwrap_or_else(|e| panic!("{op}: {e}"));
    std::fs::remove_dir_all(&folder).expect("removable");
    model
}

/// All sets of weights give one graph without constants, and each computes what the float model does.
fn same_graph(
    op: &str,
    inputs: &[&str],
    attributes: &[(&str, i64)],
    shape: &[i64],
    sets: &[&[Weight<'_>]],
    private_values: usize,
) {
    let settings = private(1);
    let models: Vec<Model> =
        sets.iter().map(|set| one_operator(op, inputs, attributes, shape, set)).collect();
    let mut samples = Samples::random(models[0].inputs(), 16, 5);
    for row in &mut samples.rows {
        // Away from zero, for divisors.
        let values = row.values().iter().map(|v| v.iter().map(|x| x.abs() + 0.5).collect()).collect();
        *row = zkml_onnx::Sample::new(models[0].inputs(), values).expect("finite");
    }
    let first = calibrate(&models[0], &samples, &settings).unwrap_or_else(|e| panic!("{op}: {e}"));
    let mut scales = first.scales.clone();
    // Ranges as wide as those of any of the sets.
    scales.values.iter_mut().for_each(|v| (v.reach, v.sign) = (5, zkml_onnx::Sign::Mixed));
    let all: Vec<_> = models
        .iter()
        .map(|m| lower(m, &first.settings, &scales).unwrap_or_else(|e| panic!("{op}: {e}")))
        .collect();
    for (model, lowered) in models.iter().zip(&all) {
        assert_eq!(lowered.graph.to_bytes(), all[0].graph.to_bytes(), "{op}");
        assert!(
            lowered.graph.tensors.iter().all(|t| t.constant.is_none()),
            "{op}: {:?}",
            lowered.graph.tensors
        );
        assert_eq!(lowered.weights.iter().map(Vec::len).sum::<usize>(), private_values, "{op}");
        for row in &samples.rows {
            let inputs = lowered.interface.quantize_inputs(row).expect("in range");
            let trace = lowered.graph.eval_with(&inputs, &lowered.weights).expect("in range");
            let outputs: Vec<Vec<i64>> =
                lowered.graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone()).collect();
            let got = lowered.interface.dequantize_outputs(&outputs);
            let want = model.run(row).expect("runs");
            for (g, w) in got.iter().flatten().zip(want.iter().flatten()) {
                assert!((g - w).abs() < 5e-3, "{op}: {g}, not {w}");
            }
        }
    }
    assert!(all.iter().skip(1).all(|l| l.weights != all[0].weights), "{op}");
}

#[test]
fn neutral_weights_leave_no_trace() {
    let gemm = ["x", "w", "b"];
    same_graph(
        "Gemm",
        &gemm,
        &[],
        &[1, 2],
        &[
            &[("w", &[2, 2], &[0.5, -1.0, 1.5, 0.25]), ("b", &[2], &[0.25, -0.5])],
            &[("w", &[2, 2], &[0.5, -1.0, 1.5, 0.25]), ("b", &[2], &[0.0, 0.0])],
            &[("w", &[2, 2], &[1.0, 0.0, 0.0, 1.0]), ("b", &[2], &[0.0, 0.0])],
            &[("w", &[2, 2], &[0.0; 4]), ("b", &[2], &[1.0, 1.0])],
        ],
        6,
    );
    same_graph(
        "Gemm",
        &gemm,
        &[],
        &[1, 1],
        &[
            &[("w", &[1, 1], &[0.3]), ("b", &[1], &[0.1])],
            &[("w", &[1, 1], &[1.0]), ("b", &[1], &[0.0])],
            &[("w", &[1, 1], &[0.25]), ("b", &[1], &[0.0])],
        ],
        2,
    );
    // Added to all of a row.
    same_graph(
        "Gemm",
        &gemm,
        &[],
        &[1, 2],
        &[
            &[("w", &[2, 2], &[0.5, -1.0, 1.5, 0.25]), ("b", &[1], &[0.25])],
            &[("w", &[2, 2], &[0.5, -1.0, 1.5, 0.25]), ("b", &[1], &[0.0])],
        ],
        5,
    );
    same_graph(
        "Conv",
        &gemm,
        &[],
        &[1, 1, 3, 3],
        &[
            &[("w", &[2, 1, 2, 2], &[0.5, -1.0, 0.5, 0.25, 1.0, 1.0, 1.0, 1.0]), ("b", &[2], &[0.25, 0.5])],
            &[("w", &[2, 1, 2, 2], &[1.0; 8]), ("b", &[2], &[0.0; 2])],
        ],
        10,
    );
    let norm = ["x", "g", "b", "m", "v"];
    same_graph(
        "BatchNormalization",
        &norm,
        &[],
        &[1, 1, 2, 2],
        &[
            &[("g", &[1], &[1.25]), ("b", &[1], &[0.5]), ("m", &[1], &[0.1]), ("v", &[1], &[2.0])],
            &[("g", &[1], &[1.0]), ("b", &[1], &[0.0]), ("m", &[1], &[0.0]), ("v", &[1], &[0.99999])],
            &[("g", &[1], &[0.0]), ("b", &[1], &[0.0]), ("m", &[1], &[0.0]), ("v", &[1], &[1.0])],
        ],
        2,
    );
    same_graph(
        "BatchNormalization",
        &norm,
        &[],
        &[1, 2],
        &[
            &[
                ("g", &[2], &[1.25, 1.0]),
                ("b", &[2], &[0.5, 0.0]),
                ("m", &[2], &[0.1, 0.2]),
                ("v", &[2], &[2.0, 1.0]),
            ],
            &[("g", &[2], &[1.0; 2]), ("b", &[2], &[0.0; 2]), ("m", &[2], &[0.0; 2]), ("v", &[2], &[1.0; 2])],
        ],
        4,
    );
}

#[test]
fn constants_of_every_operator_are_private() {
    for op in ["Mul", "Add", "Sub", "Div", "Max", "Min"] {
        let ones: &[Weight<'_>] = &[("w", &[3], &[1.0; 3])];
        same_graph(op, &["x", "w"], &[], &[2, 3], &[&[("w", &[3], &[0.5, 0.75, 1.5])], ones], 3);
    }
    same_graph(
        "Div",
        &["w", "x"],
        &[],
        &[2, 3],
        &[&[("w", &[3], &[0.5, -0.75, 1.5])], &[("w", &[3], &[0.0; 3])]],
        3,
    );
    same_graph("Mul", &["x", "w"], &[], &[2, 3], &[&[("w", &[1], &[0.5])], &[("w", &[1], &[1.0])]], 1);
    same_graph(
        "Concat",
        &["x", "w"],
        &[("axis", 0)],
        &[2, 3],
        &[&[("w", &[1, 3], &[0.5, 1.0, -1.5])], &[("w", &[1, 3], &[0.0; 3])]],
        3,
    );
}
