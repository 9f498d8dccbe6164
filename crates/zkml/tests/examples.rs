//! The examples, run as their users run them: what one writes, another reads.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

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
