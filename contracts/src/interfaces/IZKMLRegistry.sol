// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERCZKMLRegistry} from "./IERCZKMLRegistry.sol";

/// @title What our contracts ask of a registry beyond ERC-7992
interface IZKMLRegistry is IERCZKMLRegistry {
    /// @notice What identifies a model; it never changes.
    /// @param modelHash See {IERCZKMLRegistry.ModelCommitment}.
    /// @param circuitHash See {IERCZKMLRegistry.ModelCommitment}.
    /// @param vkHash See {IERCZKMLRegistry.ModelCommitment}.
    /// @param proofSystemId See {IERCZKMLRegistry.ModelCommitment}.
    struct Identity {
        bytes32 modelHash;
        bytes32 circuitHash;
        bytes32 vkHash;
        bytes4 proofSystemId;
    }

    /// @notice The identity of a model, without the text that {getModel} carries along.
    /// @param modelId The model.
    /// @return identity What it is.
    /// @return owner Who registered it.
    /// @return deprecated Whether it is out of use.
    function identityOf(uint256 modelId)
        external
        view
        returns (Identity memory identity, address owner, bool deprecated);
}
