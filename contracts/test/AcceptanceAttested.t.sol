// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLBeacon} from "../src/interfaces/IZKMLBeacon.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {Refusing} from "./support/Refusing.sol";

/// @title Keys sign: how many, which, for what and until when
contract AcceptanceAttestedTest is Refusing {
    function setUp() external {
        deployAccepting();
    }

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

    /// @dev Whatever the path, and though keys need no bond: a policy is the application's, and names nobody who posts.
    function test_RevertWhen_TheBeneficiaryPosts() external {
        registerKey("enclave");
        for (uint256 paths = 1; paths < 8; ++paths) {
            IZKMLAcceptance.AcceptancePolicy memory p = policyOf(paths);
            p.beneficiary = POSTER;
            IZKMLAcceptance.Posting memory posting = postingOf();
            if (paths & ATTESTED != 0) posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
            vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.BadBeneficiary.selector, POSTER));
            vm.prank(POSTER);
            acceptance.post(ALICE, ACTION, posting, p);
        }
    }

    /// @dev The last second counts.
    function test_DeadlineMayBeNow() external {
        registerKey("enclave");
        IZKMLAcceptance.Posting memory posting = postingOf();
        IZKMLAcceptance.Result memory r = resultOf(POSTER);
        (posting.deadline, r.deadline) = (NOW, NOW);
        posting.attestations = one(attestationBy("enclave", r));
        vm.prank(POSTER);
        acceptance.post(ALICE, ACTION, posting, policyOf(ATTESTED));
        assertEq(acceptance.accepted(), 1, "accepted");
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
}
