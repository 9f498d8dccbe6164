// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLAttestors} from "../src/interfaces/IZKMLAttestors.sol";
import {IZKMLBeacon} from "../src/interfaces/IZKMLBeacon.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {Refusing} from "./support/Refusing.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title Posting results: what is set aside, and which policies are refused
contract AcceptanceTest is Refusing {
    function setUp() external {
        deployAccepting();
    }

    function test_PostsAndSaysSo() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = resultOf(POSTER);
        bytes32 id = idOf(r, p);
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Provenance, ALICE, abi.encode(DATA, "because"));
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultPosted(id, ALICE, POSTER, r, p, words(5, 6));
        vm.prank(POSTER);
        assertEq(acceptance.post{value: BOND}(ALICE, ACTION, postingOf(), p), id, "id");
        IZKMLAcceptance.Status memory s = acceptance.statusOf(id);
        assertTrue(s.state == POSTED && s.held == 0 && s.since == NOW && s.until == 0 && s.round == 0, "status");
        assertTrue(acceptance.nonces(ALICE) == 1 && acceptance.accepted() == 0, "nothing was acted on");
        assertTrue(address(acceptance).balance == BOND && funds(POSTER) == 0, "set aside");
    }

    /// @dev The event is written by hand: it is its ABI encoding, whatever the output's length.
    function testFuzz_TheEventIsItsEncoding(bytes calldata output, uint256 paths) external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(paths % 7 + 1);
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.output = output;
        IZKMLAcceptance.Result memory r = resultOf(POSTER);
        r.outputHash = keccak256(output);
        bytes32 id = idOf(r, p);
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultPosted(id, ALICE, POSTER, r, p, output);
        vm.prank(POSTER);
        acceptance.post{value: BOND}(ALICE, ACTION, posting, p);
    }

    /// @dev The statement is the one that `verifyInference` would have taken, and is used up.
    function test_StatementIsTheProofs() external {
        IZKMLAcceptance.Result memory r = resultOf(POSTER);
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0, LATE, ACTION);
        assertEq(acceptance.resultContext(r), acceptance.contextOf(ALICE, 0, LATE, ACTION), "context");
        post(policyOf(OPTIMISTIC));
        vm.expectRevert(wrongContext(i, ALICE, 1, LATE, ACTION));
        acceptance.take(ALICE, ACTION, i);
    }

    function test_BondComesOutOfADeposit() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        p.asset = address(token);
        vm.prank(POSTER);
        acceptance.deposit(address(token), BOND + 1);
        IZKMLAcceptance.Result memory r = post(p, postingOf(), 0);
        assertEq(acceptance.fundsOf(POSTER, address(token)), 1, "set aside");
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        accept(r, p);
        assertEq(acceptance.fundsOf(POSTER, address(token)), BOND + 1, "back");
    }

    function test_RevertWhen_BondIsNotExact() external {
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WrongValue.selector, BOND - 1, BOND));
        vm.prank(POSTER);
        acceptance.post{value: BOND - 1}(ALICE, ACTION, postingOf(), policyOf(OPTIMISTIC));
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, POSTER, COIN, 0, BOND));
        vm.prank(POSTER);
        acceptance.post(ALICE, ACTION, postingOf(), policyOf(OPTIMISTIC));
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        p.asset = address(token);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WrongValue.selector, BOND, 0));
        vm.prank(POSTER);
        acceptance.post{value: BOND}(ALICE, ACTION, postingOf(), p);
    }

    function test_RevertWhen_CoinsCountTwice() external {
        bytes memory error_ =
            abi.encodeWithSelector(IZKMLLedger.InsufficientDeposit.selector, address(acceptance), COIN, BOND, 2 * BOND);
        vm.expectRevert(error_);
        vm.prank(POSTER);
        acceptance.postTwice{value: BOND}(ALICE, ACTION, postingOf(), policyOf(OPTIMISTIC));
    }

    function test_RevertWhen_Late() external {
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.deadline = NOW - 1;
        refusePosting(
            policyOf(ATTESTED), posting, abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, NOW - 1)
        );
        uint256 earliest = NOW + CHALLENGE_WINDOW + ANSWER_WINDOW;
        posting.deadline = earliest - 1;
        bytes memory error_ = abi.encodeWithSelector(IZKMLAcceptance.DeadlineTooSoon.selector, earliest - 1, earliest);
        refusePosting(policyOf(OPTIMISTIC), posting, error_);
        posting.deadline = NOW + ANSWER_WINDOW - 1;
        error_ = abi.encodeWithSelector(
            IZKMLAcceptance.DeadlineTooSoon.selector, NOW + ANSWER_WINDOW - 1, NOW + ANSWER_WINDOW
        );
        refusePosting(policyOf(SAMPLED), posting, error_);
        posting.deadline = earliest;
        vm.prank(POSTER);
        acceptance.post{value: BOND}(ALICE, ACTION, posting, policyOf(OPTIMISTIC));
    }

    function test_RevertWhen_Closed() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        acceptance.close(true);
        refusePosting(p, postingOf(), abi.encodeWithSignature("Closed()"));
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        vm.expectRevert(abi.encodeWithSignature("Closed()"));
        accept(r, p);
        // Money is settled all the same.
        vm.prank(POSTER);
        acceptance.release(r, p);
        assertEq(funds(POSTER), BOND, "bond");
    }

    function test_RevertWhen_PolicyPromisesNothing() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(0);
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.UnknownPaths.selector, 0));
        p.paths = 9;
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.UnknownPaths.selector, 9));
        p = policyOf(OPTIMISTIC | ATTESTED);
        p.required = 0;
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.RequiredOutOfBounds.selector, 0, 2));
        p.required = 3;
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.RequiredOutOfBounds.selector, 3, 2));
        p = policyOf(OPTIMISTIC);
        p.bond = 0;
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.ZeroBond.selector));
        p = policyOf(SAMPLED);
        p.bond = 0;
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.ZeroBond.selector));
        p = policyOf(OPTIMISTIC);
        p.deposit = 0;
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.ZeroDeposit.selector));
        p = policyOf(OPTIMISTIC);
        p.beneficiary = address(0);
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.BadBeneficiary.selector, address(0)));
        p.beneficiary = POSTER;
        refusePolicy(p, abi.encodeWithSelector(IZKMLAcceptance.BadBeneficiary.selector, POSTER));
    }

    function test_RevertWhen_PolicyIsOutOfBounds() external {
        uint32[2] memory wrong = [uint32(5 minutes - 1), 30 days + 1];
        uint32[2] memory last = [uint32(5 minutes), 30 days];
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.deadline = NOW + 60 days;
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory error_ =
                abi.encodeWithSelector(IZKMLAcceptance.WindowOutOfBounds.selector, wrong[i], 5 minutes, 30 days);
            IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
            p.challengeWindow = wrong[i];
            refusePosting(p, posting, error_);
            p = policyOf(SAMPLED);
            p.answerWindow = wrong[i];
            refusePosting(p, posting, error_);
            (p.paths, p.answerWindow, p.challengeWindow) = (uint8(OPTIMISTIC), last[i], last[i]);
            vm.prank(POSTER);
            acceptance.post{value: BOND}(ALICE, ACTION, posting, p);
        }
        IZKMLAcceptance.AcceptancePolicy memory s = policyOf(SAMPLED);
        s.rate = 0;
        refusePolicy(s, abi.encodeWithSelector(IZKMLAcceptance.RateOutOfBounds.selector, 0));
        s.rate = 1e18 + 1;
        refusePolicy(s, abi.encodeWithSelector(IZKMLAcceptance.RateOutOfBounds.selector, 1e18 + 1));
        s = policyOf(SAMPLED);
        s.beacon = IZKMLBeacon(BOB);
        refusePolicy(s, abi.encodeWithSignature("NotAContract(address)", BOB));
        s.rate = 1e18;
        s.beacon = beacon;
        post(s);
        s = policyOf(ATTESTED | OPTIMISTIC);
        s.signatures = 16;
        post(s);
        s.attestors = IZKMLAttestors(BOB);
        refusePolicy(s, abi.encodeWithSignature("NotAContract(address)", BOB));
        s = policyOf(ATTESTED);
        s.signatures = 0;
        refusePolicy(s, abi.encodeWithSelector(IZKMLAcceptance.SignaturesOutOfBounds.selector, 0, 16));
        s.signatures = 17;
        refusePolicy(s, abi.encodeWithSelector(IZKMLAcceptance.SignaturesOutOfBounds.selector, 17, 16));
    }
}
