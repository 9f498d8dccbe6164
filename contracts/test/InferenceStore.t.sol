// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLInferenceStore} from "../src/ZKMLInferenceStore.sol";
import {IERCZKMLStorageExtension} from "../src/interfaces/IERCZKMLStorageExtension.sol";
import {IERCZKMLInference, IERCZKMLVerifier} from "../src/interfaces/IERCZKMLVerifier.sol";
import {ZKMLAddress} from "../src/libraries/ZKMLAddress.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title A verifier that accepts everything, and looks at the records while it is asked
contract Peeking is IERCZKMLVerifier {
    ZKMLInferenceStore private _store;
    bytes32 private _id;
    bool public found;

    function lookAt(ZKMLInferenceStore store, bytes32 id) external {
        (_store, _id) = (store, id);
    }

    function verifyInference(uint256, bytes32, bytes calldata, bytes calldata) external {
        try _store.getInference(_id) {
            found = true;
        } catch {}
    }

    function proofSystemOf(uint256) external pure returns (bytes4) {
        return 0;
    }

    function registry() external pure returns (address) {
        return address(0);
    }
}

/// @title Records: of valid inferences only
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
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(modelId, commitmentTo(CONTEXT), output, address(store));
        vm.expectEmit(true, true, true, true, address(store));
        emit IERCZKMLStorageExtension.InferenceStored(id);
        assertEq(record(output), id, "id, as the draft defines it");
        (uint256 model, bytes32 commitment, bytes memory words_) = store.getInference(id);
        assertEq(model, modelId, "model");
        assertEq(commitment, commitmentTo(CONTEXT), "input commitment");
        assertEq(words_, output, "output");
    }

    /// @dev Whoever is overtaken gets what it wanted: the record is the same.
    function test_RecordingAgainChangesNothing() external {
        vm.prank(account("somebody faster"));
        bytes32 id = record(output);
        vm.recordLogs();
        assertEq(record(output), id, "the same record");
        // Another proof of the same makes the same record, and so does none: what is recorded was proven.
        bytes memory other = blobOf(selectorOf("vk"), DATA, CONTEXT, "the same proof, re-blinded", "");
        assertEq(store.verifyAndStoreInference(modelId, commitmentTo(CONTEXT), output, other), id, "re-blinded");
        fake.setAnswer(FakeVerifier.Answer.No);
        assertEq(record(output), id, "no proof");
        assertEq(vm.getRecordedLogs().length, 0, "said once");
        fake.setAnswer(FakeVerifier.Answer.Yes);
        assertTrue(record(abi.encode(uint256(5), uint256(7))) != id, "another output, another record");
    }

    /// @dev A record is there only once its proof was accepted, even for whom the verifier calls.
    function test_NothingIsReadBeforeItIsProven() external {
        Peeking peeking = new Peeking();
        store = new ZKMLInferenceStore(peeking);
        peeking.lookAt(store, idOf(output));
        bytes32 id = record(output);
        assertTrue(!peeking.found(), "not yet");
        (uint256 model,,) = store.getInference(id);
        assertEq(model, modelId, "now");
    }

    function test_RevertWhen_TheVerifierIsNone() external {
        address[2] memory none = [address(0), account("no contract")];
        for (uint256 i = 0; i < none.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ZKMLAddress.NotAContract.selector, none[i]));
            new ZKMLInferenceStore(IERCZKMLVerifier(none[i]));
        }
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
