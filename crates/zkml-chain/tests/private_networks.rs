//! Operators of every family with private weights, from ONNX files to proofs.

use serde_json::Value;
use std::{collections::HashMap, path::PathBuf};
use zkml::{Backend, Compiled, Plan, Role, Wish};
use zkml_graph::Visibility;
use zkml_halo2::{Binding, Optimize, keys, plan as planned, prove};
use zkml_onnx::{Model, Samples, Settings, calibrate};
use zkml_protocol::Word;
use zkml_srs::Srs;

/// Fixtures that differ in how their constants enter: as kernels, scales, addends, operands, parts.
const CASES: [&str; 9] = [
    "torch/mlp_batch_3",
    "torch/bn_first",
    "torch/conv_grouped",
    "torch/conv_pad_asymmetric",
    "torch/constants",
    "torch/attention",
    "torch/pad_constant",
    "sklearn/min_max_mlp",
    "handmade/conv_same_upper",
];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx")
}

/// Proves one sample with everything committed, and changes each commitment.
fn check(case: &Value, setups: &mut HashMap<u32, Srs>) -> Result<(), String> {
    let name = case["name"].as_str().ok_or("no name")?;
    let fail = |what: &str, e: &dyn std::fmt::Display| format!("{name}: {what}: {e}");
    let settings = Settings {
        batch: case["batch"].as_u64().unwrap_or(1) as usize,
        margin: 2.0,
        weights: Visibility::Committed,
        outputs: Visibility::Committed.into(),
        ..Settings::default()
    };
    let path = fixtures().join(case["file"].as_str().ok_or("no file")?);
    let model = Model::load(path, &settings.load_options()).map_err(|e| fail("load", &e))?;
    let json = serde_json::json!({ "samples": case["samples"] }).to_string();
    let samples = Samples::parse(&json, model.inputs()).map_err(|e| fail("samples", &e))?;
    let done = calibrate(&model, &samples, &settings).map_err(|e| fail("calibrate", &e))?;
    let system = done.graph.system();
    let plan = planned(&system, Optimize::Prover).map_err(|e| fail("plan", &e))?;
    let setup = setups.entry(plan.k).or_insert_with(|| Srs::dev(plan.k).expect("a setup"));
    let keys = keys::setup(&done.graph, &system, &plan, setup, "dev").map_err(|e| fail("keys", &e))?;
    let inputs = done.interface.quantize_inputs(&samples.rows[0]).map_err(|e| fail("quantize", &e))?;
    let trace = done.graph.eval_with(&inputs, &done.weights).map_err(|e| fail("eval", &e))?;
    let instances = &keys.program.statement.instances;
    let commitments = instances.inputs.len() + instances.model.len() + instances.outputs.len();
    let salts = (1..=commitments as u64).map(Word::from_u64).collect();
    let binding = Binding { context: Word::ZERO, salts };
    let proof = prove(&system, &keys, &trace, &binding).map_err(|e| fail("prove", &e))?;
    let verify = |instances: &[Word]| zkml_verifier::plonk::verify(&keys.program, &proof.bytes, instances);
    verify(&proof.instances).map_err(|e| fail("verify", &e))?;
    for at in 1..proof.instances.len() {
        let mut other = proof.instances.clone();
        other[at].0[31] ^= 1;
        if verify(&other).is_ok() {
            return Err(fail("verify", &format!("public word {at} does not matter")));
        }
    }
    println!("{name}: k {}, {} private tensors", plan.k, done.weights.len());
    by_sumcheck(name, done, &samples.rows[0], setups)
}

/// The same by the other back end, with the proof that the weights lie in their ranges.
fn by_sumcheck(
    name: &str,
    done: zkml_onnx::Calibrated,
    sample: &zkml_onnx::Sample,
    setups: &mut HashMap<u32, Srs>,
) -> Result<(), String> {
    let fail = |what: &str, e: &dyn std::fmt::Display| format!("{name} by sumcheck: {what}: {e}");
    let wish = Wish { optimize: Optimize::Prover, backend: Some(Backend::Sumcheck) };
    let plan = Plan::new(&done.graph.system(), wish).map_err(|e| fail("plan", &e))?;
    let k = plan.k();
    let setup = setups.entry(k).or_insert_with(|| Srs::dev(k).expect("a setup"));
    let compiled = Compiled::from_parts(done.graph, done.weights, done.interface, plan);
    let keys = compiled.setup(setup, &()).map_err(|e| fail("keys", &e))?;
    let input = keys.compiled().quantize(sample).map_err(|e| fail("quantize", &e))?;
    let proven = keys.prove(&input, &zkml::Binding::default(), &()).map_err(|e| fail("prove", &e))?;
    keys.verifier().verify(&proven.proof).map_err(|e| fail("verify", &e))?;
    for at in 1..proven.proof.instances.len() {
        let mut other = proven.proof.clone();
        other.instances[at].0[31] ^= 1;
        if keys.verifier().verify(&other).is_ok() {
            return Err(fail("verify", &format!("public word {at} does not matter")));
        }
    }
    let opening = proven.openings.iter().find(|o| o.role == Role::Model).ok_or("no commitment to weights")?;
    let ranges = keys.prove_ranges(opening, &()).map_err(|e| fail("ranges", &e))?;
    let verifier = keys.ranges().map_err(|e| fail("ranges", &e))?.ok_or("weights without ranges")?;
    let shown = verifier.verify(&ranges).map_err(|e| fail("ranges", &e))?;
    if shown.commitments.iter().all(|c| c.commitment != opening.commitment) {
        return Err(fail("ranges", &"of another commitment"));
    }
    Ok(())
}

#[test]
fn private_networks_prove() {
    let text = std::fs::read_to_string(fixtures().join("cases.json")).expect("cases.json");
    let cases: Value = serde_json::from_str(&text).expect("cases");
    let all = std::env::var("CASE").is_ok();
    let wanted = |c: &&Value| all || CASES.iter().any(|name| c["name"] == *name);
    let chosen: Vec<&Value> = cases["supported"].as_array().expect("cases").iter().filter(wanted).collect();
    assert!(chosen.len() >= CASES.len());
    let mut setups = HashMap::new();
    let wrong: Vec<String> = chosen.iter().filter_map(|c| check(c, &mut setups).err()).collect();
    assert!(wrong.is_empty(), "{} of {} fail:\n{}", wrong.len(), chosen.len(), wrong.join("\n"));
}
