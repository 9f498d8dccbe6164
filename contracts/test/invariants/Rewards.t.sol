// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Test} from "../support/Test.sol";
import {RewardsHandler} from "./RewardsHandler.sol";

/// @title What always holds of rewards, whatever everybody does
/// forge-config: default.invariant.fail-on-revert = true
contract RewardsInvariants is Test {
    RewardsHandler private handler;

    function setUp() external {
        handler = new RewardsHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev What lies there is what is owed, to the last unit.
    function invariant_TheBooksAreEven() external view {
        for (uint256 i = 0; i < 2; ++i) {
            (uint256 held, uint256 owed) = handler.books(i == 0);
            assertEq(held, owed, "held and owed");
        }
    }

    /// @dev Among others: nothing is earned twice, late, by who copied it, or for another reward; limits hold.
    function invariant_CallsDoWhatTheyShould() external view {
        assertEq(handler.surprises(), 0, "surprises");
        assertTrue(handler.agrees(), "everybody has what they should");
    }

    /// @dev The handler does reach what the invariants are about.
    function test_HandlerReachesEverything() external {
        for (uint256 i = 0; i < 500; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            bool inCoins = dice & 1 == 0;
            handler.deposit(uint8(dice >> 8), inCoins, uint64(dice >> 16) >> 8, dice & 14 == 0);
            handler.allow(uint8(dice >> 8), uint8(dice >> 16), inCoins, uint64(dice >> 24));
            handler.request(
                uint8(dice >> 8), uint8(dice >> 16), inCoins, dice & 2 == 0, uint64(dice >> 24) >> 10, uint8(dice)
            );
            if (i % 2 == 0) handler.fulfill(dice >> 32, uint8(dice >> 8), uint8(dice >> 16));
            if (i % 2 == 1) handler.reclaim(dice >> 32, uint8(dice >> 8));
            if (i % 3 == 1) handler.withdraw(uint8(dice >> 8), inCoins, dice);
            if (i % 5 == 1) handler.wait(uint8(dice >> 40));
        }
        string[6] memory deeds = ["deposited", "withdrawn", "limited", "requested", "fulfilled", "reclaimed"];
        for (uint256 i = 0; i < deeds.length; ++i) {
            assertTrue(handler.happened(deeds[i]) > 5, deeds[i]);
        }
        assertEq(handler.surprises(), 0, "surprises");
        assertTrue(handler.agrees(), "everybody has what they should");
    }
}
