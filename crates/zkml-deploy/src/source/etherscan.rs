//! Etherscan's interface, version 2.

use super::{KEY_VARIABLE, Result, Service, Source, SourceError, Verdict, http::Reply};

const HAND_IN: &str = "the request to verify";
const RESULT: &str = "the question for the result";

/// What becomes of a request.
enum Said {
    /// It has this number.
    Taken(String),
    /// It has ended.
    Verdict(Verdict),
}

/// Hands the sources in and waits.
pub(super) async fn verify(service: &Service, source: &Source<'_>) -> Result<Verdict> {
    let (name, contract) = (&source.contract.name, source.contract);
    if contract.salt.is_none() {
        let why = "somebody else deployed it, so its constructor's arguments are not in the record";
        return Ok(Verdict::Skipped(why.to_owned()));
    }
    // An explorer sees a contract some time after the chain has it: until then it is asked again.
    match service.poll(name, "none yet", async || hand_in(service, source).await).await? {
        Said::Verdict(verdict) => Ok(verdict),
        Said::Taken(guid) => {
            let id = service.http.shown(&guid);
            service.poll(name, &id, async || result(service, source.chain_id, &guid).await).await
        }
    }
}

/// What became of the request, unless the service wants to be asked later.
async fn hand_in(service: &Service, source: &Source<'_>) -> Result<Option<Said>> {
    let http = &service.http;
    let (address, chain) = (source.address().to_string(), source.chain_id.to_string());
    let (input, identifier, compiler) = (source.input.to_string(), source.identifier(), source.compiler());
    let fields = [
        ("module", "contract"),
        ("action", "verifysourcecode"),
        ("apikey", http.key()),
        ("sourceCode", &input),
        ("codeformat", "solidity-standard-json-input"),
        ("contractaddress", &address),
        ("contractname", &identifier),
        ("compilerversion", &compiler),
        // Their spelling.
        ("constructorArguements", source.contract.constructor_arguments.trim_start_matches("0x")),
    ];
    let answer = http.post_form(http.query(&[("chainid", &chain)]), &fields).await?;
    let (done, text) = parts(service, HAND_IN, &answer)?;
    let lower = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    Ok(if done {
        Some(Said::Taken(text.to_owned()))
    } else if says(&["already verified"]) {
        Some(Said::Verdict(Verdict::Already))
    } else if says(&["unable to locate", "rate limit"]) {
        None
    } else {
        Some(Said::Verdict(Verdict::Refused(http.shown(text))))
    })
}

/// The verdict, if there is one yet.
async fn result(service: &Service, chain_id: u64, guid: &str) -> Result<Option<Verdict>> {
    let http = &service.http;
    let chain = chain_id.to_string();
    let url = http.query(&[
        ("chainid", &chain),
        ("module", "contract"),
        ("action", "checkverifystatus"),
        ("guid", guid),
        ("apikey", http.key()),
    ]);
    let answer = http.get(url).await?;
    let (_, text) = parts(service, RESULT, &answer)?;
    let lower = text.to_lowercase();
    let shown = http.shown(text);
    if lower.contains("already verified") {
        Ok(Some(Verdict::Already))
    } else if lower.contains("pending") || lower.contains("rate limit") {
        Ok(None)
    } else if lower.starts_with("pass") {
        Ok(Some(Verdict::Verified(shown)))
    } else if lower.starts_with("fail") {
        Ok(Some(Verdict::Refused(shown)))
    } else {
        Err(http.unexpected(RESULT, &answer, "pending, pass or fail"))
    }
}

/// Whether an answer says yes, and its text. All of them come with HTTP 200.
fn parts<'a>(service: &Service, what: &'static str, answer: &'a Reply) -> Result<(bool, &'a str)> {
    let http = &service.http;
    if !answer.status.is_success() {
        return Err(http.status(what, answer));
    }
    let parts = answer.text("/status").zip(answer.text("/result"));
    let Some((status, text)) = parts.filter(|(status, _)| matches!(*status, "0" | "1")) else {
        return Err(http.unexpected(what, answer, "a status and a result"));
    };
    let lower = text.to_lowercase();
    if status == "0" && ["api key", "apikey"].iter().any(|word| lower.contains(word)) {
        let (endpoint, why) = (http.endpoint(), http.shown(text));
        return Err(SourceError::WrongKey { endpoint, variable: KEY_VARIABLE, why });
    }
    Ok((status == "1", text))
}
