//! Requests that pay, from the payer's command to the prover's account: real contracts, real proofs.

use super::{ASKER, ASKERS_KEY, Place, SENDER, STRANGER, Service, anvil, support, with_chain};
use serde_json::{Value, json};
use support::{Folder, Run, check, zkml_env};
use zkml_contracts::{
    errors::selector,
    requests::{CALLBACK_FAILED, INFERENCE_ACCEPTED, RequestState, topic},
};
use zkml_deploy::{Address, B256, U256, amount};
use zkml_harness::{Settings, Solc};
use zkml_protocol::{Word, binding::address_word};

/// A token of which its maker has all.
const TOKEN: &str = "// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
import {ERC20} from \"@openzeppelin/contracts/token/ERC20/ERC20.sol\";
contract Coinage is ERC20 {
    constructor() ERC20(\"Coinage\", \"COIN\") { _mint(msg.sender, 10 ether); }
    function decimals() public pure override returns (uint8) { return 6; }
}";

impl Place {
    /// Runs `rewards` with the key of the service or of the asker.
    fn rewards(&self, key: &str, more: &[&str]) -> Run {
        let records = self.path("deployments");
        let fixed =
            ["rewards", "--json", "--dir", &self.folder.dir, "--deployments", &records, "--chain", "anvil"];
        let environment = [("ANVIL_RPC_URL", self.node.url()), ("KEY", key.to_owned())];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        zkml_env(&environment, &[fixed.as_slice(), &["--key-env", "KEY"], more].concat())
    }

    /// Asks for an inference about the sample, with a reward; the id.
    fn ask_paying(&self, more: &[&str]) -> Word {
        let (sample, inputs) = (self.path("sample.json"), self.path("inputs"));
        std::fs::copy(self.folder.path("sample.json"), &sample).unwrap();
        let run = self.request(&[&["--input", &sample, "--share", &inputs], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        Word::from_hex(run.json()["request"]["id"].as_str().unwrap().trim_start_matches("0x")).unwrap()
    }

    /// Serves until nothing is left; its lines.
    fn serve(&self, more: &[&str]) -> Vec<Value> {
        let arguments = self.watch(&[&["--until-idle"], more].concat());
        let run = with_chain(&self.node, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn logs(&self, event: &str) -> usize {
        let last = self.rpc.block_number().await.unwrap();
        self.rpc.logs(self.consumer, &[B256::from(topic(event).0)], 0, last).await.unwrap().len()
    }

    async fn balance(&self, account: &str) -> U256 {
        self.rpc.balance(account.parse().unwrap()).await.unwrap()
    }
}

/// The key of the service.
const SENDERS_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

fn funds(run: Run) -> Value {
    assert_eq!(run.code, 0, "{run:?}");
    run.json()["funds"].clone()
}

fn coins(amount: &str) -> Value {
    json!([{ "asset": Address::ZERO, "amount": amount }])
}

fn wei(text: &str) -> U256 {
    amount::parse(text, 18).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_goes_to_whoever_proves_or_comes_back() {
    let place = Place::new(Folder::new()).await;
    nobody_pays_what_is_no_reward(&place).await;
    fulfilled_and_paid_out(&place).await;
    copied_by_a_stranger(&place).await;
    too_small_and_taken_back(&place).await;
}

async fn nobody_pays_what_is_no_reward(place: &Place) {
    let before = place.rpc.nonce(ASKER.parse().unwrap()).await.unwrap();
    let nowhere = "0x1111111111111111111111111111111111111111";
    for (flags, code, name, words) in [
        (&["--reward", "0"][..], 2, "argument", "above zero"),
        (&["--reward", "1.2.3"], 2, "argument", "18 decimals"),
        (&["--reward", "0.0000000000000000001"], 2, "argument", "18 decimals"),
        (&["--reward", "100000"], 5, "insufficient-funds", "100000"),
        (&["--reward", "1", "--from-deposit"], 5, "unpaid-reward", "from the deposit of"),
        (&["--reward", "1", "--payer", STRANGER], 5, "unpaid-reward", "the limit that it has set"),
        (&["--reward", "1", "--token", nowhere], 1, "answer", "decimals of the token"),
    ] {
        check(place.request(flags), code, name, &[words]);
    }
    assert_eq!(place.request(&["--token", nowhere]).code, 2, "a token without an amount");
    assert_eq!(place.rpc.nonce(ASKER.parse().unwrap()).await.unwrap(), before);
}

async fn fulfilled_and_paid_out(place: &Place) {
    let dry = place.request(&["--reward", "0.05", "--dry-run", "--valid-for", "900"]).json();
    let reward = &dry["reward"];
    assert_eq!((&reward["amount"], &reward["source"]), (&json!("0.05"), &json!("coins that go along")));
    assert_eq!(reward["returnsAfter"], dry["deadline"], "{dry}");
    assert!(dry["estimatedGas"].as_u64().unwrap() > 50_000 && dry["request"].is_null(), "{dry}");
    let before = place.balance(ASKER).await;
    let id = place.ask_paying(&["--reward", "0.05"]);
    assert!(before - place.balance(ASKER).await > wei("0.05"), "it went along");
    let lines = place.serve(&[]);
    assert_eq!(lines[0]["reward"], json!({ "asset": Address::ZERO, "amount": wei("0.05").to_string() }));
    assert_eq!(lines.last().unwrap()["summary"]["earned"][0]["amount"], wei("0.05").to_string());
    assert_eq!(place.state(id).await, RequestState::Fulfilled);
    assert_eq!((place.logs(CALLBACK_FAILED).await, place.logs(INFERENCE_ACCEPTED).await), (0, 1));
    assert_eq!(funds(place.rewards(SENDERS_KEY, &[])), coins("0.05"));
    assert_eq!(funds(place.rewards(ASKERS_KEY, &[])), json!([]));
    let before = place.balance(STRANGER).await;
    let run = place.rewards(SENDERS_KEY, &["--withdraw", "--to", STRANGER]);
    assert_eq!((run.code, run.json()["sent"].as_array().unwrap().len()), (0, 1), "{run:?}");
    assert_eq!(place.balance(STRANGER).await - before, wei("0.05"));
    assert_eq!(
        funds(place.rewards(SENDERS_KEY, &["--withdraw"])),
        json!([]),
        "nothing is left, and nothing is sent"
    );
}

/// Whoever hands the service's proof in pays the service.
async fn copied_by_a_stranger(place: &Place) {
    let id = place.ask_paying(&["--reward", "0.02"]);
    let set = async |on: bool| drop(place.rpc.raw("evm_setAutomine", json!([on])).await.unwrap());
    set(false).await;
    let service = Service::start(place);
    let hash = service.wait("sent")["transaction"].clone();
    let mut transaction = Value::Null;
    while transaction.is_null() {
        transaction = place.rpc.raw("eth_getTransactionByHash", json!([hash])).await.unwrap();
    }
    drop(service);
    place.rpc.raw("anvil_dropAllTransactions", json!([])).await.unwrap();
    set(true).await;
    let copy =
        json!([{ "from": STRANGER, "to": place.consumer, "data": transaction["input"], "gas": "0x1e8480" }]);
    place.rpc.raw("eth_sendTransaction", copy).await.unwrap();
    while place.state(id).await != RequestState::Fulfilled {
        anvil::mine(&place.rpc, 1).await;
    }
    assert_eq!(funds(place.rewards(SENDERS_KEY, &[])), coins("0.02"));
    assert_eq!(funds(place.rewards(SENDERS_KEY, &["--withdraw"])), coins("0.02"));
    // The service finds it earned, and nothing of its own is mined and fails.
    let lines = place.serve(&[]);
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["requests"], json!([["done", 2]]), "{summary}");
    assert_eq!(summary["earned"][0]["amount"], wei("0.07").to_string());
    assert!(!lines.iter().any(|line| line["event"] == "mined" && line["success"] == false), "{lines:?}");
}

async fn too_small_and_taken_back(place: &Place) {
    let small = place.ask_paying(&["--reward", "0.001", "--valid-for", "600"]);
    let lines = place.serve(&["--min-reward", "0.01"]);
    let refused = lines.iter().find(|line| line["event"] == "refused").unwrap();
    let reason = "its reward is not enough: it pays 0.001, and the least is 0.01";
    assert_eq!((&refused["request"], &refused["reason"]), (&json!(small.to_string()), &json!(reason)));
    assert_eq!(place.state(small).await, RequestState::Pending);
    for flags in [["--min-reward", "x"], ["--min-reward", "1@0x12"], ["--min-reward", "1.2.3"]] {
        let arguments = place.watch(&flags);
        let run = with_chain(&place.node, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.code, 2, "{run:?}");
    }
    // Until the deadline it is bound.
    let early = place.rewards(ASKERS_KEY, &["--reclaim", "--withdraw"]).json();
    assert_eq!((&early["waiting"][0]["expired"], &early["sent"]), (&json!(false), &json!([])), "{early}");
    place.rpc.raw("evm_increaseTime", json!([700])).await.unwrap();
    anvil::mine(&place.rpc, 1).await;
    let look = place.rewards(ASKERS_KEY, &[]).json();
    assert_eq!(
        (&look["waiting"][0]["expired"], &look["waiting"][0]["amount"]),
        (&json!(true), &json!("0.001"))
    );
    let before = place.balance(ASKER).await;
    let late = place.rewards(ASKERS_KEY, &["--reclaim", "--withdraw"]);
    assert_eq!((late.code, funds(late)), (0, coins("0.001")));
    let gained = place.balance(ASKER).await.checked_sub(before);
    assert!(gained.is_some_and(|gained| gained < wei("0.001")), "it came back, for a fee: {gained:?}");
    assert_eq!(place.state(small).await, RequestState::Cancelled);
    let again = place.rewards(ASKERS_KEY, &["--reclaim", "--withdraw"]).json();
    assert_eq!((&again["waiting"], &again["funds"], &again["sent"]), (&json!([]), &json!([]), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_in_tokens_is_paid_in_before_and_paid_out_afterwards() {
    let place = Place::new(Folder::new()).await;
    let compiled = Solc::find().unwrap().compile(&[("Coinage.sol", TOKEN)], &Settings::default()).unwrap();
    let code = format!("0x{}", hex::encode(&compiled.contract("Coinage").unwrap().creation));
    let made =
        place.rpc.raw("eth_sendTransaction", json!([{ "from": ASKER, "data": code, "gas": "0x1e8480" }]));
    let hash = made.await.unwrap();
    let mut receipt = Value::Null;
    while receipt.is_null() {
        receipt = place.rpc.raw("eth_getTransactionReceipt", json!([hash])).await.unwrap();
    }
    let token: Address = serde_json::from_value(receipt["contractAddress"].clone()).unwrap();
    let name = token.to_string();
    let paying = ["--reward", "2.5", "--token", &name];
    let dry = place.request(&[&paying[..], &["--dry-run"]].concat()).json();
    assert_eq!(
        (&dry["reward"]["before"], &dry["reward"]["token"]),
        (&json!(["approve", "deposit"]), &json!(token))
    );
    check(place.request(&["--reward", "0.0000001", "--token", &name]), 2, "argument", &["6 decimals"]);
    let much = ["--reward", "10000000000000.5", "--token", &name];
    check(
        place.request(&much),
        5,
        "unpaid-reward",
        &["10000000000000.5", "there are 10000000000000 of the token"],
    );
    let id = place.ask_paying(&paying);
    // A token that nobody named is worth nothing to the service.
    let lines = place.serve(&[]);
    assert!(
        lines
            .iter()
            .any(|line| line["event"] == "refused" && line["reason"].as_str().unwrap().contains(&name)),
        "{lines:?}"
    );
    let lines = place.serve(&["--min-reward", &format!("2.5@{name}")]);
    assert_eq!(lines.last().unwrap()["summary"]["earned"], json!([{ "asset": token, "amount": "2500000" }]));
    assert_eq!(place.state(id).await, RequestState::Fulfilled);
    let taken = place.rewards(SENDERS_KEY, &["--token", &name, "--withdraw"]);
    assert_eq!(funds(taken), json!([{ "asset": token, "amount": "2.5" }]));
    let data = [
        selector("balanceOf(address)").as_slice(),
        &address_word(&SENDER.parse::<Address>().unwrap().into_array()).0,
    ]
    .concat();
    let answer = place.rpc.call(None, Some(token), &data).await.unwrap().returned("balanceOf").unwrap();
    assert_eq!(U256::from_be_slice(&answer), U256::from(2_500_000));
    // What is paid in already is used first.
    let deposit = [
        selector("deposit(address,uint256)").as_slice(),
        &address_word(&token.into_array()).0,
        &Word::from_u64(9).0,
    ]
    .concat();
    let approve = [
        selector("approve(address,uint256)").as_slice(),
        &address_word(&place.consumer.into_array()).0,
        &Word::from_u64(9).0,
    ]
    .concat();
    for (to, data) in [(token, approve), (place.consumer, deposit)] {
        let call = json!([{ "from": ASKER, "to": to, "data": format!("0x{}", hex::encode(data)) }]);
        place.rpc.raw("eth_sendTransaction", call).await.unwrap();
    }
    let dry = place.request(&["--reward", "0.000009", "--token", &name, "--dry-run"]).json();
    assert_eq!(
        (&dry["reward"]["before"], &dry["reward"]["source"]),
        (&Value::Null, &json!("a deposit")),
        "{dry}"
    );
    left_for_later(&place, &name).await;
}

/// Rewards that have come back are found later, too, without the token's name.
async fn left_for_later(place: &Place, token: &str) {
    place.ask_paying(&["--reward", "0.000009", "--token", token, "--valid-for", "600"]);
    place.rpc.raw("evm_increaseTime", json!([700])).await.unwrap();
    anvil::mine(&place.rpc, 1).await;
    let back = json!([{ "asset": token.parse::<Address>().unwrap(), "amount": "0.000009" }]);
    assert_eq!(funds(place.rewards(ASKERS_KEY, &["--reclaim"])), back);
    assert_eq!(funds(place.rewards(ASKERS_KEY, &["--withdraw"])), back);
    assert_eq!(funds(place.rewards(ASKERS_KEY, &["--withdraw"])), json!([]), "all of it");
}
