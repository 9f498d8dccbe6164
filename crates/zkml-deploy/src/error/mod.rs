//! What can go wrong between a folder and a chain.

mod acceptance;
mod causes;

use std::{error::Error, path::PathBuf};

use alloy::{
    primitives::{Address, U256},
    signers,
};
use zkml_contracts::chains::Chain;

pub use self::acceptance::AcceptanceError;
pub use self::causes::{ChainsFileError, KeystoreError, RecordError, UrlError};

use crate::{
    amount::{self, gwei},
    secret::redact,
};

/// An error of deployment: it names the thing, the number and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// No chain has this name.
    #[error(
        "no chain is called {name:?}; known are {known}. Add yours with --chains FILE, in the form of deploy/chains.toml"
    )]
    UnknownChain {
        /// The name.
        name: String,
        /// All known names.
        known: String,
    },
    /// A file of chains cannot be used.
    #[error("{} cannot be used as a file of chains", path.display())]
    ChainsFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ChainsFileError,
    },
    /// The environment does not say where the chain is.
    #[error(
        "{variable} is not set: it must hold the URL of a JSON-RPC endpoint of {chain}. URLs often contain a key, so they are no arguments"
    )]
    NoRpcUrl {
        /// The chain.
        chain: String,
        /// The environment variable.
        variable: String,
    },
    /// What the environment says is no URL.
    #[error("{variable} does not hold an http or https URL")]
    BadRpcUrl {
        /// The environment variable.
        variable: String,
        /// Why not; without the text, which may be secret.
        source: UrlError,
    },
    /// Nobody answers.
    #[error("{endpoint} does not answer {method} after {attempts} attempts: {why}")]
    Unreachable {
        /// The host, without what else the URL holds.
        endpoint: String,
        /// The method that was called.
        method: &'static str,
        /// How often it was tried.
        attempts: u32,
        /// The last answer.
        why: String,
    },
    /// The endpoint serves another chain.
    #[error("{endpoint} serves chain {found}, and {name} is chain {expected}: nothing was sent")]
    WrongChain {
        /// The host.
        endpoint: String,
        /// What it answered.
        found: u64,
        /// What it should have.
        expected: u64,
        /// The chain's name.
        name: String,
    },
    /// The endpoint answers with an error, or with what cannot be understood.
    #[error("{endpoint} answers {method} with: {why}")]
    Rpc {
        /// The host.
        endpoint: String,
        /// The method that was called.
        method: &'static str,
        /// What it said.
        why: String,
    },
    /// A contract does not answer as it should.
    #[error("{what} at {address} answers {answer} where {expected} was expected")]
    Answer {
        /// What was asked.
        what: String,
        /// The contract.
        address: String,
        /// Its answer.
        answer: String,
        /// What was expected.
        expected: String,
    },
    /// A call that must succeed reverts.
    #[error("{what} reverts: {reason}")]
    Reverted {
        /// What was called.
        what: String,
        /// The custom error by name.
        reason: String,
    },
    /// There is no contract where one should be.
    #[error("there is no contract at {address} on chain {chain_id}")]
    NoCode {
        /// The address.
        address: String,
        /// The chain.
        chain_id: u64,
    },
    /// The model of a consumer is out of use.
    #[error("model {model_id} is deprecated: no proof of it is accepted any more")]
    Deprecated {
        /// Its id.
        model_id: String,
    },
    /// A consumer takes no requests.
    #[error(
        "the consumer {consumer} takes no requests, only proofs of its callers: deploy one that does, with --consumer requests, and name it with --consumer ADDRESS"
    )]
    NoRequests {
        /// The consumer.
        consumer: String,
    },
    /// A consumer takes proofs of another model.
    #[error(
        "the consumer {consumer} takes proofs of another model: its {what} is {there}, this one's is {here}"
    )]
    OtherModel {
        /// The consumer.
        consumer: String,
        /// What differs.
        what: &'static str,
        /// The consumer's.
        there: String,
        /// Ours.
        here: String,
    },
    /// A consumer binds proofs in another way.
    #[error(
        "the consumer {consumer} wants a proof that is bound to {there}, and the same parts give {here}: it is no consumer of this toolkit, or lies behind a proxy"
    )]
    OtherContext {
        /// The consumer.
        consumer: String,
        /// What it says.
        there: String,
        /// What we compute.
        here: String,
    },
    /// A proof is bound to something that cannot be used now.
    #[error("the proof is bound to the {part} {found}, and {expected} is needed: make one for it")]
    Unusable {
        /// Which part of its context.
        part: &'static str,
        /// The proof's.
        found: String,
        /// The one that would be accepted.
        expected: String,
    },
    /// The test chain's key was asked for elsewhere.
    #[error(
        "the test key is public and works on chain {allowed} only, this is chain {chain_id}: name a keystore with --keystore, or a variable with --key-env"
    )]
    TestKeyElsewhere {
        /// The chain.
        chain_id: u64,
        /// The one chain that it works on.
        allowed: u64,
    },
    /// An environment variable that should hold a key does not.
    #[error("{variable} {why}")]
    KeyVariable {
        /// The variable.
        variable: String,
        /// What is wrong; never its text.
        why: &'static str,
    },
    /// A keystore cannot be opened.
    #[error("the keystore {} cannot be opened", path.display())]
    Keystore {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeystoreError,
    },
    /// A hardware wallet does not answer.
    #[error("the Ledger does not answer: unlock it and open its Ethereum app")]
    Ledger {
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// This build knows no hardware wallet.
    #[error("this program was built without support for a Ledger: build with `--features ledger`")]
    NoLedger,
    /// Signing failed.
    #[error("a transaction could not be signed")]
    Signing {
        /// Why.
        source: signers::Error,
    },
    /// Money is missing.
    #[error(
        "{account} has {balance} {currency} on {chain}, and up to {needed} {currency} are needed: send it {missing} {currency} more"
    )]
    InsufficientFunds {
        /// The account.
        account: String,
        /// The chain's name.
        chain: String,
        /// What gas is paid in.
        currency: String,
        /// What it has.
        balance: String,
        /// What it may take.
        needed: String,
        /// The difference.
        missing: String,
    },
    /// A unit of gas costs more than may be offered.
    #[error(
        "a unit of gas costs {} gwei now, and at most {} may be offered: wait until it costs less, or allow more with --max-fee", gwei(*base), gwei(*most)
    )]
    FeeTooHigh {
        /// The next block's base fee, in wei.
        base: u128,
        /// The limit, in wei.
        most: u128,
    },
    /// The headers of an endpoint do not follow from each other.
    #[error(
        "{endpoint} says that the base fee of block {block} is {says} wei, and from the block before it follow {follows}: use another endpoint"
    )]
    BaseFee {
        /// The host.
        endpoint: String,
        /// The block.
        block: u64,
        /// Its header's word.
        says: u128,
        /// The fee by the rule of EIP-1559.
        follows: u128,
    },
    /// A transaction would take more gas than the chain gives one.
    #[error(
        "{what} takes {gas} gas, as the endpoint says, and {limit} is the most for one transaction: use another endpoint, or mend the limit with --chains"
    )]
    GasTooHigh {
        /// The estimate.
        what: String,
        /// The estimate.
        gas: u64,
        /// The chain's limit.
        limit: u64,
    },
    /// A transaction was mined and failed.
    #[error("transaction {hash} ({what}) failed in block {block}: {reason}")]
    TransactionFailed {
        /// Its hash.
        hash: String,
        /// What it was for.
        what: String,
        /// Its block.
        block: u64,
        /// The custom error by name, when the node still says.
        reason: String,
    },
    /// The nonce of a transaction was used by another one.
    #[error(
        "another transaction of {account} took nonce {nonce}, which was meant for {what}: is the key used elsewhere at the same time? Run the command again"
    )]
    NonceTaken {
        /// The account.
        account: String,
        /// The nonce.
        nonce: u64,
        /// What it was meant for.
        what: String,
    },
    /// The node takes no such transaction.
    #[error("the node refuses the transaction of {what}: {why}")]
    Refused {
        /// What it was for.
        what: String,
        /// Why.
        why: String,
    },
    /// A transaction was not mined in time.
    #[error(
        "transaction {hash} ({what}) was not mined within {seconds} s, at a fee of at most {max_fee} wei a gas: run the command again, it goes on from here"
    )]
    NotMined {
        /// Its hash.
        hash: String,
        /// What it was for.
        what: String,
        /// How long we waited.
        seconds: u64,
        /// The fee that was offered.
        max_fee: u128,
    },
    /// Something is not as it must be before anything is deployed.
    #[error("{check}: {why}")]
    Preflight {
        /// What was looked at.
        check: &'static str,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The setup's secret is public.
    #[error(
        "the trusted setup is a development one, whose secret is public, and {chain} is no test chain: anybody could forge proofs. Import the setup of a ceremony (`zkml-chain srs import`) and run `zkml-chain setup` again"
    )]
    UnsafeSetup {
        /// The chain.
        chain: String,
    },
    /// Something else is where a contract should be.
    #[error("the code at {address} is not {name}: it has {found} bytes, {expected} were compiled")]
    OtherCode {
        /// The contract.
        name: String,
        /// The address.
        address: String,
        /// Bytes there.
        found: usize,
        /// Bytes that were compiled.
        expected: usize,
    },
    /// A route cannot be as it should.
    #[error("the route {selector} of the router {router} {why}")]
    Route {
        /// Its selector.
        selector: String,
        /// The router.
        router: String,
        /// What is wrong.
        why: String,
    },
    /// A part needs another one.
    #[error("{part} needs {needs}, which is not on the chain: ask for it as well, with --parts")]
    PartMissing {
        /// The part.
        part: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// A folder is not the one that a record is about.
    #[error("{} is about something else: its {what} is {there}, here it is {here}. Nothing was changed; name another folder for records with --deployments, or move this one away", path.display())]
    OtherRecord {
        /// The record.
        path: PathBuf,
        /// What differs.
        what: String,
        /// The record's.
        there: String,
        /// The folder's.
        here: String,
    },
    /// A contract pays no rewards.
    #[error(
        "{consumer} pays no rewards: it does not inherit ZKMLRewards, as generated request consumers do (`deploy --consumer requests`)"
    )]
    NoRewards {
        /// The contract.
        consumer: String,
    },
    /// Money that nobody has.
    #[error("a {what} of {wanted} cannot be paid {from}: there are {there}{way_out}")]
    Unpaid {
        /// Its name: `reward`, `bond`, `deposit`.
        what: &'static str,
        /// The amount.
        wanted: String,
        /// From where.
        from: String,
        /// What is there.
        there: String,
        /// The way out.
        way_out: String,
    },
    /// An argument that a constructor would refuse.
    #[error("the {what} cannot be {given}: {why}")]
    Argument {
        /// The argument.
        what: &'static str,
        /// Its value.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// An emergency stop is wanted, and nobody was named who may pull it.
    #[error(
        "emergency-stop is among the parts, and nobody may pull it: name its owner with --emergency-stop"
    )]
    NoGuardian,
    /// Nobody was named as owner.
    #[error(
        "who shall own router and consumer on {chain}? name them with --owner, best a multisig: it is in the contracts"
    )]
    NoOwner {
        /// The chain.
        chain: String,
    },
    /// The consumer takes proofs on any input, and value may depend on what is accepted on this chain.
    #[error(
        "{name} takes proofs on any input, so whoever proves chooses the output: it is for demonstrations, and {chain} is no test chain. Leave it out (--parts verifier,registry,router,zkml-verifier,route,registration) and deploy a consumer of your own; or say --accept-any-input"
    )]
    AnyInput {
        /// The contract.
        name: String,
        /// The chain.
        chain: String,
    },
    /// A result under a policy cannot be posted, challenged or ended like this.
    #[error(transparent)]
    Acceptance(#[from] AcceptanceError),
    /// There is no record.
    #[error("there is no record {}: deploy first, or name the folder of records with --deployments", path.display())]
    NoRecord {
        /// Where it should be.
        path: PathBuf,
    },
    /// Arguments of a contract, or an answer of one.
    #[error(transparent)]
    Abi(#[from] zkml_contracts::AbiError),
    /// A record of a deployment cannot be used.
    #[error("the record {} cannot be used", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: RecordError,
    },
}

