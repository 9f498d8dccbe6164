//! Deployments that are interrupted go on where they were, and pay for nothing twice.

use crate::{
    anvil,
    node::{Operator, wait},
};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Starts `deploy --broadcast` and does not wait for it.
fn start(operator: &Operator) -> Child {
    let deployments = operator.deployments().display().to_string();
    let arguments =
        operator.arguments(&deployments, "deploy", &["--chain", "anvil", "--test-key", "--broadcast"]);
    Command::new(env!("CARGO_BIN_EXE_zkml-chain"))
        .args(arguments)
        .env("ZKML_SOLC", crate::support::root())
        .envs(operator.environment())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the record satisfies a condition, and kills the process there.
fn kill_when(operator: &Operator, mut child: Child, ready: impl Fn(&Value) -> bool) {
    let started = Instant::now();
    loop {
        let record = fs::read(operator.record_path(31_337)).ok();
        let record = record.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        if record.is_some_and(|record| ready(&record)) {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is recorded");
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_between_two_steps_it_goes_on() {
    let operator = Operator::new(&["--block-time", "1"]);
    for part in ["registry", "zkmlVerifier"] {
        kill_when(&operator, start(&operator), |record| record["contracts"][part]["status"] == "deployed");
        let record = operator.record();
        assert_eq!(record["status"], "partial", "after {part}");
    }
    operator.deploy(&[]);
    assert_eq!(operator.record()["status"], "complete");
    assert_eq!(operator.nonce(), 6, "nothing was sent twice");
}

#[test]
fn killed_while_a_transaction_waits_it_replaces_it() {
    let operator = Operator::new(&["--no-mining"]);
    kill_when(&operator, start(&operator), |record| record["contracts"]["verifier"]["status"] == "sent");
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
    kill_when(&operator, start(&operator), |record| record["contracts"]["verifier"]["status"] == "sent");
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
