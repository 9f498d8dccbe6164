//! Several inferences of one model in a transaction: every proof system's go together, and cost what the contracts' README says.
//!
//! Figures are compared with `contracts/test/snapshots/batch.json`, within one percent; `ZKML_BLESS=1` writes the file, and the rows for
//! the README.

use std::{collections::BTreeMap, fs, path::PathBuf};

use zkml::{Backend, Binding, Contracts, Keys, Model, Optimize, Settings, Srs, Wish, Word};
use zkml_contracts::{Submission, verify_batch, verify_model};
use zkml_harness::{Evm, Outcome, Stack, StackCode};
use zkml_protocol::{VerifierProgram, binding::Registration};

/// Inferences in a transaction.
const COUNTS: [usize; 5] = [1, 2, 4, 8, 16];
const PROOFS: usize = 4;

/// Gas of whole transactions, by proof system and number of inferences; of `verifyInference` under "alone".
type Figures = BTreeMap<String, BTreeMap<String, u64>>;

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).expect("a file of the repository")
}

/// The credit model with committed inputs, to be verified for little gas.
fn keys(backend: Backend) -> Keys {
    let onnx = fs::read(repository("models/credit/credit.onnx")).expect("the model");
    let model = Model::from_onnx("credit", &onnx, &Settings::default()).expect("loads");
    let calibration = model.calibrate(&text("models/credit/calibration.json"), &()).expect("calibrates");
    let compiled =
        calibration.compile(Wish { optimize: Optimize::Gas, backend: Some(backend) }, &()).expect("compiles");
    let srs = Srs::dev(compiled.plan().k()).expect("a setup");
    compiled.setup(&srs, &()).expect("keys")
}

/// Gas of transactions with 1, 2, 4, … inferences, and of a single one.
fn measured(backend: Backend) -> BTreeMap<String, u64> {
    let keys = keys(backend);
    let input = keys.compiled().input(&text("models/credit/sample.json")).expect("an input");
    let proofs: Vec<_> = (0..PROOFS as u64)
        .map(|nonce| Binding { context: Word::from_u64(nonce), openings: vec![] })
        .map(|binding| keys.prove(&input, &binding, &()).expect("a proof").proof)
        .collect();
    let program: &dyn VerifierProgram = keys.program();
    let contracts = Contracts::print(program).expect("printed");
    let compiled = contracts.compile().expect("compiles");
    let mut evm = Evm::default();
    let creation = &compiled.contract(&contracts.names.verifier).expect("the verifier").creation;
    let verifier = evm.deploy(creation).expect("deployed").address;
    let code = StackCode::of(&compiled).expect("the stack");
    let stack = Stack::deploy(&mut evm, &code, &[verifier]).expect("deployed");
    let registration = Registration::of(program, &proofs[0].instances).expect("of a model");
    let id = stack.register(&mut evm, &registration).expect("registered");
    let submission = |place: usize| {
        let proof = &proofs[place % PROOFS];
        Submission::new(program, &proof.proof, &proof.instances).expect("of the program")
    };
    let mut gas = |data: &[u8], events: usize| {
        let call = evm.call(stack.verifier, data).expect("a transaction");
        assert_eq!(call.outcome, Outcome::Returned(vec![]), "{}", call.describe());
        assert_eq!(call.logs.len(), events, "an event for each inference");
        call.gas.transaction
    };
    let mut figures: BTreeMap<String, u64> = COUNTS
        .iter()
        .map(|count| {
            let all: Vec<Submission> = (0..*count).map(submission).collect();
            (count.to_string(), gas(&verify_batch(&all, id), *count))
        })
        .collect();
    figures.insert("alone".to_owned(), gas(&verify_model(&submission(0), id), 1));
    figures
}

/// A row of the README: gas for each proof.
fn row(name: &str, figures: &BTreeMap<String, u64>) -> String {
    let each = |count: &usize| thousands(figures[&count.to_string()] / *count as u64);
    let cells: Vec<String> = COUNTS.iter().map(each).collect();
    format!("| {name} | {} | {} |", thousands(figures["alone"]), cells.join(" | "))
}

fn thousands(number: u64) -> String {
    format!("{},{:03}", number / 1_000, number % 1_000)
}

#[test]
fn batches_cost_what_the_readme_says() {
    let path = "contracts/test/snapshots/batch.json";
    let found: Figures = [("halo2", Backend::Halo2), ("sumcheck", Backend::Sumcheck)]
        .map(|(name, backend)| (name.to_owned(), measured(backend)))
        .into();
    if std::env::var("ZKML_BLESS").is_ok_and(|v| v == "1") {
        let json = serde_json::to_string_pretty(&found).expect("JSON") + "\n";
        fs::write(repository(path), json).expect("written");
        found.iter().for_each(|(name, figures)| println!("{}", row(name, figures)));
    }
    let expected: Figures = serde_json::from_str(&text(path)).expect("figures");
    let readme = text("contracts/README.md");
    for (name, figures) in &found {
        for (count, gas) in figures {
            let known = expected[name][count];
            assert!(gas.abs_diff(known) * 100 <= known, "{name}, {count}: {gas} instead of {known}");
        }
        let each = |count: usize| figures[&count.to_string()] / count as u64;
        assert!(COUNTS.windows(2).all(|pair| each(pair[1]) < each(pair[0])), "{name}: {figures:?}");
        assert!(figures["16"] < 12 * figures["alone"], "a quarter less: {figures:?}");
        let row = row(name, &expected[name]);
        assert!(readme.contains(&row), "the table of contracts/README.md lacks {row}");
    }
}
