//! The examples, run as their users run them: what one writes, another reads.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use zkml::{Binding, Model, Optimize, Settings, Srs};

/// The binary of an example, which `cargo test` builds beside the tests.
fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("this test");
    path.pop();
    path.pop();
    path.join("examples").join(name)
}

fn run(name: &str, arguments: &[&Path]) -> String {
    let program = example(name);
    assert!(
        program.is_file(),
        "{} is missing: run `cargo test`, which builds the examples",
        program.display()
    );
    let output = Command::new(program).args(arguments).output().expect("starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{name}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn one_proves_another_verifies_and_a_contract_judges() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/credit");
    let dir = tempfile::tempdir().expect("a folder");
    let [onnx, samples, input] = ["credit.onnx", "calibration.json", "sample.json"].map(|f| model.join(f));
    run("prove", &[&onnx, &samples, &input, dir.path()]);
    let (program, proof) = (dir.path().join("program.json"), dir.path().join("proof.json"));
    let said = run("verify", &[&program, &proof]);
    assert!(said.contains("commitment to applicant: 0x") && said.contains("UNSAFE"), "{said}");
    let said = run("local_chain", &[&program, &proof]);
    assert!(said.contains("contract ModelVerifier") && said.contains("accepted for"), "{said}");
}

#[test]
fn a_graph_of_ones_own_is_proven_without_a_front_end() {
    assert!(run("own_graph", &[]).contains("is proven"));
}

/// Runs `statement` on a folder; its answer, or why there is none.
fn statement(folder: &Path, given: &str) -> Result<serde_json::Value, String> {
    let mut child = Command::new(example("statement"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("piped").write_all(given.as_bytes()).expect("listens");
    let output = child.wait_with_output().expect("ends");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).expect("says JSON"))
}

/// What an enclave would sign is what a proof would say: the same words, of committed and of public inputs.
#[test]
fn a_statement_without_a_proof_is_the_proofs() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/credit");
    let [samples, input] =
        ["calibration.json", "sample.json"].map(|f| fs::read_to_string(model.join(f)).expect("reads"));
    let onnx = fs::read(model.join("credit.onnx")).expect("reads");
    let calibration = Model::from_onnx("credit", &onnx, &Settings::default())
        .expect("loads")
        .calibrate(&samples, &())
        .expect("fits");
    let compiled = calibration.compile(Optimize::Prover, &()).expect("compiles");
    let srs = Srs::dev(compiled.plan().k()).expect("a setup");
    let files = compiled.to_files();
    let keys = compiled.setup(&srs, &()).expect("keys");
    let proven =
        keys.prove(&keys.compiled().input(&input).expect("fits"), &Binding::default(), &()).expect("proves");

    let dir = tempfile::tempdir().expect("a folder");
    let program = keys.verifier().to_json();
    let written = [
        ("graph.bin", &files.graph),
        ("plan.json", &files.plan),
        ("interface.json", &files.interface),
        ("program.json", &program),
    ];
    for (name, bytes) in written {
        fs::write(dir.path().join(name), bytes).expect("writes");
    }
    let sample: serde_json::Value = serde_json::from_str(&input).expect("JSON");
    let given = serde_json::json!({ "sample": sample, "openings": proven.openings });
    let said = statement(dir.path(), &given.to_string()).expect("says");
    let [_, data, output] = proven.proof.instances.as_slice() else { panic!("context, input and output") };
    assert_eq!(said["dataCommitment"], data.to_string());
    assert_eq!(said["output"], output.to_string());
    assert_eq!(said["modelHash"], keys.verifier().statement().model_hash.to_string());

    // Without the opening, or with one of other values, there is no statement.
    let without = serde_json::json!({ "sample": sample }).to_string();
    assert!(statement(dir.path(), &without).expect_err("no opening").contains("applicant"));
    let mut other = given;
    other["sample"]["inputs"]["applicant"][11] = 2.5.into();
    assert!(statement(dir.path(), &other.to_string()).expect_err("other values").contains("applicant"));
}
