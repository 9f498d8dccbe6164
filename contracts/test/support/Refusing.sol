// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLAcceptance} from "../../src/interfaces/IZKMLAcceptance.sol";
import {ZKMLPolicy} from "../../src/libraries/ZKMLPolicy.sol";
import {Accepting} from "./Accepting.sol";

/// @title Refusals of results under policies, and randomness for them
abstract contract Refusing is Accepting {
    IZKMLAcceptance.State internal constant NONE = IZKMLAcceptance.State.None;
    IZKMLAcceptance.State internal constant POSTED = IZKMLAcceptance.State.Posted;
    IZKMLAcceptance.State internal constant DEMANDED = IZKMLAcceptance.State.Demanded;
    IZKMLAcceptance.State internal constant IS_PROVEN = IZKMLAcceptance.State.Proven;
    IZKMLAcceptance.State internal constant ACCEPTED = IZKMLAcceptance.State.Accepted;
    IZKMLAcceptance.State internal constant LOST = IZKMLAcceptance.State.Lost;
    IZKMLAcceptance.State internal constant VOID = IZKMLAcceptance.State.Void;

    function refuseAll(
        IZKMLAcceptance.Result memory r,
        IZKMLAcceptance.AcceptancePolicy memory p,
        IZKMLAcceptance.State state
    ) internal {
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

    function refusePolicy(IZKMLAcceptance.AcceptancePolicy memory p, bytes memory error_) internal {
        refusePosting(p, postingOf(), error_);
    }

    function refusePosting(
        IZKMLAcceptance.AcceptancePolicy memory p,
        IZKMLAcceptance.Posting memory posting,
        bytes memory error_
    ) internal {
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
    ) internal {
        vm.expectRevert(error_);
        acceptance.attest(r, p, one(a));
    }

    /// @dev Randomness that draws a result, or spares it.
    function valueFor(IZKMLAcceptance.Result memory r, IZKMLAcceptance.AcceptancePolicy memory p, bool due)
        internal
        view
        returns (bytes32 value)
    {
        bytes32 id = idOf(r, p);
        while (ZKMLPolicy.isDrawn(id, value, p.rate) != due) {
            value = keccak256(abi.encode(value));
        }
    }
}
