//! Several proofs as one batch: what `calldata` writes, and what the local EVM says.

use crate::{
    owner::two,
    support::{Folder, done, fails, repo, zkml},
};
use serde_json::{Value, json};
use std::fs;
use zkml_protocol::Word;

const DESK: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const OTHER: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
const ALICE: &str = "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb";
const BOB: &str = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB";

/// A proof that is bound to a consumer, about the sample of the nonce's number; returns its file.
fn prove(folder: &Folder, name: &str, consumer: &str, subject: &str, nonce: &str) -> String {
    let [context, proof] = ["context.json", "json"].map(|end| folder.path(&format!("{name}.{end}")));
    let [context, proof] = [context, proof].map(|path| path.display().to_string());
    let place = ["context", "--chain-id", "31337", "--consumer", consumer, "--subject", subject];
    let what = ["--nonce", nonce, "--deadline", "2000000000", "--action-text", "approve", "--out", &context];
    done(&[&place[..], &what].concat());
    // Salts are kept beside the samples.
    let samples = folder.path("samples.json");
    fs::copy(repo("models/bench/credit_mlp/calibration.json"), &samples).unwrap();
    let samples = samples.display().to_string();
    let sample = ["--input", &samples, "--index", nonce];
    done(
        &[&["prove", "--dir", &folder.dir, "--context-file", &context, "--out", &proof], &sample[..]]
            .concat(),
    );
    proof
}

fn batch<'a>(command: &'a str, dir: &'a str, proofs: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let flags = proofs.iter().flat_map(|proof| ["--proof", *proof]);
    [command, "--dir", dir].into_iter().chain(flags).chain(more.iter().copied()).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").expect("0x")).unwrap()
}

