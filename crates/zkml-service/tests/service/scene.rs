//! A node, the contract of requests, and a service whose prover does what a test says.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zkml_contracts::errors::selector;
use zkml_deploy::{
    Address,
    chain::RpcUrl,
    keys::Account,
    rpc::{Retry, Rpc},
    transaction::Limits,
};
use zkml_harness::{Settings, Solc};
use zkml_protocol::{Word, binding::Request, keccak256};
use zkml_service::{
    DatabaseUrl, Entry, Event, Health, Job, Journal, LATEST, Metrics, Options, Owner, ProveFailure, Proven,
    Prover, Result, Service, Status, Summary, migrate,
};

use crate::{anvil::Anvil, server::Server};

/// Anvil's second account: owns the contract and asks for inferences.
pub(crate) const ASKER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Anvil's third account.
pub(crate) const STRANGER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
/// First word of an input that the prover does not have.
const MISSING: u64 = 404;
/// A deadline that no test reaches.
pub(crate) const FAR: u64 = 1 << 40;

/// A node with the contract, and what the service keeps.
pub(crate) struct Scene {
    pub(crate) node: Anvil,
    pub(crate) rpc: Rpc,
    pub(crate) consumer: Address,
    pub(crate) believer: Address,
    pub(crate) token: Address,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) prover: Arc<Double>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    /// Figures of the service that was started last.
    figures: Mutex<Metrics>,
}

/// A service that runs.
pub(crate) struct Running {
    pub(crate) task: JoinHandle<Result<Summary>>,
    pub(crate) shutdown: CancellationToken,
}

impl Scene {
    pub(crate) async fn new(arguments: &[&str]) -> Self {
        let node = Anvil::start(arguments);
        let rpc = node.rpc().await;
        let scene = transact(&rpc, ASKER, None, &creation()).await;
        let scene: Address = serde_json::from_value(scene["contractAddress"].clone()).unwrap();
        let view = |name: &'static str| {
            let rpc = &rpc;
            async move {
                let answer = rpc.call(None, Some(scene), &selector(name)).await.unwrap();
                Address::from_slice(&answer.returned(name).unwrap()[12..])
            }
        };
        let (consumer, believer) = (view("asked()").await, view("believer()").await);
        let token = view("coinage()").await;
        let folder = tempfile::tempdir().unwrap();
        Self {
            node,
            rpc,
            consumer,
            believer,
            token,
            folder,
            prover: Arc::default(),
            events: Arc::default(),
            figures: Mutex::default(),
        }
    }

    /// Figures of the service that was started last.
    pub(crate) fn metrics(&self) -> String {
        self.figures.lock().unwrap().text()
    }

    /// What the service is told.
    pub(crate) fn options() -> Options {
        let limits = Limits {
            confirmations: 1,
            poll: Duration::from_millis(30),
            bump_after: Duration::from_secs(60),
            ..Limits::of(&Anvil::chain())
        };
        let retry =
            Retry { attempts: 4, pause: Duration::from_millis(20), longest: Duration::from_millis(200) };
        Options { from_block: Some(0), jobs: 4, grace: Duration::from_secs(5), retry, ..Options::new(limits) }
    }

    pub(crate) fn account() -> Account {
        Account::test(31_337).unwrap()
    }

    pub(crate) fn journal_file(&self) -> PathBuf {
        self.folder.path().join("journal.sqlite")
    }

    /// The journal; only while no service has it.
    pub(crate) fn journal(&self) -> Journal {
        open_journal(&self.journal_file(), self.consumer).unwrap()
    }

    pub(crate) fn start(&self, options: Options) -> Running {
        self.start_at(&self.node.url(), options)
    }

    /// Starts the service with another way to the node.
    pub(crate) fn start_at(&self, url: &str, options: Options) -> Running {
        self.start_so(url, Health::new(options.limits.poll), options)
    }

    /// Starts the service with the health of somebody who looks at it.
    pub(crate) fn start_with(&self, health: Health, options: Options) -> Running {
        self.start_so(&self.node.url(), health, options)
    }

    fn start_so(&self, url: &str, health: Health, options: Options) -> Running {
        let (journal, prover) = (self.journal(), Arc::clone(&self.prover) as Arc<dyn Prover>);
        let (shutdown, metrics) = (CancellationToken::new(), Metrics::default());
        *self.figures.lock().unwrap() = metrics.clone();
        let events = Arc::clone(&self.events);
        let service = Service {
            rpc: impatient(url),
            account: Self::account(),
            consumer: self.consumer,
            journal,
            prover,
            metrics: metrics.clone(),
            health,
            status: Status::default(),
            options,
            observer: Arc::new(move |event| events.lock().unwrap().push(event.clone())),
        };
        Running { task: tokio::spawn(service.run(shutdown.clone())), shutdown }
    }

    /// Runs the service until nothing is left.
    pub(crate) async fn serve(&self, options: Options) -> Summary {
        let running = self.start(Options { until_idle: true, ..options });
        tokio::time::timeout(Duration::from_secs(60), running.task).await.expect("it ends").unwrap().unwrap()
    }

    /// Asks for so many inferences; returns the ids.
    pub(crate) async fn ask(&self, count: u64, deadline: u64) -> Vec<Word> {
        let receipt = self.asker(&ask_data(count, deadline)).await;
        ids(&receipt)
    }

    /// A transaction of the contract's owner, to the contract.
    pub(crate) async fn asker(&self, data: &[u8]) -> Value {
        transact(&self.rpc, ASKER, Some(self.consumer), data).await
    }

    /// Whether proofs are refused from now on.
    pub(crate) async fn refuse_proofs(&self, yes: bool) {
        let mut data = selector("refuse(bool)").to_vec();
        data.extend(Word::from_u64(u64::from(yes)).0);
        transact(&self.rpc, ASKER, Some(self.believer), &data).await;
    }

    /// How often each request was fulfilled, as the chain says.
    pub(crate) async fn fulfilments(&self) -> HashMap<Word, u32> {
        let topic = zkml_contracts::requests::topic(zkml_contracts::requests::INFERENCE_FULFILLED);
        let head = self.rpc.block_number().await.unwrap();
        let logs = self.rpc.logs(self.consumer, &[zkml_deploy::B256::from(topic.0)], 0, head).await.unwrap();
        let mut counts = HashMap::new();
        for log in logs {
            *counts.entry(Word(log.topics()[1].0)).or_default() += 1;
        }
        counts
    }

    /// The service's account has had so many transactions mined.
    pub(crate) async fn nonce(&self) -> u64 {
        self.rpc.nonce(Self::account().address()).await.unwrap()
    }

    /// Waits until an event was told.
    pub(crate) async fn wait(&self, what: &str, wanted: impl Fn(&Event) -> bool) {
        let started = Instant::now();
        while !self.events.lock().unwrap().iter().any(&wanted) {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "no {what} among {:#?}",
                self.events.lock().unwrap()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }

    pub(crate) fn forget_events(&self) {
        self.events.lock().unwrap().clear();
    }

    /// A request as the journal has it; only while no service has that.
    pub(crate) fn entry(&self, id: Word) -> Entry {
        self.journal().request(&id).unwrap().expect("it is in the journal")
    }
}

