// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Chains where nothing of value lives
/// @notice What is not safe for real use refuses every other chain. The same list is in Rust (`zkml-codegen`), and a test
/// compares them.
library TestChains {
    /// @notice This contract is for test chains only.
    /// @param chainId The chain that it was to be deployed on.
    error TestChainsOnly(uint256 chainId);

    /// @notice Refuses chains that are not known to be test chains.
    function check() internal view {
        if (!contains(block.chainid)) revert TestChainsOnly(block.chainid);
    }

    /// @notice Whether a chain is known to be a test chain.
    /// @param id Its EIP-155 chain id.
    /// @return known True for local chains and public test networks.
    function contains(uint256 id) internal pure returns (bool known) {
        // anvil, ganache
        if (id == 31337 || id == 1337) return true;
        // sepolia, holesky, hoodi
        if (id == 11155111 || id == 17000 || id == 560048) return true;
        // the sepolia chains of base, arbitrum, optimism, scroll
        return id == 84532 || id == 421614 || id == 11155420 || id == 534351;
    }
}
