// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";

import {IERCZKMLStorageExtension} from "./interfaces/IERCZKMLStorageExtension.sol";
import {IERCZKMLVerifier} from "./interfaces/IERCZKMLVerifier.sol";
import {ZKMLAddress} from "./libraries/ZKMLAddress.sol";

/// @title Records of verified inferences (ERC-7992's storage extension)
/// @notice Anybody may record any valid inference. Recording it again changes nothing and gives the same id, so that nobody
/// can make a record fail by making it first. A record says that the model gave this output on the committed input; it does
/// not say for whom, or that the input is true. It outlives its model and the route of its verifier: what was proven before
/// they were stopped stays, and is not proven again. Proofs are not kept: one that is re-randomised proves the same, and makes
/// the same record.
contract ZKMLInferenceStore is IERCZKMLStorageExtension, ERC165 {
    /// @dev A record.
    struct Inference {
        uint256 modelId;
        bytes32 inputCommitment;
        bytes output;
        bool exists;
    }

    /// @notice Checks the proofs.
    IERCZKMLVerifier public immutable VERIFIER;

    /// @dev Records by id.
    mapping(bytes32 inferenceId => Inference) private _inferences;

    /// @notice There is no record of this id.
    /// @param inferenceId The id.
    error InferenceNotFound(bytes32 inferenceId);

    /// @notice Fixes the verifier.
    /// @param verifier Checks the proofs.
    constructor(IERCZKMLVerifier verifier) {
        ZKMLAddress.check(address(verifier));
        VERIFIER = verifier;
    }

    /// @inheritdoc IERCZKMLStorageExtension
    /// @dev What is recorded was proven: the proof is not looked at again. Nothing is recorded before its proof is accepted,
    /// so nobody reads a record of less, whatever the verifier calls.
    function verifyAndStoreInference(
        uint256 modelId,
        bytes32 inputCommitment,
        bytes calldata output,
        bytes calldata proof
    ) external returns (bytes32 inferenceId) {
        inferenceId = keccak256(abi.encodePacked(modelId, inputCommitment, output));
        Inference storage inference = _inferences[inferenceId];
        if (inference.exists) return inferenceId;
        VERIFIER.verifyInference(modelId, inputCommitment, output, proof);
        (inference.modelId, inference.inputCommitment) = (modelId, inputCommitment);
        (inference.output, inference.exists) = (output, true);
        emit InferenceStored(inferenceId);
    }

    /// @inheritdoc IERCZKMLStorageExtension
    function getInference(bytes32 inferenceId)
        external
        view
        returns (uint256 modelId, bytes32 inputCommitment, bytes memory output)
    {
        Inference storage inference = _inferences[inferenceId];
        if (!inference.exists) revert InferenceNotFound(inferenceId);
        return (inference.modelId, inference.inputCommitment, inference.output);
    }

    /// @notice ERC-165.
    /// @param interfaceId The interface that is asked for.
    /// @return supported True for ERC-165 and the storage extension, 0x29c6ba89.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool supported) {
        return interfaceId == type(IERCZKMLStorageExtension).interfaceId || super.supportsInterface(interfaceId);
    }
}
