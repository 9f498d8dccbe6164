//! Requests to a service: bounded in time, size and number, and silent about the key.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde_json::Value;

use super::{Result, SourceError};
use crate::{
    error::{UrlError, with_causes},
    rpc::Retry,
    secret,
};

/// How long one request may take: the sources of a model's contracts are several hundred kilobytes.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;
/// The longest text of a service that is shown, in characters.
const SHOWN: usize = 300;

/// A key that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A key, unless the text is empty.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        secret::register(text);
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The key.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// An answer: its status, and its body if that is JSON.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Option<Value>,
    text: String,
}

impl Reply {
    /// A member of the body that is a text.
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.body.as_ref()?.pointer(pointer)?.as_str()
    }

    /// Whether the same request may succeed a little later.
    fn passing(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.status.is_server_error()
    }
}

/// A service over HTTP.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    url: Url,
    key: Option<Secret>,
    retry: Retry,
}

impl Http {
    pub(super) fn new(url: &str, key: Option<Secret>, retry: Retry) -> Result<Self> {
        let refuse = |source| SourceError::Url { source };
        let url = Url::parse(url).map_err(|e| refuse(UrlError::Syntax(e)))?;
        secret::register_url(&url);
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(refuse(UrlError::Scheme { scheme: url.scheme().to_owned() }));
        }
        // A redirection would carry the key, which is in URLs and forms, to whomever the service names.
        let client = crate::http::client()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("zkml-chain/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(|e| SourceError::Unreachable {
            endpoint: host(&url),
            attempts: 0,
            why: e.without_url().to_string(),
        })?;
        Ok(Self { client, url, key, retry })
    }

    /// Host and port.
    pub(super) fn endpoint(&self) -> String {
        host(&self.url)
    }

    /// The key; empty where the service wants none.
    pub(super) fn key(&self) -> &str {
        self.key.as_ref().map_or("", Secret::reveal)
    }

    /// The service's URL with more parts of a path.
    pub(super) fn path(&self, parts: &[&str]) -> Url {
        let mut url = self.url.clone();
        // Only URLs without a host have no path, and those were refused.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// The service's URL with a query.
    pub(super) fn query(&self, pairs: &[(&str, &str)]) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(pairs);
        url
    }

    /// Asks for a URL.
    pub(super) async fn get(&self, url: Url) -> Result<Reply> {
        self.send(|client| client.get(url.clone())).await
    }

    /// Posts JSON.
    pub(super) async fn post_json(&self, url: Url, body: &Value) -> Result<Reply> {
        self.send(|client| client.post(url.clone()).json(body)).await
    }

    /// Posts a form.
    pub(super) async fn post_form(&self, url: Url, fields: &[(&str, &str)]) -> Result<Reply> {
        self.send(|client| client.post(url.clone()).form(fields)).await
    }

    /// Sends a request, and again while nobody answers or the service is too busy.
    async fn send(&self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Reply> {
        let mut attempt = 1;
        loop {
            let answer = self.once(request(&self.client)).await;
            let passing = answer.as_ref().map_or(true, Reply::passing);
            if !passing || attempt >= self.retry.attempts {
                return answer.map_err(|why| {
                    let why = self.shown(&why);
                    SourceError::Unreachable { endpoint: self.endpoint(), attempts: attempt, why }
                });
            }
            tokio::time::sleep(self.retry.pause_after(attempt)).await;
            attempt += 1;
        }
    }

    async fn once(&self, request: RequestBuilder) -> Result<Reply, String> {
        let mut response = request.send().await.map_err(reason)?;
        let status = response.status();
        let bytes = read(&mut response).await?;
        let body = serde_json::from_slice(&bytes).ok();
        Ok(Reply { status, body, text: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// A text of the service, fit for a terminal: short, without the key and without control characters.
    pub(super) fn shown(&self, text: &str) -> String {
        let text: String =
            secret::redact(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        text.trim().chars().take(SHOWN).collect()
    }

    /// An answer that says no.
    pub(super) fn status(&self, what: &'static str, answer: &Reply) -> SourceError {
        let said = ["/message", "/result", "/error"].iter().find_map(|&pointer| answer.text(pointer));
        let message = match self.shown(said.unwrap_or(&answer.text)) {
            empty if empty.is_empty() => "nothing more".to_owned(),
            message => message,
        };
        SourceError::Status { endpoint: self.endpoint(), what, status: answer.status.as_u16(), message }
    }

    /// An answer that cannot be understood.
    pub(super) fn unexpected(
        &self,
        what: &'static str,
        answer: &Reply,
        expected: &'static str,
    ) -> SourceError {
        let answer = match self.shown(&answer.text) {
            empty if empty.is_empty() => "nothing".to_owned(),
            text => format!("{text:?}"),
        };
        SourceError::Answer { endpoint: self.endpoint(), what, answer, expected }
    }
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The body, if it is not too long.
async fn read(response: &mut Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reason)? {
        if bytes.len() + chunk.len() > LONGEST {
            return Err(format!("its answer is longer than {LONGEST} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Why a request failed, without its URL; reqwest's own text only says that sending failed.
fn reason(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(url: &str, key: &str) -> Http {
        Http::new(url, Secret::new(key), Retry::default()).unwrap()
    }

    #[test]
    fn the_key_is_never_shown() {
        let http = http("https://user:P4SSW0RT@explorer.example:8443/api?x=P4SSW0RT", "K/EY 1");
        assert_eq!(http.endpoint(), "explorer.example:8443");
        for text in ["no such key K/EY 1", "?apikey=K%2FEY+1&x", "K/EY 1K/EY 1"] {
            let shown = http.shown(text);
            assert!(!shown.contains("EY") && shown.contains("***"), "{shown}");
        }
        assert!(!format!("{:?}", http.key).contains("EY"));
        assert_eq!(http.shown(" a\u{1b}[2J\nb "), "a [2J b");
        assert_eq!(http.shown(&"x".repeat(1_000)).len(), SHOWN);
    }

    #[test]
    fn urls_are_built_not_pasted() {
        let http = http("http://localhost:1/server/", "");
        assert_eq!(http.path(&["v2", "a/b"]).as_str(), "http://localhost:1/server/v2/a%2Fb");
        assert_eq!(http.query(&[("guid", "a&b")]).as_str(), "http://localhost:1/server/?guid=a%26b");
        for bad in ["", "sourcify.dev", "ftp://sourcify.dev", "file:///etc"] {
            assert!(matches!(Http::new(bad, None, Retry::default()), Err(SourceError::Url { .. })), "{bad}");
        }
    }
}
