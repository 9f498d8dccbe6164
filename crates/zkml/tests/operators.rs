//! One case of each supported operator the whole way, by both proof systems: key, proof, verifier, and contract.
//!
//! The cases are the edge cases of the ONNX front end, with the results that onnxruntime and ONNX's reference evaluator gave. A run of
//! all of them takes minutes: without `ZKML_OPERATORS` every [`STRIDE`]th is proven. With `proofs` all are, and with `contracts` a
//! contract judges each proof too.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use zkml::{Backend, Binding, Contracts, Model, Optimize, Settings, Srs, Verifier, Wish};

/// One operator in so many is proven where not all are.
const STRIDE: usize = 24;
/// One proof in so many is judged by its contract where not all are.
const CONTRACTS: usize = 8;

/// Cases with a view that the sumcheck back end does not lay out; it says so, and that halo2's does.
const NOT_BY_SUMCHECK: [&str; 6] = [
    "max_pool/asymmetric_ceil0",
    "max_pool/asymmetric_ceil1",
    "slice/reversed_steps",
    "slice/reversed_part",
    "gathernd/batch",
    "centercroppad/both",
];

/// Cases whose verifier of sumcheck is longer than a chain takes, as those of sequences are; it says so, and halo2's is not.
const TOO_LONG_BY_SUMCHECK: [&str; 1] = ["gru/activations"];

fn folder() -> String {
    format!("{}/../../tests/fixtures/onnx", env!("CARGO_MANIFEST_DIR"))
}

/// All cases.
fn all_cases() -> Vec<Value> {
    let text = std::fs::read_to_string(format!("{}/edges.json", folder())).expect("edges.json");
    let mut edges: Value = serde_json::from_str(&text).expect("edges");
    edges["edges"].as_array_mut().map(std::mem::take).expect("a list")
}

/// The first case of each operator that is proven within the tolerance.
fn cases() -> BTreeMap<String, Value> {
    let mut first = BTreeMap::new();
    for edge in &all_cases() {
        let refused =
            edge.get("refused").is_some_and(|r| !r.is_null()) || edge.get("alarm").is_some_and(|a| a == true);
        let operator = edge["name"].as_str().expect("a name").split('/').next().expect("an operator");
        if !refused {
            first.entry(operator.to_owned()).or_insert_with(|| edge.clone());
        }
    }
    first
}

/// Seconds since a moment, for lines on the terminal.
fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}

/// Proves the first sample of a case, and has everybody judge it; true if its contract was asked, too.
fn proven(case: &Value, backend: Backend, contract: bool) -> Result<bool, String> {
    let start = Instant::now();
    let say = |what: &str, e: &dyn std::fmt::Display| format!("{what}: {e}");
    let onnx =
        std::fs::read(format!("{}/{}", folder(), case["file"].as_str().expect("a file"))).expect("a model");
    let settings = Settings::default();
    let model = Model::from_onnx("case", &onnx, &settings).map_err(|e| say("load", &e))?;
    let samples = json!({ "samples": case["samples"] }).to_string();
    let calibration = model.calibrate(&samples, &()).map_err(|e| say("calibrate", &e))?;
    let wish = Wish { optimize: Optimize::Prover, backend: Some(backend) };
    let compiled = calibration.compile(wish, &()).map_err(|e| say("compile", &e))?;
    let srs = Srs::dev(compiled.plan().k()).map_err(|e| say("setup", &e))?;
    let keys = compiled.setup(&srs, &()).map_err(|e| say("keys", &e))?;
    let sample = json!({ "samples": [case["samples"][0]] }).to_string();
    let input = keys.compiled().input(&sample).map_err(|e| say("input", &e))?;
    let proof = keys.prove(&input, &Binding::default(), &()).map_err(|e| say("prove", &e))?.proof;
    let verifier = Verifier::from_json(&keys.verifier().to_json()).map_err(|e| say("program", &e))?;
    let verified = verifier.verify_json(&proof.to_json()).map_err(|e| say("verify", &e))?;
    let run = keys.compiled().run(&input).map_err(|e| say("run", &e))?;
    let shown: Vec<Vec<f64>> = verified.outputs.iter().map(|o| o.values.clone()).collect();
    // Both are the same integers; scales that went through JSON may differ in the last bit.
    let same = |a: &f64, b: &f64| (a - b).abs() <= 1e-12 * b.abs();
    let alike = shown.len() == run.len()
        && shown
            .iter()
            .zip(&run)
            .all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)));
    if !alike {
        return Err(format!("the proof shows {shown:?} instead of {run:?}"));
    }
    let mut forged = proof.clone();
    let at = forged.proof.len() / 2;
    forged.proof[at] ^= 1;
    if verifier.verify(&forged).is_ok() {
        return Err("a changed proof is accepted".into());
    }
    let proved = seconds(start);
    let start = Instant::now();
    if contract {
        let contracts = Contracts::of(&verifier).map_err(|e| say("print", &e))?;
        contracts.simulate(&proof, &()).map_err(|e| say("contract", &e))?;
    }
    println!(
        "{} by {}: {proved} to the verdict of Rust, {} more",
        case["name"],
        backend.name(),
        seconds(start)
    );
    Ok(contract)
}

