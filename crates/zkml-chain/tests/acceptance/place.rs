//! A node with a contract that takes results, and the commands that talk about them.

use std::{
    fs,
    process::{Child, Stdio},
};

use crate::{
    anvil::{self, Anvil},
    support::{Folder, Run, command, done, ended, zkml_env},
};
use serde_json::{Value, json};
use zkml_contracts::{acceptance as abi, errors::selector};
use zkml_deploy::{
    Address, U256,
    acceptance::{Acceptance, PostedResult},
    amount,
    rpc::Rpc,
};
use zkml_harness::{Settings, Solc};
use zkml_protocol::{Word, binding::address_word, keccak256};

/// The node's first account, which deploys, posts and serves.
pub(crate) const POSTER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
pub(crate) const POSTERS_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The second one, who challenges.
pub(crate) const CHALLENGER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
pub(crate) const CHALLENGERS_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
/// The third one, who signs attestations.
pub(crate) const AUDITOR: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
/// The fourth one, who gets what is lost.
pub(crate) const TREASURY: &str = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";

/// Seconds of both windows.
pub(crate) const WINDOW: u64 = 600;

pub(crate) struct Place {
    pub(crate) node: Anvil,
    pub(crate) rpc: Rpc,
    pub(crate) folder: Folder,
    pub(crate) temp: tempfile::TempDir,
    pub(crate) consumer: Address,
    pub(crate) beacon: Address,
    /// The one whose rounds are blocks.
    pub(crate) blocks: Address,
    pub(crate) keys: Address,
}

impl Place {
    pub(crate) async fn new(folder: Folder) -> Self {
        done(&["gen-verifier", "--dir", &folder.dir]);
        let node = Anvil::start(&[]);
        let (rpc, temp) = (node.rpc().await, tempfile::tempdir().unwrap());
        let records = temp.path().join("deployments").display().to_string();
        let parts = ["--deployments", &records, "--broadcast", "--chain", "anvil", "--test-key"];
        let deploy = [&["deploy", "--dir", &folder.dir], &parts[..]].concat();
        let run = zkml_env(&[("ANVIL_RPC_URL", &node.url())], &deploy);
        assert_eq!(run.code, 0, "{run:?}");
        let record = fs::read(temp.path().join("deployments/31337/credit_mlp.json")).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        let plain: Address = record["contracts"]["consumer"]["address"].as_str().unwrap().parse().unwrap();
        let mut place =
            Self { node, rpc, folder, temp, consumer: plain, beacon: plain, blocks: plain, keys: plain };
        place.deploy(plain).await;
        place
    }

    /// The contract, its beacon and its keys, beside the plain consumer of the same model.
    async fn deploy(&mut self, plain: Address) {
        let files = [("Accepting.sol", include_str!("Accepting.sol"))];
        let compiled = Solc::find().unwrap().compile(&files, &Settings::default()).unwrap();
        let (verifier, model) =
            (self.word(plain, "ZKML_VERIFIER()").await, self.word(plain, "modelId()").await);
        let owner = address_word(&POSTER.parse::<Address>().unwrap().into_array());
        let code = |name: &str, arguments: &[Word]| {
            let words = arguments.iter().flat_map(|word| word.0);
            compiled.contract(name).unwrap().creation.iter().copied().chain(words).collect::<Vec<u8>>()
        };
        let create = |data: Vec<u8>| json!({ "from": POSTER, "data": hex(&data), "gas": "0xe00000" });
        let address = |receipt: Value| serde_json::from_value(receipt["contractAddress"].clone()).unwrap();
        self.consumer = address(self.mined(create(code("Accepting", &[verifier, model, owner]))).await);
        self.beacon = address(self.mined(create(code("Scripted", &[]))).await);
        self.blocks = address(self.mined(create(code("Blocks", &[]))).await);
        self.keys = address(self.mined(create(code("Keys", &[owner]))).await);
    }

    /// Sends a transaction of an account of the node, and returns its receipt.
    pub(crate) async fn mined(&self, transaction: Value) -> Value {
        let hash = self.rpc.raw("eth_sendTransaction", json!([transaction])).await.unwrap();
        let mut receipt = Value::Null;
        while receipt.is_null() {
            receipt = self.rpc.raw("eth_getTransactionReceipt", json!([hash])).await.unwrap();
        }
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }

    pub(crate) async fn send(&self, from: &str, to: Address, data: &[u8], value: U256) -> Value {
        self.mined(json!({ "from": from, "to": to, "data": hex(data), "value": value })).await
    }

    pub(crate) async fn word(&self, to: Address, signature: &str) -> Word {
        let answer = self.rpc.call(None, Some(to), &selector(signature)).await.unwrap();
        Word(answer.returned("view").unwrap()[..32].try_into().unwrap())
    }

    /// Lets time pass.
    pub(crate) async fn wait(&self, seconds: u64) {
        self.rpc.raw("evm_increaseTime", json!([seconds])).await.unwrap();
        anvil::mine(&self.rpc, 1).await;
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.temp.path().join(name).display().to_string()
    }

    /// Runs a command about results with somebody's key.
    pub(crate) fn run(&self, key: &str, name: &str, more: &[&str]) -> Run {
        ended(self.start(key, name, more))
    }

