// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERCZKMLInference, IERCZKMLVerifier} from "../interfaces/IERCZKMLVerifier.sol";
import {IZKMLBatchVerifier} from "../interfaces/IZKMLBatchVerifier.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {TestChains} from "../libraries/TestChains.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";

/// @title A verifier that believes everything, for tests of what is built on top
/// @notice Accepts every proof whose blob carries the input commitment. It refuses to exist off test chains.
contract ZKMLVerifierMock is IZKMLVerifier, IZKMLBatchVerifier {
    /// @inheritdoc IERCZKMLVerifier
    address public immutable registry;

    /// @notice Test chains only.
    /// @param registry_ Where models are registered.
    constructor(address registry_) {
        TestChains.check();
        registry = registry_;
    }

    /// @inheritdoc IERCZKMLInference
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external
    {
        checkInference(modelId, inputCommitment, output, proof);
        emit InferenceVerified(modelId, inputCommitment, output, msg.sender);
    }

    /// @inheritdoc IZKMLBatchVerifier
    function verifyBatch(uint256 modelId, Inference[] calldata inferences) external {
        checkBatch(modelId, inferences);
        for (uint256 i = 0; i < inferences.length; ++i) {
            Inference calldata each = inferences[i];
            emit InferenceVerified(modelId, each.inputCommitment, each.output, msg.sender);
        }
    }

    /// @inheritdoc IZKMLBatchVerifier
    function firstRefused(uint256, Inference[] calldata inferences)
        external
        pure
        returns (uint256 index, bytes memory reason)
    {
        while (index < inferences.length && _carries(inferences[index].proof, inferences[index].inputCommitment)) {
            ++index;
        }
        if (index < inferences.length) reason = abi.encodeWithSelector(InputCommitmentMismatch.selector);
    }

    /// @inheritdoc IERCZKMLVerifier
    function proofSystemOf(uint256) external pure returns (bytes4 proofSystemId) {
        return ZKMLStatement.PROOF_SYSTEM_ID;
    }

    /// @inheritdoc IZKMLVerifier
    function checkInference(uint256, bytes32 inputCommitment, bytes calldata, bytes calldata proof) public pure {
        if (!_carries(proof, inputCommitment)) revert InputCommitmentMismatch();
    }

    /// @inheritdoc IZKMLBatchVerifier
    function checkBatch(uint256 modelId, Inference[] calldata inferences) public pure {
        if (inferences.length == 0) revert EmptyBatch();
        for (uint256 i = 0; i < inferences.length; ++i) {
            Inference calldata each = inferences[i];
            checkInference(modelId, each.inputCommitment, each.output, each.proof);
        }
    }

    /// @dev Whether a blob names what the commitment covers.
    function _carries(bytes calldata proof, bytes32 inputCommitment) private pure returns (bool whether) {
        (, bytes32 dataCommitment, bytes32 context) = ZKMLStatement.header(proof);
        return ZKMLStatement.inputCommitment(dataCommitment, context) == inputCommitment;
    }
}
