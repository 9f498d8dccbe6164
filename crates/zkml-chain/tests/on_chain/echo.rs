//! An endpoint that repeats what it was sent: in errors, in pages of a proxy, in what contracts revert with.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// The way in which it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As the node does.
    Honest,
    /// With an error.
    Error,
    /// With an error that is said to pass.
    Busy,
    /// With what is no answer.
    Nonsense,
    /// With HTTP 500.
    Broken,
    /// As the node does, but without estimates of gas.
    NoGas,
    /// As the node does, but every transaction would revert, with a text.
    Reverts,
    /// As the node does, but no transaction is taken.
    TakesNothing,
    /// As an explorer that knows no such key.
    Explorer,
}

#[derive(Clone)]
pub(crate) struct Echo {
    node: String,
    pub(crate) address: SocketAddr,
    mode: Arc<Mutex<Mode>>,
}

impl Echo {
    /// Starts it before a node, on a thread of its own.
    pub(crate) fn start(node: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let (address, mode) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Mode::Honest)));
        let echo = Self { node: node.to_owned(), address, mode };
        let routes = Router::new().fallback(answer).with_state(echo.clone());
        std::thread::spawn(move || {
            crate::node::wait(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, routes).await.unwrap();
            });
        });
        echo
    }

    pub(crate) fn be(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }
}

async fn answer(State(echo): State<Echo>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let user = header.as_ref().and_then(|text| super::secrets::from_base64(text.strip_prefix("Basic ")?));
    let user = user.unwrap_or_default();
    let form = if body.starts_with(b"module=") { String::from_utf8_lossy(&body[..120]) } else { "".into() };
    let said = format!("{uri} of {user}, {user:?}; {header:?} {form} is not welcome");
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mode = *echo.mode.lock().unwrap();
    let said = if mode == Mode::Reverts { format!("execution reverted: {said}") } else { said };
    let error = |code: i64, data: Value| json!({ "jsonrpc": "2.0", "id": request["id"], "error": { "code": code, "message": said, "data": data } });
    match (mode, request["method"].as_str().unwrap_or_default()) {
        (Mode::Error, _) => error(-32_000, Value::Null).to_string().into_response(),
        (Mode::Busy, _) => error(-32_005, Value::Null).to_string().into_response(),
        (Mode::Nonsense, _) => said.into_response(),
        (Mode::Broken, _) => (StatusCode::INTERNAL_SERVER_ERROR, said).into_response(),
        (Mode::Explorer, _) => {
            json!({ "status": "0", "message": "NOTOK", "result": said }).to_string().into_response()
        }
        (Mode::Reverts, "eth_estimateGas") => {
            let padded = said.len().next_multiple_of(32);
            let text =
                format!("{:064x}{:064x}{:0<width$}", 32, said.len(), hex::encode(&said), width = padded * 2);
            error(3, json!(format!("0x08c379a0{text}"))).to_string().into_response()
        }
        (Mode::NoGas, "eth_estimateGas") | (Mode::TakesNothing, "eth_sendRawTransaction") => {
            error(-32_000, Value::Null).to_string().into_response()
        }
        _ => {
            let request = reqwest::Client::new().post(&echo.node).header("content-type", "application/json");
            request.body(body).send().await.unwrap().bytes().await.unwrap().into_response()
        }
    }
}
