// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Registry of machine-learning models (ERC-7992)
/// @notice Signatures and selectors are those of the draft. One thing differs, because the draft does not compile: its
/// error `ModelDeprecated(uint256)` has the name of its event. The event keeps the name; the error is
/// {ModelAlreadyDeprecated}. The ERC-165 id is 0xd28519b1.
interface IERCZKMLRegistry {
    /// @notice What a model is.
    /// @param modelHash The compiled model; where weights are private, the commitment to them.
    /// @param circuitHash The circuit and what it computes: the verifier's `modelCommitment`.
    /// @param vkHash The verifying key: the verifier's `vkDigest`.
    /// @param proofSystemId First four bytes of the Keccak-256 of the proof system's name.
    /// @param uri Where to read more; not a part of the model's identity.
    struct ModelCommitment {
        bytes32 modelHash;
        bytes32 circuitHash;
        bytes32 vkHash;
        bytes4 proofSystemId;
        string uri;
    }

    /// @notice A model was registered.
    /// @param modelId Its id.
    /// @param owner Who may change its `uri` and deprecate it.
    /// @param commitment What it is.
    event ModelRegistered(uint256 indexed modelId, address indexed owner, ModelCommitment commitment);

    /// @notice A model's entry was changed.
    /// @param modelId Its id.
    /// @param oldCommitment What it said before.
    /// @param newCommitment What it says now.
    event ModelUpdated(uint256 indexed modelId, ModelCommitment oldCommitment, ModelCommitment newCommitment);

    /// @notice A model was deprecated; nothing is verified against it any more.
    /// @param modelId Its id.
    event ModelDeprecated(uint256 indexed modelId);

    /// @notice There is no model of this id.
    /// @param modelId The id that was asked for.
    error ModelNotFound(uint256 modelId);

    /// @notice Only the model's owner may do this.
    /// @param modelId The model.
    /// @param caller Who tried.
    error NotModelOwner(uint256 modelId, address caller);

    /// @notice A deprecated model stays as it is.
    /// @param modelId The model.
    error ModelAlreadyDeprecated(uint256 modelId);

    /// @notice Registers a model under the caller's name.
    /// @param commitment What the model is.
    /// @return modelId Its id.
    function registerModel(ModelCommitment calldata commitment) external returns (uint256 modelId);

    /// @notice Changes what may be changed of an entry.
    /// @param modelId The model; the caller owns it.
    /// @param newCommitment The whole new entry.
    function updateModel(uint256 modelId, ModelCommitment calldata newCommitment) external;

    /// @notice Takes a model out of use, for good.
    /// @param modelId The model; the caller owns it.
    function deprecateModel(uint256 modelId) external;

    /// @notice Reads an entry.
    /// @param modelId The model.
    /// @return commitment What it is.
    /// @return deprecated Whether it is out of use.
    /// @return owner Who may change it; who registered it, unless they have handed it on.
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner);
}
