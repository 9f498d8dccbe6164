//! Every bad input ends with a typed error that names the thing, an exit code, and nothing half-written.

use crate::support::{Folder, check, done, fails, other, repo, root, zkml_limited};
use std::{fs, path::Path};

/// A model is refused by `inspect` and by `calibrate`, which makes no folder.
fn model_refused(model: &str, words: &[&str]) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("new");
    let error = fails(&["calibrate", model, "--dir", &dir.display().to_string()], 3, "model", words);
    assert!(!dir.exists(), "{error}: a folder was left behind");
}

#[test]
fn hostile_model_files() {
    let cases: serde_json::Value =
        serde_json::from_slice(&fs::read(root().join("tests/fixtures/onnx/cases.json")).unwrap()).unwrap();
    let hostile = cases["hostile"].as_array().unwrap();
    assert!(hostile.len() > 15);
    for case in hostile {
        model_refused(&repo(&format!("tests/fixtures/onnx/{}", case["file"].as_str().unwrap())), &[]);
    }
}

#[test]
fn the_offending_thing_is_named() {
    let hostile = |name: &str| repo(&format!("tests/fixtures/onnx/hostile/{name}.onnx"));
    model_refused(&hostile("text"), &["text.onnx", "not an ONNX model"]);
    model_refused(&hostile("truncated"), &["truncated.onnx", "not an ONNX model"]);
    model_refused(&hostile("missing_initializer"), &["`fc`", "`w`"]);
    model_refused(&hostile("external_data_missing"), &["not_there.bin", "`w`"]);
    model_refused(&hostile("dynamic_height_width"), &["`x`", "height"]);
    model_refused(&hostile("nan_weight"), &["`w`", "NaN"]);
    model_refused(&hostile("infinite_weight"), &["`w`", "inf"]);
    model_refused(&hostile("huge_weight"), &[]);
    model_refused("/no/such/model.onnx", &["/no/such/model.onnx"]);
}

#[test]
fn all_unsupported_nodes_are_listed() {
    let several = repo("tests/fixtures/onnx/unsupported/several.onnx");
    model_refused(
        &several,
        &["Bernoulli", "RandomNormalLike", "RandomUniformLike", "supported operators", "Relu"],
    );
}

/// Data of enormous magnitude, and settings that insist on many bits: sums would leave the exact range.
#[test]
fn bounds_that_overflow() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).display().to_string();
    let row = format!("{{\"applicant\":[{}]}}", vec!["1e12"; 16].join(","));
    fs::write(path("data.json"), format!("{{\"samples\":[{row},{row}]}}")).unwrap();
    let (model, dir) = (repo("models/bench/credit_mlp/credit_mlp.onnx"), path("m"));
    done(&["calibrate", &model, "--data", &path("data.json"), "--dir", &dir]);
    let settings = path("m/settings.json");
    let mut edited: serde_json::Value = serde_json::from_slice(&fs::read(&settings).unwrap()).unwrap();
    for (name, value) in [
        ("activation_scale", 20),
        ("activation_bits", 40),
        ("weight_scale", 24),
        ("weight_bits", 40),
        ("margin", 1024),
    ] {
        edited[name] = value.into();
    }
    fs::write(&settings, edited.to_string()).unwrap();
    fails(&["compile", "--dir", &dir], 3, "model", &["gemm_0", "beyond", "bit budget"]);
    assert!(!Path::new(&path("m/graph.bin")).exists());
    edited["margin"] = 5000.into();
    fs::write(&settings, edited.to_string()).unwrap();
    fails(&["compile", "--dir", &dir], 3, "model", &["margin", "1024"]);
}

/// An input file is refused by `prove`, and the earlier proof stays.
fn input_refused(folder: &Folder, json: &str, words: &[&str]) {
    let input = folder.path("../input.json");
    fs::write(&input, json).unwrap();
    let before = folder.snapshot();
    fails(&["prove", "--dir", &folder.dir, "--input", &input.display().to_string()], 3, "model", words);
    assert_eq!(before, folder.snapshot());
}

