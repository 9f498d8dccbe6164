//! `zkml-chain watch` as an operator runs it: a deployed contract on a real node, real proofs.

#[path = "../../../zkml-deploy/tests/anvil/mod.rs"]
mod anvil;
mod fleet;
mod rewards;
#[path = "../../../zkml-service/tests/server/mod.rs"]
#[allow(dead_code, reason = "only a part of it is used here")]
mod server;
#[path = "../end_to_end/support.rs"]
#[allow(dead_code, reason = "only a part of it is used here")]
mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anvil::Anvil;
use serde_json::{Value, json};
use support::{Folder, Run, done, zkml_env};
use zkml_contracts::requests::{RequestState, request_inference, request_state};
use zkml_deploy::{Address, rpc::Rpc};
use zkml_protocol::{Word, keccak256};

/// Anvil's second account.
const ASKER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Its key: everybody has it.
const ASKERS_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
/// The node's first account, which is the service's.
const SENDER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
/// The node's third account.
const STRANGER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const FAR: u64 = 1 << 40;

/// A node with a deployed contract, and the folder that it was deployed from.
struct Place {
    node: Anvil,
    rpc: Rpc,
    folder: Folder,
    temp: tempfile::TempDir,
    consumer: Address,
}

impl Place {
    async fn new(folder: Folder) -> Self {
        done(&["gen-verifier", "--dir", &folder.dir]);
        let node = Anvil::start(&[]);
        let rpc = node.rpc().await;
        let temp = tempfile::tempdir().unwrap();
        let records = temp.path().join("deployments").display().to_string();
        let deploy = [
            "deploy",
            "--dir",
            &folder.dir,
            "--consumer",
            "requests",
            "--deployments",
            &records,
            "--broadcast",
        ];
        let run = with_chain(&node, &deploy);
        assert_eq!(run.code, 0, "{run:?}");
        let record = fs::read(temp.path().join("deployments/31337/credit_mlp.json")).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        let consumer = record["contracts"]["consumer"]["address"].as_str().unwrap().parse().unwrap();
        Self { node, rpc, folder, temp, consumer }
    }

    fn path(&self, name: &str) -> String {
        self.temp.path().join(name).display().to_string()
    }

    /// The id of a request, or none if the contract refuses it.
    async fn ask(&self, commitment: Word, input: &[u8]) -> Option<Word> {
        let data = request_inference(Word::ONE, Word::from_u64(FAR), commitment, input, &[]);
        let data = format!("0x{}", hex::encode(data));
        let transaction = json!({ "from": ASKER, "to": self.consumer, "data": data });
        let hash = self.rpc.raw("eth_sendTransaction", json!([transaction])).await.unwrap();
        let mut receipt = Value::Null;
        while receipt.is_null() {
            receipt = self.rpc.raw("eth_getTransactionReceipt", json!([hash])).await.unwrap();
        }
        let id = receipt["logs"][0]["topics"][1].as_str()?;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        Word::from_hex(id.trim_start_matches("0x")).ok()
    }

    /// Runs `request` as the asker.
    fn request(&self, more: &[&str]) -> Run {
        let records = self.path("deployments");
        let fixed =
            ["request", "--json", "--dir", &self.folder.dir, "--deployments", &records, "--chain", "anvil"];
        let environment = [("ANVIL_RPC_URL", self.node.url()), ("ASKER", ASKERS_KEY.to_owned())];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        zkml_env(&environment, &[fixed.as_slice(), &["--key-env", "ASKER"], more].concat())
    }

    async fn state(&self, id: Word) -> RequestState {
        let answer = self.rpc.call(None, Some(self.consumer), &request_state(id)).await.unwrap();
        RequestState::decode(&answer.returned("requestState").unwrap()).unwrap()
    }

    /// The service's command line.
    fn watch(&self, more: &[&str]) -> Vec<String> {
        let fixed = [
            ["watch", "--json"],
            ["--dir", &self.folder.dir],
            ["--deployments", &self.path("deployments")],
            ["--journal", &self.path("journals/one.sqlite")],
            ["--inputs", &self.path("inputs")],
            ["--listen", "127.0.0.1:0"],
            ["--poll", "1"],
        ];
        // A fleet's journal is on its server.
        let here = |pair: &&[&str; 2]| pair[0] != "--journal" || !more.contains(&"postgres");
        fixed.iter().filter(here).flatten().chain(more).map(|&text| text.to_owned()).collect()
    }
}

/// Runs a command with the node's address and the test key.
fn with_chain(node: &Anvil, arguments: &[&str]) -> Run {
    zkml_env(&[("ANVIL_RPC_URL", &node.url())], &[arguments, &["--chain", "anvil", "--test-key"]].concat())
}

