//! Deploying: looking first, sending then, and finding what is there.

use crate::{
    anvil,
    node::{Operator, SENDER, wait},
};
use serde_json::{Value, json};
use std::fs;

fn part<'a>(report: &'a Value, part: &str) -> &'a Value {
    report["steps"].as_array().unwrap().iter().find(|step| step["part"] == part).unwrap_or(&Value::Null)
}

#[test]
fn a_dry_run_sends_and_writes_nothing() {
    let operator = Operator::new(&[]);
    let report = operator.done("deploy", &["--chain", "anvil", "--from", SENDER]);
    assert_eq!((&report["broadcast"], &report["chainId"]), (&json!(false), &json!(31_337)));
    assert_eq!(report["checks"].as_array().unwrap().len(), 6, "{report}");
    assert_eq!(part(&report, "verifier")["source"], "chain");
    assert_eq!(part(&report, "consumer")["source"], "local-evm", "the registry is not there yet");
    assert_eq!(part(&report, "route")["state"], "withRouter");
    assert!(report["gas"].as_u64().unwrap() > 5_000_000);
    let rpc = operator.rpc();
    assert_eq!((operator.nonce(), wait(rpc.block_number()).unwrap()), (0, 0));
    assert!(!operator.deployments().exists());
}

#[test]
fn everything_is_there_after_a_broadcast_and_reused_afterwards() {
    let operator = Operator::new(&[]);
    let dry = operator.done("deploy", &["--chain", "anvil", "--test-key"]);
    let report = operator.deploy(&[]);
    let record = operator.record();
    assert_eq!((&record["status"], &report["record"]), (&json!("complete"), &record));
    assert_eq!(operator.nonce(), 6, "five contracts and the model's entry");
    let (mut spent, rpc) = (0, operator.rpc());
    for (name, contract) in record["contracts"].as_object().unwrap() {
        assert_eq!(contract["status"], "deployed", "{name}");
        let code = wait(rpc.code(contract["address"].as_str().unwrap().parse().unwrap())).unwrap();
        let hash = zkml_protocol::keccak256([code.as_ref()]).to_string();
        assert_eq!(contract["runtimeCodeHash"], hash, "{name}");
        spent += contract["transaction"]["gas"].as_u64().unwrap();
    }
    spent += record["registration"]["transaction"]["gas"].as_u64().unwrap();
    // What was announced before anything was there is close to what it took, and not below.
    let announced = dry["gas"].as_u64().unwrap();
    assert!(announced > spent * 99 / 100 && announced < spent * 103 / 100, "{announced} and {spent}");
    for (name, addresses) in
        dry["steps"].as_array().unwrap().iter().map(|step| (&step["part"], &step["address"]))
    {
        let known = record["contracts"].as_object().unwrap().values().any(|contract| {
            addresses.as_str().is_some_and(|a| contract["address"].as_str().unwrap().eq_ignore_ascii_case(a))
        });
        assert!(addresses.is_null() || known, "{name} is where the dry run said");
    }
    let before = fs::read(operator.record_path(31_337)).unwrap();
    let again = operator.deploy(&[]);
    assert!(again["steps"].as_array().unwrap().iter().all(|step| step["state"] == "there"), "{again}");
    assert_eq!(operator.nonce(), 6);
    assert_eq!(fs::read(operator.record_path(31_337)).unwrap(), before, "the record keeps how it came about");
    // Without the record, what is there is found by its address.
    fs::remove_file(operator.record_path(31_337)).unwrap();
    operator.deploy(&[]);
    assert_eq!(operator.nonce(), 6);
    assert_eq!(operator.record()["contracts"]["verifier"]["status"], "reused");
}

/// Told by the same flags, without a connection, and before anything is there.
#[test]
fn what_is_predicted_is_where_it_will_be() {
    let other = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    let at = |operator: &Operator, flags: &[&str], environment: &[(&str, &str)]| {
        let arguments = [&["predict", "--dir", &operator.dir, "--chain", "anvil", "--json"], flags].concat();
        crate::support::zkml_env(environment, &arguments)
    };
    for flags in [
        &[][..],
        &["--consumer", "requests"],
        &["--consumer", "requests", "--emergency-stop", other],
        &["--owner", other, "--route-delay", "7200"],
    ] {
        let operator = Operator::new(&[]);
        let predicted = at(&operator, &[&["--from", SENDER], flags].concat(), &[]).json();
        assert_eq!(at(&operator, &[&["--test-key"], flags].concat(), &[]).json(), predicted, "{flags:?}");
        operator.deploy(flags);
        let record = operator.record();
        assert_eq!(predicted["modelId"], record["registration"]["modelId"], "{flags:?}");
        let contracts = record["contracts"].as_object().unwrap();
        assert_eq!(predicted["contracts"].as_object().unwrap().len(), contracts.len(), "{flags:?}");
        for contract in contracts.values() {
            assert_eq!(
                predicted["contracts"][contract["name"].as_str().unwrap()],
                contract["address"],
                "{flags:?}"
            );
        }
        assert_eq!(predicted["consumer"], contracts["consumer"]["address"], "{flags:?}");
        // A verifier that is there already: the consumer moves with it.
        let zkml_verifier = operator.address("zkmlVerifier").to_string();
        let joined =
            at(&operator, &[&["--from", SENDER, "--zkml-verifier", &zkml_verifier], flags].concat(), &[]);
        assert_eq!(joined.json()["consumer"], predicted["consumer"], "{flags:?}");
        assert_eq!(joined.json()["contracts"]["ZKMLRouter"], Value::Null, "only the chain knows it");
    }
    let operator = Operator::new(&[]);
    let text =
        crate::support::zkml(&["predict", "--dir", &operator.dir, "--chain", "anvil", "--from", SENDER])
            .stdout;
    assert!(text.trim().parse::<zkml_deploy::Address>().is_ok(), "the address and nothing else: {text}");
    crate::support::check(at(&operator, &[], &[]), 2, "no-key", &["--from"]);
    let both = at(&operator, &["--owner", other, "--model-owner", other], &[]);
    assert_eq!(both.code, 0, "who sends does not matter then: {both:?}");
    let live = ["predict", "--dir", &operator.dir, "--chain", "mainnet", "--from", SENDER, "--json"];
    crate::support::check(crate::support::zkml(&live), 2, "no-owner", &["--owner"]);
}

