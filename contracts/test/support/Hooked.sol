// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {HookedConsumer} from "./HookedConsumer.sol";
import {Scripted} from "./Scripted.sol";

/// @title Consumers with hooks on the scripted stack, and inferences for them
abstract contract Hooked is Scripted {
    uint256 internal constant MODEL_DELAY = 3 days;
    uint256 internal constant DEADLINE = NOW + 1 hours;
    bytes32 internal constant ACTION = keccak256("action");
    address internal constant OWNER = address(uint160(uint256(keccak256("consumer owner"))));
    address internal constant ALICE = address(uint160(uint256(keccak256("alice"))));
    address internal constant BOB = address(uint160(uint256(keccak256("bob"))));

    HookedConsumer internal consumer;

    /// @dev A model with private weights, so that another may follow, or a fixed one.
    function deployConsumer(uint256 modelDelay) internal {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.weightsAreCommitted = modelDelay != 0;
        deployScripted(shape);
        consumer = new HookedConsumer(zkml, modelId, modelDelay, OWNER);
    }

    /// @dev Another model of the same architecture.
    function publishOther(string memory weights) internal returns (uint256) {
        IERCZKMLRegistry.ModelCommitment memory c = commitmentOf(defaultShape());
        c.modelHash = keccak256(bytes(weights));
        return publish(c);
    }

    function inferenceFor(address subject, uint256 nonce) internal view returns (ZKMLConsumer.Inference memory) {
        return inferenceFor(subject, nonce, DEADLINE, ACTION);
    }

    function inferenceFor(address subject, uint256 nonce, uint256 deadline, bytes32 action)
        internal
        view
        returns (ZKMLConsumer.Inference memory)
    {
        bytes32 context = consumer.contextOf(subject, nonce, deadline, action);
        return ZKMLConsumer.Inference(deadline, words(5, 6), blobOf(context), "because");
    }

    function take(address subject, uint256 nonce) internal {
        consumer.take(subject, ACTION, inferenceFor(subject, nonce));
    }

    /// @dev The refusal of a proof for another context than the one that counts now.
    function wrongContext(
        ZKMLConsumer.Inference memory i,
        address subject,
        uint256 nonce,
        uint256 deadline,
        bytes32 action
    ) internal view returns (bytes memory) {
        bytes32 actual;
        bytes memory blob = i.proof;
        assembly ("memory-safe") {
            // The length word, selector and data commitment come first.
            actual := mload(add(blob, 0x44))
        }
        bytes32 expected = consumer.contextOf(subject, nonce, deadline, action);
        return abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, actual, expected);
    }
}