#[test]
fn inputs_that_do_not_fit() {
    let folder = Folder::new();
    let numbers = |first: &str| format!("{{\"inputs\":{{\"applicant\":[{first}{}]}}}}", ",0".repeat(15));
    input_refused(&folder, "{\"inputs\":{\"applicant\":[1,2,3]}}", &["`applicant`", "16", "3"]);
    input_refused(&folder, "{\"inputs\":{\"applicant\":[[1,2],[3,4]]}}", &["`applicant`", "shape"]);
    input_refused(&folder, "{\"inputs\":{\"applicant\":\"many\"}}", &["`applicant`"]);
    input_refused(&folder, "{\"inputs\":{\"person\":[1]}}", &["`person`", "applicant"]);
    input_refused(&folder, "{\"inputs\":{}}", &["`applicant`"]);
    input_refused(&folder, &numbers("\"NaN\""), &["`applicant`", "NaN"]);
    input_refused(&folder, &numbers("1e999"), &[]);
    input_refused(&folder, &numbers("null"), &["`applicant`", "null"]);
    input_refused(&folder, &numbers("1e9"), &["`applicant`", "outside the calibrated range"]);
    input_refused(&folder, "not JSON", &["not valid"]);
    let missing = ["prove", "--dir", &folder.dir, "--input", "/no/such/input.json"];
    fails(&missing, 3, "io", &["/no/such/input.json"]);
    let beyond = ["prove", "--dir", &folder.dir, "--index", "5"];
    fails(&beyond, 3, "content", &["no number 5"]);
}

#[test]
fn a_setup_that_is_too_small_or_damaged() {
    let folder = Folder::new();
    let small = folder.path("../small.srs").display().to_string();
    done(&["srs", "dev", "--k", "4", "--srs", &small]);
    let before = folder.snapshot();
    fails(
        &["setup", "--dir", &folder.dir, "--srs", &small],
        5,
        "prover",
        &["small.srs", "2^4", "srs dev --k"],
    );
    let mut bytes = fs::read(&small).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&small, &bytes).unwrap();
    fails(&["setup", "--dir", &folder.dir, "--srs", &small], 4, "prover", &["small.srs", "checksum"]);
    fails(&["setup", "--dir", &folder.dir, "--srs", "/no/such.srs"], 5, "prover", &["/no/such.srs"]);
    assert_eq!(before, folder.snapshot());
}

#[test]
fn edited_settings_stop_every_command() {
    let folder = Folder::new();
    folder.edit("settings.json", |s| s["margin"] = 3.0.into());
    for command in ["setup", "prove", "verify", "gen-verifier", "simulate"] {
        fails(&[command, "--dir", &folder.dir], 4, "stale-file", &["settings.json", "zkml-chain compile"]);
    }
    // The way out works: compile takes the edit, and then says who else must follow.
    let k = done(&["compile", "--dir", &folder.dir])["k"].as_u64().unwrap().to_string();
    fails(&["prove", "--dir", &folder.dir], 4, "stale-file", &["zkml-chain setup"]);
    done(&["srs", "dev", "--k", &k]);
    done(&["setup", "--dir", &folder.dir]);
    done(&["prove", "--dir", &folder.dir]);
}

#[test]
fn every_edited_file_is_refused_by_name() {
    for (file, command) in [
        ("model.onnx", "prove"),
        ("samples.json", "setup"),
        ("graph.bin", "prove"),
        ("interface.json", "prove"),
        ("plan.json", "setup"),
        ("program.json", "verify"),
    ] {
        let folder = Folder::new();
        let mut bytes = folder.read(file);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        folder.write(file, &bytes);
        let run = crate::support::zkml(&[command, "--dir", &folder.dir, "--json"]);
        assert_eq!(run.code, 4, "{file}: {run:?}");
        assert!(run.stdout.contains(file), "{file}: {run:?}");
    }
}

