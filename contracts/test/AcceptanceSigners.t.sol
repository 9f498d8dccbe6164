// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAttestors} from "../src/ZKMLAttestors.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {Accepting} from "./support/Accepting.sol";
import {ReenteringSigner, WritingSigner} from "./support/Reentering.sol";

/// @title Keys with code: what they can do while they are asked for their word
contract AcceptanceSignersTest is Accepting {
    function setUp() external {
        deployAccepting();
    }

    function registered(address signer) private returns (bytes32 keyId) {
        vm.prank(REGISTRAR);
        return attestors.register(
            ZKMLAttestors.Kind.Contract,
            bytes32(uint256(uint160(signer))),
            0,
            keccak256("certificate"),
            0,
            uint40(NOW + 30 days)
        );
    }

    function by(bytes32 keyId) private view returns (IZKMLAcceptance.Attestation[] memory) {
        return one(IZKMLAcceptance.Attestation(keyId, uint64(block.timestamp), uint64(block.timestamp + 60), ""));
    }

    /// @dev Whatever a key calls, it writes nothing: it gives its word only if its call was done, and gives none.
    function test_RevertWhen_KeyWritesWhileItIsAsked() external {
        WritingSigner signer = new WritingSigner();
        bytes32 keyId = registered(address(signer));
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        IZKMLAcceptance.Result memory open = post(p);
        vm.deal(address(signer), 10 ether);
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = by(keyId);
        bytes[5] memory calls = [
            abi.encodeCall(acceptance.post, (ALICE, ACTION, postingOf(), p)),
            abi.encodeCall(acceptance.attest, (open, p, by(keyId))),
            abi.encodeCall(acceptance.release, (open, p)),
            abi.encodeCall(acceptance.prove, (open, p, words(5, 6), proofOf(open))),
            abi.encodeCall(acceptance.deposit, (COIN, 0))
        ];
        bytes memory refused = abi.encodeWithSelector(ZKMLAttestors.WrongSignature.selector, keyId);
        for (uint256 i = 0; i < calls.length; ++i) {
            signer.plan(address(acceptance), calls[i]);
            vm.expectRevert(refused);
            vm.prank(POSTER);
            acceptance.post(ALICE, ACTION, posting, p);
            vm.expectRevert(refused);
            acceptance.attest(open, p, by(keyId));
        }
        assertTrue(stateOf(open, p) == IZKMLAcceptance.State.Posted && heldOf(open, p) == 0, "as it was");
        assertTrue(acceptance.accepted() == 0 && address(acceptance).balance == BOND, "nothing moved");
    }

    /// @dev A key that is asked twice about one result, from inside, still counts once; and sees the result as it is, not as it will be.
    function test_KeySeesNothingThatIsNotWritten() external {
        ReenteringSigner signer = new ReenteringSigner();
        bytes32 keyId = registered(address(signer));
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = by(keyId);
        IZKMLAcceptance.Result memory r = resultOf(POSTER);
        // It refuses if it can have the application act, and gives its word otherwise.
        signer.plan(address(acceptance), abi.encodeCall(acceptance.accept, (r, p, words(5, 6))), false, true);
        vm.prank(POSTER);
        acceptance.post(ALICE, ACTION, posting, p);
        assertTrue(acceptance.accepted() == 1 && stateOf(r, p) == IZKMLAcceptance.State.Accepted, "once");
    }

    /// @dev A key that has given its word and takes it back later changes nothing.
    function test_WordIsAskedForOnce() external {
        ReenteringSigner signer = new ReenteringSigner();
        bytes32 keyId = registered(address(signer));
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        signer.plan(address(0), "", true, true);
        acceptance.attest(r, p, by(keyId));
        signer.plan(address(0), "", false, false);
        accept(r, p);
        assertEq(funds(POSTER), BOND, "bond");
        r = post(p);
        vm.expectRevert(abi.encodeWithSelector(ZKMLAttestors.WrongSignature.selector, keyId));
        acceptance.attest(r, p, by(keyId));
    }

    /// @dev A key whose code is gone says nothing.
    function test_RevertWhen_KeyHasNoCodeAnyMore() external {
        ReenteringSigner signer = new ReenteringSigner();
        bytes32 keyId = registered(address(signer));
        signer.plan(address(0), "", true, true);
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(ATTESTED | OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.etch(address(signer), "");
        vm.expectRevert(abi.encodeWithSelector(ZKMLAttestors.WrongSignature.selector, keyId));
        acceptance.attest(r, p, by(keyId));
    }
}
