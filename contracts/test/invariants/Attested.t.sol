// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Test} from "../support/Test.sol";
import {AttestedHandler} from "./AttestedHandler.sol";

/// @title What always holds of results that keys speak for, and of policies of which k paths have to hold
/// forge-config: default.invariant.fail-on-revert = true
contract AttestedInvariants is Test {
    AttestedHandler private handler;

    function setUp() external {
        handler = new AttestedHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Neither revoked nor expired nor foreign keys, nor one key twice, nor too late: and what is good is taken.
    function invariant_OnlyKeysInForceCount() external view {
        assertEq(handler.wronglyTaken(), 0, "taken");
        assertEq(handler.wronglyRefused(), 0, "refused");
    }

    function invariant_EnoughPathsHold() external view {
        assertEq(handler.tooEarly(), 0, "too early");
        assertEq(handler.twice(), 0, "twice");
    }

    function invariant_MoneyIsConserved() external view {
        (uint256 held, uint256 owed) = handler.books();
        assertEq(held, owed, "held and owed");
        assertEq(held, handler.paidIn(), "held and paid in");
    }

    /// @dev The handler does reach what the invariants are about.
    function test_HandlerReachesEverything() external {
        for (uint256 i = 0; i < 300; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            handler.post(i == 0 ? 0 : uint8(dice), uint64(dice >> 8) >> 8, uint8(dice >> 72), uint16(dice >> 80));
            // The last one: of older ones, windows are over.
            uint256 last = handler.made() - 1;
            if (i % 2 == 0) handler.attest(last, uint8(dice >> 128), uint16(dice >> 104));
            if (i % 4 == 1) handler.challenge(last);
            if (i % 4 > 1) handler.draw(last, bytes32(dice));
            if (i % 7 == 0) handler.prove(last);
            handler.accept(last);
            if (i % 6 == 0) handler.release(last);
            handler.wait(uint32(dice >> 160) | 1);
            handler.claim(last);
            handler.accept(dice >> 200);
            if (i % 6 == 3) handler.release(dice >> 208);
            if (i == 100 || i == 200) handler.revoke(uint8(i / 100));
        }
        string[9] memory deeds = [
            "posted", "posted and signed", "signed", "challenged", "drawn", "proven", "claimed", "accepted", "released"
        ];
        for (uint256 i = 0; i < deeds.length; ++i) {
            assertTrue(handler.happened(deeds[i]) > 3, deeds[i]);
        }
        assertTrue(handler.happened("refused") > 50 && handler.happened("revoked") == 2, "refused");
        assertEq(
            handler.wronglyTaken() + handler.wronglyRefused() + handler.tooEarly() + handler.twice(), 0, "surprises"
        );
        (uint256 held, uint256 owed) = handler.books();
        assertTrue(held == owed && held == handler.paidIn(), "books");
    }
}
