//! A node, the contracts of a sample, and a record that is kept in memory.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use zkml_codegen::names;
use zkml_deploy::{
    Address, B256, DeployError, Result,
    chain::{Chain, RpcUrl},
    deploy::{self, Options, Preview, Watcher},
    error::RecordError,
    keys::Account,
    package::{CompiledContract, Compiler, Existing, Owners, Package},
    plan::{Part, Plan},
    record::{Record, Status, TransactionRecord},
    rpc::{Retry, Rpc},
    transaction::{Call, Limits, Mined, send_and_wait},
};
use zkml_harness::{Contract, Settings, Solc, StackCode};
use zkml_protocol::{binding::Registration, plonk::Sample};

use crate::{anvil::Anvil, proxy::Proxy};

/// Transactions of a whole deployment: five contracts and the model's entry.
pub(crate) const TRANSACTIONS: u64 = 6;

/// The parts of a deployment without an emergency stop.
pub(crate) const PARTS: [Part; 7] = [
    Part::Verifier,
    Part::Registry,
    Part::Router,
    Part::ZkmlVerifier,
    Part::Route,
    Part::Registration,
    Part::Consumer,
];

fn code(contract: &Contract) -> CompiledContract {
    CompiledContract {
        name: contract.name.clone(),
        file: contract.file.clone(),
        creation: contract.creation.clone(),
        runtime: contract.runtime.clone(),
        immutables: contract.immutables.clone(),
    }
}

/// The contracts of a sample, compiled once.
pub(crate) fn package() -> Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE
        .get_or_init(|| {
            let text = include_str!("../../../../tests/fixtures/protocol/plain.json");
            let sample: Sample = serde_json::from_str(text).unwrap();
            let program = sample.program;
            let names = names::contracts(&program);
            let files = [
                (format!("{}.sol", names.verifier), zkml_codegen::verifier_source(&program).unwrap()),
                (format!("{}.sol", names.consumer), zkml_codegen::consumer_source(&program).unwrap()),
                (
                    format!("{}.sol", names.any_input_consumer),
                    zkml_codegen::any_input_consumer_source(&program).unwrap(),
                ),
            ];
            let mut sources = StackCode::sources();
            sources.extend(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
            let compiled = Solc::find().unwrap().compile(&sources, &Settings::default()).unwrap();
            let stack = StackCode::of(&compiled).unwrap();
            Package {
                model: "plain".to_owned(),
                registration: Registration::of(&program, &sample.instances).unwrap(),
                verifier: code(compiled.contract(&names.verifier).unwrap()),
                emergency_stop: code(&stack.emergency_stop),
                registry: code(&stack.registry),
                router: code(&stack.router),
                zkml_verifier: code(&stack.verifier),
                consumer: code(compiled.contract(&names.any_input_consumer).unwrap()),
                compiler: Compiler { version: compiled.compiler, settings: Settings::default().to_json() },
                program: program.into(),
            }
        })
        .clone()
}

/// A node, and who deploys there.
pub(crate) struct Scene {
    node: Anvil,
    pub(crate) rpc: Rpc,
    pub(crate) chain: Chain,
    pub(crate) account: Account,
}

impl Scene {
    pub(crate) async fn new(arguments: &[&str]) -> Self {
        let node = Anvil::start(arguments);
        let rpc = node.rpc().await;
        Self { node, rpc, chain: Anvil::chain(), account: Account::test(31_337).unwrap() }
    }

    /// The same scene, seen through a proxy.
    pub(crate) async fn through_proxy(mut self) -> (Self, Proxy) {
        let proxy = Proxy::start(&self.node.url()).await;
        let url = RpcUrl::parse("PROXY_URL", &proxy.url()).unwrap();
        self.rpc = Rpc::connect(&self.chain, &url, Retry::default()).await.unwrap();
        (self, proxy)
    }

    pub(crate) fn owners(&self) -> Owners {
        let owner = self.account.address();
        Owners { owner, model_owner: owner, guardian: None, route_delay: 3_600, model_delay: 0 }
    }

    pub(crate) async fn plan(&self, existing: Existing) -> Result<Plan> {
        self.plan_for(self.owners(), existing).await
    }

    pub(crate) async fn plan_for(&self, owners: Owners, existing: Existing) -> Result<Plan> {
        Plan::new(&self.rpc, &self.chain, package(), owners, existing).await
    }

    pub(crate) fn options(&self, parts: &[Part]) -> Options {
        let usual = Limits::of(&self.chain);
        Options {
            parts: parts.iter().copied().collect(),
            limits: Limits { poll: Duration::from_millis(20), timeout: Duration::from_secs(20), ..usual },
            simulated: BTreeMap::from(Part::ALL.map(|part| (part, 1_000_000))),
        }
    }

    pub(crate) async fn preview(&self, plan: &Plan, parts: &[Part]) -> Result<Preview> {
        deploy::preview(&self.rpc, plan, self.account.address(), &self.options(parts)).await
    }

    /// Deploys these parts, with the record that the keeper has.
    pub(crate) async fn deploy(&self, plan: &Plan, parts: &[Part], keeper: &mut Keeper) -> Result<()> {
        let mut record = keeper.record.clone().unwrap_or_else(|| Record::planned(plan));
        deploy::execute(&self.rpc, plan, &self.account, &self.options(parts), &mut record, keeper).await
    }

    /// Sends any call of the account.
    pub(crate) async fn send(&self, to: Address, data: Vec<u8>) -> Mined {
        let call = Call::new("a test", to, data);
        let limits = self.options(&[]).limits;
        send_and_wait(&self.rpc, &self.account, &call, None, limits, &mut |_| Ok(())).await.unwrap()
    }

    pub(crate) async fn nonce(&self) -> u64 {
        self.rpc.nonce(self.account.address()).await.unwrap()
    }
}

/// When a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Just before the write of this number, counted from zero.
    Before(usize),
    /// Just after it.
    After(usize),
}

/// Keeps the record as a file would, until the process ends.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    pub(crate) record: Option<Record>,
    pub(crate) writes: usize,
    pub(crate) crash: Option<Crash>,
}

impl Watcher for Keeper {
    fn save(&mut self, record: &Record) -> Result<()> {
        let number = self.writes;
        self.writes += 1;
        let ended = || {
            let source = RecordError::Kept("the process ends here".into());
            DeployError::Record { path: "memory".into(), source }
        };
        if self.crash == Some(Crash::Before(number)) {
            return Err(ended());
        }
        // What is written is what can be read.
        self.record = Some(Record::parse("memory".as_ref(), &record.to_bytes())?);
        if self.crash == Some(Crash::After(number)) {
            return Err(ended());
        }
        Ok(())
    }

    fn say(&mut self, _: &str) {}
}

/// A record whose verifier was offered by `scene`'s account in these transactions, the newest first.
pub(crate) fn sent(scene: &Scene, plan: &Plan, nonce: u64, hashes: &[B256]) -> Keeper {
    let mut record = Record::planned(plan);
    let (from, hash, replaced) = (scene.account.address(), hashes[0], hashes[1..].to_vec());
    record.contracts.verifier.status = Status::Sent;
    record.contracts.verifier.transaction = Some(TransactionRecord {
        hash,
        from,
        nonce,
        replaced,
        max_fee: None,
        priority_fee: None,
        block: None,
        gas: None,
    });
    Keeper { record: Some(record), ..Keeper::default() }
}
