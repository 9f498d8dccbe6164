//! Sources of deployed contracts, handed to services that compile them again and compare.

mod etherscan;
mod http;
mod sourcify;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::{
    Address, B256,
    error::UrlError,
    record::{ContractRecord, Record, Status},
    rpc::Retry,
};
use http::Http;
pub use http::Secret;

/// The environment variable with the key of an Etherscan account.
pub const KEY_VARIABLE: &str = "ETHERSCAN_API_KEY";

/// What can go wrong between a record and a service that verifies sources. No text of these holds the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The address of the service is no URL.
    #[error("--url must be an http or https URL")]
    Url {
        /// Why it is none.
        source: UrlError,
    },
    /// The service wants a key, and none is there.
    #[error("{variable} is not set: {service} wants the key of an account, which is no argument")]
    NoKey {
        /// The service.
        service: &'static str,
        /// The environment variable.
        variable: &'static str,
    },
    /// The service does not know the key.
    #[error("{endpoint} does not take the key in {variable}: {why}")]
    WrongKey {
        /// The host.
        endpoint: String,
        /// The environment variable.
        variable: &'static str,
        /// What it said.
        why: String,
    },
    /// Nobody answers.
    #[error("{endpoint} does not answer after {attempts} attempts: {why}")]
    Unreachable {
        /// The host.
        endpoint: String,
        /// How often it was tried.
        attempts: u32,
        /// What happened last.
        why: String,
    },
    /// The service answers with an HTTP status that is no answer.
    #[error("{endpoint} answers {what} with HTTP {status}: {message}")]
    Status {
        /// The host.
        endpoint: String,
        /// What was asked.
        what: &'static str,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The service answers with what cannot be understood.
    #[error("{endpoint} answers {what} with {answer}, where {expected} was expected")]
    Answer {
        /// The host.
        endpoint: String,
        /// What was asked.
        what: &'static str,
        /// The answer, or how it begins.
        answer: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The service has no result yet.
    #[error(
        "{endpoint} has no result for {name} after {seconds} seconds (its number is {id}): run the command again later, or with a longer --timeout"
    )]
    NotDone {
        /// The host.
        endpoint: String,
        /// The contract.
        name: String,
        /// The service's own number for the request.
        id: String,
        /// How long it was asked.
        seconds: u64,
    },
    /// A contract of this name is not in the record.
    #[error("the record has no contract {name:?}; it has {known}")]
    NoSuchContract {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// Nothing of the record is on the chain.
    #[error(
        "the record says of {names} that it is not on chain {chain_id} yet: deploy first, `zkml-chain deploy --broadcast`"
    )]
    NotThere {
        /// The contracts.
        names: String,
        /// The chain.
        chain_id: u64,
    },
    /// The service does not come to the code that is on the chain.
    #[error("{endpoint} refuses {refused}")]
    Refused {
        /// The host.
        endpoint: String,
        /// The contracts, each with its reason.
        refused: String,
    },
}

impl SourceError {
    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Url { .. } => "service-url",
            Self::NoKey { .. } => "no-service-key",
            Self::WrongKey { .. } => "service-key",
            Self::Unreachable { .. } => "service-unreachable",
            Self::Status { .. } => "service-status",
            Self::Answer { .. } => "service-answer",
            Self::NotDone { .. } => "service-not-done",
            Self::NoSuchContract { .. } => "no-such-contract",
            Self::NotThere { .. } => "not-deployed",
            Self::Refused { .. } => "source-refused",
        }
    }
}

/// Results of this module.
pub type Result<T, E = SourceError> = std::result::Result<T, E>;

/// A kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Sourcify, version 2 of its interface: <https://docs.sourcify.dev/docs/api/>.
    Sourcify,
    /// Etherscan, version 2 of its interface: <https://docs.etherscan.io/>.
    Etherscan,
}

impl Kind {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sourcify => "Sourcify",
            Self::Etherscan => "Etherscan",
        }
    }

    /// Where it is, unless somebody runs their own.
    #[must_use]
    pub fn url(self) -> &'static str {
        match self {
            Self::Sourcify => "https://sourcify.dev/server",
            Self::Etherscan => "https://api.etherscan.io/v2/api",
        }
    }
}

/// How long to ask for a result, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Between two questions.
    pub pause: Duration,
    /// Time in all, for one contract.
    pub timeout: Duration,
    /// How often a request is repeated that nobody answered.
    pub retry: Retry,
}

