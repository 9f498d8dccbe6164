//! Files that must be refused: each with the error that names what is wrong, none with a panic.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use zkml_onnx::{Error, LoadOptions, Model, Samples, Settings, calibrate};

#[derive(Deserialize)]
struct Bad {
    name: String,
    file: String,
    #[serde(default)]
    ops: Vec<String>,
}

#[derive(Deserialize)]
struct Cases {
    unsupported: Vec<Bad>,
    hostile: Vec<Bad>,
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx")
}

fn cases() -> Cases {
    let text = std::fs::read_to_string(fixtures().join("cases.json")).expect("cases.json");
    serde_json::from_str(&text).expect("cases")
}

/// Loading, and calibration with random data where loading alone finds nothing wrong.
fn attempt(path: &Path) -> Result<(), Error> {
    let model = Model::load(path, &LoadOptions::default())?;
    let samples = Samples::random(model.inputs(), 4, 1);
    calibrate(&model, &samples, &Settings::default()).map(|_| ())
}

#[test]
fn every_unsupported_node_is_listed() {
    for case in cases().unsupported {
        let error = attempt(&fixtures().join(&case.file)).expect_err(&case.name);
        let Error::Unsupported { nodes, supported } = &error else { panic!("{}: {error}", case.name) };
        println!("{}: {}", case.name, error.to_string().lines().take(5).collect::<Vec<_>>().join(" | "));
        for op in &case.ops {
            let found = nodes
                .iter()
                .any(|n| n.op.ends_with(op.as_str()) && !n.name.is_empty() && !n.shape.is_empty());
            assert!(found, "{}: {op} is not in {error}", case.name);
        }
        assert!(supported.contains("Gemm"));
    }
}

#[test]
fn hostile_files_get_their_own_error() {
    for case in cases().hostile {
        let error = attempt(&fixtures().join(&case.file)).expect_err(&case.name);
        println!("{}: {error}", case.name);
        let stem = case.name.rsplit('/').next().expect("a name");
        let fits = match stem {
            "empty" | "truncated" | "random_bytes" | "text" | "huge_length" | "no_graph" => {
                matches!(error, Error::NotOnnx { .. })
            }
            "missing_initializer" => matches!(&error, Error::MissingTensor { tensor, .. } if tensor == "w"),
            "external_data_missing" | "external_data_outside" => {
                matches!(&error, Error::ExternalData { tensor, .. } if tensor == "w")
            }
            "dynamic_height_width" => {
                matches!(&error, Error::OpenDimension { input, axis: 2, .. } if input == "x")
            }
            "nan_weight" | "infinite_weight" => {
                matches!(&error, Error::NotFinite { tensor, .. } if tensor == "w")
            }
            "huge_weight" => {
                matches!(error, Error::FloatOverflow { .. } | Error::Magnitude { .. } | Error::Graph(_))
            }
            "nested" => matches!(error, Error::NotOnnx { .. } | Error::Malformed { .. }),
            "cycle" => matches!(error, Error::Cycle { .. }),
            "divide_by_zero" => matches!(error, Error::Unsupported { .. } | Error::NotFinite { .. }),
            "wrong_gemm" => matches!(error, Error::Analysis { .. }),
            _ => matches!(error, Error::Malformed { .. }),
        };
        assert!(fits, "{}: {error:?}", case.name);
        assert!(!error.to_string().contains("backtrace"), "{}: {error}", case.name);
    }
}

#[test]
fn damaged_files_never_panic() {
    let folder = fixtures().join("torch");
    let temporary = std::env::temp_dir().join(format!("zkml-onnx-damaged-{}.onnx", std::process::id()));
    for file in ["max_pool_padded.onnx", "leaky_relu.onnx", "reduce_mean.onnx"] {
        let whole = std::fs::read(folder.join(file)).expect("fixture");
        let step = (whole.len() / 150).max(1);
        for at in (0..whole.len()).step_by(step) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x41;
            for bytes in [&flipped[..], &whole[..at]] {
                std::fs::write(&temporary, bytes).expect("writable");
                let outcome = std::panic::catch_unwind(|| attempt(&temporary).is_ok());
                assert!(outcome.is_ok(), "{file}, byte {at} of {}", whole.len());
            }
        }
    }
    std::fs::remove_file(&temporary).expect("removable");
}

#[test]
fn missing_file_and_folder_are_named() {
    let missing = Model::load("no/such/model.onnx", &LoadOptions::default()).expect_err("missing");
    assert!(matches!(&missing, Error::Read { path, .. } if path.ends_with("model.onnx")));
    assert!(matches!(Model::load(fixtures(), &LoadOptions::default()), Err(Error::Read { .. })));
}

