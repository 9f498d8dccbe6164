//! Which crate may know which: the invariants of `crates/README.md`, checked over `cargo metadata`.

#[path = "workspace/circles.rs"]
mod circles;
#[path = "workspace/metadata.rs"]
mod metadata;

use metadata::metadata;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What each crate may depend on directly, within the workspace, outside its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("zkml-graph", &[]),
    ("zkml-interface", &["zkml-graph"]),
    ("zkml-onnx", &["zkml-graph", "zkml-interface"]),
    (
        "zkml",
        &[
            "zkml-codegen",
            "zkml-contracts",
            "zkml-curve",
            "zkml-graph",
            "zkml-halo2",
            "zkml-harness",
            "zkml-interface",
            "zkml-onnx",
            "zkml-poseidon",
            "zkml-protocol",
            "zkml-srs",
            "zkml-statement",
            "zkml-sumcheck",
            "zkml-verifier",
        ],
    ),
    ("zkml-protocol", &[]),
    ("zkml-curve", &["zkml-protocol"]),
    ("zkml-poseidon", &["zkml-curve", "zkml-protocol"]),
    ("zkml-srs", &["zkml-curve", "zkml-protocol"]),
    (
        "zkml-halo2",
        &["zkml-curve", "zkml-graph", "zkml-poseidon", "zkml-protocol", "zkml-srs", "zkml-statement"],
    ),
    ("zkml-statement", &["zkml-graph", "zkml-protocol"]),
    ("zkml-lanes", &[]),
    ("zkml-msm", &["zkml-lanes"]),
    (
        "zkml-sumcheck",
        &[
            "zkml-curve",
            "zkml-graph",
            "zkml-lanes",
            "zkml-msm",
            "zkml-poseidon",
            "zkml-protocol",
            "zkml-statement",
        ],
    ),
    ("zkml-verifier", &["zkml-protocol"]),
    ("zkml-web", &["zkml", "zkml-protocol"]),
    ("zkml-web-bindgen", &[]),
    ("zkml-contracts", &["zkml-protocol"]),
    ("zkml-codegen", &["zkml-contracts", "zkml-protocol"]),
    ("zkml-harness", &["zkml-contracts", "zkml-protocol"]),
    ("zkml-deploy", &["zkml-contracts", "zkml-protocol"]),
    ("zkml-service", &["zkml-contracts", "zkml-deploy", "zkml-protocol"]),
    (
        "zkml-attack",
        &[
            "zkml-codegen",
            "zkml-contracts",
            "zkml-curve",
            "zkml-graph",
            "zkml-halo2",
            "zkml-harness",
            "zkml-poseidon",
            "zkml-protocol",
            "zkml-srs",
            "zkml-sumcheck",
            "zkml-verifier",
        ],
    ),
    (
        "zkml-workspace",
        &[
            "zkml",
            "zkml-codegen",
            "zkml-contracts",
            "zkml-deploy",
            "zkml-graph",
            "zkml-halo2",
            "zkml-harness",
            "zkml-onnx",
            "zkml-poseidon",
            "zkml-protocol",
            "zkml-service",
            "zkml-srs",
            "zkml-verifier",
        ],
    ),
    (
        "zkml-python",
        &[
            "zkml",
            "zkml-chain",
            "zkml-graph",
            "zkml-onnx",
            "zkml-protocol",
            "zkml-sumcheck",
            "zkml-verifier",
            "zkml-workspace",
        ],
    ),
];

/// What draws on a terminal, reads arguments from it, or asks there.
const TERMINAL: &[&str] =
    &["clap", "clap_complete", "anstream", "indicatif", "miette", "console", "crossterm", "rpassword"];

