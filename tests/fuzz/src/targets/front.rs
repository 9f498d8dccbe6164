//! The front end: models, samples, settings.

use crate::targets::{graph, in_a_file};
use std::sync::LazyLock;
use zkml_graph::Visibility;
use zkml_onnx::{LoadOptions, Model, Port, Sample, Samples, Scales, Settings, calibrate, lower};

/// Models with more multiplications or numbers than this are loaded and inspected only.
const SMALL: u64 = 20_000;

/// An ONNX file, with weights that all see and with weights that only their owner sees.
pub(crate) fn onnx(data: &[u8]) {
    in_a_file(data, |path| {
        for weights in [Visibility::Public, Visibility::Committed] {
            let Ok(model) = Model::load(path, &LoadOptions { weights, ..LoadOptions::default() }) else {
                return;
            };
            compiled(&model);
        }
    });
}

/// All that `calibrate` and `compile` do with a model, and an honest run of the result.
fn compiled(model: &Model) {
    let inspection = model.inspect();
    let numbers = |ports: &[Port]| ports.iter().map(|p| p.len() as u64).sum::<u64>();
    let nodes: u64 = inspection.nodes.iter().map(|n| n.shape.iter().product::<usize>() as u64).sum();
    let size = numbers(model.inputs()) + numbers(model.outputs()) + nodes + inspection.parameters;
    if size.max(inspection.macs) > SMALL {
        return;
    }
    let samples = Samples::random(model.inputs(), 3, 7);
    let settings = Settings { weights: model.weights(), ..Settings::default() };
    let Ok(calibrated) = calibrate(model, &samples, &settings) else { return };
    let again = lower(model, &calibrated.settings, &calibrated.scales).expect("its own scales");
    assert!(again.graph == calibrated.graph, "recorded scales give another graph");
    assert!(again.weights == calibrated.weights, "recorded scales give other weights");
    graph::stored(&calibrated.graph);
    for sample in &samples.rows {
        // A sample may leave a range that calibration rounded.
        let Ok(inputs) = calibrated.interface.quantize_inputs(sample) else { continue };
        graph::honest(&calibrated.graph, &inputs, &calibrated.weights);
    }
}

fn ports() -> [Port; 3] {
    let port = |name: &str, shape: &[usize], kind: &str| Port {
        name: name.into(),
        shape: shape.to_vec(),
        kind: kind.into(),
    };
    [port("x", &[1, 2, 2], "f32"), port("n", &[1], "i64"), port("é\"", &[3, 1], "f64")]
}

/// A JSON file with one sample or many.
pub(crate) fn sample(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let ports = ports();
    let fits = |sample: &Sample| {
        let again = Sample::new(&ports, sample.values().to_vec()).expect("values that were read");
        assert_eq!(again, *sample);
    };
    if let Ok(one) = Sample::parse(text, &ports) {
        fits(&one);
    }
    if let Ok(many) = Samples::parse(text, &ports) {
        many.rows.iter().for_each(fits);
    }
    for ports in ports.chunks(1) {
        let _ = Samples::parse(text, ports);
    }
}

/// The model that settings are read for.
pub(crate) static MODEL: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../fixtures/onnx/sklearn/mlp_tanh.onnx");
    let load = |weights| {
        in_a_file(bytes, |path| Model::load(path, &LoadOptions { weights, ..LoadOptions::default() }))
            .expect("a good model")
    };
    [Visibility::Public, Visibility::Committed].into_iter().map(load).collect()
});

/// The files with settings and scales, a zero byte between them: the model is lowered with them.
pub(crate) fn settings(data: &[u8]) {
    let mut parts = data.splitn(2, |b| *b == 0);
    let Ok(settings) = serde_json::from_slice::<Settings>(parts.next().unwrap_or_default()) else { return };
    let text = serde_json::to_string(&settings).expect("writes");
    let again: Settings = serde_json::from_str(&text).expect("reads what it wrote");
    assert_eq!((&again.inputs, &again.outputs), (&settings.inputs, &settings.outputs));
    let said = settings.inputs.to_string();
    if let Ok(read) = said.parse::<zkml_onnx::Visibilities>() {
        assert_eq!(read.to_string(), said);
    }
    let Ok(scales) = serde_json::from_slice::<Scales>(parts.next().unwrap_or_default()) else { return };
    for model in MODEL.iter() {
        let Ok(lowered) = lower(model, &settings, &scales) else { continue };
        graph::stored(&lowered.graph);
        let middle = Samples::random(model.inputs(), 1, 1);
        let Ok(inputs) = lowered.interface.quantize_inputs(&middle.rows[0]) else { continue };
        graph::honest(&lowered.graph, &inputs, &lowered.weights);
    }
}