    /// Starts one, and does not wait for it.
    pub(crate) fn start(&self, key: &str, name: &str, more: &[&str]) -> Child {
        let consumer = self.consumer.to_string();
        let mut command = command();
        command.args([
            name,
            "--json",
            "--dir",
            &self.folder.dir,
            "--consumer",
            &consumer,
            "--chain",
            "anvil",
        ]);
        command.args(["--key-env", "KEY"]).args(more);
        command.env("ANVIL_RPC_URL", self.node.url()).env("KEY", key);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn accept(&self, more: &[&str]) -> Run {
        self.run(POSTERS_KEY, "accept", more)
    }

    pub(crate) fn challenge(&self, more: &[&str]) -> Run {
        self.run(CHALLENGERS_KEY, "challenge", more)
    }

    /// The same that must succeed.
    pub(crate) fn accepted(&self, more: &[&str]) -> Value {
        let run = self.accept(more);
        assert_eq!(run.code, 0, "{more:?}: {run:?}");
        run.json()
    }

    pub(crate) fn challenged(&self, more: &[&str]) -> Value {
        let run = self.challenge(more);
        assert_eq!(run.code, 0, "{more:?}: {run:?}");
        run.json()
    }

    /// Posts the sample under a policy; the result's id.
    pub(crate) fn post(&self, paths: &str, more: &[&str]) -> String {
        self.post_by(POSTERS_KEY, paths, more)
    }

    /// The same with somebody's key.
    pub(crate) fn post_by(&self, key: &str, paths: &str, more: &[&str]) -> String {
        let terms = self.terms(paths);
        let terms: Vec<&str> = terms.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let run = self.run(key, "accept", &terms);
        assert_eq!(run.code, 0, "{run:?}");
        let report = run.json();
        assert_eq!(report["result"]["state"], "posted", "{report}");
        report["result"]["id"].as_str().unwrap().to_owned()
    }

    /// The flags that say a policy of these paths.
    pub(crate) fn terms(&self, paths: &str) -> Vec<String> {
        let (beacon, keys, window) = (self.beacon.to_string(), self.keys.to_string(), WINDOW.to_string());
        let terms = [
            ("", &["--policy", paths, "--bond", "0.3", "--deposit", "0.1", "--beneficiary", TREASURY][..]),
            ("", &["--answer-window", &window, "--valid-for", "86400"]),
            ("optimistic", &["--challenge-window", &window]),
            ("sampled", &["--rate", "0.5", "--beacon", &beacon]),
            ("attested", &["--attestors", &keys]),
        ];
        let asked = terms.iter().filter(|(path, _)| paths.contains(path));
        asked.flat_map(|(_, flags)| flags.iter().map(|&flag| flag.to_owned())).collect()
    }

    /// Posts a result that the model does not give, as a liar does: without the command. Its policy, input and terms are those of a posted one.
    pub(crate) async fn lie(&self, like: &str) -> PostedResult {
        let true_one = self.find(like).await;
        let mut output = true_one.output.clone();
        *output.last_mut().unwrap() ^= 1;
        let posting = abi::Posting {
            deadline: true_one.result.deadline,
            data_commitment: true_one.result.data_commitment,
            output: &output,
            provenance: &[],
            attestations: &[],
        };
        let data = abi::post_result(true_one.result.action, &posting, &true_one.policy);
        let receipt = self.send(POSTER, self.consumer, &data, coins("0.3")).await;
        let id = receipt["logs"][0]["topics"][1].as_str().unwrap().to_owned();
        let lie = self.find(&id).await;
        assert_eq!(lie.result.output_hash, keccak256([&output[..]]));
        lie
    }

    pub(crate) async fn find(&self, id: &str) -> PostedResult {
        let acceptance = Acceptance::known(&self.rpc, self.consumer);
        let last = self.rpc.block_number().await.unwrap();
        acceptance.find(word(id), 0..=last, 1_000).await.unwrap()
    }

    pub(crate) async fn state(&self, id: &str) -> &'static str {
        Acceptance::known(&self.rpc, self.consumer).status(word(id)).await.unwrap().state.name()
    }

    /// Money of an account in the contract.
    pub(crate) async fn funds(&self, account: &str) -> String {
        let account: Address = account.parse().unwrap();
        let data = zkml_contracts::requests::funds_of(&account.into_array(), &[0; 20]);
        let answer = self.rpc.call(None, Some(self.consumer), &data).await.unwrap();
        amount::show(U256::from_be_slice(&answer.returned("fundsOf").unwrap()), 18)
    }

    /// Has the beacon say a value for the round that draws a result, so that it is drawn, or spared.
    pub(crate) async fn decide(&self, id: &str, drawn: bool) {
        let posted = self.find(id).await;
        let round = Acceptance::known(&self.rpc, self.consumer).status(word(id)).await.unwrap().round;
        let is_drawn = |value: Word| {
            let hash = keccak256([&value.0[..], &posted.id.0]);
            u128::from_be_bytes(hash.0[..16].try_into().unwrap()) < u128::MAX / 2
        };
        let value = (1..).map(Word::from_u64).find(|value| is_drawn(*value) == drawn).unwrap();
        let data = [&selector("say(uint64,bytes32)")[..], &Word::from_u64(round).0, &value.0].concat();
        self.send(POSTER, self.beacon, &data, U256::ZERO).await;
    }
}

pub(crate) fn coins(text: &str) -> U256 {
    amount::parse(text, 18).unwrap()
}

pub(crate) fn word(text: &str) -> Word {
    Word::from_hex(text.trim_start_matches("0x")).unwrap()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
