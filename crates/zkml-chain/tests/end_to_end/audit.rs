//! An auditor who believes nothing but the model, the recorded choices and the bytecode.

use crate::support::{Folder, done, fails, repo, srs, zkml};
use serde_json::Value;
use std::fs;

const MODEL: &str = "models/bench/credit_mlp/credit_mlp.onnx";

/// The verdict of each comparison.
fn verdicts(report: &Value) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    report["checks"].as_array().unwrap().iter().map(|c| (text(&c["what"]), text(&c["verdict"]))).collect()
}

fn digest(report: &Value, what: &str) -> Value {
    let check = report["checks"].as_array().unwrap().iter().find(|c| c["what"] == what);
    check.unwrap_or_else(|| panic!("no {what} in {report}"))["rebuilt"].clone()
}

/// A folder with generated contracts.
fn generated() -> Folder {
    let folder = Folder::new();
    done(&["gen-verifier", "--dir", &folder.dir]);
    folder
}

#[test]
fn an_honest_folder_agrees_in_everything() {
    let folder = generated();
    let artifact = folder.path("solidity/CreditMlpVerifier.json").display().to_string();
    let report = done(&["audit", &folder.dir, "--model", &repo(MODEL), "--bytecode", &artifact]);
    for (what, verdict) in verdicts(&report) {
        assert_eq!(verdict, "same", "{what} in {report}");
    }
    assert_eq!(report["checks"].as_array().unwrap().len(), 15, "{report}");
    let program: Value = serde_json::from_slice(&folder.read("program.json")).unwrap();
    assert_eq!(digest(&report, "integer graph"), program["statement"]["model_hash"]);
    let table = zkml(&["audit", &folder.dir, "--model", &repo(MODEL)]);
    assert!(table.code == 0 && table.stdout.contains("what lies on a chain"), "{table:?}");
}

