// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRequests} from "../../src/interfaces/IZKMLRequests.sol";
import {HookedRequests} from "../support/HookedRequests.sol";
import {Test} from "../support/Test.sol";
import {RequestsHandler} from "./RequestsHandler.sol";

/// @title What always holds of requests, whatever everybody does
/// forge-config: default.invariant.fail-on-revert = true
contract RequestsInvariants is Test {
    RequestsHandler private handler;
    HookedRequests private requests;

    function setUp() external {
        handler = new RequestsHandler();
        requests = handler.theRequests();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Among others: no request is fulfilled twice, late, while paused, after it was withdrawn, or with another proof.
    function invariant_CallsDoWhatTheyShould() external view {
        assertEq(handler.surprises(), 0, "surprises");
        assertEq(handler.happened("replayed"), 0, "replayed");
    }

    function invariant_EveryRequestStandsWhereItShould() external view {
        uint256 fulfilled;
        for (uint256 i = 0; i < handler.made(); ++i) {
            (uint256 id, IZKMLRequests.RequestState expected) = handler.madeAt(i);
            assertTrue(requests.requestState(id) == expected, "state");
            bool done = expected == IZKMLRequests.RequestState.Fulfilled;
            assertEq(handler.timesFulfilled(id), done ? 1 : 0, "at most once");
            if (done) ++fulfilled;
        }
        assertEq(requests.fulfilled(), fulfilled, "one effect for each");
    }

    function invariant_RequestsAreCounted() external view {
        assertEq(requests.requestCount(), handler.made(), "count");
        assertEq(handler.happened("requested"), handler.made(), "one call for each");
    }

    function invariant_StatesMoveForward() external {
        assertTrue(handler.lookedBack(), "forward");
    }

    /// @dev An inference that is handed in at once moves a nonce, a request never does.
    function invariant_NoncesAreOfTheOtherWay() external view {
        uint256 total;
        for (uint256 i = 0; i < 3; ++i) {
            address subject = handler.subjectAt(i);
            assertEq(requests.nonces(subject), handler.expectedNonce(subject), "nonce");
            total += requests.nonces(subject);
        }
        assertEq(requests.accepted(), total + requests.fulfilled(), "one effect for each");
    }

    /// @dev The handler does reach what the invariants are about.
    function test_HandlerReachesEverything() external {
        for (uint256 i = 0; i < 600; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            bool asOwner = dice & 3 != 0;
            if (i % 3 == 0) handler.request(dice >> 16, uint16(dice >> 32), dice & 12 == 0, bytes32(dice));
            if (i % 3 == 1) handler.fulfill(dice >> 16, uint8(dice >> 8));
            if (i % 7 == 2) handler.cancel(dice >> 16, asOwner);
            if (i % 9 == 3) handler.take(dice >> 16);
            if (i % 11 == 4) handler.pause(asOwner, uint8(dice >> 8));
            if (i % 5 == 0) handler.wait(uint16(dice >> 16));
            handler.replay(dice >> 16);
            assertTrue(handler.lookedBack(), "forward");
        }
        string[6] memory deeds = ["requested", "fulfilled", "cancelled", "taken", "paused", "unpaused"];
        for (uint256 i = 0; i < deeds.length; ++i) {
            assertTrue(handler.happened(deeds[i]) > 3, deeds[i]);
        }
        assertEq(handler.surprises(), 0, "surprises");
    }
}
