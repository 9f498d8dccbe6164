//! The chains that the toolkit knows by name. The guard of generated contracts against an
//! unsafe setup reads this table, and so does deployment.

/// A chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// EIP-155 chain id.
    pub id: u64,
    /// Name as used on the command line.
    pub name: &'static str,
    /// Whether nothing of value lives there, so that an unsafe setup may be tried out.
    pub test: bool,
}

const fn test(id: u64, name: &'static str) -> Chain {
    Chain { id, name, test: true }
}

const fn live(id: u64, name: &'static str) -> Chain {
    Chain { id, name, test: false }
}

/// All known chains, test chains first. An unknown chain counts as a live one.
pub const CHAINS: &[Chain] = &[
    test(31_337, "anvil"),
    test(1_337, "ganache"),
    test(11_155_111, "sepolia"),
    test(17_000, "holesky"),
    test(560_048, "hoodi"),
    test(84_532, "base-sepolia"),
    test(421_614, "arbitrum-sepolia"),
    test(11_155_420, "optimism-sepolia"),
    test(534_351, "scroll-sepolia"),
    live(1, "mainnet"),
    live(10, "optimism"),
    live(8_453, "base"),
    live(42_161, "arbitrum"),
    live(534_352, "scroll"),
];

/// The chain with this id.
#[must_use]
pub fn by_id(id: u64) -> Option<&'static Chain> {
    CHAINS.iter().find(|chain| chain.id == id)
}

/// The chain with this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Chain> {
    CHAINS.iter().find(|chain| chain.name == name)
}

/// Ids of the chains on which a contract with an unsafe setup may be deployed.
pub fn test_ids() -> impl Iterator<Item = u64> {
    CHAINS.iter().filter(|chain| chain.test).map(|chain| chain.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_and_names_are_unique_and_mainnet_is_not_a_test_chain() {
        let ids: BTreeSet<_> = CHAINS.iter().map(|chain| chain.id).collect();
        let names: BTreeSet<_> = CHAINS.iter().map(|chain| chain.name).collect();
        assert_eq!((ids.len(), names.len()), (CHAINS.len(), CHAINS.len()));
        assert!(!by_name("mainnet").unwrap().test);
        assert!(test_ids().all(|id| by_id(id).unwrap().test && id != 1));
    }
}
