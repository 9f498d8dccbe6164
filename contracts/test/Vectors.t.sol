// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title Hashing of statements and reading of blobs, on the vectors that Rust is tested with and another library made
contract VectorsTest is Scripted {
    string private json;

    function setUp() external {
        json = vm.readFile("tests/fixtures/binding.json");
    }

    function test_TypesAndProofSystem() external view {
        assertEq(ZKMLStatement.DOMAIN_TYPEHASH, word(".domainTypeHash"), "domain");
        assertEq(ZKMLStatement.CONTEXT_TYPEHASH, word(".contextTypeHash"), "context");
        assertEq(ZKMLStatement.REQUEST_TYPEHASH, word(".requestTypeHash"), "request");
        assertEq(ZKMLStatement.REWARD_TYPEHASH, word(".rewardTypeHash"), "reward");
        assertEq(ZKMLStatement.FULFILMENT_TYPEHASH, word(".fulfilmentTypeHash"), "fulfilment");
        assertEq(ZKMLStatement.INPUT_TYPEHASH, word(".inputTypeHash"), "input");
        assertEq(ZKMLStatement.COMMITMENT_TYPEHASH, word(".commitmentTypeHash"), "commitment");
        assertEq(ZKMLStatement.MODEL_ID_TYPEHASH, word(".modelIdTypeHash"), "model id");
        bytes memory id = vm.parseJsonBytes(json, ".proofSystemId");
        assertEq(abi.encodePacked(ZKMLStatement.PROOF_SYSTEM_ID), id, "proof system");
        assertTrue(ZKMLStatement.SUMCHECK_PROOF_SYSTEM_ID == bytes4(0x0be5a82c), "proof system by sumcheck");
        assertTrue(ZKMLStatement.isProofSystem(0x0be5a82c) && ZKMLStatement.isProofSystem(0xcf71bca1), "both");
        assertTrue(!ZKMLStatement.isProofSystem(0) && !ZKMLStatement.isProofSystem(0x0be5a82d), "no other");
    }

    function test_Contexts() external {
        uint256 count = countOf("contexts");
        for (uint256 i = 0; i < count; ++i) {
            string memory path = entry("contexts", i);
            vm.chainId(number(path, "chainId"));
            bytes32 separator = ZKMLStatement.domainSeparator(account_(path, "consumer"));
            assertEq(separator, word(path, "domainSeparator"), path);
            bytes32 context = ZKMLStatement.contextOf(
                separator,
                account_(path, "subject"),
                number(path, "nonce"),
                number(path, "deadline"),
                word(path, "action")
            );
            assertEq(context, word(path, "context"), path);
        }
        assertTrue(count > 3, "several");
    }

    function test_Requests() external {
        uint256 count = countOf("requests");
        for (uint256 i = 0; i < count; ++i) {
            string memory path = entry("requests", i);
            uint256 id = ZKMLStatement.requestIdOf(
                account_(path, "subject"),
                number(path, "sequence"),
                number(path, "deadline"),
                word(path, "action"),
                word(path, "dataCommitment")
            );
            assertEq(bytes32(id), word(path, "requestId"), path);
            vm.chainId(number(path, "chainId"));
            bytes32 context = ZKMLStatement.contextOf(
                ZKMLStatement.domainSeparator(account_(path, "consumer")),
                account_(path, "subject"),
                id,
                number(path, "deadline"),
                word(path, "action")
            );
            assertEq(context, word(path, "context"), path);
        }
        assertTrue(count > 8, "several");
    }

    function test_Rewards() external {
        uint256 count = countOf("rewards");
        for (uint256 i = 0; i < count; ++i) {
            checkReward(entry("rewards", i));
        }
        assertTrue(count > 8, "several");
    }

    function checkReward(string memory path) private {
        uint256 id = ZKMLStatement.rewardedIdOf(
            uint256(word(path, "requestId")),
            account_(path, "payer"),
            account_(path, "asset"),
            number(path, "amount"),
            uint64(number(path, "callbackGas")),
            uint32(number(path, "confirmations"))
        );
        assertEq(bytes32(id), word(path, "rewardedId"), path);
        uint256 nonce = ZKMLStatement.fulfilmentNonceOf(id, account_(path, "prover"));
        assertEq(bytes32(nonce), word(path, "nonce"), path);
        vm.chainId(number(path, "chainId"));
        bytes32 context = ZKMLStatement.contextOf(
            ZKMLStatement.domainSeparator(account_(path, "consumer")),
            account_(path, "subject"),
            nonce,
            number(path, "deadline"),
            word(path, "action")
        );
        assertEq(context, word(path, "context"), path);
    }

    function test_InputCommitments() external view {
        uint256 count = countOf("inputCommitments");
        for (uint256 i = 0; i < count; ++i) {
            string memory path = entry("inputCommitments", i);
            bytes32 found = ZKMLStatement.inputCommitment(word(path, "dataCommitment"), word(path, "context"));
            assertEq(found, word(path, "inputCommitment"), path);
        }
        assertTrue(count > 3, "several");
    }

    function test_Models() external view {
        uint256 count = countOf("models");
        for (uint256 i = 0; i < count; ++i) {
            string memory path = entry("models", i);
            bytes32 hash = ZKMLStatement.commitmentHash(
                word(path, "modelHash"),
                word(path, "circuitHash"),
                word(path, "vkHash"),
                bytes4(data(path, "proofSystemId"))
            );
            assertEq(hash, word(path, "commitmentHash"), path);
            uint256 id = ZKMLStatement.modelIdOf(account_(path, "owner"), hash);
            assertEq(bytes32(id), word(path, "modelId"), path);
        }
        assertTrue(count > 3, "several");
    }

    /// @dev Each blob goes through the verifier, which takes the same proof and words out of it that were put in.
    function test_Blobs() external {
        uint256 count = countOf("blobs");
        for (uint256 i = 0; i < count; ++i) {
            checkBlob(entry("blobs", i));
        }
        assertTrue(count > 3, "several");
    }

    function checkBlob(string memory path) private {
        bytes32[] memory inputs = vm.parseJsonBytes32Array(json, string.concat(path, ".words"));
        bytes memory proof = data(path, "proof");
        IModelVerifier.Shape memory shape = defaultShape();
        (shape.vkDigest, shape.proofLength) = (word(path, "vkDigest"), proof.length);
        (shape.inputs, shape.outputs) = (inputs.length, 1);
        shape.inputIsCommitment = vm.parseJsonBool(json, string.concat(path, ".inputIsCommitment"));
        deployScripted(shape);
        fake.setAnswer(FakeVerifier.Answer.Tell);
        uint256[] memory instances = new uint256[](2 + inputs.length);
        instances[0] = uint256(word(path, "context"));
        for (uint256 i = 0; i < inputs.length; ++i) {
            instances[1 + i] = uint256(inputs[i]);
        }
        instances[1 + inputs.length] = 5;
        bytes32 commitment = word(path, "inputCommitment");
        bytes memory blob = data(path, "blob");
        assertTrue(bytes4(blob) == bytes4(data(path, "selector")), path);
        vm.expectRevert(abi.encodeWithSelector(FakeVerifier.Asked.selector, proof, instances));
        zkml.checkInference(modelId, commitment, abi.encode(uint256(5)), blob);
    }

    function countOf(string memory name) private view returns (uint256 count) {
        while (vm.keyExistsJson(json, entry(name, count))) ++count;
    }

    function entry(string memory name, uint256 index) private pure returns (string memory) {
        return string.concat(".", name, "[", vm.toString(index), "]");
    }

    function word(string memory where) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, where);
    }

    function word(string memory path, string memory field) private view returns (bytes32) {
        return word(string.concat(path, ".", field));
    }

    function data(string memory path, string memory field) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(path, ".", field));
    }

    function number(string memory path, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(path, ".", field));
    }

    function account_(string memory path, string memory field) private view returns (address) {
        return vm.parseJsonAddress(json, string.concat(path, ".", field));
    }
}
