//! Bad input gets a clear error and changes nothing.

use crate::{
    anvil,
    node::{KEYS, Operator, SENDER, generated, wait},
    support::{check, zkml_env},
};
use alloy::signers::local::PrivateKeySigner;
use axum::{Router, body::Bytes, routing::post};
use serde_json::{Value, json};
use std::fs;
use zkml_deploy::U256;

const BROADCAST: [&str; 4] = ["--chain", "anvil", "--test-key", "--broadcast"];

/// Nothing was sent, and there is no record.
fn untouched(operator: &Operator) {
    assert_eq!(operator.nonce(), 0);
    assert!(!operator.deployments().exists());
}

#[test]
fn chains_that_are_not_meant() {
    let operator = Operator::new(&[]);
    let deploy = |more: &[&str]| operator.run("deploy", more);
    check(
        deploy(&["--chain", "goerli", "--from", SENDER]),
        2,
        "unknown-chain",
        &["goerli", "sepolia", "--chains"],
    );
    let wrong = ["--chain", "sepolia", "--key-env", "KEY_0", "--broadcast"];
    check(deploy(&wrong), 5, "wrong-chain", &["serves chain 31337", "11155111", "nothing was sent"]);
    check(deploy(&["--chain", "hoodi", "--from", SENDER]), 2, "no-rpc-url", &["HOODI_RPC_URL"]);
    let mainnet = ["--chain", "mainnet", "--from", SENDER];
    for more in [&["--accept-any-input"][..], &["--parts", "verifier,registry,router"]] {
        let run = deploy(&[&mainnet, more].concat());
        check(run, 1, "unsafe-setup", &["mainnet", "srs import"]);
    }
    untouched(&operator);
}

/// Whatever is accepted on a chain like this may have value, and whoever proves would choose it.
#[test]
fn a_consumer_of_any_input_on_a_chain_that_is_no_test() {
    let operator = Operator::new(&[]);
    for (kind, name) in
        [("plain", "CreditMlpAnyInputConsumer"), ("requests", "CreditMlpAnyInputRequestConsumer")]
    {
        let run = operator.run("deploy", &["--chain", "mainnet", "--from", SENDER, "--consumer", kind]);
        check(run, 2, "any-input", &[name, "mainnet", "--accept-any-input", "--parts"]);
    }
    untouched(&operator);
}

#[test]
fn endpoints_that_do_not_answer() {
    let dir = generated().dir.clone();
    let arguments = ["deploy", "--dir", &dir, "--chain", "anvil", "--from", SENDER, "--json"];
    let at = |url: &str| zkml_env(&[("ANVIL_RPC_URL", url)], &arguments);
    let error = check(at("http://127.0.0.1:9/v2/secret"), 5, "unreachable", &["127.0.0.1:9", "4 attempts"]);
    assert!(!error.to_string().contains("secret"), "{error}");
    let error = check(at("wss://secret.example"), 2, "bad-rpc-url", &["ANVIL_RPC_URL"]);
    assert!(!error.to_string().contains("secret"), "{error}");
    check(at(""), 2, "no-rpc-url", &["ANVIL_RPC_URL"]);
}

#[test]
fn keys_that_are_not_there() {
    let operator = Operator::new(&[]);
    let deploy =
        |more: &[&str]| operator.run("deploy", &[&["--chain", "anvil", "--broadcast"], more].concat());
    check(deploy(&[]), 2, "no-key", &["--keystore"]);
    check(
        deploy(&["--keystore", "/nowhere/key.json"]),
        3,
        "keystore",
        &["/nowhere/key.json", "no such file"],
    );
    check(deploy(&["--key-env", "NO_SUCH_KEY"]), 2, "key-variable", &["NO_SUCH_KEY is not set"]);
    check(deploy(&["--key-env", "ANVIL_RPC_URL"]), 2, "key-variable", &["64 hexadecimal digits"]);
    let run = operator.run("deploy", &["--chain", "sepolia", "--broadcast", "--test-key"]);
    check(run, 2, "test-key-elsewhere", &["chain 31337 only"]);
    let temp = tempfile::tempdir().unwrap();
    let key: alloy::primitives::B256 = KEYS[2].parse().unwrap();
    let mut random = rand_core::OsRng;
    PrivateKeySigner::encrypt_keystore(temp.path(), &mut random, key, "right", Some("key")).unwrap();
    let (keystore, password) = (temp.path().join("key"), temp.path().join("password"));
    let [key, file] = [&keystore, &password].map(|path| path.display().to_string());
    check(deploy(&["--keystore", &key]), 2, "no-password", &["--password-file", "ZKML_KEYSTORE_PASSWORD"]);
    fs::write(&password, "wrong\n").unwrap();
    let with = ["--keystore", key.as_str(), "--password-file", file.as_str()];
    check(deploy(&with), 3, "keystore", &["the password is wrong"]);
    untouched(&operator);
    fs::write(&password, "right\n").unwrap();
    let report = operator.done("deploy", &[&["--chain", "anvil", "--broadcast"], with.as_slice()].concat());
    let third = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    assert!(report["sender"].as_str().unwrap().eq_ignore_ascii_case(third), "{report}");
}

