//! Commitments, their private files, and that nothing secret gets anywhere else.

use crate::support::{Folder, done, fails, repo, root, zkml, zkml_env};
use serde_json::Value;
use std::{fs, path::Path, process::Command};

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path.as_ref()).expect("a file")).expect("JSON")
}

/// A file with the input of the folder's own sample, beside the folder.
fn input(folder: &Folder, name: &str) -> String {
    let path = folder.path(&format!("../{name}"));
    fs::copy(folder.path("sample.json"), &path).expect("a copy");
    path.display().to_string()
}

/// What the module for browsers makes of a private file: one commitment per opening.
fn in_javascript(path: &str) -> Vec<String> {
    let script = "const { commit, toHex } = await import(process.argv[2]);
        const { readFileSync } = await import('node:fs');
        const { openings } = JSON.parse(readFileSync(process.argv[1], 'utf8'));
        const parts = (o) => o.parts.map((p) => ({ ...p.code, values: p.values }));
        console.log(JSON.stringify(openings.map((o) => toHex(commit({ role: o.role, salt: o.salt, parts: parts(o) })))));";
    let module = root().join("contracts/js/commitment.mjs").display().to_string();
    let output = Command::new("node")
        .args(["--input-type=module", "-e", script, path, &module])
        .output()
        .expect("Node starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[test]
fn one_commitment_from_commit_to_the_contract() {
    let folder = Folder::new();
    let input = input(&folder, "input.json");
    let made = done(&["commit", "--dir", &folder.dir, "--input", &input]);
    let private = made["private_file"].as_str().unwrap();
    assert!(private.ends_with("/input.private.json") && made["reused"] == false, "{made}");
    let commitment = made["commitments"][0]["commitment"].clone();
    assert_eq!(in_javascript(private), [commitment.as_str().unwrap()]);
    let proven = done(&["prove", "--dir", &folder.dir, "--input", &input]);
    assert_eq!(proven["commitments"][0]["commitment"], commitment);
    let again = done(&["commit", "--dir", &folder.dir, "--input", &input]);
    assert_eq!((&again["reused"], &again["commitments"]), (&true.into(), &made["commitments"]));
    let verified = done(&["verify", "--dir", &folder.dir]);
    assert_eq!(verified["commitments"][0]["commitment"], commitment);
    assert_eq!(verified["commitments"][0]["name"], "applicant");
    assert_eq!(done(&["simulate", "--dir", &folder.dir])["commitments"], verified["commitments"]);
    assert_eq!(json(folder.path("proofs/proof.json"))["instances"][1], commitment);
    let opened = done(&["commit", "--opening", private, "--check", commitment.as_str().unwrap()]);
    assert_eq!(opened["commitments"], made["commitments"]);
}

#[cfg(unix)]
#[test]
fn private_files_are_for_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let input = input(&folder, "input.json");
    done(&["prove", "--dir", &folder.dir, "--input", &input]);
    let mode = fs::metadata(folder.path("../input.private.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// An input that was edited after somebody may have published its commitment is not proven by accident.
#[test]
fn edited_data_do_not_get_an_old_commitment() {
    let folder = Folder::new();
    let input = input(&folder, "input.json");
    done(&["commit", "--dir", &folder.dir, "--input", &input]);
    let private = fs::read(folder.path("../input.private.json")).unwrap();
    let mut edited = json(&input);
    let first = edited["inputs"]["applicant"].as_array_mut().expect("numbers").first_mut().unwrap();
    *first = (first.as_f64().unwrap() / 2.0 + 0.01).into();
    fs::write(&input, edited.to_string()).unwrap();
    let before = folder.snapshot();
    for command in ["commit", "prove"] {
        let args = [command, "--dir", &folder.dir, "--input", &input];
        fails(&args, 3, "other-data", &["input.private.json", "`applicant`", "move the private file away"]);
    }
    assert_eq!(before, folder.snapshot());
    assert_eq!(fs::read(folder.path("../input.private.json")).unwrap(), private);
    let elsewhere = folder.path("../other.private.json").display().to_string();
    let proven = done(&["prove", "--dir", &folder.dir, "--input", &input, "--salt-file", &elsewhere]);
    assert_eq!(proven["private_files"][0], elsewhere.as_str());
}

#[test]
fn openings_that_do_not_open() {
    let folder = Folder::new();
    let input = input(&folder, "input.json");
    done(&["commit", "--dir", &folder.dir, "--input", &input]);
    let private = folder.path("../input.private.json");
    let (path, good) = (private.display().to_string(), json(&private));
    let other = format!("0x{:064x}", 5);
    fails(&["commit", "--opening", &path, "--check", &other], 1, "unopened", &[&other]);
    let salt = good["openings"][0]["salt"].as_str().unwrap().to_owned();
    for change in [
        |o: &mut Value| o["parts"][0]["values"][3] = 1.into(),
        |o: &mut Value| o["salt"] = format!("0x{:064x}", 1).into(),
        |o: &mut Value| o["commitment"] = format!("0x{:064x}", 1).into(),
        |o: &mut Value| o["role"] = "output".into(),
        |o: &mut Value| o["parts"][0]["code"]["bits"] = 40.into(),
    ] {
        let mut bad = good.clone();
        change(&mut bad["openings"][0]);
        fs::write(&private, bad.to_string()).unwrap();
        let error = fails(&["commit", "--opening", &path], 1, "unopened", &["input.private.json"]);
        assert!(!error.to_string().contains(&salt[2..]), "{error}");
    }
    fs::write(&private, format!("{{\"salt\": \"{salt}\"")).unwrap();
    let error = fails(&["commit", "--opening", &path], 3, "content", &["not a private file"]);
    assert!(!error.to_string().contains(&salt[2..]), "{error}");
}

#[test]
fn what_is_public_has_no_commitment() {
    let folder = Folder::new();
    fails(&["commit", "--dir", &folder.dir, "--model"], 3, "not-committed", &["the weights"]);
    let named = ["commit", "--dir", &folder.dir, "--sample", "--name", "age"];
    fails(&named, 3, "no-such-input", &["`age`", "applicant"]);
    assert_eq!(zkml(&["commit", "--dir", &folder.dir]).code, 2, "what to commit to must be said");
    fs::remove_file(folder.path("sample.private.json")).unwrap();
    folder.edit("settings.json", |s| s["inputs"] = "public".into());
    done(&["compile", "--dir", &folder.dir]);
    fails(&["commit", "--dir", &folder.dir, "--sample"], 3, "not-committed", &["public", "compile"]);
    assert!(!folder.path("sample.private.json").exists());
}

/// Inputs and outputs behind commitments.
pub(crate) fn hidden() -> Folder {
    let folder = Folder::new();
    folder.edit("settings.json", |s| s["outputs"] = "committed".into());
    let k = done(&["compile", "--dir", &folder.dir])["k"].as_u64().unwrap().to_string();
    done(&["srs", "dev", "--k", &k]);
    done(&["setup", "--dir", &folder.dir]);
    folder
}

#[test]
fn outputs_behind_a_commitment() {
    let folder = hidden();
    let proven = done(&["prove", "--dir", &folder.dir]);
    let commitments = proven["commitments"].as_array().unwrap();
    let roles: Vec<&Value> = commitments.iter().map(|c| &c["role"]).collect();
    assert_eq!(roles, ["input", "output"]);
    let proof = json(folder.path("proofs/proof.json"));
    assert_eq!(proof["outputs"][0]["commitment"], commitments[1]["commitment"]);
    assert_eq!(proof["outputs"][0]["integers"], serde_json::json!([]));
    let private = folder.path("proofs/proof.private.json").display().to_string();
    assert_eq!(in_javascript(&private), [commitments[1]["commitment"].as_str().unwrap()]);
    done(&["commit", "--opening", &private]);
    assert_eq!(done(&["verify", "--dir", &folder.dir])["commitments"], proven["commitments"]);
    // The same run again: the input's commitment stays, the output's has a new salt. The old one stays too: its proof may be in use.
    let again = done(&["prove", "--dir", &folder.dir]);
    assert_eq!(again["commitments"][0], proven["commitments"][0]);
    assert_ne!(again["commitments"][1], proven["commitments"][1]);
    let both = [&commitments[1], &again["commitments"][1]].map(|c| c["commitment"].as_str().unwrap());
    assert_eq!(in_javascript(&private), both);
    both.iter().for_each(|c| drop(done(&["commit", "--opening", &private, "--check", c])));
    let out = folder.path("../mine.json").display().to_string();
    done(&["prove", "--dir", &folder.dir, "--out", &out]);
    done(&["commit", "--opening", &folder.path("../mine.private.json").display().to_string()]);
}

/// Every word that commands say, with all logs on, and every file that is not private, searched for the salts.
#[test]
fn nothing_secret_is_said_or_stored_elsewhere() {
    let folder = hidden();
    let input = input(&folder, "input.json");
    let dir = folder.dir.as_str();
    let mut said = Vec::new();
    for args in [
        &["commit", "--dir", dir, "--input", &input][..],
        &["prove", "--dir", dir, "--input", &input],
        &["verify", "--dir", dir],
        &["commit", "--dir", dir, "--sample"],
        &["commit", "--opening", &folder.path("proofs/proof.private.json").display().to_string()],
    ] {
        for json in [&["--json"][..], &[]] {
            let run = zkml_env(&[("RUST_LOG", "trace")], &[args, json].concat());
            assert_eq!(run.code, 0, "{run:?}");
            said.push(format!("{}{}", run.stdout, run.stderr));
        }
    }
    let private = ["../input.private.json", "sample.private.json", "proofs/proof.private.json"];
    let openings: Vec<Value> =
        private.iter().flat_map(|p| json(folder.path(p))["openings"].as_array().unwrap().clone()).collect();
    assert!(openings.len() >= 3);
    for (path, bytes) in folder.snapshot() {
        if !path.display().to_string().ends_with(".private.json") {
            said.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    for opening in &openings {
        let salt = opening["salt"].as_str().unwrap();
        let bytes: String = hex::decode(&salt[2..]).unwrap().iter().map(|b| *b as char).collect();
        for text in &said {
            assert!(!text.contains(&salt[2..]) && !text.contains(&bytes), "a salt is in {text}");
        }
    }
    let output = openings.iter().find(|o| o["role"] == "output").unwrap();
    let value = output["parts"][0]["values"][0].to_string();
    for text in &said {
        assert!(!text.contains("probability ="), "the output is for a terminal only: {text}");
        assert!(!text.contains(&format!("\"integers\":[{value}")), "{text}");
    }
    // The search itself finds what is there.
    let proof = fs::read_to_string(folder.path("proofs/proof.private.json")).unwrap();
    assert!(proof.contains(&output["salt"].as_str().unwrap()[2..]));
}

#[test]
fn samples_of_one_file_have_their_own_salts() {
    let folder = Folder::new();
    let samples = folder.path("../samples.json");
    fs::copy(repo("models/bench/credit_mlp/calibration.json"), &samples).unwrap();
    let samples = samples.display().to_string();
    let of = |index: &str| {
        let made = done(&["commit", "--dir", &folder.dir, "--input", &samples, "--index", index]);
        (made["commitments"][0]["commitment"].clone(), made["private_file"].as_str().unwrap().to_owned())
    };
    let (first, second) = (of("0"), of("1"));
    assert_ne!(first.0, second.0);
    assert!(first.1.ends_with("samples.private.json") && second.1.ends_with("samples.1.private.json"));
    assert_ne!(json(&first.1)["openings"][0]["salt"], json(&second.1)["openings"][0]["salt"]);
}
