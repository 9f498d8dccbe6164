//! The scripts for people who live in Foundry, by a real forge: they read the same records.

use super::{Double, World, anvil, edited, verdicts};
use crate::support::{repo, root};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// The public key of development chains, which the model's owner has here.
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The second such key.
const OTHER_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
/// The address of the first.
const OWNER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// A Foundry project as the repository is one: its settings and sources, and the model's artifacts.
fn project(world: &World) {
    let home = world.home.path();
    for folder in ["contracts", "deploy/deployments", "artifacts"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    for file in ["foundry.toml", "contracts/src", "contracts/solc.mjs", "deploy/script"] {
        copy(Path::new(&repo(file)), &home.join(file));
    }
    copy(Path::new(&world.folder.dir), &home.join("artifacts/credit_mlp"));
    std::os::unix::fs::symlink(root().join("node_modules"), home.join("node_modules")).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
    assert!(status.success(), "{} to {}", from.display(), to.display());
}

/// Runs a script; whatever it says.
fn forge(world: &World, args: &[&str]) -> (bool, String) {
    let forge = std::env::var("FORGE").unwrap_or_else(|_| repo("node_modules/.bin/forge"));
    let Output { status, stdout, stderr } = Command::new(forge)
        .arg("script")
        .args(args)
        .args(["--rpc-url", &world.node.url()])
        .current_dir(world.home.path())
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.success(), text)
}

fn check(world: &World) -> (bool, String) {
    let record = world.record_path().display().to_string();
    forge(world, &["deploy/script/Check.s.sol", "--sig", "run(string)", &record])
}

fn deploy(world: &World, key: &str) -> (bool, String) {
    let record = world.record_path().display().to_string();
    let script =
        ["deploy/script/Deploy.s.sol", "--sig", "run(string,string)", &record, "artifacts/credit_mlp"];
    forge(world, &[&script[..], &["--broadcast", "--private-key", key]].concat())
}

fn says((done, text): &(bool, String), words: &str) {
    assert!(*done && text.contains(words), "{words:?} is not in: {text}");
}

fn refuses((done, text): &(bool, String), words: &str) {
    assert!(!*done && text.contains(words), "{words:?} is not in: {text}");
}

/// Changes the record for one run.
fn with(
    world: &World,
    change: impl FnOnce(&mut Value),
    run: impl FnOnce() -> (bool, String),
) -> (bool, String) {
    let path = world.record_path();
    let good = fs::read_to_string(&path).unwrap();
    edited(&path, &good, change);
    let answer = run();
    fs::write(path, good).unwrap();
    answer
}

#[test]
fn scripts_deploy_and_check_records() {
    let world = World::new();
    project(&world);
    world.deploy(&["--save-plan", "--from", OWNER]);
    refused_plans(&world);
    let blocks = world.runtime.block_on(world.rpc().block_number()).unwrap();
    assert_eq!(blocks, 0, "nothing was sent");
    world.deploy(&["--broadcast", "--test-key", "--parts", "verifier,registry"]);
    refuses(&check(&world), "NotDeployed");
    says(&deploy(&world, KEY), "sent: uint256 4");
    says(&deploy(&world, KEY), "sent: uint256 0");
    // What the scripts deployed is not in the record, but an address of CREATE2 says which code was run there.
    says(&check(&world), "checks: uint256 19");
    let elsewhere = |record: &mut Value| {
        record["contracts"]["consumer"]["address"] = record["contracts"]["router"]["address"].clone();
    };
    refuses(&with(&world, elsewhere, || check(&world)), "WrongAddress");
    let foreign = |record: &mut Value| {
        record["contracts"]["consumer"].as_object_mut().unwrap().remove("salt");
    };
    refuses(&with(&world, foreign, || check(&world)), "NotRecorded");
    let report = world.deploy(&["--broadcast", "--test-key"]);
    assert_eq!(report["record"]["status"], "complete", "{report}");
    assert_eq!(report["record"]["contracts"]["consumer"]["status"], "reused", "{report}");
    says(&check(&world), "checks: uint256 19");
    refused_records(&world);
    deprecated(&world);
}

