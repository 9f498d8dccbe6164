// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Test} from "../support/Test.sol";
import {AcceptanceHandler} from "./AcceptanceHandler.sol";

/// @title What always holds of results under policies, whatever everybody does
/// forge-config: default.invariant.fail-on-revert = true
contract AcceptanceInvariants is Test {
    AcceptanceHandler private handler;

    function setUp() external {
        handler = new AcceptanceHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev What lies there is what is owed, to the last unit, and all that came in.
    function invariant_MoneyIsConserved() external view {
        (uint256 held, uint256 owed) = handler.books();
        assertEq(held, owed, "held and owed");
        assertEq(held, handler.paidIn(), "held and paid in");
    }

    function invariant_HonestPostersLoseNothing() external view {
        assertEq(handler.honestLosses(), 0, "lost");
        assertTrue(handler.honestIsWhole(), "whole");
    }

    /// @dev Also where a liar has challenged itself: a half of each bond is gone.
    function invariant_LiarsDoNotKeepTheirBonds() external view {
        assertTrue(handler.beneficiaryHas() >= handler.liesCaught(), "caught");
        assertEq(handler.happened("a lie proven"), 0, "proven lies");
    }

    function invariant_NothingIsFinalTwice() external view {
        assertEq(handler.twice(), 0, "twice");
    }

    /// @dev The handler does reach what the invariants are about.
    function test_HandlerReachesEverything() external {
        for (uint256 i = 0; i < 400; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            handler.post(uint8(dice), dice & 256 == 0, uint64(dice >> 16) >> 8);
            uint256 last = i;
            if (i % 2 == 0) handler.challenge(last, i % 4 == 0, uint16(dice >> 32));
            if (i % 3 != 0) handler.draw(last, uint8(dice >> 48), bytes32(dice), uint16(dice >> 64));
            if (i % 7 == 0) handler.prove(last, uint8(dice >> 80));
            handler.wait(uint16(dice >> 96) % 9000);
            handler.claim(dice >> 128, uint8(dice >> 112));
            handler.claim(last, uint8(dice >> 112));
            if (i % 4 == 3) handler.release(last, dice & 256 == 0 ? 0 : 1);
            handler.accept(last, uint8(dice >> 120));
        }
        string[7] memory deeds = ["posted", "challenged", "drawn", "proven", "claimed", "accepted", "released"];
        for (uint256 i = 0; i < deeds.length; ++i) {
            assertTrue(handler.happened(deeds[i]) > 5, deeds[i]);
        }
        (uint256 held, uint256 owed) = handler.books();
        assertTrue(held == owed && held == handler.paidIn() && handler.honestIsWhole(), "books");
        assertEq(handler.honestLosses() + handler.twice(), 0, "surprises");
        assertTrue(handler.liesCaught() != 0 && handler.beneficiaryHas() >= handler.liesCaught(), "caught");
    }
}
