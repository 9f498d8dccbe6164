//! Handing proofs in.

use crate::{
    anvil,
    node::{Operator, SENDER, wait},
    support::check,
};
use serde_json::json;
use zkml_deploy::U256;

#[test]
fn a_proof_is_made_for_the_next_nonce_and_accepted_once() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let submit = ["--chain", "anvil", "--test-key", "--action-text", "approve"];
    let dry = operator.done("submit", &[submit.as_slice(), &["--dry-run"]].concat());
    assert!(dry["transaction"].is_null() && operator.nonce() == 6, "{dry}");
    let first = operator.done("submit", &submit);
    assert_eq!((&first["bound"]["nonce"], &first["bound"]["subject"]), (&json!("0"), &json!(SENDER)));
    let (estimated, gas) =
        (first["estimatedGas"].as_u64().unwrap(), first["transaction"]["gas"].as_u64().unwrap());
    assert!(gas <= estimated && gas > 300_000, "{gas} of {estimated}");
    // The same proof again is refused before anything is sent.
    let (proof, context) = (first["proof"].as_str().unwrap(), first["contextFile"].as_str().unwrap());
    let ready = ["--chain", "anvil", "--test-key", "--proof", proof, "--context-file", context];
    check(operator.run("submit", &ready), 3, "unusable", &["nonce", "0", "1"]);
    let second = operator.done("submit", &submit);
    assert_eq!(second["bound"]["nonce"], "1");
    assert_eq!(operator.nonce(), 8);
    // A proof that is ready is sent as it is.
    let third = operator.done("submit", &[submit.as_slice(), &["--dry-run"]].concat());
    let (proof, context) = (third["proof"].as_str().unwrap(), third["contextFile"].as_str().unwrap());
    let ready = ["--chain", "anvil", "--test-key", "--proof", proof, "--context-file", context];
    assert_eq!(operator.done("submit", &ready)["bound"]["nonce"], "2");
    // Another account cannot use it.
    let other = ["--chain", "anvil", "--key-env", "KEY_1", "--proof", proof, "--context-file", context];
    check(operator.run("submit", &other), 3, "unusable", &["subject"]);
}

#[test]
fn what_cannot_be_accepted_is_not_sent() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let base = ["--chain", "anvil", "--test-key"];
    let with = |more: &[&str]| operator.run("submit", &[base.as_slice(), more].concat());
    check(with(&["--deadline", "1000"]), 3, "unusable", &["deadline", "1000"]);
    let nobody = "0x00000000000000000000000000000000000000aa";
    check(with(&["--consumer", nobody]), 5, "no-code", &["no contract"]);
    let registry = operator.address("registry").to_string();
    check(with(&["--consumer", &registry]), 1, "reverted", &["modelId"]);
    let zkml_verifier = operator.address("zkmlVerifier").to_string();
    check(with(&["--consumer", &zkml_verifier]), 1, "reverted", &["modelId"]);
    let rpc = operator.rpc();
    wait(anvil::set_balance(&rpc, SENDER.parse().unwrap(), U256::from(1_000_000u64)));
    check(with(&[]), 5, "insufficient-funds", &["0.000000000001", "anvil"]);
    assert_eq!(operator.nonce(), 6, "nothing was sent");
}
