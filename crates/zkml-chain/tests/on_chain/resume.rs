//! Deployments that are interrupted go on where they were, and pay for nothing twice.

use crate::{
    anvil,
    node::{Operator, wait},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Starts a command and does not wait for it.
fn start(operator: &Operator, command: &str, more: &[&str]) -> Child {
    let deployments = operator.deployments().display().to_string();
    let arguments =
        operator.arguments(&deployments, command, &[&["--chain", "anvil", "--test-key"], more].concat());
    Command::new(env!("CARGO_BIN_EXE_zkml-chain"))
        .args(arguments)
        .env("ZKML_SOLC", crate::support::root())
        .env("ZKML_NODE", crate::support::root().join("tests/js/node-once.mjs"))
        .envs(operator.environment())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn deploy(operator: &Operator) -> Child {
    start(operator, "deploy", &["--broadcast"])
}

/// A file that is written whole, if it is there.
fn read(file: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(file).ok()?).unwrap()
}

/// Waits until a file of a running command satisfies a condition.
fn until(child: &mut Child, file: &Path, ready: impl Fn(&Value) -> bool) {
    let started = Instant::now();
    while !read(file).is_some_and(|content| ready(&content)) {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is recorded");
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Kills a command at that moment.
fn kill_when(file: &Path, mut child: Child, ready: impl Fn(&Value) -> bool) {
    until(&mut child, file, ready);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_between_two_steps_it_goes_on() {
    let operator = Operator::new(&["--block-time", "1"]);
    for part in ["registry", "zkmlVerifier"] {
        kill_when(&operator.record_path(31_337), deploy(&operator), |record| {
            record["contracts"][part]["status"] == "deployed"
        });
        let record = operator.record();
        assert_eq!(record["status"], "partial", "after {part}");
    }
    operator.deploy(&[]);
    assert_eq!(operator.record()["status"], "complete");
    assert_eq!(operator.nonce(), 6, "nothing was sent twice");
}

#[test]
fn two_deployments_at_once_keep_one_record() {
    // Blocks take a second, so that the one is under way when the other would write.
    let operator = Operator::new(&["--block-time", "1"]);
    let both = [deploy(&operator), deploy(&operator)];
    let ended = both.map(|mut child| child.wait().unwrap().success());
    assert!(ended.contains(&true), "{ended:?}");
    operator.deploy(&[]);
    let record = operator.record();
    assert_eq!((&record["status"], operator.nonce()), (&json!("complete"), 6), "{record}");
    let contracts = record["contracts"].as_object().unwrap();
    let ours = |c: &&Value| c["status"] == "deployed" && c["transaction"]["block"].is_u64();
    assert!(contracts.len() >= 5 && contracts.values().filter(ours).count() == contracts.len(), "{record}");
    assert!(!operator.record_path(31_337).with_extension("lock").exists());
}

#[test]
fn killed_while_a_transaction_waits_it_replaces_it() {
    let operator = Operator::new(&["--no-mining"]);
    kill_when(&operator.record_path(31_337), deploy(&operator), |record| {
        record["contracts"]["verifier"]["status"] == "sent"
    });
    // Whether the node got it before the end is left to chance; both must do.
    let rpc = operator.rpc();
    wait(rpc.raw("evm_setAutomine", json!([true]))).unwrap();
    operator.deploy(&["--bump-after", "1"]);
    assert_eq!(operator.record()["status"], "complete");
    assert_eq!(operator.nonce(), 6, "the waiting transaction was replaced or used");
}

#[test]
fn a_transaction_that_was_mined_after_the_end_is_found() {
    let operator = Operator::new(&["--no-mining"]);
    kill_when(&operator.record_path(31_337), deploy(&operator), |record| {
        record["contracts"]["verifier"]["status"] == "sent"
    });
    let rpc = operator.rpc();
    // The process may have ended before the node had it.
    std::thread::sleep(Duration::from_millis(100));
    wait(anvil::mine(&rpc, 1));
    wait(rpc.raw("evm_setAutomine", json!([true]))).unwrap();
    operator.deploy(&[]);
    let record = operator.record();
    assert_eq!((&record["status"], operator.nonce()), (&json!("complete"), 6));
    let transaction = &record["contracts"]["verifier"]["transaction"];
    assert!(transaction["block"].is_u64() && transaction["gas"].is_u64(), "{transaction}");
}

#[test]
fn a_submission_that_was_killed_is_not_paid_twice() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let rpc = operator.rpc();
    wait(rpc.raw("evm_setAutomine", json!([false]))).unwrap();
    let proof = operator.deployments().join("one.json").display().to_string();
    let sent = operator.deployments().join("one.sent.json");
    let hashes = |sent: &Value| 1 + sent["replaced"].as_array().map_or(0, Vec::len);
    for offers in 1..=2 {
        let child = start(&operator, "submit", &["--out", &proof]);
        kill_when(&sent, child, |sent| hashes(sent) >= offers);
        // The process may have ended before the node had it.
        std::thread::sleep(Duration::from_millis(100));
    }
    let offered = hashes(&read(&sent).unwrap());
    let first = fs::read(&proof).unwrap();
    let mut child = start(&operator, "submit", &["--out", &proof]);
    until(&mut child, &sent, |sent| hashes(sent) > offered);
    let ended = loop {
        wait(anvil::mine(&rpc, 1));
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(500)),
        }
    };
    // Whichever of the three was mined, the last run knows it.
    assert!(ended.success(), "{ended}");
    assert_eq!(fs::read(&proof).unwrap(), first, "what may be accepted is not written over");
    wait(anvil::mine(&rpc, 1));
    assert_eq!(operator.nonce(), 7, "one transaction after those of the deployment");
    assert!(!sent.exists(), "nothing waits any more");
    fs::write(&sent, "{").unwrap();
    let run = operator.run("submit", &["--chain", "anvil", "--test-key", "--out", &proof]);
    crate::support::check(run, 3, "content", &["one.sent.json", "remove it"]);
    assert_eq!(operator.nonce(), 7);
}
