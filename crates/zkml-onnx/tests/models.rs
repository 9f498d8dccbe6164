//! The committed models at their default settings, against the results of onnxruntime.

use std::path::{Path, PathBuf};

use serde_json::Value;
use zkml_graph::{System, Visibility, effort::efforts};
use zkml_onnx::{
    Calibrated, CalibrationReport, Model, Samples, Scales, Settings, calibrate, calibrate_by, lower,
};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Loads and calibrates a model with its own data.
fn compiled(name: &str, settings: &Settings) -> (Model, Calibrated) {
    let dir = folder(name);
    let stem = dir.file_name().expect("a name").to_string_lossy().into_owned();
    let model = Model::load(dir.join(format!("{stem}.onnx")), &settings.load_options()).expect("loads");
    let samples = Samples::parse(&read(&dir.join("calibration.json")), model.inputs()).expect("samples");
    let done = calibrate(&model, &samples, settings).expect("calibrates");
    (model, done)
}

/// Largest error that an output may have, as a share of its range over the reference set, which calibration has not seen.
const GOAL: f64 = 1.0 / 4096.0;
/// Share of the reference set on which labels have to be the same.
const AGREEMENT: f64 = 0.999;

/// Largest error, as a share of the output's range, and label agreement of the integer graph over the reference set.
fn against_reference(name: &str, model: &Model, done: &Calibrated) -> (f64, f64) {
    let text = read(&folder(name).join("reference.json"));
    let samples = Samples::parse(&text, model.inputs()).expect("samples");
    let wanted: Value = serde_json::from_str(&text).expect("json");
    let (mut worst, mut same) = (0.0f64, 0usize);
    let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
    for (row, want) in samples.rows.iter().zip(wanted["outputs"].as_array().expect("outputs")) {
        let trace = done
            .graph
            .eval_with(&done.interface.quantize_inputs(row).expect("in range"), &done.weights)
            .expect("in range");
        let ints: Vec<Vec<i64>> =
            done.graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone()).collect();
        let got = done.interface.dequantize_outputs(&ints);
        let want: Vec<f64> = want[&model.outputs()[0].name]
            .as_array()
            .expect("numbers")
            .iter()
            .map(|v| v.as_f64().expect("a number"))
            .collect();
        let errors = got[0].iter().zip(&want).map(|(a, b)| (a - b).abs());
        worst = errors.fold(worst, f64::max);
        (lo, hi) = want.iter().fold((lo, hi), |(lo, hi), v| (v.min(lo), v.max(hi)));
        same += usize::from(label(&got[0]) == label(&want));
    }
    (worst / (hi - lo), same as f64 / samples.rows.len() as f64)
}

fn label(v: &[f64]) -> usize {
    if v.len() == 1 {
        return usize::from(v[0] > 0.5);
    }
    (1..v.len()).fold(0, |best, i| if v[i] > v[best] { i } else { best })
}

/// With public weights, and with private ones.
fn checked(name: &str) {
    for weights in [Visibility::Public, Visibility::Committed] {
        checked_with(name, &Settings { weights, ..Settings::default() }, GOAL);
    }
}