impl Running {
    /// Ends it in good order.
    pub(crate) async fn stop(self) -> Summary {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("it ends").unwrap().unwrap()
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

pub(crate) fn open_journal(path: &std::path::Path, consumer: Address) -> Result<Journal> {
    let owner = Owner { chain_id: 31_337, consumer, sender: Scene::account().address() };
    if !on_postgres() {
        return Journal::open(path, &owner);
    }
    let mut databases = DATABASES.lock().unwrap();
    let database = databases.entry(path.to_owned()).or_insert_with(|| {
        let server = Server::shared();
        let url = DatabaseUrl::parse(&server.url(&server.database())).unwrap();
        migrate(&url, LATEST).unwrap();
        url
    });
    Journal::open_on(database, &owner)
}

/// Databases in the place of files.
static DATABASES: Mutex<BTreeMap<PathBuf, DatabaseUrl>> = Mutex::new(BTreeMap::new());

/// Whether journals are on a server: `make fleet-suite` runs these tests once more, so.
pub(crate) fn on_postgres() -> bool {
    std::env::var_os("ZKML_TEST_POSTGRES").is_some()
}

/// The next journal of this name is a new one.
pub(crate) fn forget_journal(path: &std::path::Path) {
    if DATABASES.lock().unwrap().remove(path).is_none() {
        std::fs::remove_file(path).unwrap();
    }
}

/// The service in a process of its own, until nothing is left.
pub(crate) async fn serve_as_child(url: &str, consumer: &str, journal: &str) {
    let consumer = consumer.parse().unwrap();
    let options = Options { until_idle: true, ..Scene::options() };
    let service = Service {
        rpc: impatient(url),
        account: Scene::account(),
        consumer,
        journal: open_journal(std::path::Path::new(journal), consumer).unwrap(),
        prover: Arc::new(Double::default()),
        metrics: Metrics::default(),
        health: Health::new(options.limits.poll),
        status: Status::default(),
        options,
        observer: Arc::new(|_| {}),
    };
    service.run(CancellationToken::new()).await.unwrap();
}

/// A connection that gives up at once: the service's own pauses are tested.
pub(crate) fn impatient(url: &str) -> Rpc {
    let retry = Retry { attempts: 1, ..Retry::default() };
    Rpc::unchecked(31_337, &RpcUrl::parse("X", url).unwrap(), retry).unwrap()
}

/// Calldata of `ask(count, deadline, input)`, with three words of input.
pub(crate) fn ask_data(count: u64, deadline: u64) -> Vec<u8> {
    ask_about(count, deadline, [7, 8, 9])
}

/// The same about an input that the prover does not have.
pub(crate) fn ask_about_nothing(count: u64) -> Vec<u8> {
    ask_about(count, FAR, [MISSING, 8, 9])
}

fn ask_about(count: u64, deadline: u64, input: [u64; 3]) -> Vec<u8> {
    let mut data = selector("ask(uint256,uint256,bytes)").to_vec();
    for word in [&[count, deadline, 96, 96], &input[..]].concat() {
        data.extend(Word::from_u64(word).0);
    }
    data
}

/// Ids of requests in a receipt.
pub(crate) fn ids(receipt: &Value) -> Vec<Word> {
    let logs = receipt["logs"].as_array().unwrap();
    logs.iter()
        .map(|log| Word::from_hex(log["topics"][1].as_str().unwrap().trim_start_matches("0x")).unwrap())
        .collect()
}

/// A transaction of one of the node's own accounts; its receipt.
pub(crate) async fn transact(rpc: &Rpc, from: &str, to: Option<Address>, data: &[u8]) -> Value {
    let hash = offer(rpc, from, to, data).await;
    let started = Instant::now();
    loop {
        let receipt = rpc.raw("eth_getTransactionReceipt", json!([hash])).await.unwrap();
        if !receipt.is_null() {
            assert_eq!(receipt["status"], "0x1", "{receipt}");
            return receipt;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "not mined");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The same without waiting.
pub(crate) async fn offer(rpc: &Rpc, from: &str, to: Option<Address>, data: &[u8]) -> Value {
    let mut transaction =
        json!({ "from": from, "data": format!("0x{}", hex::encode(data)), "gas": "0x1c9c380" });
    if let Some(to) = to {
        transaction["to"] = json!(to);
    }
    rpc.raw("eth_sendTransaction", json!([transaction])).await.unwrap()
}

/// The contracts, compiled once.
fn creation() -> Vec<u8> {
    static CODE: OnceLock<Vec<u8>> = OnceLock::new();
    CODE.get_or_init(|| {
        let solc = Solc::find().expect("run `npm ci`");
        let compiled =
            solc.compile(&[("Scene.sol", include_str!("Scene.sol"))], &Settings::default()).unwrap();
        compiled.contract("Scene").unwrap().creation.clone()
    })
    .clone()
}

/// A prover that takes its time, fails when told to, and counts.
#[derive(Default)]
pub(crate) struct Double {
    /// Proofs that were begun.
    pub(crate) begun: AtomicU64,
    /// How long each takes, in milliseconds.
    pub(crate) takes: AtomicU64,
    /// What to fail with; each once.
    pub(crate) failures: Mutex<Vec<ProveFailure>>,
}

impl Prover for Double {
    fn missing(&self, _: &Word, _: &Request, input: &[u8]) -> Option<String> {
        input.starts_with(&Word::from_u64(MISSING).0).then(|| "its input is not there yet".to_owned())
    }

    fn prove(&self, job: &Job) -> Result<Proven, ProveFailure> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(self.takes.load(Ordering::SeqCst)));
        if let Some(failure) = self.failures.lock().unwrap().pop() {
            return Err(failure);
        }
        let commitment = keccak256([job.input.as_slice()]);
        if commitment != job.request.data_commitment {
            return Err(ProveFailure::Permanent("the input is not what the request says".to_owned()));
        }
        // Selector, commitment and context; the rest is believed.
        let blob = [&[1, 2, 3, 4], commitment.0.as_slice(), &job.context.0, &[0; 64]].concat();
        Ok(Proven { output: vec![0; 32], blob })
    }
}