/// Whom a crate must never reach, over any number of steps.
const NEVER: &[(&str, &[&str])] = &[
    ("zkml-protocol", &["zkml-graph", "zkml-onnx", "zkml-halo2"]),
    ("zkml-verifier", &["zkml-graph", "zkml-onnx", "zkml-halo2", "halo2-axiom"]),
    ("zkml-contracts", &["zkml-graph", "zkml-onnx", "zkml-halo2", "halo2-axiom", "zkml-codegen", "alloy"]),
    ("zkml-codegen", &["zkml-graph", "zkml-onnx", "zkml-halo2", "halo2-axiom", "alloy"]),
    ("zkml-graph", &["zkml-halo2", "zkml-protocol", "zkml-verifier", "halo2-axiom", "tract-onnx"]),
    ("zkml-harness", &["zkml-graph", "zkml-onnx", "zkml-halo2", "halo2-axiom", "zkml-codegen"]),
    ("zkml-deploy", &["zkml-graph", "zkml-onnx", "zkml-halo2", "halo2-axiom", "zkml-codegen", "revm"]),
    ("zkml-service", &["zkml-graph", "zkml-onnx", "zkml-halo2", "halo2-axiom", "zkml-codegen", "revm"]),
    ("zkml-workspace", &["zkml-chain", "zkml-attack", "xtask"]),
    ("zkml-workspace", TERMINAL),
    ("zkml", &["zkml-deploy", "zkml-service", "zkml-workspace", "tokio", "alloy", "clap"]),
    // Features are those of the whole workspace here; `make features` and the sizes of the modules say what else it does without.
    ("zkml-web", &["zkml-workspace", "tokio", "alloy", "clap"]),
    ("zkml-chain", &["zkml-attack", "zkml-python", "xtask", "pyo3"]),
    ("zkml-python", &["zkml-attack", "xtask"]),
    ("zkml-attack", &["zkml-workspace", "zkml-chain", "xtask"]),
];

/// Normal and build dependencies by package name. Tests may look further.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = list(&metadata["packages"]);
    let name_of: BTreeMap<String, String> =
        packages.iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let beyond_tests = |dep: &Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
    let nodes = list(&metadata["resolve"]["nodes"]);
    nodes
        .iter()
        .map(|node| {
            let used = list(&node["deps"]).into_iter().filter(|dep| beyond_tests(dep));
            (
                name_of[&text(&node["id"])].clone(),
                used.map(|dep| name_of[&text(&dep["pkg"])].clone()).collect(),
            )
        })
        .collect()
}

fn reach(from: &str, arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(next) = todo.pop() {
        for to in arrows.get(&next).into_iter().flatten() {
            if seen.insert(to.clone()) {
                todo.push(to.clone());
            }
        }
    }
    seen
}

#[test]
fn arrows_point_one_way() {
    let arrows = arrows();
    for (from, allowed) in ALLOWED {
        for to in arrows[*from].iter().filter(|d| d.starts_with("zkml-")) {
            assert!(allowed.contains(&to.as_str()), "{from} must not depend on {to}");
        }
    }
    for (from, never) in NEVER {
        let reached = reach(from, &arrows);
        for to in *never {
            assert!(!reached.contains(*to), "{from} must never reach {to}");
        }
    }
}

#[test]
fn nobody_below_knows_the_artifact_folder() {
    let arrows = arrows();
    let above = ["zkml-workspace", "zkml-chain", "zkml-python", "xtask"];
    for name in arrows.keys().filter(|n| n.starts_with("zkml-") && !above.contains(&n.as_str())) {
        assert!(!reach(name, &arrows).contains("zkml-workspace"), "{name} must not know zkml-workspace");
    }
    assert!(reach("zkml-chain", &arrows).contains("zkml-workspace"));
}

/// Words of the source that print, or look for a terminal.
const PRINTS: &[&str] = &[
    "println!(",
    "print!(",
    "is_terminal",
    "io::stdout",
    "io::stderr",
    "io::stdin",
    "stdout()",
    "stderr()",
    "stdin()",
    "dbg!(",
];

/// Every line of the sources below a folder of `crates`, with its place.
fn lines(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let sources = circles::sources(&root);
    assert!(!sources.is_empty(), "{folder} has no sources");
    let numbered = |(name, text): (String, String)| {
        let place = format!("{folder}/{name}");
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.into_iter().enumerate().map(move |(n, line)| (format!("{place}:{}", n + 1), line))
    };
    sources.into_iter().flat_map(numbered).collect()
}

/// The first line below a folder that has one of these words.
fn breach(lines: &[(String, String)], words: &[&str]) -> Option<String> {
    let found = lines.iter().find(|(_, line)| words.iter().any(|word| line.contains(word)));
    found.map(|(place, line)| format!("{place}: {}", line.trim()))
}

#[test]
fn steps_neither_print_nor_look_for_a_terminal() {
    assert_eq!(breach(&lines("zkml-workspace/src"), PRINTS), None);
}

/// What opens a file, a connection or a process.
const OPENS: &[&str] =
    &["std::fs", "fs::", "File::", "std::net", "process::", "std::env", "env::var", "PathBuf"];

