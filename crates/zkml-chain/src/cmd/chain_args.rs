//! Flags that say which chain, whose key and which fees, shared by the subcommands that open a connection.

use crate::error::{Error, Result};
use std::{
    env, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    time::Duration,
};
use zkml_deploy::{
    Address, DeployError, U256,
    chain::{Chain, Chains, RpcUrl},
    error::KeystoreError,
    keys::Account,
    rpc::{FeeLimits, Retry, Rpc},
    transaction::Limits,
};
use zkml_protocol::{Word, keccak256};
use zkml_workspace::{
    Error as StepError,
    steps::deploy::{ConsumerKind, RECORDS, Records},
    value,
};

/// Environment variable with the password of a keystore.
const PASSWORD: &str = "ZKML_KEYSTORE_PASSWORD";

/// Which chain.
#[derive(Debug, Clone, clap::Args)]
pub struct ChainArgs {
    /// The chain, by name or number; its endpoint's URL comes from the environment, e.g. SEPOLIA_RPC_URL
    #[arg(long, value_name = "NAME|N")]
    chain: String,
    /// A file with chains of your own, in the form of deploy/chains.toml
    #[arg(long, value_name = "FILE")]
    chains: Option<PathBuf>,
}

impl ChainArgs {
    /// What is known of the chain.
    ///
    /// # Errors
    /// [`DeployError::UnknownChain`], [`DeployError::ChainsFile`].
    pub fn chain(&self) -> Result<Chain> {
        Ok(Chains::load(self.chains.as_deref())?.find(&self.chain)?.clone())
    }
}

/// Where deployments are recorded.
#[derive(Debug, Clone, clap::Args)]
pub struct RecordArgs {
    /// Folder of records
    #[arg(long, value_name = "DIR", default_value = RECORDS)]
    pub deployments: PathBuf,
}

/// Which consumer.
#[derive(Debug, Clone, clap::Args)]
pub struct ConsumerArgs {
    /// The consumer's address [default: the one that `deploy` recorded]
    #[arg(long, value_name = "ADDRESS", value_parser = value::address)]
    consumer: Option<[u8; 20]>,
    #[command(flatten)]
    records: RecordArgs,
}

impl ConsumerArgs {
    /// True if the address is given.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.consumer.is_some()
    }

    /// Its address, and the block that it was deployed in if that is recorded.
    ///
    /// # Errors
    /// [`DeployError::NoRecord`] where no address is given, and [`DeployError::Record`].
    pub fn find(&self, chain: &Chain, model: &str) -> Result<(Address, Option<u64>)> {
        if let Some(address) = self.consumer {
            return Ok((Address::from(address), None));
        }
        let record = Records::of(&self.records.deployments, chain.id, model).require()?;
        let consumer = record.contracts.consumer;
        Ok((consumer.address, consumer.transaction.and_then(|transaction| transaction.block)))
    }
}

/// The names of consumers on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ConsumerName {
    /// Takes proofs of its callers
    Plain,
    /// Takes requests besides, which a service proves
    Requests,
}

impl From<ConsumerName> for ConsumerKind {
    fn from(name: ConsumerName) -> Self {
        match name {
            ConsumerName::Plain => Self::Plain,
            ConsumerName::Requests => Self::Requests,
        }
    }
}

/// What a consumer is asked to do, and until when.
#[derive(Debug, Clone, clap::Args)]
pub struct TermArgs {
    /// What the consumer is asked to do, as it hashes it [default: zero]
    #[arg(long, value_name = "HEX", value_parser = value::word)]
    action: Option<Word>,
    /// The same as text: the action is the Keccak-256 of its UTF-8 bytes
    #[arg(long, value_name = "TEXT", conflicts_with = "action")]
    action_text: Option<String>,
    /// Last acceptable block time, in seconds since 1970
    #[arg(long, value_name = "N")]
    pub deadline: Option<u64>,
    /// The same as seconds from the last block's time
    #[arg(long, value_name = "SECONDS", default_value_t = 1_800, conflicts_with = "deadline", value_parser = clap::value_parser!(u64).range(1..))]
    pub valid_for: u64,
    /// Why the input is to be believed, as the consumer wants it
    #[arg(long, value_name = "HEX", value_parser = value::bytes, default_value = "0x")]
    pub provenance: Bytes,
}

