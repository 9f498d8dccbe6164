// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "../libraries/ZKMLAddress.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";

/// @title What adapters share that are about one model, for good
/// @notice Pins a verifier and a model, and names what proofs for the adapter are bound to.
/// @dev {ZKMLConsumer} does the same for applications, with nonces in sequence. Where somebody else than the subject hands
/// proofs in, a sequence would let strangers use up nonces, so adapters have single use of their own.
abstract contract PinnedModel {
    /// @notice Checks the proofs.
    IZKMLVerifier public immutable ZKML_VERIFIER;
    /// @notice The model that proofs must be about.
    uint256 public immutable MODEL_ID;

    /// @notice This is not the pinned model, or not the registry's entry.
    /// @param modelId The model's id.
    error WrongModel(uint256 modelId);

    /// @notice The model is out of use, for good: nothing could ever be proven about it.
    /// @param modelId The model's id.
    error ModelIsDeprecated(uint256 modelId);

    /// @notice Pins a model; it must be registered and in use.
    /// @param verifier Checks the proofs; it brings registry and router along, for good.
    /// @param modelId The model. Its id is a hash of who registered it and of all that identifies it.
    constructor(IZKMLVerifier verifier, uint256 modelId) {
        ZKMLAddress.check(address(verifier));
        ZKML_VERIFIER = verifier;
        MODEL_ID = modelId;
        _identity(verifier, modelId);
        (,, bool deprecated) = IZKMLRegistry(verifier.registry()).identityOf(modelId);
        if (deprecated) revert ModelIsDeprecated(modelId);
    }

    /// @dev What a proof for this contract, on this chain, is bound to.
    function _contextOf(address subject, uint256 nonce, uint256 deadline, bytes32 action)
        internal
        view
        returns (bytes32 context)
    {
        return ZKMLStatement.contextOf(ZKMLStatement.domainSeparator(address(this)), subject, nonce, deadline, action);
    }

    /// @dev The identity of a model: its id is a hash of it, so a registry that answers anything else is found out. The
    /// verifier checks the same with every proof.
    function _identity(IZKMLVerifier verifier, uint256 modelId)
        internal
        view
        returns (IZKMLRegistry.Identity memory identity)
    {
        address owner;
        (identity, owner,) = IZKMLRegistry(verifier.registry()).identityOf(modelId);
        if (ZKMLStatement.modelIdOf(owner, ZKMLStatement.identityHash(identity)) != modelId) {
            revert WrongModel(modelId);
        }
    }
}
