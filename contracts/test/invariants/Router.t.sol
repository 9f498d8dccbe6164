// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLRouter} from "../../src/ZKMLRouter.sol";
import {Test} from "../support/Test.sol";
import {RouterHandler} from "./RouterHandler.sol";

/// @title What always holds of a router, whatever its owner and everybody else do
/// forge-config: default.invariant.fail-on-revert = true
contract RouterInvariants is Test {
    RouterHandler private handler;
    ZKMLRouter private router;

    function setUp() external {
        handler = new RouterHandler();
        router = handler.theRouter();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Strangers never succeed, owners exactly where they should: nobody else adds a route, none is added to a
    /// frozen router, none moves, none in force is withdrawn.
    function invariant_CallsDoWhatTheyShould() external view {
        assertEq(handler.surprises(), 0, "surprises");
        assertTrue(router.frozen() == handler.frozen(), "frozen");
    }

    /// @dev A stopped route never restarts, and its selector is never used again; a route in force leads where it was
    /// proposed to lead; a pending one leads nowhere.
    function invariant_RoutesLeadWhereTheyWereProposedToLead() external {
        vm.warp(handler.time());
        for (uint256 i = 0; i < handler.SELECTORS(); ++i) {
            RouterHandler.Ghost memory ghost = handler.ghostAt(i);
            bytes4 selector = handler.selectorAt(i);
            bytes memory lookUp = abi.encodeCall(router.verifierOf, (selector));
            (bool found, bytes memory answer) = address(router).staticcall(lookUp);
            if (ghost.stopped) {
                assertEq(answer, abi.encodeWithSelector(ZKMLRouter.SelectorTombstoned.selector, selector), "stopped");
            } else if (ghost.verifier == address(0)) {
                assertEq(answer, abi.encodeWithSelector(ZKMLRouter.UnknownSelector.selector, selector), "none");
            } else if (handler.time() < ghost.activeFrom) {
                bytes memory expected =
                    abi.encodeWithSelector(ZKMLRouter.RouteNotActive.selector, selector, ghost.activeFrom);
                assertEq(answer, expected, "pending");
            } else {
                assertTrue(found && abi.decode(answer, (address)) == ghost.verifier, "in force");
            }
            ZKMLRouter.Route memory route = router.routeOf(selector);
            assertEq(address(route.verifier), ghost.verifier, "verifier");
            assertTrue(route.stopped == ghost.stopped && route.activeFrom == ghost.activeFrom, "route");
        }
    }

    /// @dev The handler does reach what the invariants are about.
    function test_HandlerReachesEverything() external {
        for (uint256 i = 0; i < 400; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i / 2)));
            uint256 which = dice >> 16;
            bool asOwner = dice & 1 == 0;
            if (i % 4 == 0) handler.propose(which, asOwner);
            if (i % 4 == 1) handler.cancel(which, asOwner);
            if (i % 8 == 2) handler.wait(uint24(dice >> 64));
            if (i > 300 && i % 16 == 3) handler.stop(which, asOwner, uint8(dice >> 8));
            if (i == 399) handler.freeze(true, 0);
        }
        string[4] memory deeds = ["proposed", "cancelled", "stopped", "frozen"];
        for (uint256 i = 0; i < deeds.length; ++i) {
            assertTrue(handler.happened(deeds[i]) > 0, deeds[i]);
        }
        assertEq(handler.surprises(), 0, "surprises");
    }
}
