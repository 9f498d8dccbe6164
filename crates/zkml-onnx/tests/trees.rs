//! Tree ensembles of all exporters and of all kinds against onnxruntime, whose results `trees.py` recorded: the float model, the
//! integer graph with its relations, the label; or the refusal that is due.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use zkml_graph::Visibility;
use zkml_onnx::{Calibrated, Error, LoadOptions, Model, Samples, Settings, calibrate, lower};

#[derive(Deserialize)]
struct Page {
    rows: Vec<Row>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Row {
    x: Vec<f64>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    rows: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    outputs: Vec<Vec<f64>>,
    #[serde(default)]
    labels: Vec<i64>,
    refused: Option<String>,
}

/// Largest difference between the float model and onnxruntime, relative to the largest score where that exceeds one.
const FLOATS: f64 = 2e-6;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx")
}

fn page(path: &Path) -> Page {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Largest element, the first of equal ones.
fn best(scores: &[f64]) -> i64 {
    (1..scores.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best }) as i64
}

/// Difference between the two largest scores.
fn margin(scores: &[f64]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.get(1).map_or(f64::INFINITY, |second| sorted[0] - second)
}

/// Outcome of the rows of a case.
struct Outcome {
    /// Rows that the report says rounding moved over a threshold.
    moved: Vec<usize>,
    /// Rows whose label is another than onnxruntime's.
    other: Vec<usize>,
    done: Calibrated,
}

impl Case {
    fn rows(&self, shared: &[Row]) -> Vec<Vec<f64>> {
        self.rows.clone().unwrap_or_else(|| shared.iter().map(|r| r.x.clone()).collect())
    }

    fn model(&self, folder: &Path) -> Result<Model, Error> {
        Model::load(folder.join(&self.file), &LoadOptions::default())
    }

    /// Runs every row; every `checked`-th with its relations.
    fn run(&self, folder: &Path, shared: &[Row], checked: usize) -> Outcome {
        let (name, model) = (&self.name, self.model(folder).unwrap_or_else(|e| panic!("{}: {e}", self.name)));
        let input = &model.inputs()[0].name;
        let rows: Vec<Value> = self.rows(shared).into_iter().map(|r| json!({ input: r })).collect();
        let samples =
            Samples::parse(&json!({ "samples": rows }).to_string(), model.inputs()).expect("samples");
        let settings = Settings::default();
        let done = calibrate(&model, &samples, &settings).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(done.report.measured, samples.rows.len(), "{name}: all are measured");
        assert!(done.report.alarm(settings.tolerance).is_none(), "{name}: {:?}", done.report.outputs);
        let again = lower(&model, &done.settings, &done.scales).expect("lowers");
        assert_eq!(again.graph.to_bytes(), done.graph.to_bytes(), "{name}: the same graph from its scales");
        let moved: Vec<usize> = done.report.moved.iter().flat_map(|m| m.samples.clone()).collect();
        let allowed = done.report.outputs[0].allowed(settings.tolerance);
        let system = done.graph.system();
        let mut other = Vec::new();
        for (i, sample) in samples.rows.iter().enumerate() {
            let floats = model.run(sample).expect("runs");
            let ints = done.interface.quantize_inputs(sample).expect("within range");
            let trace = done.graph.eval(&ints).unwrap_or_else(|e| panic!("{name}, row {i}: {e}"));
            if i % checked == 0 {
                let values = system.assign(&trace).expect("counts fit");
                system.check(&values).unwrap_or_else(|e| panic!("{name}, row {i}: {e}"));
            }
            let output = trace.values[done.graph.outputs[0].tensor.0 as usize].clone();
            let got = done.interface.dequantize_outputs(&[output]).swap_remove(0);
            if self.outputs.is_empty() {
                assert_eq!(floats[0], [self.labels[i] as f64], "{name}, row {i}: the float label");
                if got != [self.labels[i] as f64] {
                    other.push(i);
                }
                continue;
            }
            let want = &self.outputs[i];
            assert_eq!(want.len(), got.len(), "{name}");
            let largest = want.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
            for (w, f) in want.iter().zip(&floats[0]) {
                assert!(
                    (w - f).abs() <= FLOATS * largest,
                    "{name}, row {i}: floats {:?} for {want:?}",
                    floats[0]
                );
            }
            // What was moved decides otherwise, and may be anything.
            let close = want.iter().zip(&got).all(|(w, g)| (w - g).abs() <= allowed);
            assert!(close || moved.contains(&i), "{name}, row {i}: {got:?} for {want:?}");
            if want.len() > 1 && best(&got) != best(want) {
                assert!(
                    moved.contains(&i) || margin(want) <= 2.0 * allowed,
                    "{name}, row {i}: {got:?} for {want:?}"
                );
                other.push(i);
            }
        }
        Outcome { moved, other, done }
    }
}

