// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLInferenceStore} from "../src/ZKMLInferenceStore.sol";
import {IERCZKMLStorageExtension} from "../src/interfaces/IERCZKMLStorageExtension.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title Records: of valid inferences only, each once
contract InferenceStoreTest is Scripted {
    bytes32 private constant CONTEXT = bytes32(uint256(77));
    bytes private output = abi.encode(uint256(5), uint256(6));
    ZKMLInferenceStore private store;

    function setUp() external {
        deployScripted();
        store = new ZKMLInferenceStore(zkml);
        assertEq(address(store.VERIFIER()), address(zkml), "verifier");
    }

    function test_RecordsAValidInference() external {
        bytes32 id = idOf(output);
        vm.expectEmit(true, true, true, true, address(store));
        emit IERCZKMLStorageExtension.InferenceStored(id);
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(modelId, commitmentTo(CONTEXT), output, address(store));
        assertEq(record(output), id, "id, as the draft defines it");
        (uint256 model, bytes32 commitment, bytes memory words_) = store.getInference(id);
        assertEq(model, modelId, "model");
        assertEq(commitment, commitmentTo(CONTEXT), "input commitment");
        assertEq(words_, output, "output");
    }

    function test_RevertWhen_RecordedTwice() external {
        bytes32 id = record(output);
        vm.expectRevert(abi.encodeWithSelector(ZKMLInferenceStore.InferenceAlreadyStored.selector, id));
        record(output);
        // Another proof of the same makes the same record.
        bytes memory other = blobOf(selectorOf("vk"), DATA, CONTEXT, "the same proof, re-blinded", "");
        vm.expectRevert(abi.encodeWithSelector(ZKMLInferenceStore.InferenceAlreadyStored.selector, id));
        store.verifyAndStoreInference(modelId, commitmentTo(CONTEXT), output, other);
        record(abi.encode(uint256(5), uint256(7)));
    }

    function test_RevertWhen_TheProofIsInvalid() external {
        fake.setAnswer(FakeVerifier.Answer.No);
        vm.expectRevert(IERCZKMLInference.InvalidProof.selector);
        record(output);
        bytes32 id = idOf(output);
        vm.expectRevert(abi.encodeWithSelector(ZKMLInferenceStore.InferenceNotFound.selector, id));
        store.getInference(id);
    }

    function record(bytes memory words_) private returns (bytes32) {
        return store.verifyAndStoreInference(modelId, commitmentTo(CONTEXT), words_, blobOf(CONTEXT));
    }

    function idOf(bytes memory words_) private view returns (bytes32) {
        return keccak256(abi.encodePacked(modelId, commitmentTo(CONTEXT), words_));
    }
}
