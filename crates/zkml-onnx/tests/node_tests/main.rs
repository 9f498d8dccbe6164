//! ONNX's own tests of its operators, all of them: what passes, what is refused and why, against a list that is kept.
//!
//! The tests come from PyPI when this runs. Where there is no network they cannot, and that is a failure unless the environment variable
//! `ZKML_OFFLINE` is `1`.

mod case;
mod run;
mod structural;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use run::Outcome;

/// Fewest cases that have to pass.
const LEAST: usize = 700;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn list() -> PathBuf {
    root().join("tests/fixtures/onnx/node_tests.tsv")
}

/// The folder with the tests; nothing where they are not to be had and need not.
fn folder() -> Option<PathBuf> {
    let script = root().join("tests/fixtures/onnx/node_tests.py");
    let target = root().join("target/node-tests");
    let fetched = Command::new("python3").arg(&script).arg(&target).output();
    match fetched {
        Ok(out) if out.status.success() => Some(PathBuf::from(String::from_utf8_lossy(&out.stdout).trim())),
        fault => {
            let why =
                fault.map_or_else(|e| e.to_string(), |o| String::from_utf8_lossy(&o.stderr).into_owned());
            let allowed = std::env::var("ZKML_OFFLINE").is_ok_and(|v| v == "1");
            assert!(
                allowed,
                "the node tests of ONNX cannot be fetched from PyPI:\n{why}\nset ZKML_OFFLINE=1 to do without them"
            );
            eprintln!("NOT RUN: the node tests of ONNX, since they cannot be fetched from PyPI");
            None
        }
    }
}

/// Runs the cases whose name contains `only`, as many at a time as there are processors.
fn outcomes(folder: &Path, only: &str) -> BTreeMap<String, Outcome> {
    let entries = std::fs::read_dir(folder).expect("the folder of the tests");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|n| n.contains(only));
    let (queue, done) = (Mutex::new(names), Mutex::new(BTreeMap::new()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        while let Some(name) = { queue.lock().expect("the queue").pop() } {
            let outcome = run::outcome(&folder.join(&name));
            done.lock().expect("the results").insert(name, outcome);
        }
    };
    std::thread::scope(|s| (0..workers).for_each(|_| drop(s.spawn(work))));
    done.into_inner().expect("the results")
}

fn table(outcomes: &BTreeMap<String, Outcome>) -> String {
    outcomes.iter().map(|(name, o)| format!("{name}\t{o}\n")).collect()
}

/// Lines of one text that the other does not have.
fn differences(old: &str, new: &str) -> Vec<String> {
    let lines = |t: &str| t.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    let (old, new) = (lines(old), lines(new));
    let gone = old.difference(&new).map(|l| format!("- {l}"));
    gone.chain(new.difference(&old).map(|l| format!("+ {l}"))).collect()
}

#[test]
fn node_tests_of_onnx_come_out_as_the_list_says() {
    let Some(folder) = folder() else { return };
    let only = std::env::var("CASE").unwrap_or_default();
    let outcomes = outcomes(&folder, &only);
    let new = table(&outcomes);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    outcomes.values().for_each(|o| *counts.entry(o.class()).or_insert(0) += 1);
    println!("{counts:?}");
    if !only.is_empty() {
        print!("{new}");
        return;
    }
    if std::env::var("ZKML_BLESS").is_ok_and(|v| v == "1") {
        std::fs::write(list(), &new).expect("the list");
    }
    let old = std::fs::read_to_string(list()).unwrap_or_default();
    let changed = differences(&old, &new);
    assert!(
        changed.is_empty(),
        "{} lines differ from {}; ZKML_BLESS=1 writes the list again:\n{}",
        changed.len(),
        list().display(),
        changed.join("\n")
    );
    let failed = counts.get("FAILED").copied().unwrap_or(0);
    assert_eq!(failed, 0, "no case may fail: what cannot be proven must be refused");
    let passing = counts.get("passes").copied().unwrap_or(0);
    assert!(passing >= LEAST, "{passing} cases pass instead of {LEAST}");
}
