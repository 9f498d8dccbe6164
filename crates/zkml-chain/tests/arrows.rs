//! Which crate may know which: the invariants of `crates/README.md`, checked over `cargo metadata`.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// What each crate may depend on directly, within the workspace, outside its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("zkml-graph", &[]),
    ("zkml-onnx", &["zkml-graph"]),
    ("zkml-protocol", &[]),
    ("zkml-prover", &["zkml-graph", "zkml-protocol"]),
    ("zkml-verifier", &["zkml-protocol"]),
    ("zkml-codegen", &["zkml-protocol"]),
    ("zkml-harness", &["zkml-codegen", "zkml-protocol"]),
    ("zkml-deploy", &["zkml-codegen", "zkml-protocol"]),
];

/// Whom a crate must never reach, over any number of steps.
const NEVER: &[(&str, &[&str])] = &[
    ("zkml-protocol", &["zkml-graph", "zkml-onnx", "zkml-prover"]),
    ("zkml-verifier", &["zkml-graph", "zkml-onnx", "zkml-prover", "halo2-axiom"]),
    ("zkml-codegen", &["zkml-graph", "zkml-onnx", "zkml-prover", "halo2-axiom"]),
    ("zkml-graph", &["zkml-prover", "zkml-protocol", "zkml-verifier", "halo2-axiom", "tract-onnx"]),
    ("zkml-harness", &["zkml-prover", "zkml-onnx", "halo2-axiom"]),
    ("zkml-deploy", &["zkml-prover", "zkml-onnx", "halo2-axiom"]),
];

/// Normal and build dependencies by package name. Tests may look further.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(["--offline".into(), "--locked".into()])
        .exec()
        .expect("cargo metadata runs");
    let name_of: BTreeMap<_, _> = metadata.packages.iter().map(|p| (&p.id, p.name.to_string())).collect();
    let nodes = metadata.resolve.as_ref().expect("a resolved graph").nodes.iter();
    nodes
        .map(|node| {
            let used = node
                .deps
                .iter()
                .filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
            (name_of[&node.id].clone(), used.map(|d| name_of[&d.pkg].clone()).collect())
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
fn every_crate_has_its_rule() {
    let arrows = arrows();
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(c, _)| *c).chain(["zkml-chain"]).collect();
    for name in arrows.keys().filter(|n| n.starts_with("zkml-")) {
        assert!(known.contains(name.as_str()), "{name} is not in ALLOWED: decide what it may depend on");
    }
}
