// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLBeacon} from "../src/interfaces/IZKMLBeacon.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {ZKMLPolicy} from "../src/libraries/ZKMLPolicy.sol";
import {Accepting} from "./support/Accepting.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title Results under each path: what holds, when, and where the money goes
contract AcceptanceTest is Accepting {
    IZKMLAcceptance.State private constant NONE = IZKMLAcceptance.State.None;
    IZKMLAcceptance.State private constant POSTED = IZKMLAcceptance.State.Posted;
    IZKMLAcceptance.State private constant DEMANDED = IZKMLAcceptance.State.Demanded;
    IZKMLAcceptance.State private constant IS_PROVEN = IZKMLAcceptance.State.Proven;
    IZKMLAcceptance.State private constant ACCEPTED = IZKMLAcceptance.State.Accepted;
    IZKMLAcceptance.State private constant LOST = IZKMLAcceptance.State.Lost;
    IZKMLAcceptance.State private constant VOID = IZKMLAcceptance.State.Void;

    function setUp() external {
        deployAccepting();
    }

    // Posting.

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
        s = policyOf(ATTESTED);
        s.signatures = 0;
        refusePolicy(s, abi.encodeWithSelector(IZKMLAcceptance.SignaturesOutOfBounds.selector, 0, 16));
        s.signatures = 17;
        refusePolicy(s, abi.encodeWithSelector(IZKMLAcceptance.SignaturesOutOfBounds.selector, 17, 16));
    }

    // Optimistic.

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

    // Sampled.

    function test_SparedCounts() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(SAMPLED);
        IZKMLAcceptance.Result memory r = post(p);
        assertEq(acceptance.statusOf(idOf(r, p)).round, 1, "round");
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NotDrawnYet.selector, 1));
        acceptance.draw(r, p);
        beacon.set(1, IZKMLBeacon.RoundState.Known, valueFor(r, p, false));
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NotAcceptable.selector, 0, 1));
        accept(r, p);
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultDrawn(idOf(r, p), false, 0);
        acceptance.draw(r, p);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.HoldsAlready.selector, SAMPLED));
        acceptance.draw(r, p);
        accept(r, p);
        assertTrue(funds(POSTER) == BOND && acceptance.accepted() == 1, "accepted");
    }

    function test_DrawnHasToBeProven() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(SAMPLED);
        IZKMLAcceptance.Result memory r = post(p);
        beacon.set(1, IZKMLBeacon.RoundState.Known, valueFor(r, p, true));
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultDrawn(idOf(r, p), true, NOW + ANSWER_WINDOW);
        acceptance.draw(r, p);
        assertTrue(stateOf(r, p) == DEMANDED, "due");
        // Once it is drawn, its poster cannot take it back.
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.StillExposed.selector, idOf(r, p)));
        vm.prank(POSTER);
        acceptance.release(r, p);
        uint256 before = vm.snapshotState();
        prove(r, p);
        assertEq(funds(POSTER), BOND, "proven");
        vm.revertToState(before);
        vm.warp(NOW + ANSWER_WINDOW + 1);
        acceptance.claim(r, p);
        assertTrue(funds(BENEFICIARY) == BOND && funds(POSTER) == 0 && stateOf(r, p) == LOST, "all is lost");
    }

    /// @dev Keeping a draw to oneself until it cannot be shown any more does not help.
    function test_MissedRoundIsDue() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(SAMPLED);
        IZKMLAcceptance.Result memory r = post(p);
        beacon.set(1, IZKMLBeacon.RoundState.Missed, 0);
        acceptance.draw(r, p);
        assertTrue(stateOf(r, p) == DEMANDED, "due");
    }

    function test_RevertWhen_PosterWithdrawsBeforeItsDraw() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(SAMPLED);
        IZKMLAcceptance.Result memory r = post(p);
        vm.warp(LATE + 1);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.StillExposed.selector, idOf(r, p)));
        vm.prank(POSTER);
        acceptance.release(r, p);
    }

    /// @dev Each result is drawn on its own, as often as the rate says: within 5 standard deviations.
    function testFuzz_RateIsKept(bytes32 value, uint64 rate) external pure {
        rate = uint64(rate % 1e18 + 1);
        uint256 drawn;
        for (uint256 i = 0; i < 400; ++i) {
            if (ZKMLPolicy.isDrawn(bytes32(i), value, rate)) ++drawn;
        }
        int256 off = int256(drawn * 1e18) - int256(400 * uint256(rate));
        uint256 variance = 400 * uint256(rate) * (1e18 - uint256(rate)) + 1e36;
        assertTrue(uint256(off * off) <= 36 * variance, "rate");
    }

    function test_RateOfOneAlwaysDraws() external pure {
        for (uint256 i = 0; i < 100; ++i) {
            assertTrue(ZKMLPolicy.isDrawn(bytes32(i), keccak256("value"), 1e18), "drawn");
        }
    }

    // Attested.

    function test_SignatureAcceptsAtOnce() external {
        registerKey("enclave");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED);
        (p.bond, p.deposit, p.beneficiary) = (0, 0, address(0));
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        IZKMLAcceptance.Result memory r = post(p, posting, 0);
        assertTrue(stateOf(r, p) == ACCEPTED && acceptance.accepted() == 1, "accepted");
        assertEq(heldOf(r, p), ATTESTED, "attested");
        // And may be raised, once, for no money.
        prove(r, p);
        assertTrue(stateOf(r, p) == ACCEPTED && heldOf(r, p) == ATTESTED | PROVEN, "raised");
        assertTrue(acceptance.accepted() == 1 && funds(POSTER) == 0, "nothing else happens");
        bytes memory proof = proofOf(r);
        vm.expectRevert(wrongState(r, p, ACCEPTED));
        acceptance.prove(r, p, words(5, 6), proof);
    }

    function test_SignatureComesLater() external {
        registerKey("enclave");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        IZKMLAcceptance.Attestation[] memory all = one(attestationBy("enclave", r));
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultAttested(idOf(r, p));
        acceptance.attest(r, p, all);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.HoldsAlready.selector, ATTESTED));
        acceptance.attest(r, p, all);
        accept(r, p);
        assertEq(funds(POSTER), BOND, "bond");
    }

    function test_TwoOfThree() external {
        registerKey("enclave");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(7);
        p.required = 2;
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        IZKMLAcceptance.Result memory r = post(p, posting, BOND);
        assertTrue(stateOf(r, p) == POSTED && heldOf(r, p) == ATTESTED, "one of two");
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NotAcceptable.selector, ATTESTED, 2));
        accept(r, p);
        beacon.set(1, IZKMLBeacon.RoundState.Known, valueFor(r, p, false));
        acceptance.draw(r, p);
        accept(r, p);
        assertTrue(stateOf(r, p) == ACCEPTED && funds(POSTER) == BOND, "accepted");
    }

    function test_RevertWhen_SignaturesAreNotWhatTheyMustBe() external {
        registerKey("one");
        registerKey("two");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        p.signatures = 2;
        IZKMLAcceptance.Result memory r = post(p);
        IZKMLAcceptance.Attestation[] memory all = one(attestationBy("one", r));
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.SignaturesOutOfBounds.selector, 1, 2));
        acceptance.attest(r, p, all);
        all = new IZKMLAcceptance.Attestation[](2);
        (all[0], all[1]) = (attestationBy("one", r), attestationBy("one", r));
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.KeysNotAscending.selector, all[1].keyId));
        acceptance.attest(r, p, all);
        all[1] = attestationBy("two", r);
        if (all[0].keyId < all[1].keyId) (all[0], all[1]) = (all[1], all[0]);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.KeysNotAscending.selector, all[1].keyId));
        acceptance.attest(r, p, all);
        (all[0], all[1]) = (all[1], all[0]);
        acceptance.attest(r, p, all);
        assertEq(heldOf(r, p), ATTESTED, "two");
    }

    function test_RevertWhen_SignatureIsOfAnotherTimeOrResult() external {
        bytes32 keyId = registerKey("enclave");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        IZKMLAcceptance.Attestation memory a = attestationBy("enclave", r);
        vm.warp(NOW - 1);
        refuseSignature(r, p, a, abi.encodeWithSelector(IZKMLAcceptance.AttestationNotYetValid.selector, NOW));
        vm.warp(NOW + 10 minutes + 1);
        refuseSignature(r, p, a, abi.encodeWithSelector(IZKMLAcceptance.AttestationExpired.selector, NOW + 10 minutes));
        bytes memory wrong = abi.encodeWithSignature("WrongSignature(bytes32)", keyId);
        // A longer life than was signed.
        a.validUntil += 1;
        refuseSignature(r, p, a, wrong);
        vm.warp(NOW);
        a = attestationBy("enclave", r);
        a.issuedAt -= 1;
        refuseSignature(r, p, a, wrong);
        for (uint256 i = 0; i < 4; ++i) {
            IZKMLAcceptance.Result memory other = abi.decode(abi.encode(r), (IZKMLAcceptance.Result));
            if (i == 0) other.modelId ^= 1;
            if (i == 1) other.outputHash ^= bytes32(uint256(1));
            if (i == 2) other.action ^= bytes32(uint256(1));
            if (i == 3) other.dataCommitment ^= bytes32(uint256(1));
            refuseSignature(r, p, attestationBy("enclave", other), wrong);
        }
        a = attestationBy("enclave", r);
        vm.chainId(5);
        // The result's own context is another one there.
        vm.expectRevert();
        acceptance.attest(r, p, one(a));
    }

    /// @dev Revoked later, what was accepted stays.
    function test_RevokedKeySignsNoMore() external {
        bytes32 keyId = registerKey("enclave");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        IZKMLAcceptance.Result memory first = post(p, posting, 0);
        IZKMLAcceptance.Result memory r = post(p);
        vm.prank(REGISTRAR);
        attestors.revoke(keyId);
        refuseSignature(r, p, attestationBy("enclave", r), abi.encodeWithSignature("RevokedKey(bytes32)", keyId));
        assertTrue(stateOf(first, p) == ACCEPTED, "stays");
    }

    function test_RevertWhen_PathIsNotThePolicys() external {
        registerKey("enclave");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(SAMPLED);
        IZKMLAcceptance.Result memory r = post(p);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NoSuchPath.selector, OPTIMISTIC));
        challenge(r, p);
        refuseSignature(
            r, p, attestationBy("enclave", r), abi.encodeWithSelector(IZKMLAcceptance.NoSuchPath.selector, ATTESTED)
        );
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        refusePosting(p, posting, abi.encodeWithSelector(IZKMLAcceptance.NoSuchPath.selector, ATTESTED));
        p = policyOf(OPTIMISTIC);
        r = post(p);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NoSuchPath.selector, SAMPLED));
        acceptance.draw(r, p);
    }

    function test_RevertWhen_CoinsComeWithASignatureThatIsEnough() external {
        registerKey("enclave");
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        bytes memory error_ = abi.encodeWithSelector(IZKMLLedger.WrongValue.selector, BOND, 0);
        refusePosting(policyOf(ATTESTED | OPTIMISTIC), posting, error_);
    }

    // Proven, whenever.

    function test_ProofNeedsNoPath() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(7);
        p.required = 3;
        IZKMLAcceptance.Result memory r = post(p);
        prove(r, p);
        assertEq(funds(POSTER), BOND, "bond");
        vm.expectRevert(wrongState(r, p, IS_PROVEN));
        challenge(r, p);
        accept(r, p);
        assertTrue(stateOf(r, p) == ACCEPTED && acceptance.accepted() == 1, "accepted");
    }

    function test_RevertWhen_ProofIsOfSomethingElse() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        bytes memory good = proofOf(r);
        bytes32 hash = keccak256(words(5, 7));
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.WrongOutput.selector, hash, r.outputHash));
        acceptance.prove(r, p, words(5, 7), good);
        bytes memory other = blobOf(acceptance.contextOf(ALICE, 1, LATE, ACTION));
        vm.expectRevert(abi.encodeWithSignature("InputCommitmentMismatch()"));
        acceptance.prove(r, p, words(5, 6), other);
        other = blobOf(selectorOf("vk"), keccak256("other data"), acceptance.resultContext(r), PROOF, "");
        vm.expectRevert(abi.encodeWithSignature("InputCommitmentMismatch()"));
        acceptance.prove(r, p, words(5, 6), other);
        r.outputHash = hash;
        vm.expectRevert(wrongState(r, p, NONE));
        acceptance.prove(r, p, words(5, 7), good);
        vm.expectRevert(wrongState(r, p, NONE));
        acceptance.accept(r, p, words(5, 7));
    }

    /// @dev Of what was posted, everything counts: under another policy there is no such result.
    function testFuzz_RevertWhen_ResultOrPolicyIsAnother(uint8 which) external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        which %= 18;
        if (which == 0) r.poster = BOB;
        if (which == 1) r.subject = BOB;
        if (which == 2) r.nonce += 1;
        if (which == 3) r.deadline += 1;
        if (which == 4) r.action ^= bytes32(uint256(1));
        if (which == 5) r.dataCommitment ^= bytes32(uint256(1));
        if (which == 6) r.outputHash ^= bytes32(uint256(1));
        if (which == 7) r.modelId ^= 1;
        if (which == 8) p.required = 2;
        if (which == 9) p.bond += 1;
        if (which == 10) p.deposit = 1;
        if (which == 11) p.challengeWindow -= 1;
        if (which == 12) p.answerWindow -= 1;
        if (which == 13) p.beneficiary = BOB;
        if (which == 14) p.asset = address(token);
        if (which == 15) p.paths = uint8(OPTIMISTIC | ATTESTED);
        if (which == 16) p.rate += 1;
        if (which == 17) p.signatures += 1;
        vm.expectRevert(wrongState(r, p, NONE));
        challenge(r, p);
        vm.expectRevert(wrongState(r, p, NONE));
        acceptance.claim(r, p);
        vm.expectRevert(wrongState(r, p, NONE));
        acceptance.release(r, p);
    }

    // Giving up.

    function test_PosterReleasesWhatTheApplicationRefuses() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.StillExposed.selector, idOf(r, p)));
        vm.prank(POSTER);
        acceptance.release(r, p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        acceptance.plan(HookedConsumer.Hook.Validate, address(0), "no");
        vm.expectRevert(abi.encodeWithSignature("Error(string)", "no"));
        accept(r, p);
        assertTrue(stateOf(r, p) == POSTED && funds(POSTER) == 0, "nothing happened");
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NotPoster.selector, BOB));
        vm.prank(BOB);
        acceptance.release(r, p);
        vm.expectEmit(true, true, true, true, address(acceptance));
        emit IZKMLAcceptance.ResultVoided(idOf(r, p));
        vm.prank(POSTER);
        acceptance.release(r, p);
        assertTrue(stateOf(r, p) == VOID && funds(POSTER) == BOND && acceptance.accepted() == 0, "void");
        refuseAll(r, p, VOID);
    }

    function test_RevertWhen_DeadlineHasPassed() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.warp(LATE + 1);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, LATE));
        accept(r, p);
        vm.warp(LATE);
        accept(r, p);
    }

    /// @dev A refusal of the application takes no bond from a poster that has proven.
    function test_ProofPaysWhateverTheApplicationSays() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        challenge(r, p);
        acceptance.close(true);
        acceptance.plan(HookedConsumer.Hook.Act, address(0), "no");
        prove(r, p);
        assertEq(funds(POSTER), BOND + DEPOSIT, "paid");
    }

    function refuseAll(
        IZKMLAcceptance.Result memory r,
        IZKMLAcceptance.AcceptancePolicy memory p,
        IZKMLAcceptance.State state
    ) private {
        bytes memory error_ = wrongState(r, p, state);
        bytes memory proof = proofOf(r);
        vm.expectRevert(error_);
        acceptance.prove(r, p, words(5, 6), proof);
        vm.expectRevert(error_);
        accept(r, p);
        vm.expectRevert(error_);
        acceptance.claim(r, p);
        vm.expectRevert(error_);
        acceptance.release(r, p);
        vm.expectRevert(error_);
        challenge(r, p);
        vm.expectRevert(error_);
        acceptance.draw(r, p);
    }

    function refusePolicy(IZKMLAcceptance.AcceptancePolicy memory p, bytes memory error_) private {
        refusePosting(p, postingOf(), error_);
    }

    function refusePosting(
        IZKMLAcceptance.AcceptancePolicy memory p,
        IZKMLAcceptance.Posting memory posting,
        bytes memory error_
    ) private {
        uint256 nonce = acceptance.nonces(ALICE);
        vm.expectRevert(error_);
        vm.prank(POSTER);
        acceptance.post{value: BOND}(ALICE, ACTION, posting, p);
        assertEq(acceptance.nonces(ALICE), nonce, "nothing happened");
    }

    function refuseSignature(
        IZKMLAcceptance.Result memory r,
        IZKMLAcceptance.AcceptancePolicy memory p,
        IZKMLAcceptance.Attestation memory a,
        bytes memory error_
    ) private {
        vm.expectRevert(error_);
        acceptance.attest(r, p, one(a));
    }

    /// @dev Randomness that draws a result, or spares it.
    function valueFor(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p, bool due)
        private
        view
        returns (bytes32 value)
    {
        bytes32 id = idOf(r, p);
        while (ZKMLPolicy.isDrawn(id, value, p.rate) != due) {
            value = keccak256(abi.encode(value));
        }
    }
}
