// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLRegistry} from "../src/interfaces/IERCZKMLRegistry.sol";
import {IZKMLRegistry} from "../src/interfaces/IZKMLRegistry.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Hooked} from "./support/Hooked.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title How a consumer moves to other weights, and to nothing else
contract ConsumerModelsTest is Hooked {
    uint256 private next;

    function setUp() external {
        deployConsumer(MODEL_DELAY);
        next = publishOther("next weights");
    }

    function test_AnotherModelTakesOverAfterTheDelay() external {
        uint256 from = NOW + MODEL_DELAY;
        vm.expectEmit(true, true, true, true, address(consumer));
        emit ZKMLConsumer.ModelProposed(next, from);
        propose(next);
        assertTrue(consumer.proposedModelId() == next && consumer.proposedModelFrom() == from, "proposed");
        assertEq(consumer.modelId(), modelId, "not yet");
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.ProposalNotActive.selector, from));
        accept();
        vm.warp(from);
        vm.expectEmit(true, true, true, true, address(consumer));
        emit ZKMLConsumer.ModelChanged(modelId, next);
        accept();
        assertEq(consumer.modelId(), next, "taken over");
        assertTrue(consumer.proposedModelId() == 0 && consumer.proposedModelFrom() == 0, "no proposal left");
        vm.expectRevert(ZKMLConsumer.NoProposal.selector);
        accept();
    }

    /// @dev The commitment to the weights is the third word of the statement.
    function test_ProofsAreAboutTheModelOfTheDay() external {
        fake.setAnswer(FakeVerifier.Answer.Tell);
        expectWeights(0, "model", NOW + 4 days);
        propose(next);
        expectWeights(0, "model", NOW + 4 days);
        vm.warp(NOW + MODEL_DELAY);
        expectWeights(0, "model", NOW + 4 days);
        accept();
        expectWeights(0, "next weights", NOW + 4 days);
        // And so is what is looked at.
        vm.expectRevert(question(bytes32(uint256(1)), "next weights"));
        consumer.look(words(5, 6), blobOf(bytes32(uint256(1))));
    }

    function test_ModelsMoveMoreThanOnceAndBack() external {
        move(next);
        uint256 third = publishOther("third weights");
        move(third);
        move(modelId);
        assertEq(consumer.modelId(), modelId, "back");
        assertEq(consumer.nonces(ALICE), 0, "nonces stay");
    }

    function test_NoncesOutliveTheModel() external {
        take(ALICE, 0);
        move(next);
        vm.warp(NOW);
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.expectRevert(wrongContext(i, ALICE, 1, DEADLINE, ACTION));
        consumer.take(ALICE, ACTION, i);
        take(ALICE, 1);
    }

    function test_ConsumersAnnounceTheirFirstModel() external {
        vm.expectEmit(true, true, true, true, vm.computeCreateAddress(address(this), vm.getNonce(address(this))));
        emit ZKMLConsumer.ModelChanged(0, modelId);
        new HookedConsumer(zkml, modelId, 0, OWNER);
    }

    function test_CancelledProposalNeverTakesOver() external {
        vm.expectRevert(ZKMLConsumer.NoProposal.selector);
        cancel();
        propose(next);
        vm.expectEmit(true, true, true, true, address(consumer));
        emit ZKMLConsumer.ModelProposalCancelled(next);
        cancel();
        vm.warp(NOW + MODEL_DELAY);
        vm.expectRevert(ZKMLConsumer.NoProposal.selector);
        accept();
        assertTrue(consumer.proposedModelId() == 0 && consumer.proposedModelFrom() == 0, "no proposal left");
    }

    function test_LaterProposalStartsTheDelayAgain() external {
        propose(next);
        vm.warp(NOW + MODEL_DELAY);
        uint256 third = publishOther("third weights");
        propose(third);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.ProposalNotActive.selector, NOW + 2 * MODEL_DELAY));
        accept();
        vm.warp(NOW + 2 * MODEL_DELAY);
        accept();
        assertEq(consumer.modelId(), third, "the later one");
    }

    function test_RevertWhen_TheModelIsFixed() external {
        consumer = new HookedConsumer(zkml, modelId, 0, OWNER);
        vm.expectRevert(ZKMLConsumer.ModelIsFixed.selector);
        propose(next);
        vm.expectRevert(ZKMLConsumer.NoProposal.selector);
        accept();
    }

    function test_RevertWhen_TheDelayIsTooShort() external {
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.DelayTooShort.selector, 1 hours - 1));
        new HookedConsumer(zkml, modelId, 1 hours - 1, OWNER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.DelayTooShort.selector, 1));
        new HookedConsumer(zkml, modelId, 1, OWNER);
        assertEq(new HookedConsumer(zkml, modelId, 1 hours, OWNER).MODEL_DELAY(), 1 hours, "the shortest");
    }

    function test_RevertWhen_TheArchitectureIsAnother() external {
        IERCZKMLRegistry.ModelCommitment memory c = commitmentOf(defaultShape());
        c.circuitHash = keccak256("another circuit");
        expectWrongModel(publish(c));
        c = commitmentOf(defaultShape());
        c.vkHash = keccak256("another vk");
        expectWrongModel(publish(c));
        c = commitmentOf(defaultShape());
        c.proofSystemId = 0x12345678;
        expectWrongModel(publish(c));
    }

    function test_RevertWhen_TheProposalIsUseless() external {
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.UselessProposal.selector, modelId));
        propose(modelId);
        deprecate(next);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.UselessProposal.selector, next));
        propose(next);
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, 99));
        propose(99);
    }

    function test_RevertWhen_DeprecatedDuringTheDelay() external {
        propose(next);
        vm.warp(NOW + MODEL_DELAY);
        deprecate(next);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.UselessProposal.selector, next));
        accept();
        assertEq(consumer.modelId(), modelId, "the old one");
    }

    function test_DeprecatedModelCanBeFollowed() external {
        deprecate(modelId);
        move(next);
        assertEq(consumer.modelId(), next, "taken over");
    }

    function test_RevertWhen_TheRegistryLiesAboutAProposal() external {
        IERCZKMLRegistry.ModelCommitment memory c = commitmentOf(defaultShape());
        c.circuitHash = keccak256("another circuit");
        uint256 bad = publish(c);
        (IZKMLRegistry.Identity memory good,,) = registry.identityOf(next);
        bytes memory lookUp = abi.encodeWithSelector(registry.identityOf.selector, bad);
        vm.mockCall(address(registry), lookUp, abi.encode(good, PUBLISHER, false));
        expectWrongModel(bad);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongModel.selector, bad));
        new HookedConsumer(zkml, bad, 0, OWNER);
    }

    function test_RevertWhen_TheRegistryChangesThePinnedEntry() external {
        (IZKMLRegistry.Identity memory other,,) = registry.identityOf(next);
        bytes memory lookUp = abi.encodeWithSelector(registry.identityOf.selector, modelId);
        vm.mockCall(address(registry), lookUp, abi.encode(other, PUBLISHER, false));
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongModel.selector, modelId));
        consumer.commitmentHash();
    }

    function testFuzz_RevertWhen_CallerIsNotTheOwner(address caller) external {
        vm.assume(caller != OWNER);
        propose(next);
        vm.warp(NOW + MODEL_DELAY);
        bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(expected);
        consumer.proposeModel(next);
        vm.expectRevert(expected);
        consumer.cancelModel();
        vm.expectRevert(expected);
        consumer.acceptModel();
    }

    function test_RenouncedOwnershipFixesTheModel() external {
        vm.prank(OWNER);
        consumer.renounceOwnership();
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OWNER));
        propose(next);
    }

    function propose(uint256 id) private {
        vm.prank(OWNER);
        consumer.proposeModel(id);
    }

    function accept() private {
        vm.prank(OWNER);
        consumer.acceptModel();
    }

    function cancel() private {
        vm.prank(OWNER);
        consumer.cancelModel();
    }

    function deprecate(uint256 id) private {
        vm.prank(PUBLISHER);
        registry.deprecateModel(id);
    }

    function move(uint256 id) private {
        propose(id);
        vm.warp(consumer.proposedModelFrom());
        accept();
    }

    function expectWrongModel(uint256 id) private {
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongModel.selector, id));
        propose(id);
    }

    function expectWeights(uint256 nonce, string memory weights, uint256 deadline) private {
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, nonce, deadline, ACTION);
        vm.expectRevert(question(consumer.contextOf(ALICE, nonce, deadline, ACTION), weights));
        consumer.take(ALICE, ACTION, i);
    }

    function question(bytes32 context, string memory weights) private pure returns (bytes memory) {
        uint256[] memory instances = new uint256[](5);
        (instances[0], instances[1]) = (uint256(context), uint256(DATA));
        (instances[2], instances[3], instances[4]) = (uint256(keccak256(bytes(weights))), 5, 6);
        return abi.encodeWithSelector(FakeVerifier.Asked.selector, PROOF, instances);
    }
}
