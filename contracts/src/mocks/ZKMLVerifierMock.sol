// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERCZKMLInference, IERCZKMLVerifier} from "../interfaces/IERCZKMLVerifier.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {TestChains} from "../libraries/TestChains.sol";
import {ZKMLStatement} from "../libraries/ZKMLStatement.sol";

/// @title A verifier that believes everything, for tests of what is built on top
/// @notice Accepts every proof whose blob carries the input commitment. It refuses to exist off test chains.
contract ZKMLVerifierMock is IZKMLVerifier {
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

    /// @inheritdoc IERCZKMLVerifier
    function proofSystemOf(uint256) external pure returns (bytes4 proofSystemId) {
        return ZKMLStatement.PROOF_SYSTEM_ID;
    }

    /// @inheritdoc IZKMLVerifier
    function checkInference(uint256, bytes32 inputCommitment, bytes calldata, bytes calldata proof) public pure {
        (, bytes32 dataCommitment, bytes32 context) = ZKMLStatement.header(proof);
        if (ZKMLStatement.inputCommitment(dataCommitment, context) != inputCommitment) {
            revert InputCommitmentMismatch();
        }
    }
}