fn checked_with(name: &str, settings: &Settings, largest: f64) {
    let start = std::time::Instant::now();
    let (model, done) = compiled(name, settings);
    let (error, agreement) = against_reference(name, &model, &done);
    let (s, w) = (done.report.activation_scale, done.report.weight_scale);
    let share = error / GOAL;
    println!("{name}: scales {s}/{w}, {share:.2} of the goal, agreement {agreement}, {:?}", start.elapsed());
    for l in &done.report.layers {
        let (range, error) = (format!("[{:.3}, {:.3}]", l.lo, l.hi), l.max_abs_error);
        println!("  {} {:?} scale {} bits {} {range} {error:.1e}", l.name, l.shape, l.scale, l.bits);
    }
    let json = serde_json::to_string(&done.scales).expect("serialises");
    let scales: Scales = serde_json::from_str(&json).expect("reads back");
    let again = lower(&model, &done.settings, &scales).expect("lowers");
    assert!(
        again.graph.to_bytes() == done.graph.to_bytes(),
        "{name}: recorded scales do not rebuild the graph"
    );
    assert_eq!((&again.interface, &again.weights), (&done.interface, &done.weights));
    let public = done.graph.tensors.iter().filter_map(|t| t.constant.as_ref()).flatten().count();
    match settings.weights {
        Visibility::Public => assert!(done.weights.is_empty()),
        // What remains are factors of averages and the like.
        Visibility::Committed => {
            assert!(public < 16 && done.weights.iter().all(|w| !w.is_empty()), "{name}: {public}")
        }
    }
    assert!(error <= largest, "{name}: error {share} of the goal");
    assert!(agreement >= AGREEMENT, "{name}: agreement {agreement}");
}

#[test]
fn credit() {
    checked("credit");
}

#[test]
fn credit_trees() {
    // The comparisons are exact: what is left is the rounding of leaves, and of the sigmoid's table.
    for name in ["credit_xgb", "credit_lgbm", "credit_forest"] {
        let name = format!("credit_trees/{name}");
        checked_with(&name, &Settings::default(), GOAL);
        let (_, done) = compiled(&name, &Settings::default());
        assert!(done.report.moved.iter().all(|m| m.samples.is_empty()), "{name}: {:?}", done.report.moved);
    }
}

#[test]
fn bench_credit_mlp() {
    checked("bench/credit_mlp");
}

#[test]
fn digits() {
    checked("digits/mlp");
    checked("digits/cnn");
}

#[test]
fn kinds_of_digits() {
    checked("digits_kinds/digits_lstm");
    checked("digits_kinds/digits_transformer");
    // All scales are powers of two, so that floats compute exactly what the integers are.
    checked_with("digits_kinds/digits_int8", &Settings::default(), 0.0);
}

#[test]
fn bench_images() {
    checked("bench/mnist_mlp");
    checked("bench/lenet");
    checked("bench/mlp_1m");
    checked_with("bench/vgg_mini", &Settings::default(), GOAL);
}

#[test]
fn bench_transformer() {
    checked("bench/transformer");
}

/// Of scales that are fine enough, those are taken that cost least, whatever costs are; and the report says which layers they
/// are spent on.
#[test]
fn scales_follow_the_price() {
    let dir = folder("bench/mnist_mlp");
    let settings = Settings::default();
    let model = Model::load(dir.join("mnist_mlp.onnx"), &settings.load_options()).expect("loads");
    let samples = Samples::parse(&read(&dir.join("calibration.json")), model.inputs()).expect("samples");
    let taken = |price: &zkml_onnx::Price<'_>| {
        let report = calibrate_by(&model, &samples, &settings, price).expect("calibrates").report;
        let error = report.outputs.iter().map(|o| o.max_abs_error / o.aim(settings.tolerance));
        assert!(error.fold(0.0, f64::max) <= 1.0, "{:?}", report.outputs);
        report
    };
    let lookups = |system: &System| efforts(system).expect("confined").iter().map(|e| e.lookups).sum::<u64>();
    let cheap = taken(&|system| Some(lookups(system) as f64));
    // Weights of 16 bits leave remainders of two whole limbs.
    assert_eq!(cheap.weight_scale, 16);
    let dear = taken(&|system| Some(-(lookups(system) as f64)));
    assert_ne!((dear.activation_scale, dear.weight_scale), (cheap.activation_scale, cheap.weight_scale));
    let spent = |report: &CalibrationReport| report.efforts.iter().map(|e| e.lookups).sum::<u64>();
    assert!(spent(&dear) > spent(&cheap));
    assert_eq!(cheap.efforts[0].name, "inputs", "{:?}", cheap.efforts);
    assert!(cheap.efforts.iter().any(|e| e.name == "relu_1"), "{:?}", cheap.efforts);
}
