//! A way to the node on which requests get lost, answers are made up, and blocks come at the wrong moment.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The node answers.
    Pass,
    /// The node answers, so many milliseconds later.
    Late(u64),
    /// The node never sees it.
    Lose,
    /// The node sees it, and its answer is lost.
    LoseAnswer,
    /// The node mines what waits, and from now on everything at once; then it answers.
    MineFirst,
    /// The node is not asked.
    Answer(Value),
    /// The node's answer is changed.
    Change(fn(Value) -> Value),
    /// An error, the node is not asked.
    Refuse(i64, &'static str),
}

/// Decides by the method, its parameters, and how many requests there were before.
pub(crate) type Rule = Box<dyn Fn(&str, &Value, u64) -> Act + Send + Sync>;

/// The proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    node: String,
    address: SocketAddr,
    rule: Arc<Mutex<Rule>>,
    asked: Arc<AtomicU64>,
}

impl Proxy {
    pub(crate) async fn start(node: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            node: node.to_owned(),
            address: listener.local_addr().unwrap(),
            rule: Arc::new(Mutex::new(Box::new(|_, _, _| Act::Pass))),
            asked: Arc::default(),
        };
        let routes = Router::new().route("/", post(handle)).with_state(proxy.clone());
        tokio::spawn(axum::serve(listener, routes).into_future());
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Another rule from now on; counts from zero.
    pub(crate) fn rule(&self, rule: impl Fn(&str, &Value, u64) -> Act + Send + Sync + 'static) {
        let mut present = self.rule.lock().unwrap();
        self.asked.store(0, Ordering::SeqCst);
        *present = Box::new(rule);
    }
}

async fn handle(State(proxy): State<Proxy>, body: Bytes) -> axum::response::Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let act = {
        let rule = proxy.rule.lock().unwrap();
        let number = proxy.asked.fetch_add(1, Ordering::SeqCst);
        rule(request["method"].as_str().unwrap(), &request["params"], number)
    };
    let answer = match act {
        Act::Lose => return StatusCode::BAD_GATEWAY.into_response(),
        Act::Answer(result) => json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }),
        Act::Refuse(code, message) => {
            json!({ "jsonrpc": "2.0", "id": request["id"], "error": { "code": code, "message": message } })
        }
        Act::Pass | Act::Late(_) | Act::LoseAnswer | Act::MineFirst | Act::Change(_) => {
            if let Act::Late(milliseconds) = act {
                tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            }
            if matches!(act, Act::MineFirst) {
                for (method, params) in [("evm_mine", json!([])), ("evm_setAutomine", json!([true]))] {
                    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
                    ask(&proxy.node, request.to_string().into()).await.unwrap();
                }
            }
            let Ok(answer) = ask(&proxy.node, body).await else {
                return StatusCode::BAD_GATEWAY.into_response();
            };
            if matches!(act, Act::LoseAnswer) {
                return StatusCode::BAD_GATEWAY.into_response();
            }
            let Act::Change(change) = act else {
                return answer.bytes().await.unwrap().into_response();
            };
            let mut document: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            document["result"] = change(document["result"].take());
            document
        }
    };
    answer.to_string().into_response()
}

async fn ask(node: &str, body: Bytes) -> reqwest::Result<reqwest::Response> {
    let request = zkml_deploy::http::client().build()?.post(node).body(body.to_vec());
    request.header("content-type", "application/json").send().await
}
