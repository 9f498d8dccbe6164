//! Stands for Sourcify and Etherscan: compiles what it is given with the real compiler, from nothing else than that, and
//! compares with what lies on a real chain.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::Write,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};
use zkml_deploy::{Address, rpc::Rpc};

/// The key that the double knows.
pub(crate) const KEY: &str = "KEY/of an+account";

/// Prints a compiler's version and its answer to the standard JSON on stdin. Imports that are not in it are errors.
const COMPILE: &str =
    "const s = require(process.argv[1]); let t = ''; process.stdin.on('data', d => t += d).on('end', () =>
    process.stdout.write(JSON.stringify({ version: s.version(), output: JSON.parse(s.compile(t)) })))";

/// A running service.
pub(crate) struct Double {
    pub(crate) url: String,
    state: Arc<Inside>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Default)]
struct Inside {
    rpc: Option<Rpc>,
    /// Answers that are given instead of honest ones, in this order; the last one again and again.
    script: Mutex<VecDeque<(u16, String)>>,
    /// Paths and queries that were asked for.
    asked: Mutex<Vec<String>>,
    jobs: Mutex<BTreeMap<String, Job>>,
    verified: Mutex<BTreeSet<Address>>,
    compiled: Mutex<BTreeMap<String, Arc<Value>>>,
}

/// A request that was taken.
#[derive(Clone)]
struct Job {
    address: Address,
    verdict: Result<(), String>,
    /// How often it still says that it is not done.
    pending: u32,
}

/// What is to be compiled and compared.
struct Claim {
    address: Address,
    input: String,
    compiler: String,
    identifier: String,
    /// Etherscan compares creation code with its arguments.
    arguments: Option<String>,
    /// Sourcify may be told where the code comes from.
    transaction: Option<String>,
}

impl Double {
    /// An honest service that looks at a chain.
    pub(crate) fn honest(rpc: Rpc) -> Self {
        Self::start(Inside { rpc: Some(rpc), ..Inside::default() })
    }

    /// A service that answers so, whatever it is asked.
    pub(crate) fn scripted(answers: &[(u16, &str)]) -> Self {
        let script = answers.iter().map(|(status, text)| (*status, (*text).to_owned())).collect();
        Self::start(Inside { script: Mutex::new(script), ..Inside::default() })
    }

    fn start(inside: Inside) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let state = Arc::new(inside);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/server", listener.local_addr().unwrap());
        // The sources of a model's contracts are longer than what axum takes by itself.
        let limit = axum::extract::DefaultBodyLimit::disable();
        let app = Router::new().fallback(answer).layer(limit).with_state(state.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { url, state, _runtime: runtime }
    }

    /// How often a path or query with this part was asked for.
    pub(crate) fn asked(&self, part: &str) -> usize {
        self.state.asked.lock().unwrap().iter().filter(|path| path.contains(part)).count()
    }
}

type Reply = (StatusCode, String);

