//! Secrets of the process, and texts without them.
//!
//! URLs of endpoints, keys and passwords are registered where they are read. What leaves the process goes through [`redact`]: messages, logs of
//! libraries, reports, the journal. So an endpoint that repeats what it was sent tells nobody, nor does a library that logs a URL. An
//! endpoint that means harm can write a key in ways that nobody recognises; those that libraries and services use are known here.

mod forms;
mod writer;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use aho_corasick::{AhoCorasick, MatchKind};
use reqwest::Url;

pub use writer::Redacting;

/// The text in place of a secret.
pub const HIDDEN: &str = "***";
/// Fewest characters of a text that is hidden wherever it stands: all that is shorter is in ordinary words.
const SHORTEST: usize = 4;
/// Hexadecimal texts shorter than this are hidden only where no other digits are beside them: they may be in hashes and calldata by chance.
const SHORT_DIGITS: usize = 12;

static SECRETS: RwLock<Secrets> = RwLock::new(Secrets { forms: BTreeSet::new(), finder: None });

/// All that is not shown, in every form.
struct Secrets {
    forms: BTreeSet<String>,
    finder: Option<AhoCorasick>,
}

/// Registers a text that is never shown, in all the ways that it may be written.
pub fn register(text: &str) {
    // What is written line by line is looked at line by line.
    add(text.lines().map(str::trim).flat_map(forms::of_text));
}

/// Registers what a URL holds besides its host and well-known words: user, password, parts of its path, its query.
pub fn register_url(url: &Url) {
    add(forms::of_url(url));
}

/// Registers a private key.
pub fn register_key(key: &[u8; 32]) {
    add(forms::of_key(key));
}

fn add(forms: impl IntoIterator<Item = String>) {
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    let before = secrets.forms.len();
    secrets.forms.extend(forms.into_iter().filter(|form| form.chars().count() >= SHORTEST));
    if secrets.forms.len() > before {
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(&secrets.forms);
        // It fails on gigabytes of secrets only.
        secrets.finder = finder.ok();
    }
}

/// A text without secrets.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    let Some(finder) = &secrets.finder else { return Cow::Borrowed(text) };
    let (mut clean, mut end) = (String::new(), 0);
    for found in finder.find_iter(text).filter(|found| stands_alone(text, found.start(), found.end())) {
        clean.push_str(&text[end..found.start()]);
        clean.push_str(HIDDEN);
        end = found.end();
    }
    if end == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[end..]);
    Cow::Owned(clean)
}

/// A JSON document without secrets: numbers stay numbers, and names stay.
#[must_use]
pub fn redact_json(document: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(document.len()), document);
    while let Some((before, after)) = rest.split_once('"') {
        let end = end_of_string(after);
        let (string, follows) = (&after[..end], after.get(end + 1..).unwrap_or_default());
        let is_name = follows.trim_start().starts_with(':');
        clean.extend([before, "\"", &if is_name { Cow::Borrowed(string) } else { redact(string) }, "\""]);
        rest = follows;
    }
    clean.push_str(rest);
    clean
}

/// Place of the quote that ends a JSON string.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(text.len())
}

/// Returns false for a few digits within a longer number.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let found = &text.as_bytes()[start..end];
    if found.len() >= SHORT_DIGITS || !found.iter().all(u8::is_ascii_hexdigit) {
        return true;
    }
    let (before, after) = (&text.as_bytes()[..start], &text.as_bytes()[end..]);
    let encoded = matches!(before, [.., b'%', _, _]);
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    (encoded || !digit(before.last())) && !digit(after.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One registry for all tests of the process: each has secrets of its own.
    fn hidden(text: &str) -> bool {
        redact(text).contains(HIDDEN)
    }

    #[test]
    fn every_part_of_a_url_is_hidden_in_every_form() {
        let url = "https://ope%2Fr4tor:pa$$%22W%5C0rd@node.example:8443/v2/k3y-of-The-path/sepolia?token=quer%79Key7#fr4gment";
        register_url(&Url::parse(url).unwrap());
        for text in [
            "ope/r4tor",
            "ope%2Fr4tor",
            "ope%2fr4tor",
            "pa$$\"W\\0rd",
            "pa%24%24%22W%5C0rd",
            "pa$$\\\"W\\\\0rd",
            "pa$$\\\\\\\"W\\\\\\\\0rd",
            "K3Y-OF-THE-PATH",
            "token=queryKey7",
            "fr4gment",
            // Of `ope/r4tor:pa$$"W\0rd`, as an Authorization header has it.
            "Basic b3BlL3I0dG9yOnBhJCQiV1wwcmQ=",
            // Of the part of the path.
            "azN5LW9mLVRoZS1wYXRo",
            "6b33792d6f662d5468652d70617468",
        ] {
            assert!(hidden(text), "{text}");
        }
        assert_eq!(redact(url), "https://***@node.example:8443/v2/***/sepolia?token=***#***");
        for text in ["node.example:8443", "/v2/", "sepolia", "token"] {
            assert!(!hidden(text), "{text}");
        }
    }

    #[test]
    fn keys_are_hidden_in_every_spelling() {
        let key = [0x1f; 32];
        register_key(&key);
        let hex = hex::encode(key);
        let list = format!("{key:?}");
        let decimal = alloy::primitives::U256::from_be_bytes(key).to_string();
        for text in [&hex, &hex.to_uppercase(), &format!("0x{hex}"), &list, &list.replace(' ', ""), &decimal]
        {
            assert!(!redact(text).contains(&text[text.len() / 2..]), "{text}");
        }
        assert_eq!(redact(&format!("key {hex}.")), "key ***.");
    }

    #[test]
    fn a_few_digits_are_hidden_by_themselves_and_not_in_hashes() {
        register("facade77");
        for text in ["facade77", "key=facade77&", "at%3Afacade77", "FACADE77."] {
            assert!(hidden(text), "{text}");
        }
        for text in ["0xfacade77aa", "1facade77", "facade770"] {
            assert!(!hidden(text), "{text}");
        }
        // What is shorter would be found in ordinary words.
        register("abc");
        assert_eq!(redact("abc"), "abc");
    }

    #[test]
    fn documents_stay_documents() {
        register("986543217");
        let document = "{\"gas\": 986543217, \"why\": \"key 986543217 \\\" is bad\", \"986543217\": [\"\"]}";
        let clean = redact_json(document);
        assert_eq!(clean, "{\"gas\": 986543217, \"why\": \"key *** \\\" is bad\", \"986543217\": [\"\"]}");
        for damaged in ["\"", "\"\\", "\\\"x", ""] {
            let _ = redact_json(damaged);
        }
        assert!(serde_json::from_str::<serde_json::Value>(&clean).is_ok());
    }
}
