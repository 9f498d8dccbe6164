// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLBeacon} from "../src/interfaces/IZKMLBeacon.sol";
import {ZKMLPolicy} from "../src/libraries/ZKMLPolicy.sol";
import {Refusing} from "./support/Refusing.sol";

/// @title Later randomness spares a result, or makes its proof due
contract AcceptanceSampledTest is Refusing {
    function setUp() external {
        deployAccepting();
    }

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
}
