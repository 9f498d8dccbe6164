//! A real node for tests: anvil of the version in `package.json`, or the one that `ANVIL` names.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use zkml_deploy::{
    Address, U256,
    chain::{Chain, Chains, RpcUrl},
    rpc::{Retry, Rpc},
};

/// A running node; it ends with this.
pub(crate) struct Anvil {
    child: Child,
    port: u16,
    arguments: Vec<String>,
}

impl Anvil {
    /// Starts one on a free port, with more arguments, and waits until it answers.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let port = free_port();
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { child: spawn(port, &arguments), port, arguments }
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ends");
    }

    /// Starts it again on the same port; with `--state FILE` among its arguments it remembers what it had saved.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, &self.arguments);
    }

    /// Ends it in good order, so that `--state FILE` is written.
    pub(crate) fn stop(&mut self) {
        let kill = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(kill.expect("kill is there").success());
        self.child.wait().expect("ends");
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The chain that it is by default.
    pub(crate) fn chain() -> Chain {
        Chains::load(None).unwrap().find("anvil").unwrap().clone()
    }

    /// A connection.
    pub(crate) async fn rpc(&self) -> Rpc {
        let url = RpcUrl::parse("ANVIL_RPC_URL", &self.url()).unwrap();
        Rpc::connect(&Self::chain(), &url, Retry::default()).await.unwrap()
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Mines so many blocks.
pub(crate) async fn mine(rpc: &Rpc, blocks: u64) {
    rpc.raw("anvil_mine", json!([format!("{blocks:#x}")])).await.unwrap();
}

/// Remembers the chain as it is.
pub(crate) async fn snapshot(rpc: &Rpc) -> Value {
    rpc.raw("evm_snapshot", json!([])).await.unwrap()
}

/// Takes the chain back to a snapshot.
pub(crate) async fn revert(rpc: &Rpc, snapshot: Value) {
    assert_eq!(rpc.raw("evm_revert", json!([snapshot])).await.unwrap(), json!(true));
}

/// Puts code at an address.
pub(crate) async fn set_code(rpc: &Rpc, address: Address, code: &[u8]) {
    rpc.raw("anvil_setCode", json!([address, format!("0x{}", hex::encode(code))])).await.unwrap();
}

/// Gives an account so much wei.
pub(crate) async fn set_balance(rpc: &Rpc, address: Address, wei: U256) {
    rpc.raw("anvil_setBalance", json!([address, wei])).await.unwrap();
}

/// The binary.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("ANVIL").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules/.bin/anvil"),
        PathBuf::from,
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spawn(port: u16, arguments: &Vec<String>) -> Child {
    let binary = binary();
    let mut child = Command::new(&binary)
        .args(["--silent", "--host", "127.0.0.1", "--port", &port.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{} does not start ({e}): run `npm ci`", binary.display()));
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "anvil ended at once");
        assert!(started.elapsed() < Duration::from_secs(30), "anvil does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}
