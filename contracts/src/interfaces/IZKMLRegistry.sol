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

    /// @notice An owner has offered a model to somebody.
    /// @param modelId The model.
    /// @param owner Who owns it, until the other accepts.
    /// @param pendingOwner Who may accept; zero if the offer was withdrawn.
    event ModelOwnershipTransferStarted(uint256 indexed modelId, address indexed owner, address indexed pendingOwner);
    /// @notice A model has another owner. Its id stays what it was.
    /// @param modelId The model.
    /// @param oldOwner Who owned it.
    /// @param newOwner Who owns it; zero if nobody ever will.
    event ModelOwnershipTransferred(uint256 indexed modelId, address indexed oldOwner, address indexed newOwner);

    /// @notice Only the one to whom a model was offered may accept it.
    /// @param modelId The model.
    /// @param caller Who tried.
    error NotPendingOwner(uint256 modelId, address caller);

    /// @notice Offers a model to somebody, who owns it once they accept. Another offer takes the place of this one.
    /// @param modelId The model; the caller owns it.
    /// @param newOwner Who may accept; zero withdraws the offer.
    function transferModelOwnership(uint256 modelId, address newOwner) external;

    /// @notice Accepts a model that was offered to the caller.
    /// @param modelId The model.
    function acceptModelOwnership(uint256 modelId) external;

    /// @notice Gives a model up: nobody can deprecate it or change its `uri` any more.
    /// @param modelId The model; the caller owns it.
    function renounceModelOwnership(uint256 modelId) external;

    /// @notice To whom a model is offered.
    /// @param modelId The model.
    /// @return account Zero if to nobody.
    function pendingModelOwner(uint256 modelId) external view returns (address account);

    /// @notice The identity of a model, without the text that {getModel} carries along.
    /// @param modelId The model.
    /// @return identity What it is.
    /// @return registrant Who registered it: the account that its id is made of, whoever owns it now.
    /// @return deprecated Whether it is out of use.
    function identityOf(uint256 modelId)
        external
        view
        returns (Identity memory identity, address registrant, bool deprecated);

    /// @notice Whether a model is out of use, for whoever knows its identity already: {identityOf} reads four slots, and this one.
    /// @param modelId The model.
    /// @return deprecated True if so, for good.
    function isDeprecated(uint256 modelId) external view returns (bool deprecated);
}
