//! Sourcify's interface, version 2.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    Result, Service, Source, Verdict,
    http::{Http, Reply},
};

const HAND_IN: &str = "the request to verify";
const RESULT: &str = "the question for the result";

/// Hands the sources in and waits.
pub(super) async fn verify(service: &Service, source: &Source<'_>) -> Result<Verdict> {
    let http = &service.http;
    let (chain, address) = (source.chain_id.to_string(), source.address().to_string());
    let mut body = json!({
        "stdJsonInput": source.input,
        "compilerVersion": source.compiler(),
        "contractIdentifier": source.identifier(),
    });
    if let Some(hash) = source.transaction() {
        body["creationTransactionHash"] = json!(hash);
    }
    let answer = http.post_json(http.path(&["v2", "verify", &chain, &address]), &body).await?;
    if answer.status == StatusCode::CONFLICT {
        return Ok(Verdict::Already);
    }
    if !answer.status.is_success() {
        return Err(http.status(HAND_IN, &answer));
    }
    let Some(id) = answer.text("/verificationId") else {
        return Err(http.unexpected(HAND_IN, &answer, "a verificationId"));
    };
    let name = &source.contract.name;
    service.poll(name, &http.shown(id), async || result(service, id).await).await
}

/// The verdict, if there is one yet.
async fn result(service: &Service, id: &str) -> Result<Option<Verdict>> {
    let http = &service.http;
    let answer = http.get(http.path(&["v2", "verify", id])).await?;
    if !answer.status.is_success() {
        return Err(http.status(RESULT, &answer));
    }
    match answer.body.as_ref().and_then(|body| body["isJobCompleted"].as_bool()) {
        None => Err(http.unexpected(RESULT, &answer, "isJobCompleted")),
        Some(false) => Ok(None),
        Some(true) => match verdict(http, &answer) {
            None => Err(http.unexpected(RESULT, &answer, "a match or an error")),
            verdict => Ok(verdict),
        },
    }
}

/// What a finished job says.
fn verdict(http: &Http, answer: &Reply) -> Option<Verdict> {
    if let Some(how @ ("match" | "exact_match")) = answer.text("/contract/match") {
        return Some(Verdict::Verified(how.to_owned()));
    }
    let error = answer.body.as_ref()?.get("error").filter(|error| error.is_object())?;
    let part = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or("no reason");
    Some(match part("customCode") {
        "already_verified" => Verdict::Already,
        code => Verdict::Refused(http.shown(&format!("{} ({code})", part("message")))),
    })
}
