//! The chains that the toolkit knows by name, from `deploy/chains.toml`. The guard of generated contracts against an
//! unsafe setup reads this table, and so does deployment.

use std::sync::LazyLock;

use serde::Deserialize;
pub use toml::de::Error as ParseError;

/// `deploy/chains.toml` as it was when the program was built.
pub const SOURCE: &str = include_str!("../../../deploy/chains.toml");

/// A chain. The file says what each field means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// EIP-155 chain id.
    pub id: u64,
    /// Name as used on the command line.
    pub name: String,
    /// Whether nothing of value lives there, so that an unsafe setup may be tried out.
    pub test: bool,
    /// Environment variable with the URL of a JSON-RPC endpoint.
    pub rpc: String,
    /// The oldest EVM version in force.
    pub evm_version: String,
    /// EIP-170: largest runtime code, in bytes.
    #[serde(default = "code_limit")]
    pub code_limit: usize,
    /// EIP-3860: largest creation code, in bytes.
    #[serde(default = "init_limit")]
    pub init_limit: usize,
    /// EIP-7825: largest gas of one transaction.
    #[serde(default = "gas_limit")]
    pub gas_limit: u64,
    /// Most that is offered for a unit of gas unless somebody says otherwise, in gwei.
    #[serde(default = "max_fee")]
    pub max_fee: u64,
    /// Most of it for the block's producer, in gwei.
    #[serde(default = "max_priority_fee")]
    pub max_priority_fee: u64,
    /// Base fees follow from one block to the next as EIP-1559 says, with Ethereum's parameters.
    #[serde(default)]
    pub eip1559: bool,
    /// Blocks until a transaction counts as final, its own included.
    pub confirmations: u64,
    /// Usual seconds between blocks.
    pub block_seconds: u64,
    /// The contract that prices publication on Ethereum.
    #[serde(default)]
    pub l1_fee: Option<String>,
    /// What gas is paid in.
    #[serde(default = "currency")]
    pub currency: String,
    /// Where people look.
    #[serde(default)]
    pub explorer: Option<String>,
}

/// What a file of chains holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chains {
    chain: Vec<Chain>,
}

fn code_limit() -> usize {
    24_576
}

fn init_limit() -> usize {
    49_152
}

fn gas_limit() -> u64 {
    1 << 24
}

fn max_fee() -> u64 {
    500
}

fn max_priority_fee() -> u64 {
    50
}

fn currency() -> String {
    "ETH".to_owned()
}

/// The chains of a file like `deploy/chains.toml`.
///
/// # Errors
/// The parser's, with line and column.
pub fn parse(text: &str) -> Result<Vec<Chain>, ParseError> {
    toml::from_str::<Chains>(text).map(|chains| chains.chain)
}

/// All known chains, test chains first. An unknown chain counts as a live one.
pub fn all() -> &'static [Chain] {
    // The file is part of the program, and a test reads it.
    static CHAINS: LazyLock<Vec<Chain>> =
        LazyLock::new(|| parse(SOURCE).expect("deploy/chains.toml is read by a test"));
    &CHAINS
}

/// The chain with this id.
#[must_use]
pub fn by_id(id: u64) -> Option<&'static Chain> {
    all().iter().find(|chain| chain.id == id)
}

/// The chain with this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Chain> {
    all().iter().find(|chain| chain.name == name)
}

/// Ids of the chains on which a contract with an unsafe setup may be deployed.
pub fn test_ids() -> impl Iterator<Item = u64> {
    all().iter().filter(|chain| chain.test).map(|chain| chain.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_names_and_variables_are_unique_and_mainnet_is_not_a_test_chain() {
        let count = parse(SOURCE).unwrap().len();
        let ids: BTreeSet<_> = all().iter().map(|chain| chain.id).collect();
        let names: BTreeSet<_> = all().iter().map(|chain| &chain.name).collect();
        let variables: BTreeSet<_> = all().iter().map(|chain| &chain.rpc).collect();
        assert_eq!((ids.len(), names.len(), variables.len()), (count, count, count));
        assert!(!by_name("mainnet").unwrap().test);
        assert!(test_ids().all(|id| by_id(id).unwrap().test && id != 1));
    }

    #[test]
    fn a_misspelt_field_is_refused_with_its_line() {
        let error = parse(&SOURCE.replacen("confirmations =", "confirmation =", 1)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("confirmation") && text.contains("line"), "{text}");
    }
}
