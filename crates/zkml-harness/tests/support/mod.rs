//! Committed sample proofs, and a chain with their verifier on it.

use std::{fs, path::PathBuf};

use zkml_harness::{Contract, Deployment, Evm, Settings, Solc};
use zkml_protocol::{Program, Sample};

pub(crate) fn samples() -> Vec<Sample> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/protocol");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

pub(crate) fn compile(program: &Program, settings: &Settings) -> Contract {
    let source = zkml_codegen::verifier_source(program).unwrap();
    let solc = Solc::find().unwrap();
    let compiled = solc.compile(&[("Verifier.sol", &source)], settings).unwrap();
    assert_eq!(compiled.warnings, Vec::<String>::new());
    compiled.contract(&zkml_codegen::names::contracts(program).verifier).unwrap().clone()
}

pub(crate) fn deployed(program: &Program) -> (Evm, Deployment) {
    let contract = compile(program, &Settings::default());
    let mut evm = Evm::default();
    let deployment = evm.deploy(&contract.creation).unwrap();
    (evm, deployment)
}