/// A scripted redirection leads to its text.
async fn answer(
    State(inside): State<Arc<Inside>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> (StatusCode, [(&'static str, String); 1], String) {
    let (status, text) = respond(&inside, method, uri, body).await;
    let location = if status.is_redirection() { text.clone() } else { String::new() };
    (status, [("location", location)], text)
}

async fn respond(inside: &Inside, method: Method, uri: Uri, body: Bytes) -> Reply {
    inside.asked.lock().unwrap().push(uri.to_string());
    if let Some(reply) = inside.scripted() {
        return reply;
    }
    let parts: Vec<&str> = uri.path().trim_start_matches("/server").split('/').skip(1).collect();
    match (method, parts.as_slice()) {
        (Method::POST, ["v2", "verify", "31337", address]) => {
            sourcify(inside, address.parse().unwrap(), &body).await
        }
        (Method::GET, ["v2", "verify", id]) => sourcify_result(inside, id),
        (Method::POST, []) => etherscan(inside, &pairs(uri.query().unwrap()), &pairs(utf8(&body))).await,
        (Method::GET, []) => etherscan_result(inside, &pairs(uri.query().unwrap())),
        other => panic!("no service has {other:?}"),
    }
}

fn reply(status: u16, body: Value) -> Reply {
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

async fn sourcify(inside: &Inside, address: Address, body: &Bytes) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap();
    if inside.verified.lock().unwrap().contains(&address) {
        return reply(409, json!({ "customCode": "already_verified", "message": "is verified" }));
    }
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let claim = Claim {
        address,
        input: body["stdJsonInput"].to_string(),
        compiler: text("compilerVersion").unwrap(),
        identifier: text("contractIdentifier").unwrap(),
        arguments: None,
        transaction: text("creationTransactionHash"),
    };
    reply(202, json!({ "verificationId": inside.take(claim).await }))
}

fn sourcify_result(inside: &Inside, id: &str) -> Reply {
    let contract = |matched: Value| json!({ "match": matched, "chainId": "31337" });
    reply(
        200,
        match inside.look(id) {
            None => json!({ "isJobCompleted": false, "contract": contract(Value::Null) }),
            Some(Ok(())) => json!({ "isJobCompleted": true, "contract": contract(json!("match")) }),
            Some(Err(why)) => json!({
                "isJobCompleted": true,
                "contract": contract(Value::Null),
                "error": { "customCode": "no_match", "message": why },
            }),
        },
    )
}

async fn etherscan(
    inside: &Inside,
    query: &BTreeMap<String, String>,
    form: &BTreeMap<String, String>,
) -> Reply {
    let refuse = |why: &str| reply(200, json!({ "status": "0", "message": "NOTOK", "result": why }));
    assert_eq!(query["chainid"], "31337");
    let field = |name: &str| form[name].clone();
    if field("apikey") != KEY {
        return refuse(&format!("Invalid API Key {} (#err2)", field("apikey")));
    }
    for (name, value) in [
        ("module", "contract"),
        ("action", "verifysourcecode"),
        ("codeformat", "solidity-standard-json-input"),
    ] {
        assert_eq!(field(name), value);
    }
    let address: Address = field("contractaddress").parse().unwrap();
    if inside.verified.lock().unwrap().contains(&address) {
        return refuse("Contract source code already verified");
    }
    let claim = Claim {
        address,
        input: field("sourceCode"),
        compiler: field("compilerversion"),
        identifier: field("contractname"),
        arguments: Some(field("constructorArguements")),
        transaction: None,
    };
    let guid = inside.take(claim).await;
    reply(200, json!({ "status": "1", "message": "OK", "result": guid }))
}

fn etherscan_result(inside: &Inside, query: &BTreeMap<String, String>) -> Reply {
    let answer = |status, text: &str| reply(200, json!({ "status": status, "message": "", "result": text }));
    assert_eq!((query["chainid"].as_str(), query["apikey"].as_str()), ("31337", KEY));
    assert_eq!((query["module"].as_str(), query["action"].as_str()), ("contract", "checkverifystatus"));
    match inside.look(&query["guid"]) {
        None => answer("0", "Pending in queue"),
        Some(Ok(())) => answer("1", "Pass - Verified"),
        Some(Err(why)) => answer("0", &format!("Fail - Unable to verify. {why}")),
    }
}

impl Inside {
    /// The next answer of the script; the last one stays.
    fn scripted(&self) -> Option<Reply> {
        let mut script = self.script.lock().unwrap();
        let (status, text) = if script.len() > 1 { script.pop_front() } else { script.front().cloned() }?;
        Some((StatusCode::from_u16(status).unwrap(), text))
    }

    /// Takes a claim; it is said to be pending twice.
    async fn take(&self, claim: Claim) -> String {
        let verdict = self.judge(&claim).await;
        let mut jobs = self.jobs.lock().unwrap();
        let id = format!("job & {}", jobs.len());
        jobs.insert(id.clone(), Job { address: claim.address, verdict, pending: 2 });
        id
    }

    fn look(&self, id: &str) -> Option<Result<(), String>> {
        let mut jobs = self.jobs.lock().unwrap();
        let id = id.replace("%20", " ").replace("%26", "&");
        let job = jobs.get_mut(&id).unwrap_or_else(|| panic!("there is no job {id:?}"));
        if job.pending > 0 {
            job.pending -= 1;
            return None;
        }
        if job.verdict.is_ok() {
            self.verified.lock().unwrap().insert(job.address);
        }
        Some(job.verdict.clone())
    }

    async fn judge(&self, claim: &Claim) -> Result<(), String> {
        let rpc = self.rpc.as_ref().unwrap();
        let compiled = self.compile(&claim.input);
        let version = compiled["version"].as_str().unwrap().trim_end_matches(".Emscripten.clang");
        if claim.compiler != format!("v{version}") {
            return Err(format!("{} is not {version}", claim.compiler));
        }
        let (file, name) = claim.identifier.rsplit_once(':').unwrap();
        let contract = &compiled["output"]["contracts"][file][name]["evm"];
        let bytes = |part: &str| hex::decode(contract[part]["object"].as_str().unwrap_or("")).unwrap();
        let (creation, runtime) = (bytes("bytecode"), bytes("deployedBytecode"));
        let mut there = rpc.code(claim.address).await.unwrap().to_vec();
        if runtime.is_empty() || there.is_empty() {
            return Err("there is nothing to compare".to_owned());
        }
        mask(&mut there, &contract["deployedBytecode"]["immutableReferences"]);
        if there != runtime {
            return Err("the code on the chain is another".to_owned());
        }
        if let Some(arguments) = &claim.arguments {
            let init = [creation.as_slice(), &hex::decode(arguments).unwrap()].concat();
            if !created(rpc, claim.address, &init).await {
                return Err("the constructor's arguments are others".to_owned());
            }
        }
        if let Some(hash) = &claim.transaction {
            let transaction = rpc.raw("eth_getTransactionByHash", json!([hash])).await.unwrap();
            let input = transaction["input"].as_str().unwrap_or_default();
            assert!(input.contains(&hex::encode(&creation)), "{hash} did not deploy {name}");
        }
        Ok(())
    }

    /// What the compiler makes of an input; once for each.
    fn compile(&self, input: &str) -> Arc<Value> {
        let mut compiled = self.compiled.lock().unwrap();
        compiled.entry(input.to_owned()).or_insert_with(|| Arc::new(compile(input))).clone()
    }
}

fn compile(input: &str) -> Value {
    let mut node = Command::new(std::env::var("ZKML_NODE").unwrap_or_else(|_| "node".to_owned()))
        .args(["-e", COMPILE, &crate::support::repo("node_modules/solc")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    serde_json::from_slice(&node.wait_with_output().unwrap().stdout).unwrap()
}

/// Whether a transaction had the factory create this, there.
async fn created(rpc: &Rpc, address: Address, init: &[u8]) -> bool {
    for number in 0..=rpc.block_number().await.unwrap() {
        let block = rpc.raw("eth_getBlockByNumber", json!([format!("{number:#x}"), true])).await.unwrap();
        for transaction in block["transactions"].as_array().unwrap() {
            let input = hex::decode(transaction["input"].as_str().unwrap().trim_start_matches("0x")).unwrap();
            let Some((salt, code)) = input.split_at_checked(32) else { continue };
            let salt = zkml_protocol::Word(salt.try_into().unwrap());
            let made = zkml_deploy::create2_address(&zkml_deploy::CREATE2_FACTORY, &salt, code);
            if code == init && made == address.into_array() {
                return true;
            }
        }
    }
    false
}

/// Zeroes what a constructor writes.
fn mask(code: &mut [u8], references: &Value) {
    for place in references.as_object().into_iter().flatten().flat_map(|(_, list)| list.as_array().unwrap()) {
        let number = |name: &str| usize::try_from(place[name].as_u64().unwrap()).unwrap();
        let (start, length) = (number("start"), number("length"));
        if let Some(place) = code.get_mut(start..start + length) {
            place.fill(0);
        }
    }
}

/// The fields of a form or query.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://form/?{text}")).unwrap();
    url.query_pairs().into_owned().collect()
}

fn utf8(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