#[test]
fn values_outside_the_calibrated_range_are_refused() {
    let path = fixtures().join("torch/mlp_dynamic_batch.onnx");
    let model = Model::load(path, &LoadOptions { batch: 2, ..Default::default() }).expect("loads");
    assert_eq!(model.inputs()[0].shape[0], 2);
    let samples = Samples::random(model.inputs(), 20, 3);
    let done =
        calibrate(&model, &samples, &Settings { batch: 2, ..Settings::default() }).expect("calibrates");
    assert!(done.report.random && done.report.notices.iter().any(|n| n.contains("RANDOM")));
    let mut values = samples.rows[0].values().to_vec();
    values[0][3] = 1e6;
    let sample = zkml_onnx::Sample::new(model.inputs(), values).expect("finite");
    let error = done.interface.quantize_inputs(&sample).expect_err("outside");
    assert!(matches!(error, zkml_onnx::SampleError::OutOfRange { index: 3, .. }), "{error}");
}

#[test]
fn a_missed_tolerance_is_said() {
    let model = Model::load(fixtures().join("torch/relu6.onnx"), &LoadOptions::default()).expect("loads");
    let samples = Samples::random(model.inputs(), 8, 2);
    let coarse = Settings { activation_scale: Some(5), weight_scale: Some(5), ..Settings::default() };
    let notices =
        |settings: &Settings| calibrate(&model, &samples, settings).expect("calibrates").report.notices;
    let told = |notices: Vec<String>| notices.iter().any(|n| n.contains("tolerance"));
    assert!(told(notices(&coarse)));
    assert!(!told(notices(&Settings::default())));
}

#[test]
fn settings_out_of_range_are_named() {
    let bad = Settings { margin: 0.5, ..Settings::default() };
    assert!(matches!(bad.check(), Err(Error::Setting { name: "margin", .. })));
    let bad = Settings { activation_scale: Some(99), ..Settings::default() };
    assert!(matches!(bad.check(), Err(Error::Setting { name: "activation_scale", .. })));
    let zero =
        Model::load(fixtures().join("torch/relu6.onnx"), &LoadOptions { batch: 0, ..Default::default() });
    assert!(matches!(zero, Err(Error::Setting { name: "batch", .. })));
}

/// Two inputs with symbolic dimensions, one of them shared.
fn open_shapes() -> Vec<u8> {
    use prost::Message;
    use tract_onnx::pb;
    use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
    use tract_onnx::pb::type_proto::{Tensor, Value as Type};
    let input = |name: &str, dims: &[&str]| {
        let dim = |d: &&str| {
            let value = d.parse().map_or_else(|_| Dim::DimParam((*d).into()), Dim::DimValue);
            Dimension { value: Some(value), ..Default::default() }
        };
        let shape = pb::TensorShapeProto { dim: dims.iter().map(dim).collect() };
        let tensor = Tensor { elem_type: pb::tensor_proto::DataType::Float as i32, shape: Some(shape) };
        let r#type = pb::TypeProto { value: Some(Type::TensorType(tensor)), ..Default::default() };
        pb::ValueInfoProto { name: name.into(), r#type: Some(r#type), ..Default::default() }
    };
    let node = pb::NodeProto {
        op_type: "MatMul".into(),
        input: vec!["a".into(), "b".into()],
        output: vec!["y".into()],
        ..Default::default()
    };
    let graph = pb::GraphProto {
        node: vec![node],
        input: vec![input("a", &["N", "seq", "width"]), input("b", &["N", "width", "2"])],
        output: vec![pb::ValueInfoProto { name: "y".into(), ..Default::default() }],
        ..Default::default()
    };
    let opset = pb::OperatorSetIdProto { domain: String::new(), version: 13 };
    let file =
        pb::ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() };
    file.encode_to_vec()
}

#[test]
fn symbolic_dimensions_are_set_by_their_names() {
    let load = |dims: &str, batch: usize| {
        let dims = if dims.is_empty() { zkml_onnx::Dims::default() } else { dims.parse().expect("dims") };
        let options = LoadOptions { batch, dims, ..LoadOptions::default() };
        Model::from_bytes("open", &open_shapes(), &options)
    };
    let shapes = |m: &Model| m.inputs().iter().map(|p| p.shape.clone()).collect::<Vec<_>>();
    let model = load("seq=5,width=3", 2).expect("loads");
    assert_eq!(shapes(&model), [vec![2, 5, 3], vec![2, 3, 2]]);
    assert_eq!(model.outputs()[0].shape, [2, 5, 2]);
    let named = load("seq=5,width=3,N=4", 2).expect("loads");
    assert_eq!(shapes(&named)[0], [4, 5, 3]);
    let open = load("seq=5", 1).expect_err("the width is open");
    assert!(open.to_string().contains("--dim width=16"), "{open}");
    let unknown = load("seq=5,width=3,length=4", 1).expect_err("there is no length");
    let names = matches!(&unknown, Error::UnknownDimension { dim, known } if dim == "length" && known == &["N", "seq", "width"]);
    assert!(names, "{unknown:?}");
    assert!(unknown.to_string().contains("open are: N, seq, width"), "{unknown}");
    let first = load("length=4", 1).expect_err("the name is wrong, whatever else is open");
    assert!(matches!(first, Error::UnknownDimension { .. }), "{first}");
}
