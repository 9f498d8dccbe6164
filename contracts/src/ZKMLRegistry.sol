// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";

import {IERCZKMLRegistry} from "./interfaces/IERCZKMLRegistry.sol";
import {IZKMLRegistry} from "./interfaces/IZKMLRegistry.sol";
import {ZKMLStatement} from "./libraries/ZKMLStatement.sol";

/// @title Registry of models
/// @notice An entry's hashes never change: another model is another entry. Its id is the hash of who registered it and of
/// those hashes, so that whoever pins an id has pinned the model. The owner may change the `uri` and deprecate the model;
/// nobody else may change anything, and there is no administrator.
///
/// Who has registered a model owns it, and may hand it on in two steps, or give it up so that nobody can ever take it out of
/// use. Its id is still made of who registered it.
contract ZKMLRegistry is IZKMLRegistry, ERC165 {
    /// @dev An entry. Of what comes after the hashes, one slot is read when a proof is verified: proof system, registrant, and whether it is
    /// out of use.
    struct Entry {
        bytes32 modelHash;
        bytes32 circuitHash;
        bytes32 vkHash;
        bytes4 proofSystemId;
        address registrant;
        bool deprecated;
        string uri;
        /// Whether it was handed on: its owner is then `laterOwner`.
        bool moved;
        /// Who owns it after it was handed on; zero if it was given up.
        address laterOwner;
        address pendingOwner;
    }

    /// @dev Entries by model id; an entry exists if it has a registrant.
    mapping(uint256 modelId => Entry) private _entries;

    /// @notice The caller has registered this very model before.
    /// @param modelId Its id.
    error ModelAlreadyRegistered(uint256 modelId);
    /// @notice A hash or the proof system of a model is zero.
    error IncompleteCommitment();
    /// @notice The hashes of a model cannot be changed: register the other model instead.
    /// @param modelId The model.
    error CommitmentIsImmutable(uint256 modelId);

    /// @inheritdoc IERCZKMLRegistry
    function registerModel(ModelCommitment calldata commitment) external returns (uint256 modelId) {
        if (
            commitment.modelHash == 0 || commitment.circuitHash == 0 || commitment.vkHash == 0
                || commitment.proofSystemId == 0
        ) revert IncompleteCommitment();
        modelId = ZKMLStatement.modelIdOf(msg.sender, _hash(commitment));
        Entry storage entry = _entries[modelId];
        if (entry.registrant != address(0)) revert ModelAlreadyRegistered(modelId);
        entry.modelHash = commitment.modelHash;
        entry.circuitHash = commitment.circuitHash;
        entry.vkHash = commitment.vkHash;
        entry.proofSystemId = commitment.proofSystemId;
        entry.registrant = msg.sender;
        entry.uri = commitment.uri;
        emit ModelRegistered(modelId, msg.sender, commitment);
    }

    /// @inheritdoc IERCZKMLRegistry
    /// @dev Only the `uri` may differ.
    function updateModel(uint256 modelId, ModelCommitment calldata newCommitment) external {
        Entry storage entry = _owned(modelId);
        if (ZKMLStatement.modelIdOf(entry.registrant, _hash(newCommitment)) != modelId) {
            revert CommitmentIsImmutable(modelId);
        }
        ModelCommitment memory oldCommitment = _commitment(entry);
        entry.uri = newCommitment.uri;
        emit ModelUpdated(modelId, oldCommitment, newCommitment);
    }

    /// @inheritdoc IERCZKMLRegistry
    function deprecateModel(uint256 modelId) external {
        _owned(modelId).deprecated = true;
        emit ModelDeprecated(modelId);
    }

    /// @inheritdoc IZKMLRegistry
    function transferModelOwnership(uint256 modelId, address newOwner) external {
        _owned(modelId).pendingOwner = newOwner;
        emit ModelOwnershipTransferStarted(modelId, msg.sender, newOwner);
    }

    /// @inheritdoc IZKMLRegistry
    function acceptModelOwnership(uint256 modelId) external {
        Entry storage entry = _existing(modelId);
        if (entry.pendingOwner != msg.sender) revert NotPendingOwner(modelId, msg.sender);
        if (entry.deprecated) revert ModelAlreadyDeprecated(modelId);
        _move(modelId, entry, msg.sender);
    }

    /// @inheritdoc IZKMLRegistry
    function renounceModelOwnership(uint256 modelId) external {
        _move(modelId, _owned(modelId), address(0));
    }

    /// @inheritdoc IZKMLRegistry
    function pendingModelOwner(uint256 modelId) external view returns (address account) {
        return _existing(modelId).pendingOwner;
    }

    /// @inheritdoc IERCZKMLRegistry
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner)
    {
        Entry storage entry = _existing(modelId);
        return (_commitment(entry), entry.deprecated, _ownerOf(entry));
    }

    /// @inheritdoc IZKMLRegistry
    function identityOf(uint256 modelId)
        external
        view
        returns (Identity memory identity, address registrant, bool deprecated)
    {
        Entry storage entry = _existing(modelId);
        (registrant, deprecated) = (entry.registrant, entry.deprecated);
        identity = Identity(entry.modelHash, entry.circuitHash, entry.vkHash, entry.proofSystemId);
    }

    /// @inheritdoc IZKMLRegistry
    function isDeprecated(uint256 modelId) external view returns (bool deprecated) {
        return _existing(modelId).deprecated;
    }

    /// @notice ERC-165.
    /// @param interfaceId The interface that is asked for.
    /// @return supported True for ERC-165 and ERC-7992's registry, 0xd28519b1.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool supported) {
        return interfaceId == type(IERCZKMLRegistry).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev The entry, if the caller may change it.
    function _owned(uint256 modelId) private view returns (Entry storage entry) {
        entry = _existing(modelId);
        if (_ownerOf(entry) != msg.sender) revert NotModelOwner(modelId, msg.sender);
        if (entry.deprecated) revert ModelAlreadyDeprecated(modelId);
    }

    function _existing(uint256 modelId) private view returns (Entry storage entry) {
        entry = _entries[modelId];
        if (entry.registrant == address(0)) revert ModelNotFound(modelId);
    }

    function _ownerOf(Entry storage entry) private view returns (address owner) {
        return entry.moved ? entry.laterOwner : entry.registrant;
    }

    /// @dev Gives a model another owner; an offer that was open is over.
    function _move(uint256 modelId, Entry storage entry, address newOwner) private {
        address oldOwner = _ownerOf(entry);
        (entry.moved, entry.laterOwner, entry.pendingOwner) = (true, newOwner, address(0));
        emit ModelOwnershipTransferred(modelId, oldOwner, newOwner);
    }

    function _commitment(Entry storage entry) private view returns (ModelCommitment memory commitment) {
        return ModelCommitment(entry.modelHash, entry.circuitHash, entry.vkHash, entry.proofSystemId, entry.uri);
    }

    function _hash(ModelCommitment calldata c) private pure returns (bytes32 hash) {
        return ZKMLStatement.commitmentHash(c.modelHash, c.circuitHash, c.vkHash, c.proofSystemId);
    }
}
