//! A node, and the commands of an operator who uses it.

use crate::{
    anvil::Anvil,
    support::{Folder, Run, done, zkml_env},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use tempfile::TempDir;
use zkml_deploy::{Address, rpc::Rpc};

/// The first account of development chains.
pub(crate) const SENDER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
/// Keys of the first three accounts: everybody has them.
pub(crate) const KEYS: [&str; 3] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
];

/// Waits for what is asynchronous.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// An artifact folder with contracts, made once.
pub(crate) fn generated() -> &'static Folder {
    static GENERATED: OnceLock<Folder> = OnceLock::new();
    GENERATED.get_or_init(|| {
        let folder = Folder::new();
        done(&["gen-verifier", "--dir", &folder.dir]);
        folder
    })
}

/// A node, a folder of records, and an artifact folder.
pub(crate) struct Operator {
    pub(crate) node: Anvil,
    pub(crate) dir: String,
    records: TempDir,
}

impl Operator {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        Self::with(&generated().dir, arguments)
    }

    pub(crate) fn with(dir: &str, arguments: &[&str]) -> Self {
        let records = tempfile::tempdir().unwrap();
        Self { node: Anvil::start(arguments), dir: dir.to_owned(), records }
    }

    /// The folder of records.
    pub(crate) fn deployments(&self) -> PathBuf {
        self.records.path().join("deployments")
    }

    /// The record on a chain.
    pub(crate) fn record_path(&self, chain_id: u64) -> PathBuf {
        let model = Path::new(&self.dir).file_name().unwrap().to_str().unwrap();
        self.deployments().join(format!("{chain_id}/{model}.json"))
    }

    pub(crate) fn record(&self) -> Value {
        serde_json::from_slice(&fs::read(self.record_path(31_337)).expect("a record")).expect("JSON")
    }

    pub(crate) fn edit_record(&self, change: impl FnOnce(&mut Value)) {
        let mut record = self.record();
        change(&mut record);
        fs::write(self.record_path(31_337), serde_json::to_vec(&record).unwrap()).unwrap();
    }

    /// Arguments of a command on the folder's records.
    pub(crate) fn arguments<'a>(
        &'a self,
        deployments: &'a str,
        command: &'a str,
        more: &[&'a str],
    ) -> Vec<&'a str> {
        [&[command, "--dir", &self.dir, "--deployments", deployments], more].concat()
    }

    /// The environment of a command: where the node is under every name, and keys.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let variables = ["ANVIL_RPC_URL", "SEPOLIA_RPC_URL", "MAINNET_RPC_URL", "GANACHE_RPC_URL"];
        let mut all: Vec<_> = variables.iter().map(|name| (*name, self.node.url())).collect();
        all.extend(["KEY_0", "KEY_1", "KEY_2"].into_iter().zip(KEYS.map(str::to_owned)));
        all
    }

    /// Runs a command with JSON output.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Run {
        let deployments = self.deployments().display().to_string();
        let arguments = [self.arguments(&deployments, command, more), vec!["--json"]].concat();
        let environment = self.environment();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        zkml_env(&environment, &arguments)
    }

    /// Runs a command that must succeed.
    pub(crate) fn done(&self, command: &str, more: &[&str]) -> Value {
        let run = self.run(command, more);
        assert_eq!(run.code, 0, "{command} {more:?}: {run:?}");
        run.json()
    }

    /// Deploys everything with the test key.
    pub(crate) fn deploy(&self, more: &[&str]) -> Value {
        self.done("deploy", &[&["--chain", "anvil", "--test-key", "--broadcast"], more].concat())
    }

    pub(crate) fn rpc(&self) -> Rpc {
        wait(self.node.rpc())
    }

    /// Transactions of the sender that are mined.
    pub(crate) fn nonce(&self) -> u64 {
        let rpc = self.rpc();
        wait(rpc.nonce(SENDER.parse().unwrap())).unwrap()
    }

    pub(crate) fn address(&self, contract: &str) -> Address {
        self.record()["contracts"][contract]["address"].as_str().unwrap().parse().unwrap()
    }
}