#[test]
fn every_ensemble_says_what_onnxruntime_says() {
    let only = std::env::var("CASE").unwrap_or_default();
    let page = page(&fixtures().join("trees.json"));
    let cases = page.cases.iter().filter(|c| c.refused.is_none() && c.name.contains(&only));
    let mut tried = 0;
    for case in cases {
        let Outcome { moved, other, done } = case.run(&fixtures(), &page.rows, 1);
        assert!(moved.is_empty() && other.is_empty(), "{}: {moved:?} moved, {other:?} otherwise", case.name);
        let walks = done.graph.nodes.iter().filter(|n| n.op.spec().kind() == "Trees").count();
        assert_eq!(walks, 1, "{}", case.name);
        let says = format!("rounding moved none of {} samples", case.rows(&page.rows).len());
        assert!(done.report.notices.iter().any(|n| n.contains(&says)), "{:?}", done.report.notices);
        tried += 1;
    }
    assert!(tried > 30 || !only.is_empty(), "{tried}");
}

#[test]
fn what_trees_do_not_take_is_refused_in_words() {
    let page = page(&fixtures().join("trees.json"));
    let mut tried = 0;
    for case in &page.cases {
        let Some(words) = &case.refused else { continue };
        match case.model(&fixtures()) {
            Err(Error::Unsupported { nodes, .. }) => {
                assert!(nodes[0].reason.contains(words), "{}: {}", case.name, nodes[0].reason);
                assert_eq!(nodes[0].name, "trees", "{}", case.name);
            }
            Err(other) => panic!("{}: {other}", case.name),
            Ok(_) => panic!("{} is taken", case.name),
        }
        tried += 1;
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn damaged_trees_never_panic() {
    let attempt = |bytes: &[u8]| {
        let model = Model::from_bytes("damaged", bytes, &LoadOptions::default())?;
        let samples = Samples::random(model.inputs(), 4, 1);
        calibrate(&model, &samples, &Settings::default()).map(|_| ())
    };
    for file in ["mode_eq", "classes_softmax", "version5_member", "two_classes_logistic"] {
        let whole = std::fs::read(fixtures().join(format!("trees/{file}.onnx"))).expect("fixture");
        for at in 0..whole.len() {
            for bits in [0x41, 0x80] {
                let mut flipped = whole.clone();
                flipped[at] ^= bits;
                let outcome = std::panic::catch_unwind(|| attempt(&flipped).is_ok());
                assert!(outcome.is_ok(), "{file}, byte {at} of {}", whole.len());
            }
        }
    }
}

#[test]
fn trees_have_no_private_weights() {
    let options = LoadOptions { weights: Visibility::Committed, ..LoadOptions::default() };
    let error = Model::load(fixtures().join("trees/uneven.onnx"), &options).expect_err("private trees");
    assert!(matches!(error, Error::NotPrivate { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("`trees`: the comparisons of decision trees are part of the verifying key")
    );
}

#[test]
fn a_feature_that_rounds_to_its_threshold_is_reported() {
    // At four fraction bits, 0.53 is the threshold 0.5.
    let model = Model::load(fixtures().join("trees/mode_leq.onnx"), &LoadOptions::default()).expect("loads");
    let rows: Vec<Value> = [0.25, 0.53, 0.75, 0.5, 0.53].iter().map(|x| json!({ "x": [x, 0.0] })).collect();
    let samples = Samples::parse(&json!({ "samples": rows }).to_string(), model.inputs()).expect("samples");
    let settings = Settings { activation_scale: Some(4), activation_bits: 8, ..Settings::default() };
    let done = |settings: &Settings| calibrate(&model, &samples, settings).expect("calibrates").report;
    assert_eq!(done(&Settings::default()).moved[0].samples, [0usize; 0]);
    // The scale that separates them is chosen, unless there is no room for it.
    let report = done(&settings);
    assert_eq!(report.moved[0].samples, [0usize; 0], "{:?}", report.notices);
    let far = [json!({ "x": [0.25, 0.0] }), json!({ "x": [0.53, 3000.0] })];
    let samples = Samples::parse(&json!({ "samples": far }).to_string(), model.inputs()).expect("samples");
    let report = calibrate(&model, &samples, &settings).expect("calibrates").report;
    assert_eq!(report.moved[0].samples, [1]);
    let words =
        "`trees`: rounding moved 1 of 2 samples over a threshold, so that some tree decides otherwise: 1";
    assert!(report.notices.iter().any(|n| n == words), "{:?}", report.notices);
}

/// `python tests/fixtures/onnx/trees.py --rows 10000 FOLDER`, then `TREES=FOLDER cargo test … -- --ignored --nocapture`.
#[test]
#[ignore = "needs rows that trees.py makes"]
fn many_rows() {
    let folder = PathBuf::from(std::env::var("TREES").expect("TREES names a folder"));
    let page = page(&folder.join("trees.json"));
    for case in &page.cases {
        // Files are named with their folder.
        let parent = folder.parent().expect("a folder in another");
        let Outcome { moved, other, .. } = case.run(parent, &page.rows, 500);
        let unexplained = other.iter().filter(|i| !moved.contains(i)).count();
        println!(
            "{:24} {} rows: {} moved {:?}, {} labels differ, {unexplained} of them within the error of the scores",
            case.name,
            case.rows(&page.rows).len(),
            moved.len(),
            moved.iter().take(5).collect::<Vec<_>>(),
            other.len()
        );
    }
}
