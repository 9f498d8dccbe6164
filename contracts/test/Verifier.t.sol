// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLRouter} from "../src/ZKMLRouter.sol";
import {ZKMLVerifier} from "../src/ZKMLVerifier.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IERCZKMLRegistry} from "../src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "../src/interfaces/IZKMLRegistry.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title What ZKMLVerifier asks the model's verifier, and what it refuses before it asks
contract VerifierTest is Scripted {
    bytes32 private constant CONTEXT = bytes32(uint256(77));
    bytes private output = abi.encode(uint256(5), uint256(6));

    function setUp() external {
        deployScripted();
    }

    function test_AcceptsAndLogs() external {
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(modelId, commitmentTo(CONTEXT), output, address(this));
        zkml.verifyInference(modelId, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
        zkml.checkInference(modelId, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
    }

    function test_ViewsSayWhatTheRegistrySays() external {
        assertEq(zkml.registry(), address(registry), "registry");
        assertTrue(zkml.proofSystemOf(modelId) == bytes4(0xcf71bca1), "proof system");
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, 1));
        zkml.proofSystemOf(1);
    }

    // The statement that is asked about: `context ‖ inputs ‖ model ‖ outputs`.

    function test_StatementWithOneInputCommitment() external {
        fake.setAnswer(FakeVerifier.Answer.Tell);
        expectQuestion(list(77, uint256(DATA), 5, 6));
        zkml.verifyInference(modelId, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
        expectQuestion(list(77, uint256(DATA), 5, 6));
        zkml.checkInference(modelId, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
    }

    function test_StatementWithPublicInputsAndPrivateWeights() external {
        IModelVerifier.Shape memory shape = defaultShape();
        (shape.inputs, shape.outputs) = (3, 1);
        (shape.inputIsCommitment, shape.weightsAreCommitted) = (false, true);
        deployScripted(shape);
        IERCZKMLRegistry.ModelCommitment memory other = commitmentOf(shape);
        other.modelHash = bytes32(uint256(4444));
        uint256 otherId = publish(other);
        fake.setAnswer(FakeVerifier.Answer.Tell);
        bytes memory inputs = abi.encode(uint256(1), uint256(2), uint256(3));
        bytes32 data = keccak256(inputs);
        bytes memory blob = blobOf(selectorOf("vk"), data, CONTEXT, PROOF, inputs);
        uint256[] memory asked = new uint256[](6);
        (asked[0], asked[1], asked[2], asked[3], asked[4], asked[5]) = (77, 1, 2, 3, 4444, 9);
        expectQuestion(asked);
        zkml.verifyInference(otherId, ZKMLStatement.inputCommitment(data, CONTEXT), abi.encode(uint256(9)), blob);
        // The other model on the same route: only the weights' commitment differs.
        asked[4] = uint256(shape.modelHash);
        expectQuestion(asked);
        zkml.verifyInference(modelId, ZKMLStatement.inputCommitment(data, CONTEXT), abi.encode(uint256(9)), blob);
    }

    function test_StatementWithPublicInputsAlone() external {
        IModelVerifier.Shape memory shape = defaultShape();
        (shape.inputs, shape.inputIsCommitment) = (1, false);
        deployScripted(shape);
        fake.setAnswer(FakeVerifier.Answer.Tell);
        bytes memory inputs = abi.encode(uint256(11));
        bytes32 data = keccak256(inputs);
        bytes memory blob = blobOf(selectorOf("vk"), data, CONTEXT, PROOF, inputs);
        expectQuestion(list(77, 11, 5, 6));
        zkml.verifyInference(modelId, ZKMLStatement.inputCommitment(data, CONTEXT), output, blob);
    }

    /// @dev Words go through unchanged, field elements or not: the model's verifier refuses those.
    function testFuzz_StatementIsWhatWasHandedIn(uint256 context, uint256 data, uint256 a, uint256 b) external {
        fake.setAnswer(FakeVerifier.Answer.Tell);
        bytes32 commitment = ZKMLStatement.inputCommitment(bytes32(data), bytes32(context));
        bytes memory blob = blobOf(selectorOf("vk"), bytes32(data), bytes32(context), PROOF, "");
        expectQuestion(list(context, data, a, b));
        zkml.verifyInference(modelId, commitment, words(a, b), blob);
    }

    /// @dev Any number of words in each section, against a list that grows word by word.
    function testFuzz_StatementsOfEveryShape(uint8 inputs, uint8 outputs, bool isCommitment, bool weights, bytes32 seed)
        external
    {
        IModelVerifier.Shape memory shape = defaultShape();
        (shape.inputIsCommitment, shape.weightsAreCommitted) = (isCommitment, weights);
        (shape.inputs, shape.outputs) = (isCommitment ? 1 : inputs % 7, outputs % 7);
        deployScripted(shape);
        fake.setAnswer(FakeVerifier.Answer.Tell);
        bytes memory inputWords = randomWords(seed, shape.inputs);
        bytes memory outputWords = randomWords(~seed, shape.outputs);
        bytes memory statement = bytes.concat(seed, inputWords);
        if (weights) statement = bytes.concat(statement, shape.modelHash);
        statement = bytes.concat(statement, outputWords);
        uint256 count = statement.length / 32;
        bytes32 data = isCommitment ? bytes32(inputWords) : keccak256(inputWords);
        bytes memory blob = blobOf(selectorOf("vk"), data, seed, PROOF, isCommitment ? bytes("") : inputWords);
        // Two offsets, the proof in one padded word, then the statement with its length.
        bytes memory asked = abi.encodePacked(
            FakeVerifier.Asked.selector, uint256(64), uint256(128), PROOF.length, PROOF, new bytes(6), count, statement
        );
        vm.expectRevert(asked);
        zkml.verifyInference(modelId, ZKMLStatement.inputCommitment(data, seed), outputWords, blob);
    }

    // Refusals.

    function test_RevertWhen_TheVerifierAnswersFalse() external {
        fake.setAnswer(FakeVerifier.Answer.No);
        expectRefusal(IERCZKMLInference.InvalidProof.selector, modelId, output, blobOf(CONTEXT));
    }

    function test_RevertWhen_TheModelIsDeprecated() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLInference.VerificationRefused_ModelDeprecated.selector, modelId));
        zkml.verifyInference(modelId, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
    }

    function test_RevertWhen_TheModelIsUnknown() external {
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, modelId + 1));
        zkml.verifyInference(modelId + 1, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
    }

    function test_RevertWhen_TheProofSystemIsAnother() external {
        IERCZKMLRegistry.ModelCommitment memory c = commitmentOf(defaultShape());
        c.proofSystemId = 0x12345678;
        uint256 id = publish(c);
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLInference.UnsupportedProofSystem.selector, bytes4(0x12345678)));
        zkml.verifyInference(id, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
    }

    function test_RevertWhen_TheModelIsNotTheVerifiers() external {
        IERCZKMLRegistry.ModelCommitment memory c = commitmentOf(defaultShape());
        c.modelHash = ~c.modelHash;
        expectRefusal(IERCZKMLInference.ModelMismatch.selector, publish(c), output, blobOf(CONTEXT));
        c = commitmentOf(defaultShape());
        c.circuitHash = ~c.circuitHash;
        expectRefusal(IERCZKMLInference.ModelMismatch.selector, publish(c), output, blobOf(CONTEXT));
        c = commitmentOf(defaultShape());
        // Its selector stays: only what the verifier says of itself differs.
        c.vkHash = bytes32(uint256(c.vkHash) ^ 1);
        expectRefusal(IERCZKMLInference.ModelMismatch.selector, publish(c), output, blobOf(CONTEXT));
    }

    /// @dev A route under a fresh selector whose verifier takes this model's name later on.
    function test_RevertWhen_AnotherRouteSpeaksForTheModel() external {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.vkDigest = keccak256("another vk");
        FakeVerifier liar = new FakeVerifier(shape);
        vm.prank(ROUTER_OWNER);
        router.proposeRoute(liar);
        vm.warp(NOW + ROUTE_DELAY);
        liar.setShape(defaultShape());
        bytes memory blob = blobOf(selectorOf("another vk"), DATA, CONTEXT, PROOF, "");
        expectRefusal(IERCZKMLInference.ModelMismatch.selector, modelId, output, blob);
        // Nor does it when the model's own route is stopped.
        vm.prank(ROUTER_OWNER);
        router.stopRoute(selectorOf("vk"));
        expectRefusal(IERCZKMLInference.ModelMismatch.selector, modelId, output, blob);
    }

    function test_RevertWhen_TheRouteIsStoppedOrPending() external {
        vm.prank(ROUTER_OWNER);
        router.stopRoute(selectorOf("vk"));
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.SelectorTombstoned.selector, selectorOf("vk")));
        zkml.verifyInference(modelId, commitmentTo(CONTEXT), output, blobOf(CONTEXT));
        IModelVerifier.Shape memory shape = defaultShape();
        shape.vkDigest = keccak256("another vk");
        FakeVerifier later = new FakeVerifier(shape);
        vm.prank(ROUTER_OWNER);
        bytes4 selector = router.proposeRoute(later);
        uint256 id = publish(commitmentOf(shape));
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.RouteNotActive.selector, selector, NOW + ROUTE_DELAY));
        zkml.verifyInference(id, commitmentTo(CONTEXT), output, blobOf(selector, DATA, CONTEXT, PROOF, ""));
        vm.warp(NOW + ROUTE_DELAY);
        zkml.verifyInference(id, commitmentTo(CONTEXT), output, blobOf(selector, DATA, CONTEXT, PROOF, ""));
    }

    function test_RevertWhen_TheRegistryLies() external {
        IZKMLRegistry.Identity memory swapped;
        (swapped,,) = registry.identityOf(modelId);
        // Exactly what another verifier of the same selector would need to pass.
        swapped.circuitHash = keccak256("another circuit");
        IModelVerifier.Shape memory shape = defaultShape();
        shape.modelCommitment = swapped.circuitHash;
        fake.setShape(shape);
        bytes memory question = abi.encodeWithSelector(registry.identityOf.selector, modelId);
        vm.mockCall(address(registry), question, abi.encode(swapped, PUBLISHER, false));
        expectRefusal(IERCZKMLInference.ModelMismatch.selector, modelId, output, blobOf(CONTEXT));
        vm.clearMockedCalls();
        // Another owner's entry of the same hashes has another id, too.
        fake.setShape(defaultShape());
        (swapped,,) = registry.identityOf(modelId);
        vm.mockCall(address(registry), question, abi.encode(swapped, address(this), false));
        expectRefusal(IERCZKMLInference.ModelMismatch.selector, modelId, output, blobOf(CONTEXT));
    }

    function test_RevertWhen_TheInputCommitmentIsAnother() external {
        bytes memory blob = blobOf(CONTEXT);
        bytes4 expected = IERCZKMLInference.InputCommitmentMismatch.selector;
        vm.expectRevert(expected);
        zkml.verifyInference(modelId, commitmentTo(bytes32(uint256(78))), output, blob);
        // Every bit of both words counts.
        for (uint256 i = 0; i < 512; ++i) {
            uint256 index = 4 + i / 8;
            bytes1 before = blob[index];
            blob[index] = before ^ bytes1(uint8(1 << (i % 8)));
            vm.expectRevert(expected);
            zkml.verifyInference(modelId, commitmentTo(CONTEXT), output, blob);
            blob[index] = before;
        }
    }

    function test_RevertWhen_PublicInputsAreNotThoseThatWereHashed() external {
        IModelVerifier.Shape memory shape = defaultShape();
        (shape.inputs, shape.inputIsCommitment) = (2, false);
        deployScripted(shape);
        bytes32 data = keccak256(words(1, 2));
        bytes memory blob = blobOf(selectorOf("vk"), data, CONTEXT, PROOF, words(1, 3));
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        zkml.verifyInference(modelId, ZKMLStatement.inputCommitment(data, CONTEXT), output, blob);
    }

    function testFuzz_RevertWhen_OutputsHaveAnotherLength(uint8 length) external {
        vm.assume(length != 64);
        expectRefusal(IERCZKMLInference.OutputMismatch.selector, modelId, new bytes(length), blobOf(CONTEXT));
    }

    function test_RevertWhen_TheBlobHasAnotherLength() external {
        uint256 length = 68 + PROOF.length;
        bytes memory longer = bytes.concat(blobOf(CONTEXT), hex"00");
        expectWrongLength(longer, length);
        bytes memory shorter = blobOf(selectorOf("vk"), DATA, CONTEXT, new bytes(PROOF.length - 1), "");
        expectWrongLength(shorter, length);
        // Input words behind the proof of a model whose input is one commitment.
        expectWrongLength(bytes.concat(blobOf(CONTEXT), DATA), length);
        expectWrongLength(blobOf(selectorOf("vk"), DATA, CONTEXT, "", ""), length);
    }

    function testFuzz_RevertWhen_TheBlobIsShorterThanItsHeader(uint8 length) external {
        bytes memory blob = new bytes(length % 68);
        vm.expectRevert(abi.encodeWithSelector(ZKMLStatement.BlobTooShort.selector, blob.length));
        zkml.verifyInference(modelId, commitmentTo(CONTEXT), output, blob);
    }

    function randomWords(bytes32 seed, uint256 count) private pure returns (bytes memory all) {
        for (uint256 i = 0; i < count; ++i) {
            all = bytes.concat(all, keccak256(abi.encode(seed, i)));
        }
    }

    function expectQuestion(uint256[] memory instances) private {
        vm.expectRevert(abi.encodeWithSelector(FakeVerifier.Asked.selector, PROOF, instances));
    }

    function expectRefusal(bytes4 expected, uint256 id, bytes memory words_, bytes memory blob) private {
        vm.expectRevert(expected);
        zkml.verifyInference(id, commitmentTo(CONTEXT), words_, blob);
        vm.expectRevert(expected);
        zkml.checkInference(id, commitmentTo(CONTEXT), words_, blob);
    }

    function expectWrongLength(bytes memory blob, uint256 expected) private {
        vm.expectRevert(abi.encodeWithSelector(ZKMLVerifier.WrongBlobLength.selector, blob.length, expected));
        zkml.verifyInference(modelId, commitmentTo(CONTEXT), output, blob);
    }
}
