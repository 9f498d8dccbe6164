// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {ZKMLStatement} from "../../src/libraries/ZKMLStatement.sol";
import {FakeVerifier} from "./FakeVerifier.sol";
import {Stack} from "./Stack.sol";

/// @title The stack around a scripted verifier, and statements for it
/// @notice A model with one input commitment, public weights and two outputs, unless a test says otherwise.
abstract contract Scripted is Stack {
    bytes32 internal constant DATA = keccak256("data");
    bytes internal constant PROOF = "a proof of 26 bytes, or so";

    FakeVerifier internal fake;
    uint256 internal modelId;

    function defaultShape() internal pure returns (IModelVerifier.Shape memory shape) {
        return IModelVerifier.Shape({
            vkDigest: keccak256("vk"),
            modelCommitment: keccak256("circuit"),
            modelHash: keccak256("model"),
            proofLength: PROOF.length,
            inputs: 1,
            outputs: 2,
            inputIsCommitment: true,
            weightsAreCommitted: false
        });
    }

    function deployScripted() internal {
        deployScripted(defaultShape());
    }

    function deployScripted(IModelVerifier.Shape memory shape) internal {
        fake = new FakeVerifier(shape);
        deployStack(fake);
        modelId = publish(commitmentOf(shape));
    }

    /// @dev What is registered for a verifier of this shape.
    function commitmentOf(IModelVerifier.Shape memory shape)
        internal
        pure
        returns (IERCZKMLRegistry.ModelCommitment memory)
    {
        return IERCZKMLRegistry.ModelCommitment(
            shape.modelHash, shape.modelCommitment, shape.vkDigest, ZKMLStatement.PROOF_SYSTEM_ID, ""
        );
    }

    /// @dev Registers a model under the publisher's name.
    function publish(IERCZKMLRegistry.ModelCommitment memory commitment) internal returns (uint256 id) {
        vm.prank(PUBLISHER);
        return registry.registerModel(commitment);
    }

    function selectorOf(string memory vk) internal pure returns (bytes4) {
        return bytes4(keccak256(bytes(vk)));
    }

    /// @dev A blob for the default model.
    function blobOf(bytes32 context) internal pure returns (bytes memory) {
        return blobOf(selectorOf("vk"), DATA, context, PROOF, "");
    }

    function blobOf(bytes4 selector, bytes32 data, bytes32 context, bytes memory proof, bytes memory inputs)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(selector, data, context, proof, inputs);
    }

    function commitmentTo(bytes32 context) internal pure returns (bytes32) {
        return ZKMLStatement.inputCommitment(DATA, context);
    }

    function words(uint256 a, uint256 b) internal pure returns (bytes memory) {
        return abi.encode(a, b);
    }

    function list(uint256 a, uint256 b, uint256 c, uint256 d) internal pure returns (uint256[] memory all) {
        all = new uint256[](4);
        (all[0], all[1], all[2], all[3]) = (a, b, c, d);
    }
}