#[test]
fn files_that_are_no_keys() {
    let folder = Folder::new();
    // Where vectors are opened whole, keys of one length are the same for all models: this is no key.
    let key = fs::read(Path::new(other()).join("model.onnx")).unwrap();
    folder.write("proving.key", &key);
    fails(&["prove", "--dir", &folder.dir], 4, "edited-file", &["proving.key", "zkml-chain setup"]);
    // Even with a manifest that vouches for it.
    let theirs: serde_json::Value =
        serde_json::from_slice(&fs::read(Path::new(other()).join("manifest.json")).unwrap()).unwrap();
    folder.edit("manifest.json", |m| {
        for field in ["sha256", "bytes"] {
            m["files"]["proving.key"][field] = theirs["files"]["model.onnx"][field].clone();
        }
    });
    let error = fails(&["prove", "--dir", &folder.dir], 4, "prover", &["proving.key", "not a zkml-chain"]);
    assert_eq!(error["way_out"], "run `zkml-chain setup`");
}

/// A folder may come from anybody: a pipe in it hung commands, a device filled the memory.
#[test]
fn what_is_no_file() {
    let folder = Folder::new();
    for name in ["program.json", "graph.bin", "proofs/proof.json", ".lock"] {
        let path = folder.path(name);
        let before = fs::read(&path).ok();
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        for command in ["verify", "prove", "gen-verifier"] {
            fails(&[command, "--dir", &folder.dir], 4, "irregular-file", &[name]);
        }
        fs::remove_file(&path).unwrap();
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
    }
}

#[test]
fn a_damaged_key() {
    let folder = Folder::new();
    let mut key = folder.read("proving.key");
    let middle = key.len() / 2;
    key[middle] ^= 1;
    folder.write("proving.key", &key);
    let before = folder.snapshot();
    let run = crate::support::zkml(&["prove", "--dir", &folder.dir, "--json"]);
    assert_eq!(run.code, 4, "{run:?}");
    assert!(run.stdout.contains("proving.key"), "{run:?}");
    assert_eq!(before, folder.snapshot());
}

#[test]
fn proofs_of_another_model() {
    let folder = Folder::new();
    let proof = format!("{}/proofs/proof.json", other());
    for command in ["verify", "simulate", "gen-verifier"] {
        fails(&[command, "--dir", &folder.dir, "--proof", &proof], 3, "foreign-proof", &["another model"]);
    }
    // Dressed up as ours, it is a proof that does not hold.
    let mut forged: serde_json::Value = serde_json::from_slice(&fs::read(&proof).unwrap()).unwrap();
    let ours: serde_json::Value = serde_json::from_slice(&folder.read("proofs/proof.json")).unwrap();
    for field in ["model_hash", "vk_digest", "outputs", "instances"] {
        forged[field] = ours[field].clone();
    }
    folder.write("proofs/proof.json", serde_json::to_vec(&forged).unwrap());
    fails(&["verify", "--dir", &folder.dir], 1, "refused", &["zkml-verifier"]);
}

#[test]
fn a_truncated_proof_file() {
    let folder = Folder::new();
    let bytes = folder.read("proofs/proof.json");
    folder.write("proofs/proof.json", &bytes[..bytes.len() / 2]);
    fails(&["verify", "--dir", &folder.dir], 3, "content", &["proof.json", "not a proof file"]);
    fs::remove_file(folder.path("proofs/proof.json")).unwrap();
    fails(&["verify", "--dir", &folder.dir], 3, "io", &["proof.json"]);
}

