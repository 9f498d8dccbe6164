// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {ZKMLRouter} from "../src/ZKMLRouter.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title Routes: proposed, in force, withdrawn, stopped
contract RouterTest is Scripted {
    bytes4 private first;
    bytes4 private second;
    FakeVerifier private later;

    function setUp() external {
        deployScripted();
        first = selectorOf("vk");
        second = selectorOf("another vk");
        later = withKey(keccak256("another vk"));
    }

    function test_InitialRoutesAreInForceAtOnce() external view {
        assertEq(address(router.verifierOf(first)), address(fake), "verifier");
        ZKMLRouter.Route memory route = router.routeOf(first);
        assertEq(route.activeFrom, NOW, "from now on");
        assertTrue(!route.stopped && address(route.verifier) == address(fake), "route");
        assertEq(router.owner(), ROUTER_OWNER, "owner");
        assertEq(router.DELAY(), ROUTE_DELAY, "delay");
    }

    function test_RevertWhen_ThereIsNoRoute() external {
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.UnknownSelector.selector, second));
        router.verifierOf(second);
        assertEq(address(router.routeOf(second).verifier), address(0), "route");
        vm.startPrank(ROUTER_OWNER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.UnknownSelector.selector, second));
        router.stopRoute(second);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.UnknownSelector.selector, second));
        router.cancelRoute(second);
    }

    function test_RouteComesIntoForceAfterTheDelay() external {
        vm.expectEmit(true, true, true, true, address(router));
        emit ZKMLRouter.RouteProposed(second, later, NOW + ROUTE_DELAY);
        assertTrue(propose(later) == second, "selector");
        vm.warp(NOW + ROUTE_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.RouteNotActive.selector, second, NOW + ROUTE_DELAY));
        router.verifierOf(second);
        vm.warp(NOW + ROUTE_DELAY);
        assertEq(address(router.verifierOf(second)), address(later), "in force");
    }

    function test_CancelledRouteMayBeProposedAgain() external {
        propose(later);
        vm.warp(NOW + ROUTE_DELAY - 1);
        vm.expectEmit(true, true, true, true, address(router));
        emit ZKMLRouter.RouteCancelled(second);
        vm.prank(ROUTER_OWNER);
        router.cancelRoute(second);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.UnknownSelector.selector, second));
        router.verifierOf(second);
        FakeVerifier other = withKey(keccak256("another vk"));
        propose(other);
        // The delay starts again.
        vm.warp(NOW + ROUTE_DELAY);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.RouteNotActive.selector, second, NOW + 2 * ROUTE_DELAY - 1));
        router.verifierOf(second);
        vm.warp(NOW + 2 * ROUTE_DELAY - 1);
        assertEq(address(router.verifierOf(second)), address(other), "the later proposal");
    }

    function test_RevertWhen_CancellingARouteInForce() external {
        propose(later);
        vm.warp(NOW + ROUTE_DELAY);
        vm.startPrank(ROUTER_OWNER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.RouteInForce.selector, second));
        router.cancelRoute(second);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.RouteInForce.selector, first));
        router.cancelRoute(first);
    }

    function test_StopIsForGood() external {
        vm.expectEmit(true, true, true, true, address(router));
        emit ZKMLRouter.RouteStopped(first);
        stop(first);
        checkTombstone(first, fake);
        vm.warp(NOW + 1000 days);
        checkTombstone(first, withKey(keccak256("vk")));
    }

    function test_PendingRouteCanBeStoppedToo() external {
        propose(later);
        stop(second);
        checkTombstone(second, later);
        vm.warp(NOW + ROUTE_DELAY);
        checkTombstone(second, later);
    }

    function test_RevertWhen_SelectorIsTaken() external {
        FakeVerifier same = withKey(keccak256("vk"));
        vm.startPrank(ROUTER_OWNER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.SelectorTaken.selector, first));
        router.proposeRoute(same);
        router.proposeRoute(later);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.SelectorTaken.selector, second));
        router.proposeRoute(later);
        // Four bytes are the selector; the rest of the key does not matter.
        FakeVerifier collision = withKey(bytes32(first));
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.SelectorTaken.selector, first));
        router.proposeRoute(collision);
    }

    function test_RevertWhen_VerifierIsNone() external {
        vm.startPrank(ROUTER_OWNER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.NotAVerifier.selector, address(0x1234)));
        router.proposeRoute(IModelVerifier(address(0x1234)));
        FakeVerifier unnamed = withKey(bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.NotAVerifier.selector, address(unnamed)));
        router.proposeRoute(unnamed);
        vm.expectRevert();
        router.proposeRoute(IModelVerifier(address(registry)));
    }

    function test_FreezeEndsProposals() external {
        propose(later);
        vm.expectEmit(true, true, true, true, address(router));
        emit ZKMLRouter.RouterFrozen();
        vm.startPrank(ROUTER_OWNER);
        router.freeze();
        assertTrue(router.frozen(), "frozen");
        FakeVerifier third = withKey(keccak256("third"));
        vm.expectRevert(ZKMLRouter.RouterIsFrozen.selector);
        router.proposeRoute(third);
        vm.expectRevert(ZKMLRouter.RouterIsFrozen.selector);
        router.freeze();
        // What was announced comes into force; stopping works.
        vm.warp(NOW + ROUTE_DELAY);
        assertEq(address(router.verifierOf(second)), address(later), "announced before");
        router.stopRoute(second);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.SelectorTombstoned.selector, second));
        router.verifierOf(second);
        vm.expectRevert(ZKMLRouter.RouterIsFrozen.selector);
        router.proposeRoute(later);
    }

    function testFuzz_RevertWhen_CallerIsNotTheOwner(address caller) external {
        vm.assume(caller != ROUTER_OWNER);
        propose(later);
        bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(expected);
        router.proposeRoute(fake);
        vm.expectRevert(expected);
        router.cancelRoute(second);
        vm.expectRevert(expected);
        router.stopRoute(first);
        vm.expectRevert(expected);
        router.freeze();
    }

    function test_OwnershipMovesInTwoSteps() external {
        address heir = account("heir");
        vm.prank(ROUTER_OWNER);
        router.transferOwnership(heir);
        assertEq(router.owner(), ROUTER_OWNER, "not yet");
        vm.prank(heir);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, heir));
        router.stopRoute(first);
        vm.prank(heir);
        router.acceptOwnership();
        assertEq(router.owner(), heir, "accepted");
        vm.prank(heir);
        router.stopRoute(first);
    }

    function test_RevertWhen_TheDelayIsTooLong() external {
        IModelVerifier[] memory none = new IModelVerifier[](0);
        assertEq(new ZKMLRouter(ROUTER_OWNER, 90 days, none).DELAY(), 90 days, "the longest");
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.DelayTooLong.selector, 90 days + 1));
        new ZKMLRouter(ROUTER_OWNER, 90 days + 1, none);
    }

    function test_RevertWhen_TheDelayIsTooShort() external {
        IModelVerifier[] memory none = new IModelVerifier[](0);
        assertEq(new ZKMLRouter(ROUTER_OWNER, 1 hours, none).DELAY(), 1 hours, "the shortest");
        uint256[2] memory beyond = [uint256(0), 1 hours - 1];
        for (uint256 i = 0; i < beyond.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.DelayTooShort.selector, beyond[i]));
            new ZKMLRouter(ROUTER_OWNER, beyond[i], none);
        }
    }

    /// @dev What was looked at is the code.
    function test_RevertWhen_TheCodeIsAnother() external {
        bytes32 pinned = address(fake).codehash;
        assertEq(router.routeOf(first).codeHash, pinned, "what was looked at");
        bytes memory code = address(fake).code;
        vm.etch(address(fake), address(registry).code);
        bytes32 found = address(registry).codehash;
        bytes memory changed = abi.encodeWithSelector(ZKMLRouter.VerifierChanged.selector, first, found, pinned);
        vm.expectRevert(changed);
        router.verifierOf(first);
        // Its last byte alone.
        bytes memory other = abi.encodePacked(code, hex"00");
        vm.etch(address(fake), other);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.VerifierChanged.selector, first, keccak256(other), pinned));
        router.verifierOf(first);
        vm.etch(address(fake), "");
        vm.expectRevert();
        router.verifierOf(first);
        vm.etch(address(fake), code);
        assertEq(address(router.verifierOf(first)), address(fake), "as it was");
    }

    function test_RevertWhen_TheCodeChangesDuringTheDelay() external {
        propose(later);
        bytes32 pinned = address(later).codehash;
        vm.warp(NOW + ROUTE_DELAY);
        vm.etch(address(later), address(registry).code);
        vm.expectRevert(
            abi.encodeWithSelector(ZKMLRouter.VerifierChanged.selector, second, address(registry).codehash, pinned)
        );
        router.verifierOf(second);
    }

    /// @dev EIP-7702: an account with a key borrows the code of a verifier, and may borrow other code tomorrow.
    function test_RevertWhen_AnAccountBorrowsItsCode() external {
        address borrower = account("borrower");
        vm.etch(borrower, abi.encodePacked(hex"ef0100", address(later)));
        vm.mockCall(borrower, abi.encodeCall(IModelVerifier.vkDigest, ()), abi.encode(keccak256("another vk")));
        bytes memory refused = abi.encodeWithSelector(ZKMLRouter.NotAVerifier.selector, borrower);
        vm.prank(ROUTER_OWNER);
        vm.expectRevert(refused);
        router.proposeRoute(IModelVerifier(borrower));
        IModelVerifier[] memory initial = new IModelVerifier[](1);
        initial[0] = IModelVerifier(borrower);
        vm.expectRevert(refused);
        new ZKMLRouter(ROUTER_OWNER, ROUTE_DELAY, initial);
    }

    function test_RevertWhen_InitialRoutesShareASelector() external {
        IModelVerifier[] memory two = new IModelVerifier[](2);
        (two[0], two[1]) = (fake, withKey(keccak256("vk")));
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.SelectorTaken.selector, first));
        new ZKMLRouter(ROUTER_OWNER, ROUTE_DELAY, two);
    }

    function withKey(bytes32 vk) private returns (FakeVerifier) {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.vkDigest = vk;
        return new FakeVerifier(shape);
    }

    function propose(FakeVerifier verifier) private returns (bytes4) {
        vm.prank(ROUTER_OWNER);
        return router.proposeRoute(verifier);
    }

    function stop(bytes4 selector) private {
        vm.prank(ROUTER_OWNER);
        router.stopRoute(selector);
    }

    /// @dev Nothing that anybody can do brings the selector back.
    function checkTombstone(bytes4 selector, FakeVerifier verifier) private {
        bytes memory expected = abi.encodeWithSelector(ZKMLRouter.SelectorTombstoned.selector, selector);
        vm.expectRevert(expected);
        router.verifierOf(selector);
        assertTrue(router.routeOf(selector).stopped, "stopped");
        vm.startPrank(ROUTER_OWNER);
        vm.expectRevert(expected);
        router.proposeRoute(verifier);
        vm.expectRevert(expected);
        router.cancelRoute(selector);
        vm.expectRevert(expected);
        router.stopRoute(selector);
        vm.stopPrank();
    }
}