/// The issue's own words: only the ONNX file, the settings, the setup and the bytecode, in a fresh folder.
#[test]
fn from_model_settings_setup_and_bytecode_alone() {
    let folder = generated();
    let fresh = tempfile::tempdir().unwrap();
    let place = |name: &str, bytes: &[u8]| {
        let path = fresh.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let model = place("credit_mlp.onnx", &fs::read(repo(MODEL)).unwrap());
    let settings = place("settings.json", &folder.read("settings.json"));
    let scales = place("scales.json", &folder.read("scales.json"));
    let setup = place("setup.srs", &fs::read(srs(&folder)).unwrap());
    let artifact: Value = serde_json::from_slice(&folder.read("solidity/CreditMlpVerifier.json")).unwrap();
    let code = artifact["deployedBytecode"].as_str().unwrap();
    let bytecode = place("code.hex", code.as_bytes());
    let pinned =
        done(&["gen-verifier", "--dir", &folder.dir])["model_commitment"].as_str().unwrap().to_owned();
    drop(folder);
    let common = ["audit", "--model", &model, "--settings", &settings, "--scales", &scales, "--srs", &setup];
    let report = done(&[&common[..], &["--bytecode", &bytecode, "--commitment", &pinned]].concat());
    assert_eq!(digest(&report, "model commitment"), pinned.as_str());
    let same: Vec<_> = verdicts(&report).into_iter().filter(|(_, v)| v == "same").map(|(w, _)| w).collect();
    assert_eq!(same, ["model commitment", "on-chain bytecode"]);
    // One bit of the bytecode, another name, another commitment: each is named.
    let mut other = hex::decode(&code[2..]).unwrap();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    let other = format!("0x{}", hex::encode(other));
    fails(&[&common[..], &["--bytecode", &other]].concat(), 1, "differs", &["on-chain bytecode"]);
    fails(
        &[&common[..], &["--bytecode", code, "--name", "other"]].concat(),
        1,
        "differs",
        &["on-chain bytecode"],
    );
    let commitment = format!("0x{:064x}", 7);
    fails(
        &[&common[..], &["--commitment", &commitment]].concat(),
        1,
        "differs",
        &["model commitment", &commitment],
    );
    fails(&["audit", "--model", &model], 2, "not-given", &["settings.json", "--settings"]);
}

/// What was made cheap is not in the settings: the bytecode tells.
#[test]
fn the_goal_is_found_by_the_bytecode() {
    let folder = Folder::new();
    let k = done(&["compile", "--dir", &folder.dir, "--optimize", "gas"])["k"].as_u64().unwrap().to_string();
    done(&["srs", "dev", "--k", &k]);
    done(&["setup", "--dir", &folder.dir]);
    done(&["prove", "--dir", &folder.dir]);
    done(&["gen-verifier", "--dir", &folder.dir]);
    let path = |name: &str| folder.path(name).display().to_string();
    let (settings, scales) = (path("settings.json"), path("scales.json"));
    let bytecode = path("solidity/CreditMlpVerifier.json");
    let model = repo(MODEL);
    let audit =
        ["audit", "--model", &model, "--settings", &settings, "--scales", &scales, "--bytecode", &bytecode];
    let report = done(&audit);
    assert!(verdicts(&report).contains(&("on-chain bytecode".into(), "same".into())), "{report}");
    let prover = [&audit[..], &["--optimize", "prover"]].concat();
    fails(&prover, 1, "differs", &["on-chain bytecode"]);
}

/// Every claim is false here, and none hides another.
#[test]
fn every_false_claim_is_seen() {
    let folder = generated();
    let longer = |file: &str| folder.write(file, [folder.read(file), b"\n".to_vec()].concat());
    let number = |v: &mut Value| *v = (v.as_u64().unwrap() + 1).into();
    longer("graph.bin");
    for contract in ["Verifier", "Consumer", "RequestConsumer", "AnyInputConsumer", "AnyInputRequestConsumer"]
    {
        longer(&format!("solidity/CreditMlp{contract}.sol"));
    }
    folder.edit("plan.json", |p| number(&mut p["layout"]["sumcheck"]["gas_estimate"]));
    folder.edit("program.json", |p| {
        number(&mut p["system"]["row_bits"]);
        p["srs"]["s_g2"]["x"][0] = format!("0x{:064x}", 1).into();
    });
    for contract in ["Verifier", "AnyInputConsumer", "AnyInputRequestConsumer"] {
        folder.edit(&format!("solidity/CreditMlp{contract}.json"), |p| {
            p["bytecode"] = format!("{}00", p["bytecode"].as_str().unwrap()).into();
        });
    }
    let run = zkml(&["audit", &folder.dir, "--model", &repo(MODEL), "--bytecode", "0x00", "--json"]);
    assert_eq!(run.code, 1, "{run:?}");
    for (what, verdict) in verdicts(&run.json()["report"]) {
        assert_eq!(verdict, "different", "{what} in {run:?}");
    }
    let error = run.json()["error"].clone();
    assert!(error["message"].as_str().unwrap().starts_with("the integer graph "), "{error}");
    // What is only for people is compared, too; and a claim that is false alone is the one that is named.
    let folder = generated();
    folder.edit("program.json", |p| p["statement"]["model_name"] = "another".into());
    let error = fails(&["audit", &folder.dir, "--model", &repo(MODEL)], 1, "differs", &[]);
    assert!(error["message"].as_str().unwrap().starts_with("the verifier program "), "{error}");
}

/// The recorded choices count: other scales or settings are another model.
#[test]
fn other_choices_are_another_model() {
    let folder = generated();
    folder.edit("scales.json", |s| {
        let scale = s["values"][0]["scale"].as_i64().unwrap();
        s["values"][0]["scale"] = (scale - 1).into();
    });
    let error = fails(&["audit", &folder.dir, "--model", &repo(MODEL)], 1, "differs", &["integer graph"]);
    assert!(error["way_out"].as_str().unwrap().contains("scales"), "{error}");
    let folder = generated();
    folder.edit("settings.json", |s| s["inputs"] = "public".into());
    fails(&["audit", &folder.dir, "--model", &repo(MODEL)], 1, "differs", &["integer graph"]);
    // Another model altogether.
    let folder = generated();
    fails(&["audit", &folder.dir, "--model", &repo("models/credit/credit.onnx")], 3, "model", &[]);
}

#[test]
fn the_architecture_needs_no_model() {
    let folder = generated();
    let report = done(&["audit", &folder.dir, "--architecture"]);
    assert!(verdicts(&report).iter().all(|(_, v)| v == "same" || v == "rebuilt"), "{report}");
    assert!(report["not_checked"][1].as_str().unwrap().contains("none was given"), "{report}");
    let graph = folder.path("graph.bin").display().to_string();
    let alone = done(&["audit", "--architecture", "--graph", &graph, "--optimize", "prover"]);
    assert_eq!(digest(&alone, "model commitment"), digest(&report, "model commitment"));
    assert_eq!(zkml(&["audit", &folder.dir]).code, 2, "a model or --architecture");
}

/// The ceremony's own file does as well: an auditor need not trust what somebody imported.
#[test]
fn from_a_powers_of_tau_file() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).display().to_string();
    let (model, ptau) =
        (repo("tests/fixtures/onnx/sklearn/linear_regression.onnx"), repo("tests/fixtures/ptau/raw.ptau"));
    let dir = path("made");
    done(&["calibrate", &model, "--dir", &dir, "--inputs", "public"]);
    done(&["compile", "--dir", &dir]);
    done(&["srs", "import", &ptau, "--srs", &path("big.srs")]);
    done(&["setup", "--dir", &dir, "--srs", &path("big.srs")]);
    done(&["prove", "--dir", &dir]);
    let made = done(&["gen-verifier", "--dir", &dir]);
    assert_eq!(made["unsafe_dev_srs"], false);
    // The folder was made with another setup than the one at hand.
    let dev = path("dev.srs");
    done(&["srs", "dev", "--k", "9", "--srs", &dev]);
    fails(&["audit", &dir, "--model", &model, "--srs", &dev], 1, "differs", &["trusted setup"]);
    fs::create_dir(path("fresh")).unwrap();
    for name in ["settings.json", "scales.json"] {
        fs::copy(path(&format!("made/{name}")), path(&format!("fresh/{name}"))).unwrap();
    }
    let contracts = fs::read_dir(path("made/solidity")).unwrap().map(|e| e.unwrap().path());
    let artifact = contracts.into_iter().find(|p| p.to_string_lossy().ends_with("Verifier.json")).unwrap();
    let artifact: Value = serde_json::from_slice(&fs::read(artifact).unwrap()).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    fs::remove_file(path("big.srs")).unwrap();
    let (settings, scales) = (path("fresh/settings.json"), path("fresh/scales.json"));
    let files = ["audit", "--model", &model, "--settings", &settings, "--scales", &scales, "--ptau", &ptau];
    let code = artifact["deployedBytecode"].as_str().unwrap();
    let report = done(&[&files[..], &["--bytecode", code]].concat());
    assert_eq!(digest(&report, "model commitment"), made["model_commitment"]);
    assert!(verdicts(&report).contains(&("on-chain bytecode".into(), "same".into())), "{report}");
    // Another ceremony gives another contract.
    let others = [&files[..7], &["--srs", &dev, "--bytecode", code]].concat();
    fails(&others, 1, "differs", &["on-chain bytecode"]);
}