#[test]
fn several_proofs_are_one_call_and_cheaper_than_alone() {
    let folder = Folder::new();
    let alice = prove(&folder, "alice", DESK, ALICE, "0");
    let bob = prove(&folder, "bob", DESK, BOB, "7");
    let again = prove(&folder, "again", DESK, ALICE, "1");
    let proofs = [alice.as_str(), &bob, &again];
    let out = folder.path("batch.json").display().to_string();
    let report = done(&batch("calldata", &folder.dir, &proofs, &["--owner", OTHER, "--out", &out]));
    let mut written: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    written["file"] = json!(out);
    assert_eq!(written, report, "the file is the report");

    // Each as `calldata` writes it for itself.
    let all = report["inferences"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    for (each, path) in all.iter().zip(proofs) {
        let alone = done(&batch("calldata", &folder.dir, &[path], &["--owner", OTHER]));
        for (name, value) in each.as_object().unwrap() {
            assert_eq!(*value, alone[name], "{name} of {path}");
        }
        for name in ["model", "selector", "registration"] {
            assert_eq!(report[name], alone[name], "{name}");
        }
    }
    let subjects: Vec<&Value> = all.iter().map(|each| &each["subject"]).collect();
    assert_eq!(subjects, [ALICE, BOB, ALICE]);
    let submissions: Vec<zkml_contracts::Submission> = all
        .iter()
        .map(|each| zkml_contracts::Submission {
            blob: bytes(&each["proof"]),
            output: bytes(&each["output"]),
            input_commitment: serde_json::from_value(each["inputCommitment"].clone()).unwrap(),
        })
        .collect();
    let id: Word = serde_json::from_value(report["registration"]["modelId"].clone()).unwrap();
    assert_eq!(bytes(&report["verifyBatch"]), zkml_contracts::verify_batch(&submissions, id));

    let nobody = done(&batch("calldata", &folder.dir, &proofs, &[]));
    assert_eq!(nobody["verifyBatch"], Value::Null, "an id belongs to an owner");
    let text = zkml(&batch("calldata", &folder.dir, &proofs, &[])).stdout;
    assert!(text.contains("--owner") && text.matches("subject").count() == 3, "{text}");
    simulated(&folder, &proofs);
    unlike(&folder, &proofs);
}

fn simulated(folder: &Folder, proofs: &[&str]) {
    let report = done(&batch("simulate", &folder.dir, proofs, &["--tamper"]));
    let of = |name: &str| report[name].as_u64().unwrap();
    assert_eq!((report["accepted"].clone(), report["proofs"].as_array().unwrap().len()), (json!(true), 3));
    assert_eq!(of("gas_per_proof"), of("tx_gas").div_ceil(3));
    assert!(of("tx_gas") < of("alone_gas"), "{report}");
    let alone = done(&batch("simulate", &folder.dir, &proofs[..1], &[]));
    assert_eq!(report["proofs"][0]["alone_gas"], alone["routed_tx_gas"]);
    assert_eq!(report["proofs"][0]["outputs"], alone["outputs"]);
    let answers: Vec<&Value> =
        report["refusals"].as_array().unwrap().iter().map(|refusal| &refusal["answer"]).collect();
    assert_eq!(answers, ["ProofRejected()"; 3], "by sumcheck's verifier, before any pairing");
    let text = zkml(&batch("simulate", &folder.dir, proofs, &[])).stdout;
    assert!(text.contains("3 proofs in one transaction") && text.contains("sent alone"), "{text}");

    // One that does not hold: the batch falls, and the message has its name and error.
    let mut proof: Value = serde_json::from_slice(&fs::read(proofs[1]).unwrap()).unwrap();
    proof["instances"][1] = json!(Word::ONE);
    let bad = folder.path("bad.json").display().to_string();
    fs::write(&bad, proof.to_string()).unwrap();
    let broken = [proofs[0], &bad, proofs[2]];
    let words = ["bad.json: ProofRejected()", "the batch of 3"];
    fails(&batch("simulate", &folder.dir, &broken, &[]), 1, "refused", &words);
    fails(&batch("calldata", &folder.dir, &broken, &[]), 1, "refused", &["bad.json", "zkml-verifier"]);
}

/// Proofs that no contract takes in one transaction.
fn unlike(folder: &Folder, proofs: &[&str]) {
    let elsewhere = prove(folder, "elsewhere", OTHER, BOB, "0");
    let unbound = folder.path("proofs/proof.json").display().to_string();
    let [alice, bob, again] = proofs.try_into().unwrap();
    let cases: [(&[&str], &[&str]); 6] = [
        (&[alice, &elsewhere], &["elsewhere.json", "alice.json", OTHER, DESK, "chain 31337"]),
        (&[&unbound, bob], &["bob.json", "proof.json", "only one of them is bound"]),
        (&[alice, bob, alice], &["alice.json does not go", "the same statement"]),
        (&[again, alice], &["alice.json", ALICE, "nonce 0", "nonce 1"]),
        (&[again, bob, again], &["the same statement"]),
        (&[&unbound, &unbound], &["the same statement"]),
    ];
    for (proofs, words) in cases {
        for command in ["calldata", "simulate"] {
            fails(&batch(command, &folder.dir, proofs, &[]), 3, "not-together", words);
        }
    }
    // Context files by name, in the order of the proofs, one for each.
    let [first, second] = [alice, bob].map(|path| path.replace(".json", ".context.json"));
    let run = |files: &[&str], check: &dyn Fn(&[&str])| {
        let flags: Vec<&str> = files.iter().flat_map(|file| ["--context-file", *file]).collect();
        check(&batch("calldata", &folder.dir, &[alice, bob], &flags));
    };
    run(&[&first, &second], &|args| assert_eq!(done(args)["inferences"][1]["subject"], BOB));
    run(&[&second, &first], &|args| drop(fails(args, 3, "content", &["bob.context.json", "is bound to"])));
    run(&[&first], &|args| drop(fails(args, 2, "context-files", &["2 proofs and 1 context files"])));
}

#[test]
fn proofs_of_two_models_are_no_batch() {
    // Of one architecture: each proof holds under the other folder's verifier, and is about other weights.
    let home = two();
    let (a, b) = (home.path("a"), home.path("b"));
    done(&["prove", "--dir", &a]);
    done(&["prove", "--dir", &b]);
    let proofs = ["a", "b"].map(|folder| home.path(&format!("{folder}/proofs/proof.json")));
    let proofs = [proofs[0].as_str(), &proofs[1]];
    let hash = |dir: &str| done(&["calldata", "--dir", dir])["registration"]["commitmentHash"].clone();
    let (first, second) = (hash(&a), hash(&b));
    let words = ["another model", first.as_str().unwrap(), second.as_str().unwrap()];
    fails(&batch("calldata", &a, &proofs, &[]), 3, "not-together", &words);
    fails(&batch("simulate", &a, &proofs, &[]), 3, "not-together", &words);
    // Of another key altogether.
    let folder = Folder::new();
    let own = folder.path("proofs/proof.json").display().to_string();
    fails(&batch("calldata", &folder.dir, &[&own, proofs[0]], &[]), 3, "foreign-proof", &["proof.json"]);
}
