// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {TestChains} from "../libraries/TestChains.sol";

/// @title A consumer that believes every input, for tests and for trying things out
/// @notice Proofs are checked, inputs are not: whoever proves chooses them. It refuses to exist off test chains.
contract ZKMLConsumerMock is ZKMLConsumer {
    /// @notice The last output that was accepted for a subject.
    mapping(address subject => bytes output) public lastOutput;

    /// @notice Test chains only.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The model.
    /// @param modelDelay See {ZKMLConsumer}.
    /// @param owner_ See {ZKMLConsumer}.
    constructor(IZKMLVerifier verifier, uint256 modelId_, uint256 modelDelay, address owner_)
        ZKMLConsumer(verifier, modelId_, modelDelay, owner_)
    {
        TestChains.check();
    }

    /// @notice Takes an inference about the caller.
    /// @param action Anything.
    /// @param inference The inference.
    function verifyInference(bytes32 action, Inference calldata inference) external {
        _verifyInference(msg.sender, action, inference);
    }

    /// @notice Checks an inference whatever it is bound to, and changes nothing.
    /// @param output The words of the output section.
    /// @param proof The proof blob.
    function checkInference(bytes calldata output, bytes calldata proof) external view {
        _checkInference(output, proof);
    }

    /// @dev Believes everything.
    function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal override {}

    /// @dev Takes everything.
    function _validateOutput(address, bytes calldata) internal override {}

    function _onInference(address subject, bytes32, bytes32, bytes calldata output) internal override {
        lastOutput[subject] = output;
    }
}
