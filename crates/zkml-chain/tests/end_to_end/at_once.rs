//! Commands that run beside each other: whatever a commitment was printed for can be opened, and artifacts stay whole.

use crate::{
    architecture::Home,
    private::hidden,
    support::{Folder, Run, at_once, check, done, zkml},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// As many as start before the first has ended.
const PROCESSES: usize = 6;

/// The commitments of a role that commands printed; none of the commands may have failed.
fn printed(runs: Vec<Run>, role: &str) -> BTreeSet<String> {
    let reports = runs.into_iter().map(|run| {
        assert_eq!(run.code, 0, "{run:?}");
        run.json()
    });
    let all: Vec<Value> =
        reports.flat_map(|r| r["commitments"].as_array().expect("a list").clone()).collect();
    let of_role = all.iter().filter(|c| c["role"] == role);
    of_role.map(|c| c["commitment"].as_str().expect("text").to_owned()).collect()
}

/// What a private file opens, as it says.
fn opened_by(path: &str) -> BTreeSet<String> {
    let file: Value = serde_json::from_slice(&fs::read(path).expect(path)).expect("JSON");
    let openings = file["openings"].as_array().expect("a list");
    openings.iter().map(|o| o["commitment"].as_str().expect("text").to_owned()).collect()
}

fn all_open(path: &str, commitments: &BTreeSet<String>) {
    for commitment in commitments {
        done(&["commit", "--opening", path, "--check", commitment]);
    }
}

fn leftovers(folder: &str) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").file_name());
    names.map(|n| n.to_string_lossy().into_owned()).filter(|n| n.starts_with(".writing")).collect()
}

#[test]
fn every_commitment_to_an_input_can_be_opened() {
    let folder = Folder::new();
    for round in 0..3 {
        let input = folder.path(&format!("../input-{round}.json")).display().to_string();
        fs::copy(folder.path("sample.json"), &input).unwrap();
        let args: &[&str] = &["commit", "--dir", &folder.dir, "--input", &input, "--json"];
        let commitments = printed(at_once(&[args; PROCESSES]), "input");
        assert_eq!(commitments.len(), 1, "all use the salt of the first");
        all_open(&input.replace(".json", ".private.json"), &commitments);
    }
}

/// Proofs about the sample of the folder, whose salt is not there yet.
#[test]
fn proofs_at_once_are_about_one_commitment() {
    let folder = Folder::new();
    fs::remove_file(folder.path("sample.private.json")).unwrap();
    let outs: Vec<String> =
        (0..2).map(|i| folder.path(&format!("../{i}.json")).display().to_string()).collect();
    let commands: Vec<_> =
        outs.iter().map(|out| ["prove", "--dir", &folder.dir, "--out", out, "--json"]).collect();
    let commands: Vec<&[&str]> = commands.iter().map(|c| c.as_slice()).collect();
    let commitments = printed(at_once(&commands), "input");
    all_open(&folder.path("sample.private.json").display().to_string(), &commitments);
    assert_eq!(commitments.len(), 1);
}

#[test]
fn every_commitment_to_weights_can_be_proven_under() {
    let home = Home::private();
    let (dir, private) = (home.path("a"), home.path("a/weights.private.json"));
    home.set_up();
    let args: &[&str] = &["commit", "--model", "--dir", &dir, "--json"];
    for _ in 0..3 {
        let commitments = printed(at_once(&[args; PROCESSES]), "model");
        assert_eq!(opened_by(&private), commitments, "those that were printed, and no others");
        let again = done(&["commit", "--model", "--dir", &dir]);
        assert_eq!(again["commitments"][0]["commitment"], commitments.first().expect("one").as_str());
        fs::remove_file(&private).unwrap();
    }
}

/// Each proof has a new salt for its output, and all write to the same name.
#[test]
fn every_commitment_to_an_output_can_be_opened() {
    let folder = hidden();
    for out in ["proofs/proof.json", "../mine.json"] {
        let path = folder.path(out).display().to_string();
        let named: &[&str] = if out.starts_with("..") { &["--out", &path] } else { &[] };
        let args = [&["prove", "--dir", &folder.dir, "--json"], named].concat();
        let commitments = printed(at_once(&[args.as_slice(); 3]), "output");
        assert_eq!(commitments.len(), 3);
        let private = path.replace(".json", ".private.json");
        all_open(&private, &commitments);
        let proof: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert!(commitments.contains(proof["outputs"][0]["commitment"].as_str().unwrap()));
        done(&["verify", "--dir", &folder.dir, "--proof", &path]);
    }
    assert!(
        leftovers(&folder.dir).is_empty()
            && leftovers(&folder.path("proofs").display().to_string()).is_empty()
    );
}

/// One writes, the others wait or say that somebody does; what is there in the end belongs together.
#[test]
fn commands_in_one_folder_leave_it_whole() {
    let folder = Folder::new();
    let before = folder.snapshot();
    let dir = folder.dir.as_str();
    let setup: &[&str] = &["setup", "--dir", dir, "--json"];
    let generate: &[&str] = &["gen-verifier", "--dir", dir, "--json"];
    let prove: &[&str] = &["prove", "--dir", dir, "--json"];
    for commands in [[setup, setup, prove], [generate, setup, generate], [prove, generate, setup]] {
        let runs = at_once(&commands);
        assert!(runs.iter().any(|run| run.code == 0), "{runs:?}");
        for run in runs {
            match run.code {
                0 => {}
                5 => drop(check(run, 5, "busy", &[dir])),
                // What it read was made anew in between.
                4 => {
                    let name = run.json()["error"]["name"].clone();
                    assert!(["edited-file", "stale-file", "made-anew"].iter().any(|n| name == *n), "{run:?}");
                }
                _ => panic!("{run:?}"),
            }
        }
        for name in ["settings.json", "graph.bin", "plan.json", "proving.key", "program.json"] {
            let then = before.iter().find(|(path, _)| path.ends_with(name)).expect(name);
            assert!(folder.read(name) == then.1, "{name} is not what it was");
        }
        let verified = zkml(&["verify", "--dir", dir, "--json"]);
        assert_eq!(verified.code, 0, "{verified:?}");
        assert!(leftovers(dir).is_empty());
    }
    done(&["gen-verifier", "--dir", dir]);
}