/// A service in the background, and the lines that it prints.
struct Service {
    child: Child,
    events: mpsc::Receiver<Value>,
    log: mpsc::Receiver<String>,
}

impl Service {
    fn start(place: &Place) -> Self {
        let arguments = place.watch(&["--chain", "anvil", "--test-key"]);
        Self::run(&arguments, &[("ANVIL_RPC_URL", &place.node.url())])
    }

    fn run(arguments: &[String], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_zkml-chain"))
            .args(arguments)
            .envs(environment.iter().copied())
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, events) = mpsc::channel();
        let stdout: BufReader<ChildStdout> = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| {
                told.send(serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}")))
            })
        });
        let (told, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        Self { child, events, log }
    }

    /// The next event of this name.
    fn wait(&self, name: &str) -> Value {
        loop {
            let event =
                self.events.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|e| panic!("{name}: {e}"));
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Nothing of the kind happens within this time.
    fn never(&self, name: &str, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(event) = self.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            assert_ne!(event["event"], name, "{event}");
        }
    }

    /// The address that metrics are served on.
    fn address(&self) -> String {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(60)).expect("it says where");
            if let Some((_, rest)) = line.split_once("http://") {
                return rest.trim_end_matches("/metrics").to_owned();
            }
        }
    }

    fn signal(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn file(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_inputs_are_waited_for_proven_and_handed_in() {
    let place = Place::new(Folder::new()).await;
    let sample = place.path("sample.json");
    fs::copy(place.folder.path("sample.json"), &sample).unwrap();
    let made = done(&["commit", "--dir", &place.folder.dir, "--input", &sample]);
    let commitment = made["commitments"][0]["commitment"].as_str().unwrap();
    let commitment = Word::from_hex(commitment.trim_start_matches("0x")).unwrap();
    let mut service = Service::start(&place);
    let address = service.address();
    let id = place.ask(commitment, &[]).await.unwrap();
    assert_eq!(service.wait("requested")["request"], id.to_string());
    assert!(service.wait("postponed")["reason"].as_str().unwrap().contains("not there yet"));
    let put_at = |name: &str, folder: &str| {
        fs::create_dir_all(place.path(folder)).unwrap();
        let private = place.path(&format!("{folder}/{commitment}.private.json"));
        fs::copy(place.path(&format!("{name}.private.json")), private).unwrap();
        let input = place.path(&format!("{folder}/{commitment}.json"));
        fs::copy(place.path(&format!("{name}.json")), input).unwrap();
    };
    // Nobody's, and another subject's: whoever repeats a commitment gets nothing proven.
    put_at("sample", "inputs");
    put_at("sample", &format!("inputs/{}", STRANGER.to_lowercase()));
    service.never("proven", Duration::from_secs(3));
    let own = format!("inputs/{}", ASKER.to_lowercase());
    let put = |name: &str| put_at(name, &own);
    // The same values with other salts are another commitment, and no proof is made of it.
    fs::copy(&sample, place.path("other.json")).unwrap();
    done(&["commit", "--dir", &place.folder.dir, "--input", &place.path("other.json")]);
    put("other");
    while !service.wait("postponed")["reason"].as_str().unwrap().contains("the input at hand opens") {}
    put("sample");
    assert_eq!(service.wait("done")["request"], id.to_string());
    assert_eq!(place.state(id).await, RequestState::Fulfilled);
    let (health, metrics) = (get(&address, "/healthz"), get(&address, "/metrics"));
    assert!(health.starts_with("HTTP/1.1 200") && health.contains("\"healthy\":true"), "{health}");
    assert!(metrics.contains("zkml_watch_requests{state=\"done\"} 1"), "{metrics}");
    // The page is of the last round that has ended, and the event of the one that runs.
    let end = Instant::now() + Duration::from_secs(20);
    let mut page = get(&address, "/");
    while !page.contains("<dt>fulfilled</dt><dd>1</dd>") || !page.contains("The last 1: half of them") {
        assert!(Instant::now() < end, "{page}");
        page = get(&address, "/");
    }
    // The same by the command, another input in one go.
    fs::copy(&sample, place.path("third.json")).unwrap();
    let (third, inputs) = (place.path("third.json"), place.path("inputs"));
    let late = place.request(&["--input", &third, "--wait", "1"]);
    assert_eq!(late.code, 5, "{late:?}");
    assert!(late.stdout.contains("not-answered"), "{late:?}");
    let run = place.request(&["--input", &third, "--share", &inputs, "--wait", "60"]);
    assert_eq!(run.code, 0, "{run:?}");
    let asked = run.json();
    assert_eq!((&asked["request"]["state"], &asked["subject"]), (&json!("fulfilled"), &json!(ASKER)));
    assert_eq!((&asked["input"], asked["shared"].as_array().unwrap().len()), (&json!("0x"), 2));
    for path in asked["shared"].as_array().unwrap() {
        let mode = fs::metadata(path.as_str().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
    for _ in 0..2 {
        service.wait("done");
    }
    let salt = file(place.path("sample.private.json"))["openings"][0]["salt"].as_str().unwrap().to_owned();
    assert!(!metrics.contains(salt.trim_start_matches("0x")));
    service.signal();
    let summary = &service.wait("ended")["summary"];
    assert_eq!((&summary["done"], &summary["proofs"]), (&json!(3), &json!(3)));
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
    // Without the folder no request could ever be served.
    let mut arguments = place.watch(&[]);
    let folder = arguments.iter().position(|argument| argument == "--inputs").unwrap();
    arguments.drain(folder..folder + 2);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = with_chain(&place.node, &arguments);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains("not-given") && run.stdout.contains("--inputs"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn public_inputs_come_from_the_event() {
    let folder = Folder::new();
    folder.edit("settings.json", |settings| settings["inputs"] = "public".into());
    let plan = done(&["compile", "--dir", &folder.dir]);
    done(&["srs", "dev", "--k", &plan["k"].as_u64().unwrap().to_string()]);
    done(&["setup", "--dir", &folder.dir]);
    done(&["prove", "--dir", &folder.dir]);
    // The input section lies between the context and the one output.
    let proof = file(folder.path("proofs/proof.json"));
    let instances = proof["instances"].as_array().unwrap();
    let words = instances[1..instances.len() - 1].iter();
    let input: Vec<u8> = words
        .flat_map(|word| Word::from_hex(word.as_str().unwrap().trim_start_matches("0x")).unwrap().0)
        .collect();
    let place = Place::new(folder).await;
    let asked = place.request(&["--dry-run"]);
    assert_eq!(asked.code, 0, "{asked:?}");
    let (asked, commitment) = (asked.json(), keccak256([input.as_slice()]));
    assert_eq!(asked["dataCommitment"], commitment.to_string(), "as the proof has it");
    assert_eq!(asked["input"], format!("0x{}", hex::encode(&input)));
    assert!(asked["request"].is_null(), "nothing is sent in a dry run");
    let id = place.ask(commitment, &input).await.unwrap();
    // Words of another model, or of none: nobody can prove that, and the contract does not take it.
    let nonsense = [0xff; 32];
    assert_eq!(place.ask(keccak256([nonsense.as_slice()]), &nonsense).await, None);
    let arguments = place.watch(&["--until-idle"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = with_chain(&place.node, &arguments);
    assert_eq!(run.code, 0, "{run:?}");
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "ended", "{last}");
    assert_eq!(last["summary"]["requests"], json!([["done", 1]]), "{run:?}");
    assert_eq!(place.state(id).await, RequestState::Fulfilled);
    // Whoever is not named is not served, and a bad name ends the service before it begins.
    let third = place.ask(commitment, &input).await.unwrap();
    let list = place.path("subjects");
    let serve = |more: &[&str]| {
        let arguments = place.watch(&[&["--until-idle"], more].concat());
        with_chain(&place.node, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    fs::write(&list, format!("# friends\n{STRANGER} # one of them\n\n")).unwrap();
    let run = serve(&["--subjects", SENDER, "--subjects-file", &list]);
    assert!(run.code == 0 && run.stdout.contains("not among those that are served"), "{run:?}");
    assert_eq!(place.state(third).await, RequestState::Pending);
    fs::write(&list, format!("{STRANGER}\n{}\n", STRANGER.replace('C', "c"))).unwrap();
    for (arguments, code, words) in [
        (["--subjects-file", &list], 3, "line 2"),
        (["--subjects", "0x12"], 2, "0x12"),
        (["--quota-day", "0"], 2, "--quota-day"),
    ] {
        let run = serve(&arguments);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(run.code == code && said.contains(words), "{run:?}");
    }
    fs::write(&list, "# nobody\n").unwrap();
    assert!(serve(&["--subjects-file", &list]).stdout.contains("nobody would be served"));
    let run = serve(&["--subjects", ASKER, "--quota-hour", "3"]);
    assert_eq!((run.code, place.state(third).await), (0, RequestState::Fulfilled), "{run:?}");
    // A contract of another model is refused before anything is read.
    let foreign = place.watch(&["--consumer", "0x0000000000000000000000000000000000000009"]);
    let foreign: Vec<&str> = foreign.iter().map(String::as_str).collect();
    let run = with_chain(&place.node, &foreign);
    assert_ne!(run.code, 0);
    assert!(run.stdout.contains("no-code"), "{run:?}");
}
