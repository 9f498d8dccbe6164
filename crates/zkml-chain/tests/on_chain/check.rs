//! `check-deployment` notices what is not as it should be.

use crate::{
    anvil,
    node::{Operator, SENDER, wait},
    support::check,
};
use serde_json::{Value, json};
use zkml_deploy::{
    keys::Account,
    transaction::{Call, Limits, send_and_wait},
};

/// Names of the checks that fail.
fn failed(operator: &Operator) -> Vec<String> {
    let run = operator.run("check-deployment", &["--chain", "anvil"]);
    assert_eq!(run.code, 1, "{run:?}");
    let document = run.json();
    assert_eq!(document["error"]["name"], "deployment");
    let findings = document["report"]["findings"].as_array().unwrap();
    let bad = findings.iter().filter(|finding| finding["good"] == Value::Bool(false));
    bad.map(|finding| finding["name"].as_str().unwrap().to_owned()).collect()
}

/// Sends a call of the owner.
fn send(operator: &Operator, contract: &str, data: Vec<u8>) {
    let call = Call::new("a test", operator.address(contract), data);
    wait(async {
        let (rpc, account) = (operator.node.rpc().await, Account::test(31_337).unwrap());
        let limits = Limits::of(&anvil::Anvil::chain());
        send_and_wait(&rpc, &account, &call, None, limits, &mut |_| Ok(())).await.unwrap();
    });
}

#[test]
fn a_good_deployment_passes_and_a_changed_one_does_not() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let report = operator.done("check-deployment", &["--chain", "anvil"]);
    assert_eq!((&report["good"], report["findings"].as_array().unwrap().len()), (&json!(true), 35));
    // A verifier that says yes to everything, at the right address.
    let yes = hex::decode("60015f5260205ff3").unwrap();
    wait(anvil::set_code(&operator.rpc(), operator.address("verifier"), &yes));
    let failed = failed(&operator);
    for name in
        ["code of CreditMlpVerifier", "vkDigest", "a changed output, verifier", "a changed proof, verifier"]
    {
        assert!(failed.iter().any(|bad| bad == name), "{name} is not among {failed:?}");
    }
}

/// The stop is deployed behind the route, and whoever pulls it ends the model.
#[test]
fn an_emergency_stop_is_deployed_checked_and_pulled() {
    let operator = Operator::new(&[]);
    let stop = ["--emergency-stop", SENDER];
    let dry = operator.done("deploy", &[&["--chain", "anvil", "--from", SENDER], &stop[..]].concat());
    let announced = &dry["emergencyStop"];
    assert_eq!(operator.nonce(), 0, "{announced}");
    operator.deploy(&stop);
    assert_eq!(operator.nonce(), 7, "six contracts and the model's entry");
    let record = operator.record();
    let placed = &record["contracts"]["emergencyStop"];
    assert_eq!(
        (&record["status"], &record["guardian"]),
        (&json!("complete"), &dry["emergencyStop"]["owner"])
    );
    for (key, other) in [("address", "address"), ("constructorArguments", "constructorArguments")] {
        assert_eq!(announced[key], placed[other], "the dry run shows it");
    }
    assert_eq!(announced["verifier"], record["contracts"]["verifier"]["address"]);
    let report = operator.done("check-deployment", &["--chain", "anvil"]);
    assert_eq!((&report["good"], report["findings"].as_array().unwrap().len()), (&json!(true), 44));
    operator.done("submit", &["--chain", "anvil", "--test-key"]);
    // Whoever forgets the flag is told so.
    let run = operator.run("deploy", &["--chain", "anvil", "--test-key"]);
    check(run, 4, "other-record", &["owner of the emergency stop"]);
    send(&operator, "emergencyStop", zkml_contracts::errors::selector("stop()").to_vec());
    let failed = failed(&operator);
    for name in ["state of the emergency stop", "a good proof, emergency stop", "a good proof, consumer"] {
        assert!(failed.iter().any(|bad| bad == name), "{name} is not among {failed:?}");
    }
    assert!(!failed.iter().any(|bad| bad == "a good proof, verifier"), "{failed:?}");
    let run = operator.run("submit", &["--chain", "anvil", "--test-key"]);
    check(run, 1, "reverted", &["VerifierStopped"]);
}

#[test]
fn a_consumer_of_something_else_is_noticed() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let registry = wait(operator.rpc().code(operator.address("registry"))).unwrap();
    wait(anvil::set_code(&operator.rpc(), operator.address("consumer"), &registry));
    let failed = failed(&operator);
    for name in ["code of CreditMlpAnyInputConsumer", "model of the consumer", "a good proof, consumer"] {
        assert!(failed.iter().any(|bad| bad == name), "{name} is not among {failed:?}");
    }
}

#[test]
fn a_model_out_of_use_is_noticed() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let id = operator.record()["registration"]["modelId"].as_str().unwrap().to_owned();
    let id = zkml_protocol::Word::from_hex(&id[2..]).unwrap();
    send(&operator, "registry", zkml_contracts::deprecate_model(id));
    let failed = failed(&operator);
    assert!(failed.contains(&"registry entry".to_owned()), "{failed:?}");
    assert!(failed.contains(&"a good proof, consumer".to_owned()), "{failed:?}");
    let run = operator.run("submit", &["--chain", "anvil", "--test-key"]);
    check(run, 1, "deprecated", &["deprecated"]);
}

#[test]
fn a_stopped_route_is_noticed() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let selector = operator.record()["route"]["selector"].as_str().unwrap().to_owned();
    let mut data = zkml_contracts::errors::selector("stopRoute(bytes4)").to_vec();
    data.extend(hex::decode(&selector[2..]).unwrap());
    data.resize(36, 0);
    send(&operator, "router", data);
    assert!(failed(&operator).contains(&"route".to_owned()));
    let run = operator.run("deploy", &["--chain", "anvil", "--test-key"]);
    check(run, 1, "route", &["stopped, for good"]);
}

#[test]
fn without_a_record_there_is_nothing_to_check() {
    let operator = Operator::new(&[]);
    let run = operator.run("check-deployment", &["--chain", "anvil"]);
    check(run, 3, "no-record", &["deploy first"]);
}