/// An emergency stop is a contract of the record like the others, and the route leads to it.
#[test]
fn scripts_deploy_and_check_an_emergency_stop() {
    let world = World::new();
    project(&world);
    let stop = ["--emergency-stop", OWNER];
    world.deploy(&[&["--save-plan", "--from", OWNER], &stop[..]].concat());
    let other = |record: &mut Value| {
        record["contracts"]["emergencyStop"]["constructorArguments"] = json!("0x");
    };
    refuses(&with(&world, other, || deploy(&world, KEY)), "WrongInitCode");
    says(&deploy(&world, KEY), "sent: uint256 7");
    says(&check(&world), "checks: uint256 22");
    let report = world.deploy(&[&["--broadcast", "--test-key"], &stop[..]].concat());
    assert_eq!(report["record"]["status"], "complete", "{report}");
    let double = Double::honest(world.rpc());
    let run = world.verify("sourcify", &double, &[], &["--only", "ZKMLEmergencyStop"]);
    assert_eq!((run.code, verdicts(&run.json())), (0, vec!["verified"]), "{run:?}");
    let address = world.record().contracts.emergency_stop.unwrap().address;
    let code = |record: &mut Value| {
        record["contracts"]["emergencyStop"]["runtimeCodeHash"] = json!(format!("0x{:064x}", 1));
    };
    refuses(&with(&world, code, || check(&world)), "WrongCode");
    let data = format!("0x{}", hex::encode(zkml_contracts::errors::selector("stop()")));
    let call = json!([{ "from": OWNER, "to": address, "data": data }]);
    let rpc = world.rpc();
    world.runtime.block_on(rpc.raw("eth_sendTransaction", call)).unwrap();
    world.runtime.block_on(anvil::mine(&rpc, 1));
    refuses(&check(&world), "Stopped");
}

fn refused_plans(world: &World) {
    refuses(&deploy(world, OTHER_KEY), "NotTheModelOwner");
    let word = || json!(format!("0x{:064x}", 1));
    let changed = |pointer: &str, value: Value, error: &str| {
        let change = |record: &mut Value| *record.pointer_mut(pointer).expect(pointer) = value;
        refuses(&with(world, change, || deploy(world, KEY)), error);
    };
    changed("/contracts/consumer/initCodeHash", word(), "WrongInitCode");
    changed("/contracts/router/constructorArguments", json!("0x"), "WrongInitCode");
    changed("/contracts/router/salt", word(), "WrongAddress");
    changed("/registration/commitmentHash", word(), "WrongCommitment");
    changed("/factory", json!(OWNER), "WrongAddress");
    changed("/chainId", json!(1), "WrongChain");
    changed("/version", json!(2), "UnknownLayout");
    let foreign = |record: &mut Value| {
        record["contracts"]["registry"].as_object_mut().unwrap().remove("salt");
    };
    refuses(&with(world, foreign, || deploy(world, KEY)), "Missing");
}

fn refused_records(world: &World) {
    let word = format!("0x{:064x}", 1);
    for (pointer, error) in [
        ("/contracts/verifier/runtimeCodeHash", "WrongCode"),
        ("/contracts/registry/runtimeCodeHash", "WrongCode"),
        ("/contracts/router/runtimeCodeHash", "WrongCode"),
        ("/contracts/zkmlVerifier/runtimeCodeHash", "WrongCode"),
        ("/contracts/consumer/runtimeCodeHash", "WrongCode"),
        ("/digests/vk", "WrongDigest"),
        ("/digests/srs", "WrongDigest"),
        ("/digests/modelCommitment", "WrongDigest"),
        ("/digests/modelHash", "WrongDigest"),
        ("/registration/commitmentHash", "WrongDigest"),
        ("/registration/modelId", "WrongModel"),
    ] {
        let change = |record: &mut Value| *record.pointer_mut(pointer).unwrap() = json!(word);
        refuses(&with(world, change, || check(world)), error);
    }
    let other = |record: &mut Value| {
        record["registration"]["owner"] = json!("0x0000000000000000000000000000000000000001")
    };
    refuses(&with(world, other, || check(world)), "WrongTie");
}

fn deprecated(world: &World) {
    let (rpc, record) = (world.rpc(), world.record());
    let data = zkml_contracts::deprecate_model(record.registration.model_id);
    let call = json!([{ "from": OWNER, "to": record.contracts.registry.address, "data": format!("0x{}", hex::encode(data)) }]);
    world.runtime.block_on(rpc.raw("eth_sendTransaction", call)).unwrap();
    world.runtime.block_on(anvil::mine(&rpc, 1));
    refuses(&check(world), "Deprecated");
}
