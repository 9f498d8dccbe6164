// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {Refusing} from "./support/Refusing.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title Silence accepts, and silence loses a bond
contract AcceptanceOptimisticTest is Refusing {
    function setUp() external {
        deployAccepting();
    }

    function test_SilenceAccepts() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.warp(NOW + CHALLENGE_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NotAcceptable.selector, 0, 1));
        accept(r, p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultAccepted(idOf(r, p));
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Validate, ALICE, words(5, 6));
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit ZKMLConsumer.InferenceAccepted(ALICE, 0, ACTION, DATA);
        accept(r, p);
        assertTrue(stateOf(r, p) == ACCEPTED && acceptance.accepted() == 1, "accepted");
        assertEq(funds(POSTER), BOND, "bond");
        vm.expectRevert(wrongState(r, p, ACCEPTED));
        accept(r, p);
    }

    function test_ProofAnswersAChallenge() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        // The last second of the window; the answer has all of its own.
        vm.warp(NOW + CHALLENGE_WINDOW);
        uint256 until = block.timestamp + ANSWER_WINDOW;
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultChallenged(idOf(r, p), CHALLENGER, until);
        challenge(r, p);
        assertTrue(stateOf(r, p) == DEMANDED && acceptance.challengerOf(idOf(r, p)) == CHALLENGER, "demanded");
        assertEq(acceptance.statusOf(idOf(r, p)).until, until, "until");
        assertEq(address(acceptance).balance, BOND + DEPOSIT, "both");
        vm.warp(until);
        vm.expectRevert(wrongState(r, p, DEMANDED));
        accept(r, p);
        bytes32 commitment = commitmentTo(acceptance.resultContext(r));
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(modelId, commitment, words(5, 6), address(acceptance));
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultProven(idOf(r, p));
        prove(r, p);
        assertTrue(stateOf(r, p) == IS_PROVEN && heldOf(r, p) == PROVEN, "proven");
        assertTrue(funds(POSTER) == BOND + DEPOSIT && funds(CHALLENGER) == 0 && funds(BOB) == 0, "to the poster");
        accept(r, p);
        assertTrue(acceptance.accepted() == 1 && funds(POSTER) == BOND + DEPOSIT, "accepted, not paid again");
    }

    function test_SilenceLosesTheBond() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        challenge(r, p);
        vm.warp(NOW + ANSWER_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.AnswerWindowOpen.selector, NOW + ANSWER_WINDOW));
        acceptance.claim(r, p);
        vm.warp(NOW + ANSWER_WINDOW + 1);
        bytes memory proof = proofOf(r);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.AnswerTooLate.selector, NOW + ANSWER_WINDOW));
        acceptance.prove(r, p, words(5, 6), proof);
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultLost(idOf(r, p), CHALLENGER);
        vm.prank(BOB);
        acceptance.claim(r, p);
        assertTrue(stateOf(r, p) == LOST && acceptance.accepted() == 0, "lost");
        assertEq(funds(CHALLENGER), DEPOSIT + BOND / 2, "challenger");
        assertEq(funds(BENEFICIARY), BOND - BOND / 2, "the rest, and what rounding leaves");
        assertEq(funds(POSTER), 0, "poster");
        refuseAll(r, p, LOST);
    }

    function test_RevertWhen_ChallengeIsLateOrSecondOrWithoutDeposit() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WrongValue.selector, DEPOSIT - 1, DEPOSIT));
        vm.prank(CHALLENGER);
        acceptance.challenge{value: DEPOSIT - 1}(r, p);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, CHALLENGER, COIN, 0, DEPOSIT));
        vm.prank(CHALLENGER);
        acceptance.challenge(r, p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        bytes memory late =
            abi.encodeWithSelector(IZKMLAcceptance.ChallengeWindowClosed.selector, NOW + CHALLENGE_WINDOW);
        vm.expectRevert(late);
        challenge(r, p);
        vm.warp(NOW + CHALLENGE_WINDOW);
        challenge(r, p);
        vm.expectRevert(wrongState(r, p, DEMANDED));
        challenge(r, p);
    }
}