/// One changed byte anywhere in the proof, and every changed part of the statement, is refused.
#[test]
fn a_proof_with_one_byte_changed() {
    let folder = Folder::new();
    let original: serde_json::Value = serde_json::from_slice(&folder.read("proofs/proof.json")).unwrap();
    let text = original["proof"].as_str().unwrap().to_owned();
    for position in (2..text.len()).step_by(97).chain([text.len() - 1]) {
        let old = text.as_bytes()[position];
        let new = if old == b'0' { '1' } else { '0' };
        let mut changed = text.clone();
        changed.replace_range(position..=position, &new.to_string());
        folder.edit("proofs/proof.json", |p| p["proof"] = changed.into());
        fails(&["verify", "--dir", &folder.dir], 1, "refused", &[]);
    }
    folder.edit("proofs/proof.json", |p| p["proof"] = text[..text.len() - 64].into());
    fails(&["verify", "--dir", &folder.dir], 1, "refused", &["bytes"]);
    folder.edit("proofs/proof.json", |p| {
        *p = original.clone();
        p["outputs"][0]["integers"][0] = 1.into();
    });
    fails(&["verify", "--dir", &folder.dir], 3, "content", &["output `probability`"]);
    folder.edit("proofs/proof.json", |p| {
        *p = original.clone();
        p["unsafe_dev_srs"] = false.into();
    });
    fails(&["verify", "--dir", &folder.dir], 3, "content", &["trusted setup"]);
}

/// A changed output is refused by both judges, also when the file is consistent in itself.
#[test]
fn a_tampered_output() {
    let folder = Folder::new();
    folder.edit("proofs/proof.json", |p| {
        let output = p["outputs"][0].clone();
        let integer = output["integers"][0].as_i64().unwrap() + 1;
        let unit = (-output["scale"].as_f64().unwrap()).exp2();
        p["outputs"][0]["integers"][0] = integer.into();
        p["outputs"][0]["values"][0] = (integer as f64 * unit).into();
        *p["instances"].as_array_mut().unwrap().last_mut().unwrap() = format!("0x{integer:064x}").into();
    });
    fails(&["verify", "--dir", &folder.dir], 1, "refused", &["zkml-verifier"]);
    fails(&["simulate", "--dir", &folder.dir], 1, "refused", &["the contract", "ProofRejected"]);
    fails(&["gen-verifier", "--dir", &folder.dir], 1, "refused", &["zkml-verifier"]);
    assert!(!folder.path("solidity").exists(), "nothing is generated on a bad proof");
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let folder = Folder::new();
    let before = folder.snapshot();
    // Eight blocks are at most 8 kB: too little for a key, a proof's manifest still fits.
    let full = ["setup", "--dir", &folder.dir, "--json"];
    check(zkml_limited(8, &full), 5, "io", &["proving.key", "half-written"]);
    assert_eq!(before, folder.snapshot());
    let full = ["compile", "--dir", &folder.dir, "--json"];
    check(zkml_limited(1, &full), 5, "io", &["half-written"]);
    assert_eq!(before, folder.snapshot());
    done(&["verify", "--dir", &folder.dir]);
}

#[test]
fn an_unwritable_place() {
    let folder = Folder::new();
    folder.write("block", b"a file");
    let below = folder.path("block/proof.json").display().to_string();
    fails(&["prove", "--dir", &folder.dir, "--out", &below], 5, "io", &["block"]);
    let (model, data) = (repo("models/credit/credit.onnx"), repo("models/credit/calibration.json"));
    let dir = folder.path("block/new").display().to_string();
    fails(&["calibrate", &model, "--data", &data, "--dir", &dir], 5, "io", &["block"]);
    fails(&["calibrate", &model, "--data", &data, "--dir", &folder.dir], 4, "other-model", &["credit_mlp"]);
}

#[test]
fn a_missing_compiler() {
    // Node is found by name: an empty PATH hides it, and the way out says what to install.
    let folder = Folder::new();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_zkml-chain"))
        .args(["simulate", "--json", "--dir", &folder.dir])
        .env("PATH", "/no/such/folder")
        .env_remove("ZKML_NODE")
        .env("ZKML_SOLC", root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("Node") && text.contains("install"), "{text}");
}
