//! Every fixture: the float model against onnxruntime, the integer graph against the float model, and the
//! relations on its trace.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use zkml_onnx::{LoadOptions, Model, Samples, Settings, calibrate, lower};

/// A model with inputs and the outputs that onnxruntime computed for them.
#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    batch: usize,
    samples: Vec<Value>,
    outputs: Vec<serde_json::Map<String, Value>>,
    /// Outputs that are label tails, with the output that takes their place.
    cut: BTreeMap<String, Option<String>>,
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
    serde_json::from_str::<Cases>(&text).expect("cases").supported
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// Label tails are cut, and a notice says so; an ArgMax that is all a model gives stays.
fn tails(case: &Case, model: &Model) -> Result<(), String> {
    let has = |name: &str| model.outputs().iter().any(|o| o.name == name);
    if case.name == "torch/argmax_tail" {
        return if has("out") && model.notices().is_empty() {
            Ok(())
        } else {
            Err(format!("{:?}", model.notices()))
        };
    }
    for (output, replacement) in &case.cut {
        let told = model.notices().iter().any(|n| n.output == *output && !n.cut.is_empty());
        if has(output) || !told || replacement.as_ref().is_some_and(|r| !has(r)) {
            return Err(format!("{}: `{output}`: {:?}", case.name, model.notices()));
        }
    }
    Ok(())
}

/// Everything that is checked of one case; the first thing that is wrong.
fn check(case: &Case) -> Result<(), String> {
    let fail = |what: &str, e: &dyn std::fmt::Display| format!("{}: {what}: {e}", case.name);
    let model =
        Model::load(fixtures().join(&case.file), &LoadOptions { batch: case.batch, ..Default::default() })
            .map_err(|e| fail("load", &e))?;
    tails(case, &model)?;
    let json = serde_json::json!({ "samples": case.samples }).to_string();
    let samples = Samples::parse(&json, model.inputs()).map_err(|e| fail("samples", &e))?;
    for (i, (sample, want)) in samples.rows.iter().zip(&case.outputs).enumerate() {
        if case.name == "torch/avg_pool_count_pad" {
            // onnxruntime 1.20 fuses the Pad into the pool and then leaves the zeros out of the average.
            break;
        }
        let floats = model.run(sample).map_err(|e| fail("float run", &e))?;
        for (port, got) in model.outputs().iter().zip(&floats) {
            let Some(want) = want.get(&port.name) else { continue };
            for (g, w) in got.iter().zip(numbers(want)) {
                if (g - w).abs() > 1e-4 * w.abs().max(1.0) {
                    return Err(fail(
                        "tract and onnxruntime differ",
                        &format!("sample {i}, {}: {g} and {w}", port.name),
                    ));
                }
            }
        }
    }
    let settings = Settings { batch: case.batch, margin: 2.0, ..Settings::default() };
    let done = calibrate(&model, &samples, &settings).map_err(|e| fail("calibrate", &e))?;
    if done.report.max_abs_error() > case.tolerance {
        return Err(fail("error", &format!("{:?}", done.report.outputs)));
    }
    if done.report.label_agreement().is_some_and(|a| a < 1.0) {
        return Err(fail("labels", &format!("{:?}", done.report.outputs)));
    }
    let ints = done.interface.quantize_inputs(&samples.rows[0]).map_err(|e| fail("quantize", &e))?;
    let trace = done.graph.eval(&ints).map_err(|e| fail("eval", &e))?;
    let system = done.graph.system();
    let values = system.assign(&trace).ok_or_else(|| fail("assign", &"counts do not fit"))?;
    system.check(&values).map_err(|e| fail("relations", &e))?;
    let again = calibrate(&model, &samples, &done.settings).map_err(|e| fail("again", &e))?;
    let lowered = lower(&model, &done.settings, &done.scales).map_err(|e| fail("lower", &e))?;
    for graph in [again.graph, lowered.graph] {
        if graph.to_bytes() != done.graph.to_bytes() {
            return Err(fail("rebuild", &"other bytes"));
        }
    }
    Ok(())
}

#[test]
fn every_fixture_is_lowered_within_its_tolerance() {
    let only = std::env::var("CASE").unwrap_or_default();
    let all: Vec<Case> = cases().into_iter().filter(|c| c.name.contains(&only)).collect();
    let wrong: Vec<String> = all.iter().filter_map(|c| check(c).err()).collect();
    assert!(wrong.is_empty(), "{} of {} fail:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}