#[test]
fn an_account_without_enough_money() {
    let operator = Operator::new(&[]);
    wait(anvil::set_balance(
        &operator.rpc(),
        SENDER.parse().unwrap(),
        U256::from(10u64).pow(U256::from(15u64)),
    ));
    check(operator.run("deploy", &BROADCAST), 5, "insufficient-funds", &[SENDER, "0.001", "send it"]);
    untouched(&operator);
    // A dry run says so, and all the rest as well.
    let dry = operator.done("deploy", &["--chain", "anvil", "--test-key"]);
    assert!(dry["missing"].as_str().unwrap().contains("send it"), "{dry}");
}

#[test]
fn a_folder_that_is_not_the_one_of_the_record() {
    let operator = Operator::new(&[]);
    operator.deploy(&["--parts", "verifier"]);
    let good = operator.record();
    let (word, other) = (json!(format!("0x{}", "11".repeat(32))), json!(SENDER));
    for (pointer, value, name) in [
        ("/digests/vk", word.clone(), "verifying key"),
        ("/digests/modelHash", word.clone(), "model hash"),
        ("/digests/srs", word.clone(), "setup digest"),
        ("/contracts/verifier/initCodeHash", word, "creation code of CreditMlpVerifier"),
        ("/contracts/consumer/address", other, "address of CreditMlpAnyInputConsumer"),
        ("/toolkit", json!("0.0.9"), "toolkit version"),
    ] {
        operator.edit_record(|record| *record.pointer_mut(pointer).unwrap() = value);
        let edited = operator.record();
        check(operator.run("deploy", &BROADCAST), 4, "other-record", &[name, "--deployments"]);
        assert_eq!(operator.record(), edited, "it was left as it was");
        operator.edit_record(|record| *record = good.clone());
    }
    for damaged in [json!({}), json!({ "version": 1 }), json!([])] {
        operator.edit_record(|record| *record = damaged);
        check(operator.run("deploy", &BROADCAST), 3, "record", &["not a record"]);
    }
    operator.edit_record(|record| {
        *record = good.clone();
        record["version"] = json!(9);
    });
    check(operator.run("deploy", &BROADCAST), 3, "record", &["layout version is 9"]);
    assert_eq!(operator.nonce(), 1);
}