// clap would take a bare vector for a flag that may be repeated.
type Bytes = std::sync::Arc<[u8]>;

impl TermArgs {
    /// The action.
    #[must_use]
    pub fn action(&self) -> Word {
        let text = self.action_text.as_ref().map(|text| keccak256([text.as_bytes()]));
        self.action.or(text).unwrap_or_default()
    }
}

/// Which input.
#[derive(Debug, Clone, clap::Args)]
pub struct InputArgs {
    /// The input: {"inputs": {"name": [numbers]}}, or a file of samples [default: the first calibration sample]
    #[arg(long, short, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Which sample of a file of samples
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub index: usize,
    /// Private file with the salts of committed inputs [default: beside the input, as NAME.private.json]
    #[arg(long, value_name = "FILE")]
    pub salt_file: Option<PathBuf>,
}

/// Connects to a chain whose URL is in the environment.
///
/// # Errors
/// [`DeployError::NoRpcUrl`], [`DeployError::Unreachable`], [`DeployError::WrongChain`].
pub async fn connect(chain: &Chain) -> Result<Rpc, StepError> {
    Ok(Rpc::connect(chain, &RpcUrl::of(chain)?, Retry::default()).await?)
}

/// Whose key. Keys and passwords are never arguments: who lists processes sees those.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(multiple = false)]
pub struct KeyArgs {
    /// An encrypted keystore; its password comes from --password-file, from ZKML_KEYSTORE_PASSWORD, or is asked for
    #[arg(long, value_name = "FILE")]
    keystore: Option<PathBuf>,
    /// An environment variable that holds the private key
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    /// The account of this number on a Ledger
    #[arg(long, value_name = "N")]
    ledger: Option<usize>,
    /// The public key of development chains; chain 31337 only
    #[arg(long)]
    test_key: bool,
}

/// Where the password of a keystore is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PasswordArgs {
    /// A file with the password of the keystore, in its first line
    #[arg(long, value_name = "FILE", requires = "keystore")]
    password_file: Option<PathBuf>,
}

impl KeyArgs {
    /// Whether any key was named.
    #[must_use]
    pub fn given(&self) -> bool {
        self.keystore.is_some() || self.key_env.is_some() || self.ledger.is_some() || self.test_key
    }

    /// Opens the key, and connects to the chain that it signs for.
    ///
    /// # Errors
    /// As [`KeyArgs::account`] and [`connect`].
    pub async fn connected(&self, password: &PasswordArgs, chain: &Chain) -> Result<(Account, Rpc)> {
        Ok((self.account(password, chain).await?, connect(chain).await?))
    }

    /// Opens the key.
    ///
    /// # Errors
    /// [`Error::NoKey`] when none was named; [`DeployError`]s of keys.
    pub async fn account(&self, password: &PasswordArgs, chain: &Chain) -> Result<Account> {
        if let Some(path) = &self.keystore {
            // A missing file should be said before somebody types a password.
            if !path.is_file() {
                let source = KeystoreError::Missing;
                return Err(DeployError::Keystore { path: path.clone(), source }.into());
            }
            return Ok(Account::keystore(path, &password.read(path)?)?);
        }
        if let Some(variable) = &self.key_env {
            return Ok(Account::environment(variable)?);
        }
        if let Some(index) = self.ledger {
            return ledger(index, chain.id).await;
        }
        if self.test_key {
            return Ok(Account::test(chain.id)?);
        }
        Err(Error::NoKey)
    }
}

#[cfg(feature = "ledger")]
async fn ledger(index: usize, chain_id: u64) -> Result<Account> {
    Ok(Account::ledger(index, chain_id).await?)
}

#[cfg(not(feature = "ledger"))]
async fn ledger(_: usize, _: u64) -> Result<Account> {
    Err(DeployError::NoLedger.into())
}

