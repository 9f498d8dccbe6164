//! Private weights from their owner's side: commitment, proofs, audit; and what others can still check.

use crate::{
    architecture::{Home, MODEL},
    support::{done, fails, repo, zkml},
};
use serde_json::Value;
use std::fs;

/// Two models of one architecture with keys, contracts and a proof each, in the folders `a` and `b`.
pub(crate) fn two() -> Home {
    let home = Home::private();
    let (a, b) = (home.path("a"), home.path("b"));
    home.set_up();
    done(&["compile", "--like", &a, "--model", &home.other(|w| 0.5 * w), "--dir", &b]);
    if !std::path::Path::new(&home.path("b/proving.key")).exists() {
        done(&["setup", "--dir", &b]);
    }
    home
}

fn model_of(report: &Value) -> Value {
    let commitments = report["commitments"].as_array().unwrap();
    commitments.iter().find(|c| c["role"] == "model").expect("a commitment to weights")["commitment"].clone()
}

/// The verdict on one thing.
fn verdict(report: &Value, what: &str) -> String {
    let check = report["checks"].as_array().unwrap().iter().find(|c| c["what"] == what);
    check.unwrap_or_else(|| panic!("no {what} in {report}"))["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn one_verifier_many_models() {
    let home = two();
    let (a, b) = (home.path("a"), home.path("b"));
    assert_eq!(home.read("a/program.json"), home.read("b/program.json"));
    let committed = done(&["commit", "--model", "--dir", &a]);
    assert_eq!(committed["reused"], false);
    let (first, second) = (done(&["prove", "--dir", &a]), done(&["prove", "--dir", &b]));
    assert_eq!(model_of(&first), model_of(&committed), "prove uses the salt that commit made");
    assert_ne!(model_of(&first), model_of(&second));
    assert_eq!(model_of(&done(&["prove", "--dir", &a])), model_of(&first), "made once");
    // Both are registered under one verifier, each with the commitment to its own weights.
    let (left, right) = (done(&["calldata", "--dir", &a]), done(&["calldata", "--dir", &b]));
    assert_eq!(left["registration"]["modelHash"], model_of(&first));
    assert_eq!(right["registration"]["modelHash"], model_of(&second));
    assert_eq!(left["registration"]["circuitHash"], right["registration"]["circuitHash"]);
    assert_eq!(left["selector"], right["selector"]);
    // Each proof holds under the other folder's verifier, and says which model it is about.
    let crossed = done(&["verify", "--dir", &a, "--proof", &home.path("b/proofs/proof.json")]);
    assert_eq!(model_of(&crossed), model_of(&second));
    // Shown under the commitment of the other model, it is refused.
    let mut proof: Value = serde_json::from_slice(&home.read("b/proofs/proof.json")).unwrap();
    let at = proof["instances"].as_array().unwrap().iter().position(|w| *w == model_of(&second)).unwrap();
    proof["instances"][at] = model_of(&first);
    let swapped = home.path("swapped.json");
    fs::write(&swapped, proof.to_string()).unwrap();
    for command in ["verify", "simulate"] {
        fails(&[command, "--dir", &a, "--proof", &swapped], 1, "refused", &[]);
    }
}

#[test]
fn other_weights_do_not_get_an_old_commitment() {
    let home = two();
    let (a, b) = (home.path("a"), home.path("b"));
    done(&["commit", "--model", "--dir", &a]);
    fs::copy(home.path("a/weights.private.json"), home.path("b/weights.private.json")).unwrap();
    for args in [&["commit", "--model", "--dir", &b][..], &["prove", "--dir", &b]] {
        fails(args, 3, "other-data", &["weights.private.json", "`weights`"]);
    }
    let salt = home.path("a/weights.private.json");
    fails(&["commit", "--opening", &salt], 3, "content", &["commit --model"]);
}

#[test]
fn weights_and_their_salt_stay_with_their_owner() {
    let home = two();
    let a = home.path("a");
    let said: Vec<String> =
        [&["commit", "--model", "--dir", &a][..], &["prove", "--dir", &a], &["verify", "--dir", &a]]
            .iter()
            .map(|args| zkml(args))
            .map(|run| {
                assert_eq!(run.code, 0, "{run:?}");
                run.stdout + &run.stderr
            })
            .collect();
    let private: Value = serde_json::from_slice(&home.read("a/weights.private.json")).unwrap();
    let opening = &private["openings"][0];
    assert!(opening["parts"].as_array().unwrap().iter().all(|p| p.get("values").is_none()), "no second copy");
    let salt = opening["salt"].as_str().unwrap()[2..].to_owned();
    let files = ["manifest.json", "program.json", "proofs/proof.json"];
    let files = files.map(|f| String::from_utf8_lossy(&home.read(&format!("a/{f}"))).into_owned());
    assert!(said.iter().chain(&files).all(|text| !text.contains(&salt)));
}

#[test]
fn the_owner_audits_everything() {
    let home = two();
    let a = home.path("a");
    let pinned = model_of(&done(&["prove", "--dir", &a]));
    let pinned = pinned.as_str().unwrap();
    done(&["gen-verifier", "--dir", &a]);
    let report = done(&["audit", &a, "--model", &repo(MODEL), "--weights-commitment", pinned]);
    assert!(report["checks"].as_array().unwrap().iter().all(|c| c["verdict"] != "different"), "{report}");
    assert_eq!(verdict(&report, "weights commitment"), "same");
    // Another model of the architecture has the same contract, but not these weights.
    let other = home.other(|w| 0.5 * w);
    let error = fails(&["audit", &a, "--model", &other], 1, "differs", &["weights commitment"]);
    assert!(error["message"].as_str().unwrap().contains(pinned), "{error}");
}

/// A proof of a run does not say that private weights are small numbers: one proof for each commitment does, for everybody.
#[test]
fn ranges_of_weights_are_proven_once_and_audited() {
    let home = two();
    let (a, b) = (home.path("a"), home.path("b"));
    let committed = done(&["commit", "--model", "--dir", &a]);
    let pinned = model_of(&committed);
    let pinned = pinned.as_str().unwrap();
    assert!(committed["ranges"].as_str().unwrap().ends_with("ranges.json"), "{committed}");
    let proof = home.read("a/ranges.json");
    assert_eq!(model_of(&done(&["commit", "--model", "--dir", &a])), pinned);
    assert_eq!(home.read("a/ranges.json"), proof, "made once");
    assert_eq!(model_of(&done(&["prove", "--dir", &a])), pinned);
    let written = done(&["gen-verifier", "--dir", &a])["files"].to_string();
    assert!(written.contains("RangesVerifier.sol"), "a contract checks them, too: {written}");
    let audit = ["audit", &a, "--architecture", "--weights-commitment", pinned];
    let silent = |report: &Value| !report["not_checked"].to_string().contains("small numbers");
    let what = "ranges of the weights";
    let report = done(&audit);
    assert!(verdict(&report, what) == "same" && silent(&report), "{report}");
    let verified = || done(&["verify", "--dir", &a])["weights_in_ranges"].clone();
    assert_eq!(verified(), true);
    let named = home.path("named.json");
    fs::rename(home.path("a/ranges.json"), &named).unwrap();
    assert_eq!(verified(), false, "nothing says so");
    let report = done(&audit);
    assert!(verdict(&report, what) == "skipped" && !silent(&report), "{report}");
    let report = done(&[&audit[..], &["--weights-ranges", &named]].concat());
    assert!(verdict(&report, what) == "same" && silent(&report), "{report}");
    // That of other weights, of the same architecture; one that was changed.
    done(&["commit", "--model", "--dir", &b]);
    let of_others = home.path("b/ranges.json");
    fs::copy(&of_others, home.path("a/ranges.json")).unwrap();
    assert_eq!(verified(), false, "it is about other weights");
    let changed = home.path("changed.json");
    let mut false_one: Value = serde_json::from_slice(&proof).unwrap();
    let digits = false_one["proof"].as_str().unwrap().replacen('1', "2", 9);
    false_one["proof"] = digits.into();
    fs::write(&changed, false_one.to_string()).unwrap();
    for file in [&of_others, &changed] {
        fails(&[&audit[..], &["--weights-ranges", file]].concat(), 1, "differs", &[what]);
    }
}

/// Who has any model of the architecture, or only the graph, can check all but the weights.
#[test]
fn anybody_audits_the_architecture() {
    let home = two();
    let a = home.path("a");
    done(&["prove", "--dir", &a]);
    done(&["gen-verifier", "--dir", &a]);
    for name in ["weights.bin", "weights.private.json", "model.onnx"] {
        fs::remove_file(home.path(&format!("a/{name}"))).unwrap();
    }
    let mut contracts = fs::read_dir(home.path("a/solidity")).unwrap().map(|e| e.unwrap().path());
    let bytecode = contracts.find(|p| p.display().to_string().ends_with("Verifier.json")).unwrap();
    let bytecode = bytecode.display().to_string();
    let other = home.other(|w| 0.25 * w);
    for model in [&["--model", &other][..], &[]] {
        let report = done(&[&["audit", &a, "--architecture", "--bytecode", &bytecode], model].concat());
        assert_eq!(verdict(&report, "weights commitment"), "skipped");
        assert_eq!(verdict(&report, "on-chain bytecode"), "same");
        assert_eq!(verdict(&report, "integer graph"), "same");
        assert!(report["not_checked"].to_string().contains("only the architecture"), "{report}");
    }
    fails(&["audit", &a, "--model", &other], 3, "io", &["weights.private.json"]);
}
