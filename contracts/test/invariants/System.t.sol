// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRegistry} from "../../src/interfaces/IZKMLRegistry.sol";
import {Test} from "../support/Test.sol";
import {HookedConsumer} from "../support/HookedConsumer.sol";
import {SystemHandler} from "./SystemHandler.sol";

/// @title What always holds of the whole stack, whatever everybody does
/// forge-config: default.invariant.fail-on-revert = true
contract SystemInvariants is Test {
    SystemHandler private handler;
    HookedConsumer private consumer;
    IZKMLRegistry private registry;
    bytes32[4] private identities;

    function setUp() external {
        handler = new SystemHandler();
        consumer = handler.theConsumer();
        registry = handler.theRegistry();
        for (uint256 i = 0; i < identities.length; ++i) {
            identities[i] = identity(handler.models(i));
        }
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Among others: a deprecated model never verifies, nothing does through a stopped route or an emergency stop, no
    /// proof is taken twice, nobody but the owners moves anything, and no model takes over before its time.
    function invariant_CallsDoWhatTheyShould() external view {
        assertEq(handler.surprises(), 0, "surprises");
    }

    /// @dev A nonce is the number of inferences that were taken: it moves by one with each, and never back.
    function invariant_NoncesCountWhatWasTaken() external view {
        uint256 total;
        for (uint256 i = 0; i < 3; ++i) {
            address subject = handler.subjectAt(i);
            assertEq(consumer.nonces(subject), handler.expectedNonce(subject), "nonce");
            total += consumer.nonces(subject);
        }
        assertEq(consumer.accepted(), total, "one effect for each nonce");
        assertEq(handler.happened("taken"), total, "one call for each nonce");
        assertEq(handler.happened("replayed"), 0, "replayed");
    }

    function invariant_RegisteredHashesNeverChange() external view {
        for (uint256 i = 0; i < identities.length; ++i) {
            uint256 model = handler.models(i);
            assertEq(identity(model), identities[i], "identity");
            (,, bool deprecated) = registry.identityOf(model);
            assertTrue(deprecated == handler.deprecated(model), "deprecated, and for good");
        }
    }

    function invariant_StopsAreNeverUndone() external view {
        assertTrue(handler.stop().stopped() == handler.emergency(), "stopped");
    }

    function invariant_ModelsTakeOverAsAnnounced() external view {
        assertEq(consumer.modelId(), handler.expectedModel(), "model");
        assertEq(consumer.proposedModelId(), handler.proposed(), "proposed");
        assertEq(consumer.proposedModelFrom(), handler.proposedFrom(), "from");
    }

    /// @dev The handler does reach what the invariants are about.
    function test_HandlerReachesEverything() external {
        for (uint256 i = 0; i < 600; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            bool asOwner = dice & 3 != 0;
            if (i % 3 == 0) handler.take(dice >> 16, uint8(dice >> 8), asOwner);
            if (i % 7 == 1) handler.replay(dice >> 16);
            if (i % 9 == 2) handler.propose(dice >> 16, asOwner);
            if (i % 9 == 3) handler.accept(asOwner);
            if (i % 5 == 4) handler.wait(uint24(dice >> 16));
            if (i % 60 == 5) handler.cancel(asOwner, 0);
            if (i % 7 == 6) handler.update(dice >> 16, asOwner, uint8(dice >> 8), "uri");
            if (i % 11 == 7) handler.showExploit(uint16(dice >> 8), asOwner, 1);
        }
        handler.deprecate(0, true, 0);
        handler.stopRoute(true, 0);
        uint256 before = vm.snapshotState();
        handler.pressStop(true, 0);
        assertTrue(handler.happened("emergency") > 0, "emergency");
        vm.revertToState(before);
        handler.showExploit(1001, true, 0);
        string[8] memory deeds =
            ["taken", "proposed", "accepted", "cancelled", "updated", "deprecated", "route stopped", "exploited"];
        for (uint256 i = 0; i < deeds.length; ++i) {
            assertTrue(handler.happened(deeds[i]) > 0, deeds[i]);
        }
        assertEq(handler.surprises(), 0, "surprises");
    }

    function identity(uint256 model) private view returns (bytes32) {
        (IZKMLRegistry.Identity memory identity_, address owner,) = registry.identityOf(model);
        return keccak256(abi.encode(identity_, owner));
    }
}