/// A node whose pairing says yes to everything.
async fn liar(honest: String) -> String {
    let client = zkml_deploy::http::client().build().unwrap();
    let forward = move |body: Bytes| {
        let (client, honest) = (client.clone(), honest.clone());
        async move {
            let request: Value = serde_json::from_slice(&body).unwrap();
            let to = request["params"][0]["to"].as_str().unwrap_or_default();
            if request["method"] == "eth_call" && to.ends_with("0008") {
                let yes = format!("0x{:064x}", 1);
                return json!({ "jsonrpc": "2.0", "id": request["id"], "result": yes }).to_string();
            }
            let answer = client.post(&honest).header("content-type", "application/json").body(body);
            answer.send().await.unwrap().text().await.unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(
        async move { axum::serve(listener, Router::new().route("/", post(forward))).await.unwrap() },
    );
    url
}

#[test]
fn a_chain_whose_pairing_is_always_true() {
    let operator = Operator::new(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(liar(operator.node.url()));
    let deployments = operator.deployments().display().to_string();
    let arguments = [operator.arguments(&deployments, "deploy", &BROADCAST), vec!["--json"]].concat();
    let run = zkml_env(&[("ANVIL_RPC_URL", &url)], &arguments);
    check(run, 1, "preflight", &["precompiles", "a pairing that is false", "0x08"]);
    untouched(&operator);
}

#[test]
fn contracts_that_were_edited() {
    let folder = crate::support::Folder::new();
    crate::support::done(&["gen-verifier", "--dir", &folder.dir]);
    let operator = Operator::with(&folder.dir, &[]);
    let source = String::from_utf8(folder.read("solidity/CreditMlpConsumer.sol")).unwrap();
    folder.write("solidity/CreditMlpConsumer.sol", source.replace("NotThisModel", "NotThatModel"));
    check(operator.run("deploy", &BROADCAST), 4, "edited-file", &["CreditMlpConsumer.sol"]);
    untouched(&operator);
}

#[test]
fn delays_and_deadlines_that_no_contract_would_take() {
    let folder = crate::support::Folder::new();
    folder.edit("settings.json", |settings| settings["weights"] = "committed".into());
    let plan = crate::support::done(&["compile", "--dir", &folder.dir]);
    crate::support::done(&["srs", "dev", "--k", &plan["k"].as_u64().unwrap().to_string()]);
    for step in ["setup", "commit", "prove", "gen-verifier"] {
        let model = if step == "commit" { &["--model"][..] } else { &[] };
        crate::support::done(&[&[step, "--dir", &folder.dir], model].concat());
    }
    let operator = Operator::with(&folder.dir, &[]);
    let dry =
        |delay: &str| operator.run("deploy", &["--chain", "anvil", "--test-key", "--model-delay", delay]);
    check(dry("3599"), 2, "codegen", &["3599 s is too short", "3600 s or more"]);
    assert_eq!(dry("3600").code, 0);
    for command in ["submit", "request"] {
        let run = operator.run(command, &["--chain", "anvil", "--test-key", "--valid-for", "0"]);
        check(run, 2, "usage", &["--valid-for", "0 is not in"]);
    }
    untouched(&operator);
}

/// What the constructors would refuse is refused by its name, before anything is there.
#[test]
fn arguments_that_no_contract_would_take() {
    let operator = Operator::new(&[]);
    let dry =
        |flags: &[&str]| operator.run("deploy", &[&["--chain", "anvil", "--from", SENDER], flags].concat());
    let zero = format!("0x{:040x}", 0);
    for (flag, words) in [
        ("--emergency-stop", "owner of the emergency stop cannot be 0x0000"),
        ("--owner", "the owner cannot be 0x0000"),
        ("--model-owner", "the model owner cannot be 0x0000"),
    ] {
        check(dry(&[flag, &zero]), 2, "argument", &[words, "nobody has the address zero"]);
    }
    for delay in ["3599", "7776001", "-1"] {
        check(dry(&[&format!("--route-delay={delay}")]), 2, "usage", &["--route-delay", "3600", "7776000"]);
    }
    check(dry(&["--parts", "emergency-stop"]), 2, "no-guardian", &["--emergency-stop"]);
    assert_eq!(dry(&["--route-delay", "3600"]).code, 0);
    untouched(&operator);
}

#[test]
fn a_consumer_that_takes_no_requests_is_named() {
    let operator = Operator::new(&[]);
    operator.deploy(&[]);
    let consumer = operator.address("consumer").to_string();
    let words = [consumer.as_str(), "takes no requests", "--consumer requests"];
    let key = ["--chain", "anvil", "--test-key"];
    check(operator.run("request", &key), 2, "no-requests", &words);
    let journal = operator.deployments().join("journal.sqlite").display().to_string();
    let inputs = operator.deployments().display().to_string();
    let watch = ["--inputs", &inputs, "--journal", &journal, "--listen", "127.0.0.1:0", "--until-idle"];
    check(operator.run("watch", &[&key[..], &watch].concat()), 2, "no-requests", &words);
    assert!(!fs::exists(journal).unwrap());
}
