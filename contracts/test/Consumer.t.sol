// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IERCZKMLRegistry} from "../src/interfaces/IERCZKMLRegistry.sol";
import {IZKMLVerifier} from "../src/interfaces/IZKMLVerifier.sol";
import {ZKMLAddress} from "../src/libraries/ZKMLAddress.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Hooked} from "./support/Hooked.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title What a consumer takes, once, and what it refuses
contract ConsumerTest is Hooked {
    function setUp() external {
        deployConsumer(0);
    }

    function test_TakesAnInferenceAndSaysSo() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        bytes32 context = consumer.contextOf(ALICE, 0, DEADLINE, ACTION);
        // First why the input is true, then the proof, then what the output is worth, then the effects.
        vm.expectEmit(true, true, true, true, address(consumer));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Provenance, ALICE, abi.encode(DATA, i.provenance));
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(modelId, commitmentTo(context), i.output, address(consumer));
        vm.expectEmit(true, true, true, true, address(consumer));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Validate, ALICE, i.output);
        vm.expectEmit(true, true, true, true, address(consumer));
        emit ZKMLConsumer.InferenceAccepted(ALICE, 0, ACTION, DATA);
        vm.expectEmit(true, true, true, true, address(consumer));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Act, ALICE, abi.encode(ACTION, DATA, i.output));
        consumer.take(ALICE, ACTION, i);
        assertEq(consumer.nonces(ALICE), 1, "nonce");
    }

    function test_PinsTheModel() external view {
        assertEq(consumer.modelId(), modelId, "id");
        assertEq(address(consumer.ZKML_VERIFIER()), address(zkml), "verifier");
        assertEq(consumer.MODEL_DELAY(), 0, "delay");
        assertEq(consumer.owner(), OWNER, "owner");
        bytes32 expected = ZKMLStatement.commitmentHash(
            keccak256("model"), keccak256("circuit"), keccak256("vk"), ZKMLStatement.PROOF_SYSTEM_ID
        );
        assertEq(consumer.commitmentHash(), expected, "commitment hash");
    }

    function test_OwnershipMovesInTwoSteps() external {
        vm.expectEmit(true, true, true, true, address(consumer));
        emit Ownable2Step.OwnershipTransferStarted(OWNER, ALICE);
        vm.prank(OWNER);
        consumer.transferOwnership(ALICE);
        assertTrue(consumer.owner() == OWNER && consumer.pendingOwner() == ALICE, "not yet");
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, BOB));
        consumer.acceptOwnership();
        vm.expectEmit(true, true, true, true, address(consumer));
        emit Ownable.OwnershipTransferred(OWNER, ALICE);
        vm.prank(ALICE);
        consumer.acceptOwnership();
        assertTrue(consumer.owner() == ALICE && consumer.pendingOwner() == address(0), "now");
    }

    function testFuzz_RevertWhen_AStrangerOffersTheOwnership(address stranger) external {
        vm.assume(stranger != OWNER);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
        consumer.transferOwnership(stranger);
        assertEq(consumer.pendingOwner(), address(0), "pending");
    }

    function test_RevertWhen_TheModelDoesNotExist() external {
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, 5));
        new HookedConsumer(zkml, 5, 0, OWNER);
    }

    function test_RevertWhen_TheModelIsDeprecatedAlready() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.ModelIsDeprecated.selector, modelId));
        new HookedConsumer(zkml, modelId, 0, OWNER);
    }

    function test_RevertWhen_TheVerifierIsNone() external {
        address[2] memory none = [address(0), account("no contract")];
        for (uint256 i = 0; i < none.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ZKMLAddress.NotAContract.selector, none[i]));
            new HookedConsumer(IZKMLVerifier(none[i]), modelId, 0, OWNER);
        }
    }

    /// @dev The call is written by hand: it is byte for byte what the compiler would write, whatever was in memory before, and
    /// what the verifier says passes through.
    function testFuzz_AsksTheVerifierAsTheAbiHasIt(bytes calldata output, bytes calldata rest) external {
        bytes32 context = consumer.contextOf(ALICE, 0, DEADLINE, ACTION);
        bytes memory proof = abi.encodePacked(selectorOf("vk"), DATA, context, rest);
        // `CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY, CALLDATASIZE, PUSH0, REVERT`: says what it was asked.
        vm.etch(address(zkml), hex"365f5f37365ffd");
        vm.expectRevert(abi.encodeCall(zkml.verifyInference, (modelId, commitmentTo(context), output, proof)));
        consumer.take(ALICE, ACTION, ZKMLConsumer.Inference(DEADLINE, output, proof, "because"));
    }

    /// @dev A call of nobody succeeds.
    function test_RevertWhen_TheVerifierIsGone() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.etch(address(zkml), "");
        vm.expectRevert(bytes(""));
        consumer.take(ALICE, ACTION, i);
    }

    /// @dev The verifier behind this test accepts everything: the comparison alone refuses.
    function test_RevertWhen_AnyBitOfTheContextDiffers() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        bytes32 context = consumer.contextOf(ALICE, 0, DEADLINE, ACTION);
        for (uint256 bit = 0; bit < 256; ++bit) {
            i.proof = blobOf(context ^ bytes32(1 << bit));
            vm.expectRevert(wrongContext(i, ALICE, 0, DEADLINE, ACTION));
            consumer.take(ALICE, ACTION, i);
        }
    }

    function test_RevertWhen_TakenTwice() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        consumer.take(ALICE, ACTION, i);
        vm.expectRevert(wrongContext(i, ALICE, 1, DEADLINE, ACTION));
        consumer.take(ALICE, ACTION, i);
        // Another proof of the same statement is no other statement.
        i.proof = blobOf(
            selectorOf("vk"), DATA, consumer.contextOf(ALICE, 0, DEADLINE, ACTION), "the same proof, re-blinded", ""
        );
        vm.expectRevert(wrongContext(i, ALICE, 1, DEADLINE, ACTION));
        consumer.take(ALICE, ACTION, i);
        take(ALICE, 1);
        assertEq(consumer.nonces(ALICE), 2, "nonce");
    }

    function test_RevertWhen_TakenOutOfOrder() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 1);
        vm.expectRevert(wrongContext(i, ALICE, 0, DEADLINE, ACTION));
        consumer.take(ALICE, ACTION, i);
        assertEq(consumer.nonces(ALICE), 0, "nonce");
    }

    function test_SubjectsHaveNoncesOfTheirOwn() external {
        take(ALICE, 0);
        take(ALICE, 1);
        take(BOB, 0);
        assertTrue(consumer.nonces(ALICE) == 2 && consumer.nonces(BOB) == 1, "nonces");
    }

    function test_RevertWhen_AnythingThatItIsBoundToDiffers() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.expectRevert(wrongContext(i, BOB, 0, DEADLINE, ACTION));
        consumer.take(BOB, ACTION, i);
        vm.expectRevert(wrongContext(i, ALICE, 0, DEADLINE, "another"));
        consumer.take(ALICE, "another", i);
        i.deadline = DEADLINE + 1;
        vm.expectRevert(wrongContext(i, ALICE, 0, DEADLINE + 1, ACTION));
        consumer.take(ALICE, ACTION, i);
        i.deadline = DEADLINE;
        vm.chainId(31338);
        vm.expectRevert(wrongContext(i, ALICE, 0, DEADLINE, ACTION));
        consumer.take(ALICE, ACTION, i);
        vm.chainId(31337);
        HookedConsumer first = consumer;
        consumer = new HookedConsumer(zkml, modelId, 0, OWNER);
        vm.expectRevert(wrongContext(i, ALICE, 0, DEADLINE, ACTION));
        consumer.take(ALICE, ACTION, i);
        first.take(ALICE, ACTION, i);
    }

    function test_RevertWhen_TheProofIsUnbound() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        i.proof = blobOf(0);
        vm.expectRevert(wrongContext(i, ALICE, 0, DEADLINE, ACTION));
        consumer.take(ALICE, ACTION, i);
    }

    function test_DeadlineIsTheLastGoodTime() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, DEADLINE));
        consumer.take(ALICE, ACTION, i);
        vm.warp(DEADLINE);
        consumer.take(ALICE, ACTION, i);
    }

    function test_RevertWhen_TheProofIsRefused() external {
        fake.setAnswer(FakeVerifier.Answer.No);
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.expectRevert(IERCZKMLInference.InvalidProof.selector);
        consumer.take(ALICE, ACTION, i);
        assertEq(consumer.nonces(ALICE), 0, "nonce");
        // The proof may be taken once it is accepted.
        fake.setAnswer(FakeVerifier.Answer.Yes);
        consumer.take(ALICE, ACTION, i);
    }

    function test_RevertWhen_AHookRefuses() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        for (uint8 hook = 1; hook <= 3; ++hook) {
            consumer.plan(HookedConsumer.Hook(hook), address(0), "no");
            vm.expectRevert(abi.encodeWithSignature("Error(string)", "no"));
            consumer.take(ALICE, ACTION, i);
            assertTrue(consumer.nonces(ALICE) == 0 && consumer.accepted() == 0, "nothing happened");
        }
        consumer.plan(HookedConsumer.Hook.None, address(0), "");
        consumer.take(ALICE, ACTION, i);
    }

    function test_RevertWhen_TheModelIsDeprecated() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        bytes memory expected =
            abi.encodeWithSelector(IERCZKMLInference.VerificationRefused_ModelDeprecated.selector, modelId);
        vm.expectRevert(expected);
        consumer.take(ALICE, ACTION, i);
        vm.expectRevert(expected);
        consumer.look(i.output, i.proof);
    }

    function test_RevertWhen_TheBlobHasNoHeader() external {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        i.proof = new bytes(67);
        vm.expectRevert(abi.encodeWithSelector(ZKMLStatement.BlobTooShort.selector, 67));
        consumer.take(ALICE, ACTION, i);
    }

    function test_LookingChangesNothing() external {
        consumer.look(words(5, 6), blobOf(bytes32(uint256(3))));
        assertTrue(consumer.nonces(ALICE) == 0 && consumer.accepted() == 0, "nothing happened");
        fake.setAnswer(FakeVerifier.Answer.Tell);
        bytes memory question = abi.encodeWithSelector(FakeVerifier.Asked.selector, PROOF, list(3, uint256(DATA), 5, 6));
        vm.expectRevert(question);
        consumer.look(words(5, 6), blobOf(bytes32(uint256(3))));
    }

    function testFuzz_TakesWhatIsBoundAsItSays(address subject, uint32 early, bytes32 action, uint8 before) external {
        uint256 deadline = NOW + early;
        for (uint256 nonce = 0; nonce < before % 4; ++nonce) {
            consumer.take(subject, action, inferenceFor(subject, nonce, deadline, action));
        }
        uint256 next = consumer.nonces(subject);
        assertEq(next, before % 4, "nonce");
        bytes32 expected =
            ZKMLStatement.contextOf(ZKMLStatement.domainSeparator(address(consumer)), subject, next, deadline, action);
        assertEq(consumer.contextOf(subject, next, deadline, action), expected, "context");
    }
}
