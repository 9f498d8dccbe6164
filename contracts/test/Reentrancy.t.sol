// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {Hooked} from "./support/Hooked.sol";
import {HookedConsumer, Relay} from "./support/HookedConsumer.sol";

/// @title Hooks that call back: whatever they do, nothing is taken that would not be taken one after the other
contract ReentrancyTest is Hooked {
    Relay private relay;

    function setUp() external {
        deployConsumer(MODEL_DELAY);
        relay = new Relay();
    }

    function test_SameProofIsRefusedInsideEveryHook() external {
        for (uint256 hook = 1; hook <= 3; ++hook) {
            uint256 nonce = consumer.nonces(ALICE);
            ZKMLConsumer.Inference memory i = inferenceFor(ALICE, nonce);
            bytes memory again = abi.encodeCall(consumer.take, (ALICE, ACTION, i));
            consumer.plan(HookedConsumer.Hook(hook), address(consumer), again);
            consumer.take(ALICE, ACTION, i);
            assertTrue(consumer.called() && !consumer.succeeded(), "called back, and refused");
            assertEq(consumer.answer(), wrongContext(i, ALICE, nonce + 1, DEADLINE, ACTION), "as used already");
            assertEq(consumer.nonces(ALICE), nonce + 1, "one nonce");
            assertEq(consumer.accepted(), hook, "one inference");
        }
    }

    function test_NextProofInsideAHookIsTakenOnceToo() external {
        for (uint256 hook = 1; hook <= 3; ++hook) {
            uint256 nonce = consumer.nonces(ALICE);
            bytes memory following = abi.encodeCall(consumer.take, (ALICE, ACTION, inferenceFor(ALICE, nonce + 1)));
            consumer.plan(HookedConsumer.Hook(hook), address(consumer), following);
            consumer.take(ALICE, ACTION, inferenceFor(ALICE, nonce));
            assertTrue(consumer.succeeded(), "taken");
            assertEq(consumer.nonces(ALICE), nonce + 2, "two nonces");
            assertEq(consumer.accepted(), 2 * hook, "two inferences");
            // Both are used up.
            for (uint256 used = nonce; used < nonce + 2; ++used) {
                ZKMLConsumer.Inference memory i = inferenceFor(ALICE, used);
                vm.expectRevert(wrongContext(i, ALICE, nonce + 2, DEADLINE, ACTION));
                consumer.take(ALICE, ACTION, i);
            }
        }
    }

    function test_RevertedOuterCallUndoesTheInnerOne() external {
        bytes memory following = abi.encodeCall(consumer.take, (ALICE, ACTION, inferenceFor(ALICE, 1)));
        consumer.plan(HookedConsumer.Hook.Provenance, address(consumer), following);
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        i.output = "";
        vm.expectRevert(IERCZKMLInference.OutputMismatch.selector);
        consumer.take(ALICE, ACTION, i);
        assertTrue(consumer.nonces(ALICE) == 0 && consumer.accepted() == 0, "nothing happened");
    }

    function test_ModelThatTakesOverInsideAHookIsTheOneThatCounts() external {
        uint256 next = handOver("next weights");
        bytes memory accept = abi.encodeCall(relay.pass, (address(consumer), abi.encodeCall(consumer.acceptModel, ())));
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0, NOW + 30 days, ACTION);
        consumer.plan(HookedConsumer.Hook.Provenance, address(relay), accept);
        vm.expectEmit(true, true, true, true, address(consumer));
        emit ZKMLConsumer.ModelChanged(modelId, next);
        expectVerified(next, 0);
        consumer.take(ALICE, ACTION, i);
        assertTrue(consumer.succeeded(), "taken over");
        // Once the proof is checked, it is about the model that it was checked against.
        uint256 third = handOver("third weights");
        i = inferenceFor(ALICE, 1, NOW + 30 days, ACTION);
        consumer.plan(HookedConsumer.Hook.Validate, address(relay), accept);
        expectVerified(next, 1);
        vm.expectEmit(true, true, true, true, address(consumer));
        emit ZKMLConsumer.ModelChanged(next, third);
        consumer.take(ALICE, ACTION, i);
        assertEq(consumer.modelId(), third, "model");
    }

    function test_DelayHoldsInsideAHook() external {
        uint256 next = publishOther("next weights");
        own();
        bytes memory propose = abi.encodeCall(consumer.proposeModel, (next));
        consumer.plan(HookedConsumer.Hook.Act, address(relay), abi.encodeCall(relay.pass, (address(consumer), propose)));
        take(ALICE, 0);
        assertTrue(consumer.succeeded(), "proposed");
        bytes memory accept = abi.encodeCall(relay.pass, (address(consumer), abi.encodeCall(consumer.acceptModel, ())));
        consumer.plan(HookedConsumer.Hook.Act, address(relay), accept);
        take(ALICE, 1);
        bytes memory tooEarly = abi.encodeWithSelector(ZKMLConsumer.ProposalNotActive.selector, NOW + MODEL_DELAY);
        assertEq(consumer.answer(), tooEarly, "too early");
        assertEq(consumer.modelId(), modelId, "the old model");
    }

    function test_DeprecationInsideTheFirstHookCounts() external {
        vm.prank(address(relay));
        uint256 own_ = registry.registerModel(commitmentOf(defaultShape()));
        consumer = new HookedConsumer(zkml, own_, 0, OWNER);
        bytes memory end = abi.encodeCall(registry.deprecateModel, (own_));
        consumer.plan(
            HookedConsumer.Hook.Provenance, address(relay), abi.encodeCall(relay.pass, (address(registry), end))
        );
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLInference.VerificationRefused_ModelDeprecated.selector, own_));
        consumer.take(ALICE, ACTION, i);
    }

    function expectVerified(uint256 model, uint256 nonce) private {
        bytes32 commitment = commitmentTo(consumer.contextOf(ALICE, nonce, NOW + 30 days, ACTION));
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(model, commitment, words(5, 6), address(consumer));
    }

    /// @dev Makes the relay the consumer's owner.
    function own() private {
        if (consumer.owner() == address(relay)) return;
        vm.prank(OWNER);
        consumer.transferOwnership(address(relay));
        relay.pass(address(consumer), abi.encodeCall(consumer.acceptOwnership, ()));
    }

    /// @dev Proposes other weights, and lets the delay pass.
    function handOver(string memory weights) private returns (uint256 id) {
        own();
        id = publishOther(weights);
        relay.pass(address(consumer), abi.encodeCall(consumer.proposeModel, (id)));
        vm.warp(consumer.proposedModelFrom());
    }
}