#[test]
fn the_library_takes_bytes_and_gives_bytes() {
    let own = lines("zkml/src").into_iter();
    let code: Vec<_> = own.filter(|(_, line)| !line.trim_start().starts_with("//")).collect();
    assert_eq!(breach(&code, &[PRINTS, OPENS].concat()), None);
}

/// Crates in which each proof system has a module.
const BY_PROOF_SYSTEM: &[&str] = &["zkml-protocol/src", "zkml-verifier/src", "zkml-codegen/src/verifier"];
const PROOF_SYSTEMS: &[&str] = &["plonk", "sumcheck"];

#[test]
fn proof_systems_do_not_see_each_other() {
    for root in BY_PROOF_SYSTEM {
        for own in PROOF_SYSTEMS {
            let folder = format!("{root}/{own}");
            if !Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&folder).is_dir() {
                continue;
            }
            let others = PROOF_SYSTEMS.iter().filter(|other| *other != own);
            let paths: Vec<String> = others.map(|other| format!("{other}::")).collect();
            let words: Vec<&str> = paths.iter().map(String::as_str).collect();
            assert_eq!(breach(&lines(&folder), &words), None);
        }
        assert!(!lines(&format!("{root}/plonk")).is_empty());
    }
}

#[test]
fn breaches_are_found() {
    let made_up = |line: &str| vec![("a.rs:1".to_owned(), line.to_owned())];
    assert!(breach(&made_up("    println!(\"done\");"), PRINTS).is_some());
    assert!(breach(&made_up("    let bytes = std::fs::read(path)?;"), OPENS).is_some());
    assert!(breach(&made_up("use zkml_protocol::sumcheck::Program;"), &["sumcheck::"]).is_some());
    assert!(breach(&made_up("let quiet = true;"), &[PRINTS, OPENS].concat()).is_none());
}

#[test]
fn every_crate_has_its_rule() {
    let arrows = arrows();
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(c, _)| *c).chain(["zkml-chain"]).collect();
    for name in arrows.keys().filter(|n| n.starts_with("zkml-")) {
        assert!(known.contains(name.as_str()), "{name} is not in ALLOWED: decide what it may depend on");
    }
}

/// Crates whose modules are free of circles: of two top-level modules, at most one reaches the other.
const WITHOUT_CIRCLES: &[&str] = &[
    "zkml",
    "zkml-codegen",
    "zkml-contracts",
    "zkml-deploy",
    "zkml-halo2",
    "zkml-harness",
    "zkml-interface",
    "zkml-onnx",
    "zkml-protocol",
    "zkml-service",
    "zkml-msm",
    "zkml-srs",
    "zkml-sumcheck",
    "zkml-verifier",
];

#[test]
fn modules_do_not_go_in_circles() {
    for name in WITHOUT_CIRCLES {
        let sources =
            circles::sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src"));
        assert!(sources.contains_key("lib.rs"), "{name} has no sources");
        assert_eq!(circles::circle(&sources), None, "{name}");
    }
}

/// Crates that need code which the compiler cannot check; each use says why.
const UNSAFE: &[&str] =
    &["zkml-chain", "zkml-python", "zkml-srs", "zkml-halo2", "zkml-lanes", "xtask", "zkml-msm", "zkml-web"];

#[test]
fn every_crate_says_whether_it_may_be_unsafe() {
    let metadata = metadata();
    let mut roots = 0;
    for package in metadata["packages"].as_array().expect("a list").iter().filter(|p| p["source"].is_null()) {
        let name = package["name"].as_str().expect("a name");
        for target in package["targets"].as_array().expect("a list") {
            let kind = target["kind"][0].as_str().expect("a kind");
            // Nobody runs a test on bytes of others.
            if ["test", "bench"].contains(&kind) {
                continue;
            }
            let path = target["src_path"].as_str().expect("a path");
            let source = std::fs::read_to_string(path).expect("a crate root");
            let level =
                if ["lib", "cdylib"].contains(&kind) && UNSAFE.contains(&name) { "deny" } else { "forbid" };
            let line = format!("#![{level}(unsafe_code)]");
            assert!(source.lines().any(|l| l == line), "{path} must say `{line}`");
            roots += 1;
        }
    }
    assert!(roots >= ALLOWED.len(), "{roots} crate roots");
}
