//! Quantized models on inputs that calibration did not see: every integer that they put out is the one that the model defines.

use std::path::PathBuf;

use serde::Deserialize;
use zkml_onnx::{LoadOptions, Model, Sample, Samples, Settings, calibrate};

/// Largest input; calibration sees it, and so the inputs below it are in range.
const MOST: f64 = 2.0;
/// Inputs are multiples of one of these: the graph keeps them with more bits.
const GRID: f64 = 1024.0;
/// Samples of calibration, which lie on both ends.
const SEEN: u64 = 8;
/// Inputs on which a model runs.
const RUNS: u64 = 100;

fn model(name: &str) -> Model {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx/edges");
    Model::load(folder.join(format!("dequantizelinear-{name}.onnx")), &LoadOptions::default()).expect("loads")
}

/// Numbers in ±[`MOST`] that the graph takes as they are.
fn sample(model: &Model, seed: u64) -> Sample {
    let drawn = Samples::random(model.inputs(), 1, seed).rows.swap_remove(0);
    let scaled = |v: &f64| if seed < SEEN { MOST * v.signum() } else { (MOST * v * GRID).round() / GRID };
    let values = drawn.values().iter().map(|input| input.iter().map(scaled).collect()).collect();
    Sample::new(model.inputs(), values).expect("finite")
}

/// Outputs that differ from those of the model by more than a tenth of a quantization step, and all of them.
fn wrong(name: &str, step: f64) -> (usize, usize) {
    let model = model(name);
    let samples = Samples { rows: (0..SEEN).map(|seed| sample(&model, seed)).collect(), random: false };
    let done = calibrate(&model, &samples, &Settings::default()).expect("calibrates");
    let (mut wrong, mut all) = (0, 0);
    for seed in SEEN..SEEN + RUNS {
        let sample = sample(&model, seed);
        let ints = done.interface.quantize_inputs(&sample).expect("in range");
        let trace = done.graph.eval(&ints).expect("in range");
        let output = trace.values[done.graph.outputs[0].tensor.0 as usize].clone();
        let got = done.interface.dequantize_outputs(&[output]).concat();
        let want = model.run(&sample).expect("runs").concat();
        all += want.len();
        wrong += got.iter().zip(&want).filter(|(g, w)| (*g - *w).abs() > step / 10.0).count();
    }
    (wrong, all)
}

#[test]
fn layers_of_quantized_models_put_out_the_integers_that_are_due() {
    for name in ["matmul", "matmul_columns", "gemm", "conv"] {
        let (wrong, all) = wrong(name, 0.23);
        println!("{name}: {wrong} of {all}");
        assert_eq!(wrong, 0, "{name}: {wrong} of {all} outputs are not those of the model");
    }
}

/// A file of onnxruntime's quantizer, with what onnxruntime gives.
#[derive(Deserialize)]
struct Made {
    name: String,
    samples: Vec<Vec<f64>>,
    inputs: Vec<Vec<f64>>,
    outputs: Vec<Vec<f64>>,
    step: f64,
}

fn made() -> Vec<Made> {
    #[derive(Deserialize)]
    struct All {
        models: Vec<Made>,
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx");
    let text = std::fs::read_to_string(folder.join("quantized.json")).expect("quantized.json");
    serde_json::from_str::<All>(&text).expect("models").models
}

/// With default settings, on inputs that nobody calibrated with. Scales are what the quantizer found, no powers of two.
#[test]
fn files_of_onnxruntime_give_its_integers() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx/quantized");
    for Made { name, samples, inputs, outputs, step } in made() {
        let model = Model::load(folder.join(format!("{name}.onnx")), &LoadOptions::default()).expect("loads");
        let row = |values: &Vec<f64>| Sample::new(model.inputs(), vec![values.clone()]).expect("finite");
        let samples = Samples { rows: samples.iter().map(row).collect(), random: false };
        let settings = Settings::default();
        let done = calibrate(&model, &samples, &settings).expect("calibrates");
        assert_eq!(done.report.alarm(settings.tolerance), None, "{name}");
        for (i, (input, want)) in inputs.iter().zip(&outputs).enumerate() {
            let ints = done.interface.quantize_inputs(&row(input)).expect("in range");
            let trace = done.graph.eval(&ints).expect("in range");
            let output = trace.values[done.graph.outputs[0].tensor.0 as usize].clone();
            let got = done.interface.dequantize_outputs(&[output]).concat();
            let code = |v: &f64| (v / step).round();
            assert_eq!(
                got.iter().map(code).collect::<Vec<_>>(),
                want.iter().map(code).collect::<Vec<_>>(),
                "{name}, {i}"
            );
        }
    }
}
