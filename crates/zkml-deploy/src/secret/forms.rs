//! The ways in which a secret may be written.

use std::borrow::Cow;

use alloy::primitives::U256;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use reqwest::Url;
use zkml_contracts::chains;

/// Words in paths of endpoints that everybody knows.
const WORDS: [&str; 9] =
    ["mainnet", "testnet", "ethereum", "jsonrpc", "json-rpc", "public", "archive", "server", "demo"];

/// A text: plain, encoded for URLs, escaped once and twice, in base64 and in hexadecimal digits.
pub(super) fn of_text(text: &str) -> Vec<String> {
    let quoted = |text: &str| {
        let quoted = format!("{text:?}");
        quoted[1..quoted.len() - 1].to_owned()
    };
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    vec![
        text.to_owned(),
        percent(text),
        form(text),
        quoted(text),
        quoted(&quoted(text)),
        quoted(&json),
        json,
        STANDARD_NO_PAD.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        hex::encode(text),
    ]
}

/// Everything but the host, the names of parameters, and words that are no secrets.
pub(super) fn of_url(url: &Url) -> Vec<String> {
    let mut forms = Vec::new();
    let mut part = |raw: &str| {
        forms.push(raw.to_owned());
        forms.extend(of_text(&decoded(raw)));
    };
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    [user, password].into_iter().for_each(&mut part);
    if !(user.is_empty() && password.is_empty()) {
        // As a header has them, and as a URL does.
        part(&format!("{}:{}", decoded(user), decoded(password)));
        part(&format!("{user}:{password}"));
    }
    url.path_segments().into_iter().flatten().filter(|word| !is_word(word)).for_each(&mut part);
    for pair in url.query().unwrap_or_default().split('&') {
        // A parameter without a value is one.
        part(pair.split_once('=').map_or(pair, |(_, value)| value));
    }
    part(url.fragment().unwrap_or_default());
    forms
}

/// A key: as digits, as a number, as a list of bytes, and in base64. Capitals make no difference.
pub(super) fn of_key(key: &[u8; 32]) -> Vec<String> {
    let list = format!("{key:?}");
    let list = list.trim_matches(['[', ']']).to_owned();
    vec![
        hex::encode(key),
        U256::from_be_bytes(*key).to_string(),
        list.replace(' ', ""),
        list,
        STANDARD_NO_PAD.encode(key),
        URL_SAFE_NO_PAD.encode(key),
    ]
}

fn is_word(text: &str) -> bool {
    WORDS.contains(&text) || chains::by_name(text).is_some()
}

/// Every byte but letters, digits and `-._~` as `%XX`.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encoded).collect()
}

/// As forms and queries have it.
fn form(text: &str) -> String {
    let url = Url::parse_with_params("http://host/", [("k", text)]);
    url.ok()
        .and_then(|url| url.query().map(|query| query.trim_start_matches("k=").to_owned()))
        .unwrap_or_default()
}

/// A part of a URL without `%XX`.
fn decoded(raw: &str) -> Cow<'_, str> {
    if !raw.contains('%') {
        return Cow::Borrowed(raw);
    }
    let (mut bytes, mut rest) = (Vec::new(), raw.as_bytes());
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match (first, digits.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}