/// What one case of each operator came to: its name, the case, and what both contracts said, or why there is none.
fn list() -> String {
    format!("{}/operators.tsv", folder())
}

#[test]
fn one_case_of_each_operator_is_proven_the_whole_way() {
    let wish = std::env::var("ZKML_OPERATORS").unwrap_or_default();
    let stride = if wish.is_empty() { STRIDE } else { 1 };
    let only = std::env::var("CASE").unwrap_or_default();
    let (mut wrong, mut count, mut rows) = (Vec::new(), 0, String::from(HEAD));
    for (operator, case) in cases().iter().filter(|(o, _)| o.contains(&only)).step_by(stride) {
        let mut cells = Vec::new();
        for backend in Backend::ALL {
            if backend == Backend::Sumcheck && NOT_BY_SUMCHECK.iter().any(|name| case["name"] == *name) {
                cells.push("not laid out".to_owned());
                continue;
            }
            let contract = wish == "contracts" || wish.is_empty() && count % CONTRACTS == 0;
            count += 1;
            match proven(case, backend, contract) {
                Ok(contract) => cells.push(if contract { "accepted" } else { "" }.to_owned()),
                Err(why)
                    if backend == Backend::Sumcheck
                        && TOO_LONG_BY_SUMCHECK.iter().any(|name| case["name"] == *name)
                        && why.contains("but a chain allows") =>
                {
                    cells.push("too long".to_owned());
                }
                Err(why) => wrong.push(format!("{operator} by {}: {why}", backend.name())),
            }
        }
        rows += &format!("{operator}\t{}\t{}\n", case["name"].as_str().unwrap_or_default(), cells.join("\t"));
    }
    println!("{count} proofs, {} wrong", wrong.len());
    assert!(count > 0 && wrong.is_empty(), "{} of {count} fail:\n{}", wrong.len(), wrong.join("\n"));
    if wish == "contracts" && only.is_empty() && std::env::var("ZKML_BLESS").is_ok() {
        std::fs::write(list(), rows).expect("the list");
    }
}

/// Columns of the list.
const HEAD: &str = "operator\tcase\thalo2\tsumcheck\n";

/// The list is that of a run over all operators that are supported now.
#[test]
fn the_list_of_operators_is_of_all_of_them() {
    let text = std::fs::read_to_string(list()).expect("operators.tsv");
    let listed: Vec<&str> = text.lines().skip(1).filter_map(|l| l.split('\t').next()).collect();
    let all = cases();
    assert_eq!(listed, all.keys().map(String::as_str).collect::<Vec<_>>(), "{ABOUT}");
    assert!(text.starts_with(HEAD));
}

/// How to make the list again.
const ABOUT: &str = "`ZKML_BLESS=1 make operators` writes the list";

/// Layouts of all cases by the sumcheck back end; halo2 takes every graph.
#[test]
fn sumcheck_lays_out_every_case_but_these() {
    let mut refused = Vec::new();
    for case in all_cases().iter().filter(|c| c.get("refused").is_none_or(Value::is_null)) {
        let onnx = std::fs::read(format!("{}/{}", folder(), case["file"].as_str().expect("a file")))
            .expect("a model");
        let model = Model::from_onnx("case", &onnx, &Settings::default()).expect("loads");
        let samples = json!({ "samples": case["samples"] }).to_string();
        let calibration = model.calibrate(&samples, &()).expect("calibrates").accept_any_error();
        let wish = Wish { optimize: Optimize::Prover, backend: Some(Backend::Sumcheck) };
        if let Err(e) = calibration.compile(wish, &()) {
            println!("{}: {e}", case["name"]);
            refused.push(case["name"].as_str().expect("a name").to_owned());
        }
    }
    assert_eq!(refused, NOT_BY_SUMCHECK);
}