impl Default for Patience {
    /// Every three seconds, for five minutes.
    fn default() -> Self {
        Self { pause: Duration::from_secs(3), timeout: Duration::from_secs(300), retry: Retry::default() }
    }
}

/// A contract with what is needed to compile it again.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub contract: &'a ContractRecord,
    /// The compiler's input with all sources.
    pub input: &'a Value,
    /// The compiler's version with its commit, without a `v`.
    pub compiler: &'a str,
}

impl Source<'_> {
    /// The compiler's version as services have it.
    fn compiler(&self) -> String {
        format!("v{}", self.compiler)
    }

    /// File and name.
    fn identifier(&self) -> String {
        format!("{}:{}", self.contract.file, self.contract.name)
    }

    fn address(&self) -> Address {
        self.contract.address
    }

    /// The transaction that put the contract there, if the record has it.
    fn transaction(&self) -> Option<B256> {
        let mined = self.contract.transaction.as_ref().filter(|transaction| transaction.block.is_some());
        mined.map(|transaction| transaction.hash)
    }
}

/// What a service says of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "says")]
pub enum Verdict {
    /// It compiled the sources to the code on the chain; in its own words.
    Verified(String),
    /// It had done so before.
    Already,
    /// It did not, and why.
    Refused(String),
    /// It was not asked, and why.
    Skipped(String),
}

/// A service.
#[derive(Debug)]
pub struct Service {
    kind: Kind,
    http: Http,
    patience: Patience,
}

impl Service {
    /// A service, at its usual address or another one. Etherscan wants a key.
    ///
    /// # Errors
    /// [`SourceError::Url`], [`SourceError::NoKey`].
    pub fn new(kind: Kind, url: Option<&str>, key: Option<Secret>, patience: Patience) -> Result<Self> {
        let key = match (kind, key) {
            (Kind::Sourcify, _) => None,
            (Kind::Etherscan, Some(key)) => Some(key),
            (Kind::Etherscan, None) => {
                return Err(SourceError::NoKey { service: kind.name(), variable: KEY_VARIABLE });
            }
        };
        let http = Http::new(url.unwrap_or(kind.url()), key, patience.retry)?;
        Ok(Self { kind, http, patience })
    }

    /// The host.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.http.endpoint()
    }

    /// Hands a contract's sources in, and waits for the verdict. What was verified before is no failure.
    ///
    /// # Errors
    /// Those of the service; a refusal of the sources is a [`Verdict`].
    pub async fn verify(&self, source: &Source<'_>) -> Result<Verdict> {
        match self.kind {
            Kind::Sourcify => sourcify::verify(self, source).await,
            Kind::Etherscan => etherscan::verify(self, source).await,
        }
    }

    /// Asks until there is a result, at most for as long as patience lasts.
    async fn poll<T>(&self, name: &str, id: &str, ask: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
        let started = tokio::time::Instant::now();
        loop {
            if let Some(result) = ask().await? {
                return Ok(result);
            }
            if started.elapsed() + self.patience.pause > self.patience.timeout {
                let (endpoint, seconds) = (self.endpoint(), self.patience.timeout.as_secs());
                return Err(SourceError::NotDone {
                    endpoint,
                    name: name.to_owned(),
                    id: id.to_owned(),
                    seconds,
                });
            }
            tokio::time::sleep(self.patience.pause).await;
        }
    }
}

/// The contracts of a record that are on the chain: all, or the one of this name.
///
/// # Errors
/// [`SourceError::NoSuchContract`]; [`SourceError::NotThere`] when none is there.
pub fn deployed<'a>(record: &'a Record, only: Option<&str>) -> Result<Vec<&'a ContractRecord>> {
    let all = record.contracts.all();
    let names = |list: &[&ContractRecord]| {
        list.iter().map(|contract| contract.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let meant: Vec<_> =
        all.iter().copied().filter(|contract| only.is_none_or(|name| contract.name == name)).collect();
    if let (Some(name), true) = (only, meant.is_empty()) {
        return Err(SourceError::NoSuchContract { name: name.to_owned(), known: names(&all) });
    }
    let there = |contract: &&ContractRecord| matches!(contract.status, Status::Deployed | Status::Reused);
    let found: Vec<_> = meant.iter().copied().filter(there).collect();
    if found.is_empty() {
        return Err(SourceError::NotThere { names: names(&meant), chain_id: record.chain_id });
    }
    Ok(found)
}
