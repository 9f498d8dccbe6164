// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {Refusing} from "./support/Refusing.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title A proof is always enough; what counts for nothing gives its bond back
contract AcceptanceProvenTest is Refusing {
    function setUp() external {
        deployAccepting();
    }

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

    /// @dev The words are handed in again, and have to be the posted ones: nothing else says what is acted on.
    function test_RevertWhen_OtherWordsAreAccepted() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        bytes32 hash = keccak256(words(5, 7));
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.WrongOutput.selector, hash, r.outputHash));
        acceptance.accept(r, p, words(5, 7));
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
}