#[test]
fn addresses_are_the_same_on_every_chain() {
    let [one, two] = [Operator::new(&[]), Operator::new(&["--chain-id", "11155111"])];
    one.deploy(&[]);
    let report = two
        .done("deploy", &["--chain", "sepolia", "--key-env", "KEY_0", "--broadcast", "--confirmations", "1"]);
    for (name, contract) in one.record()["contracts"].as_object().unwrap() {
        assert_eq!(contract["address"], report["record"]["contracts"][name]["address"], "{name}");
    }
    assert!(two.record_path(11_155_111).is_file() && !two.record_path(31_337).exists());
}

#[test]
fn a_later_model_joins_with_a_route_that_waits() {
    let first = Operator::new(&[]);
    first.deploy(&[]);
    let zkml_verifier = first.address("zkmlVerifier").to_string();
    let dir = crate::support::other();
    crate::support::done(&["gen-verifier", "--dir", dir]);
    let mut second = Operator::with(dir, &[]);
    std::mem::swap(&mut second.node, &mut { first }.node);
    let report = second.deploy(&["--zkml-verifier", &zkml_verifier]);
    assert_eq!(part(&report, "registry")["state"], "there");
    let record = second.record();
    assert_eq!((&record["status"], &record["route"]["status"]), (&json!("partial"), &json!("waiting")));
    assert_eq!(record["contracts"]["zkmlVerifier"]["status"], "reused");
    assert_eq!(record["contracts"]["consumer"]["status"], "deployed");
    let failed = second.run("check-deployment", &["--chain", "anvil"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    let rpc = second.rpc();
    wait(rpc.raw("evm_increaseTime", json!([2 * 24 * 3600 + 1]))).unwrap();
    wait(anvil::mine(&rpc, 1));
    second.deploy(&["--zkml-verifier", &zkml_verifier]);
    assert_eq!(second.record()["status"], "complete");
    let checked = second.done("check-deployment", &["--chain", "anvil"]);
    assert_eq!(checked["good"], true, "{checked}");
}

#[test]
fn parts_are_deployed_alone_if_they_need_nothing_else() {
    let operator = Operator::new(&[]);
    operator.deploy(&["--parts", "verifier"]);
    assert_eq!((operator.nonce(), &operator.record()["status"]), (1, &json!("partial")));
    let run =
        operator.run("deploy", &["--chain", "anvil", "--test-key", "--broadcast", "--parts", "consumer"]);
    crate::support::check(run, 2, "part-missing", &["consumer needs zkml-verifier"]);
    assert_eq!(operator.nonce(), 1);
    operator.deploy(&[]);
    assert_eq!(operator.nonce(), 6);
}

/// An application brings its own consumer: the deployment is whole without one, and with one that was lost it is not.
#[test]
fn a_deployment_without_a_consumer_is_good() {
    let operator = Operator::new(&[]);
    operator.deploy(&["--parts", "verifier,registry,router,zkml-verifier,route,registration"]);
    assert_eq!(operator.nonce(), 5);
    let report = operator.done("check-deployment", &["--chain", "anvil"]);
    assert_eq!((&report["good"], report["findings"].as_array().unwrap().len()), (&json!(true), 27));
    operator.deploy(&[]);
    assert_eq!(operator.nonce(), 6);
    let nothing: &[u8] = &[];
    wait(anvil::set_code(&operator.rpc(), operator.address("consumer"), nothing));
    assert_eq!(operator.run("check-deployment", &["--chain", "anvil"]).code, 1);
}

#[test]
fn the_consumer_of_requests_is_deployed_when_asked_for() {
    let operator = Operator::new(&[]);
    operator.deploy(&["--consumer", "requests"]);
    assert_eq!(operator.record()["contracts"]["consumer"]["name"], "CreditMlpAnyInputRequestConsumer");
    assert_eq!(operator.done("check-deployment", &["--chain", "anvil"])["good"], true);
    // The record is about this consumer: the other one goes into another record.
    let run = operator.run("deploy", &["--chain", "anvil", "--test-key", "--broadcast"]);
    crate::support::check(run, 4, "other-record", &["address of CreditMlpAnyInputRequestConsumer"]);
}