impl DeployError {
    /// A stable name for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownChain { .. } => "unknown-chain",
            Self::ChainsFile { .. } => "chains-file",
            Self::NoRpcUrl { .. } => "no-rpc-url",
            Self::BadRpcUrl { .. } => "bad-rpc-url",
            Self::Unreachable { .. } => "unreachable",
            Self::WrongChain { .. } => "wrong-chain",
            Self::Rpc { .. } => "rpc",
            Self::Answer { .. } => "answer",
            Self::Reverted { .. } => "reverted",
            Self::NoCode { .. } => "no-code",
            Self::Deprecated { .. } => "deprecated",
            Self::NoRequests { .. } => "no-requests",
            Self::OtherModel { .. } => "other-model",
            Self::OtherContext { .. } => "other-context",
            Self::Unusable { .. } => "unusable",
            Self::TestKeyElsewhere { .. } => "test-key-elsewhere",
            Self::KeyVariable { .. } => "key-variable",
            Self::Keystore { .. } => "keystore",
            Self::Ledger { .. } | Self::NoLedger => "ledger",
            Self::Signing { .. } => "signing",
            Self::InsufficientFunds { .. } => "insufficient-funds",
            Self::FeeTooHigh { .. } => "fee-too-high",
            Self::BaseFee { .. } => "base-fee",
            Self::GasTooHigh { .. } => "gas-too-high",
            Self::TransactionFailed { .. } => "transaction-failed",
            Self::NonceTaken { .. } => "nonce-taken",
            Self::Refused { .. } => "refused",
            Self::NotMined { .. } => "not-mined",
            Self::Preflight { .. } => "preflight",
            Self::UnsafeSetup { .. } => "unsafe-setup",
            Self::OtherCode { .. } => "other-code",
            Self::Route { .. } => "route",
            Self::PartMissing { .. } => "part-missing",
            Self::OtherRecord { .. } => "other-record",
            Self::NoRewards { .. } => "no-rewards",
            Self::Unpaid { what: "reward", .. } => "unpaid-reward",
            Self::Unpaid { .. } => "unpaid",
            Self::Argument { .. } => "argument",
            Self::NoGuardian => "no-guardian",
            Self::NoOwner { .. } => "no-owner",
            Self::AnyInput { .. } => "any-input",
            Self::NoRecord { .. } => "no-record",
            Self::Acceptance(e) => e.name(),
            Self::Abi(_) => "codegen",
            Self::Record { .. } => "record",
        }
    }

    /// An account has `balance` wei and may need `needed`.
    #[must_use]
    pub fn insufficient_funds(chain: &Chain, account: Address, balance: U256, needed: U256) -> Self {
        let show = |wei| amount::show(wei, 18);
        Self::InsufficientFunds {
            account: account.to_string(),
            chain: chain.name.clone(),
            currency: chain.currency.clone(),
            balance: show(balance),
            needed: show(needed),
            missing: show(needed.saturating_sub(balance)),
        }
    }
}

/// An error and its causes on one line, each once and without secrets: for events, reports and logs, which have room for one text.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    redact(&text).into_owned()
}

/// Results of this crate.
pub type Result<T, E = DeployError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use zkml_contracts::chains;

    #[test]
    fn a_cause_is_typed_and_said_once() {
        let source = KeystoreError::Unreadable(io::Error::other("the disk is gone"));
        let error = DeployError::Keystore { path: "key.json".into(), source };
        assert_eq!(error.to_string(), "the keystore key.json cannot be opened");
        let whole = "the keystore key.json cannot be opened: it cannot be read: the disk is gone";
        assert_eq!(with_causes(&error), whole);
        // What is passed through has the causes of what it passes through, and is not among them.
        let error = ChainsFileError::Syntax(chains::parse("[[chain]]\nname = 3").unwrap_err());
        assert!(error.source().is_none() && with_causes(&error).contains("line 2"), "{error}");
    }
}
