//! Steps of somebody else: they are shown, not sent, and what needs them waits.

use crate::node::{Operator, SENDER, wait};
use serde_json::json;
use zkml_deploy::{
    chain::RpcUrl,
    keys::Account,
    rpc::{Retry, Rpc},
    transaction::{Call, Limits, send_and_wait},
};

/// The second account of development chains.
const OTHER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

#[test]
fn what_somebody_else_must_send_is_shown_and_the_rest_waits() {
    let operator = Operator::new(&[]);
    let owners = ["--owner", SENDER, "--model-owner", OTHER];
    // A dry run is done; what waits for somebody else is not.
    let all = [&["--chain", "anvil", "--test-key"], &owners[..]].concat();
    operator.done("deploy", &all);
    let run = operator.run("deploy", &[&all[..], &["--broadcast"]].concat());
    let report = run.json()["report"].clone();
    let words = ["registration for", "consumer for the registration", "same command again"];
    crate::support::check(run, 7, "waits", &words);
    let step = |part: &str| {
        report["steps"].as_array().unwrap().iter().find(|step| step["part"] == part).unwrap().clone()
    };
    let registration = step("registration");
    assert_eq!(registration["state"], "theirs");
    assert!(registration["by"].as_str().unwrap().eq_ignore_ascii_case(OTHER));
    assert_eq!(
        (&step("consumer")["state"], &step("consumer")["on"]),
        (&json!("blocked"), &json!("registration"))
    );
    assert_eq!(operator.record()["status"], "partial");
    assert_eq!(operator.nonce(), 4);
    // The other account sends what was shown, with whatever tool it has.
    let to = registration["to"].as_str().unwrap().parse().unwrap();
    let data = hex::decode(&registration["data"].as_str().unwrap()[2..]).unwrap();
    let call = Call::new("registration", to, data);
    wait(async {
        let chain = crate::anvil::Anvil::chain();
        let url = RpcUrl::parse("X", &operator.node.url()).unwrap();
        let rpc = Rpc::connect(&chain, &url, Retry::default()).await.unwrap();
        // SAFETY: the variable is this test's own, and nobody else reads the environment of this name.
        #[expect(unsafe_code, reason = "an account is read from the environment")]
        unsafe {
            std::env::set_var("ZKML_TEST_OTHER_KEY", crate::node::KEYS[1])
        };
        let account = Account::environment("ZKML_TEST_OTHER_KEY").unwrap();
        send_and_wait(&rpc, &account, &call, None, Limits::of(&chain), &mut |_| Ok(())).await.unwrap();
    });
    operator.deploy(&owners);
    assert_eq!(operator.record()["status"], "complete");
    assert_eq!(operator.nonce(), 5, "only the consumer was missing");
    assert_eq!(operator.done("check-deployment", &["--chain", "anvil"])["good"], true);
}

#[test]
fn off_test_chains_somebody_must_be_named_as_owner() {
    // A chain of one's own counts as a live one, whatever its file says; its verifier must have a real setup.
    let operator = Operator::new(&["--chain-id", "777"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let chain = "[[chain]]\nname = \"own\"\nid = 777\ntest = true\nrpc = \"ANVIL_RPC_URL\"\nevm_version = \"shanghai\"\nconfirmations = 1\nblock_seconds = 1\n";
    std::fs::write(file.path(), chain).unwrap();
    let path = file.path().display().to_string();
    let run = operator.run("deploy", &["--chain", "own", "--chains", &path, "--from", SENDER]);
    crate::support::check(run, 1, "unsafe-setup", &["own is no test chain"]);
}