impl PasswordArgs {
    fn read(&self, keystore: &Path) -> Result<String> {
        if let Some(path) = &self.password_file {
            let text = fs::read_to_string(path).map_err(|e| StepError::io("read", path, e))?;
            return Ok(text.lines().next().unwrap_or_default().to_owned());
        }
        if let Ok(text) = env::var(PASSWORD) {
            return Ok(text);
        }
        if !io::stdin().is_terminal() {
            return Err(Error::NoPassword { keystore: keystore.to_owned(), variable: PASSWORD });
        }
        let prompt = format!("password of {}: ", keystore.display());
        Ok(rpassword::prompt_password(prompt)
            .map_err(|e| StepError::io("read", Path::new("the terminal"), e))?)
    }
}

/// Fees and patience.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FeeArgs {
    /// Never offer more than this for a unit of gas, in gwei [default: as deploy/chains.toml says]
    #[arg(long, value_name = "GWEI", value_parser = gwei)]
    max_fee: Option<u128>,
    /// Of it, never offer more than this to the block's producer, in gwei [default: as deploy/chains.toml says]
    #[arg(long, value_name = "GWEI", value_parser = gwei)]
    max_priority_fee: Option<u128>,
    /// Blocks until a transaction counts as final, its own included [default: as deploy/chains.toml says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    confirmations: Option<u64>,
    /// Seconds after which a transaction that nobody takes is offered for more [default: five blocks]
    #[arg(long, value_name = "SECONDS")]
    bump_after: Option<u64>,
    /// Seconds after which to give up
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
}

impl FeeArgs {
    /// What suits the chain, with what the flags say.
    #[must_use]
    pub fn limits(&self, chain: &Chain) -> Limits {
        let usual = Limits::of(chain);
        Limits {
            confirmations: self.confirmations.unwrap_or(usual.confirmations),
            bump_after: self.bump_after.map_or(usual.bump_after, Duration::from_secs),
            timeout: Duration::from_secs(self.timeout),
            fees: FeeLimits {
                max: self.max_fee.unwrap_or(usual.fees.max),
                priority: self.max_priority_fee.unwrap_or(usual.fees.priority),
                named: self.max_fee.is_some(),
                ..usual.fees
            },
            ..usual
        }
    }
}

/// Gwei, with up to nine decimals, as wei.
pub(super) fn gwei(text: &str) -> Result<u128, String> {
    match decimal(text, 9) {
        Some(0) => Err("a fee of zero is never taken".to_owned()),
        Some(wei) => Ok(wei),
        None => Err(format!("{text:?} is no number of gwei, like 30 or 0.25")),
    }
}

/// An amount of the chain's currency, with up to 18 decimals, as wei.
pub(super) fn ether(text: &str) -> Result<U256, String> {
    match decimal(text, 18) {
        Some(0) => Err("with a budget of zero nothing is ever sent".to_owned()),
        Some(wei) => Ok(U256::from(wei)),
        None => Err(format!("{text:?} is no amount of the chain's currency, like 1 or 0.05")),
    }
}

/// A number with so many decimals at most, as a whole number of the last one.
fn decimal(text: &str, most: usize) -> Option<u128> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > most || !digits(whole) || !digits(decimals) {
        return None;
    }
    format!("{whole}{decimals:0<most$}").parse().ok()
}

/// Runs what needs a connection to its end.
///
/// # Errors
/// [`Io`](StepError::Io) when the system has no threads to give, and those of `work`.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|e| StepError::io("start", Path::new("threads"), e))?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_exact() {
        for (text, wei) in [("30", 30_000_000_000), ("0.25", 250_000_000), ("1.000000001", 1_000_000_001)] {
            assert_eq!(gwei(text), Ok(wei), "{text}");
        }
        for text in ["", "0", "0.0", "-1", "1e3", ".5", "1.0000000001", "1.2.3", &"9".repeat(40)] {
            assert!(gwei(text).is_err(), "{text}");
        }
        assert_eq!(ether("0.05"), Ok(U256::from(50_000_000_000_000_000u64)));
        for text in ["0", "", "1e18", "0.0000000000000000001", "-1"] {
            assert!(ether(text).is_err(), "{text}");
        }
    }
}
