//! Edge cases of every operator against onnxruntime and ONNX's reference evaluator, whose results `edges.py` recorded:
//! the float model, the integer graph, and the relations on its trace; or the refusal that is due.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use zkml_onnx::{LoadOptions, Model, Samples, Settings, calibrate, lower, supported_ops};

/// A model with inputs, and the outputs that the references give, or words of the refusal.
#[derive(Deserialize)]
struct Edge {
    name: String,
    file: String,
    samples: Vec<Value>,
    outputs: Option<Vec<BTreeMap<String, Vec<f64>>>>,
    refused: Option<String>,
    #[serde(default)]
    alarm: bool,
    settled: Option<String>,
    note: Option<String>,
}

/// Largest difference between the float model and the references, relative to the largest value of the sample where that exceeds one.
const FLOATS: f64 = 2e-5;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx")
}

/// Those whose name contains the environment variable `CASE`, or all.
fn edges() -> Vec<Edge> {
    let only = std::env::var("CASE").unwrap_or_default();
    all_edges().into_iter().filter(|e| e.name.contains(&only)).collect()
}

fn all_edges() -> Vec<Edge> {
    #[derive(Deserialize)]
    struct Edges {
        edges: Vec<Edge>,
    }
    let text = std::fs::read_to_string(fixtures().join("edges.json")).expect("edges.json");
    serde_json::from_str::<Edges>(&text).expect("edges").edges
}

impl Edge {
    /// The first thing that is wrong; the text of a refusal.
    fn run(&self) -> Result<(), String> {
        let model =
            Model::load(fixtures().join(&self.file), &LoadOptions::default()).map_err(|e| e.to_string())?;
        let json = serde_json::json!({ "samples": self.samples }).to_string();
        let samples = Samples::parse(&json, model.inputs()).map_err(|e| e.to_string())?;
        if self.refused.is_none() {
            self.floats(&model, &samples)?;
        }
        let settings = Settings::default();
        let done = calibrate(&model, &samples, &settings).map_err(|e| e.to_string())?;
        let alarm = done.report.alarm(settings.tolerance);
        if alarm.is_some() != self.alarm {
            return Err(format!("the alarm is {alarm:?}: {:?}", done.report.outputs));
        }
        let system = done.graph.system();
        for (i, sample) in samples.rows.iter().enumerate() {
            let ints = done.interface.quantize_inputs(sample).map_err(|e| e.to_string())?;
            let trace = done.graph.eval(&ints).map_err(|e| e.to_string())?;
            let values = system.assign(&trace).ok_or("counts do not fit")?;
            system.check(&values).map_err(|e| format!("relations: {e}"))?;
            let ints: Vec<Vec<i64>> =
                done.graph.outputs.iter().map(|o| trace.values[o.tensor.0 as usize].clone()).collect();
            let got = done.interface.dequantize_outputs(&ints);
            for (report, got) in done.report.outputs.iter().zip(got).filter(|_| !self.alarm) {
                let allowed = report.allowed(settings.tolerance);
                self.close(i, &report.name, &got, &|_| allowed).map_err(|e| format!("integers: {e}"))?;
            }
        }
        let again = lower(&model, &done.settings, &done.scales).map_err(|e| e.to_string())?;
        if again.graph.to_bytes() == done.graph.to_bytes() { Ok(()) } else { Err("another graph".into()) }
    }

    fn floats(&self, model: &Model, samples: &Samples) -> Result<(), String> {
        for (i, sample) in samples.rows.iter().enumerate() {
            let run = model.run(sample).map_err(|e| e.to_string())?;
            for (port, got) in model.outputs().iter().zip(run) {
                let allowed = |want: &[f64]| FLOATS * want.iter().fold(1.0, |m: f64, w| m.max(w.abs()));
                self.close(i, &port.name, &got, &allowed).map_err(|e| format!("float model: {e}"))?;
            }
        }
        Ok(())
    }

    /// Compares with the references.
    fn close(
        &self,
        sample: usize,
        output: &str,
        got: &[f64],
        allowed: &dyn Fn(&[f64]) -> f64,
    ) -> Result<(), String> {
        let outputs = self.outputs.as_ref().ok_or("there are no reference outputs")?;
        let want = outputs[sample].get(output).ok_or_else(|| format!("no reference for `{output}`"))?;
        if want.len() != got.len() {
            return Err(format!("`{output}` has {} values instead of {}", got.len(), want.len()));
        }
        let allowed = allowed(want);
        let wrong = got.iter().zip(want).position(|(g, w)| (g - w).abs() > allowed || !g.is_finite());
        wrong.map_or(Ok(()), |at| {
            Err(format!("sample {sample}, `{output}`, element {at}: {} instead of {}", got[at], want[at]))
        })
    }

    fn check(&self) -> Result<(), String> {
        let wrong = match (self.run(), &self.refused) {
            (Ok(()), None) => return Ok(()),
            (Err(text), Some(words)) if words.split('|').any(|w| text.contains(w)) => return Ok(()),
            (Ok(()), Some(words)) => format!("it is not refused for `{words}`"),
            (Err(text), _) => text,
        };
        Err(format!("{}: {wrong}", self.name))
    }
}

#[test]
fn every_edge_case_is_what_the_references_say_or_is_refused() {
    let all = edges();
    let wrong: Vec<String> = all.iter().filter_map(|e| e.check().err()).collect();
    assert!(wrong.is_empty(), "{} of {} fail:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// Where the references differ, or the tolerance is not reached, the case says why.
#[test]
fn exceptions_are_explained() {
    for edge in edges().iter().filter(|e| e.settled.is_some() || e.alarm) {
        assert!(edge.note.as_ref().is_some_and(|n| !n.is_empty()), "{} has no note", edge.name);
    }
}

/// Operators whose node tests pass, by the names of these without underscores.
fn tested() -> Vec<String> {
    let list = std::fs::read_to_string(fixtures().join("node_tests.tsv")).expect("the list");
    let passing = list.lines().filter(|l| l.contains("\tpasses\t"));
    passing.filter_map(|l| l.split('\t').next()).map(|n| n.replace('_', "")).collect()
}

/// No operator of the support table is without an edge case, or a node test of ONNX that passes.
#[test]
fn every_supported_operator_has_a_case() {
    let names: BTreeSet<String> =
        all_edges().iter().map(|e| e.name.split('/').next().unwrap_or_default().replace('_', "")).collect();
    let tested = tested();
    let known = |name: &str| {
        let name = name.to_lowercase();
        names.contains(&name) || tested.iter().any(|t| t.starts_with(&format!("test{name}")))
    };
    let missing: Vec<&str> = supported_ops().iter().map(|o| o.onnx_name).filter(|n| !known(n)).collect();
    // Outputs of ZipMap are cut, and the sklearn fixtures have them; `trees.rs` has those of trees, and
    // `ops/lowering_tests.rs` those of support vectors.
    let elsewhere = [
        "SVMClassifier",
        "SVMRegressor",
        "TreeEnsemble",
        "TreeEnsembleClassifier",
        "TreeEnsembleRegressor",
        "ZipMap",
    ];
    assert_eq!(missing, elsewhere);
}
