// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IModelVerifier} from "./interfaces/IModelVerifier.sol";
import {IZKMLRouter} from "./interfaces/IZKMLRouter.sol";
import {ZKMLAddress} from "./libraries/ZKMLAddress.sol";

/// @title Routes from selectors to verifiers
/// @notice A selector is the first four bytes of a verifier's `vkDigest`. A route comes into force some time after its
/// owner has proposed it, so that everybody can look at the verifier first; it never points anywhere else. A stopped
/// route never restarts, and its selector is never used again. Once the router is frozen, no route can be added.
///
/// What a route leads to is code, not an address: it is not in force while there is other code than when it was proposed.
/// Code that decides by its storage stays the same when it changes its mind; that is what the delay is for.
/// @dev The owner can stop proofs from being accepted. It can make wrong ones accepted only by routing a selector that no
/// route ever had, and the delay shows it: a consumer is safe that pins a model whose route is in force.
contract ZKMLRouter is IZKMLRouter, Ownable2Step {
    /// @notice A route.
    /// @param verifier Where it leads.
    /// @param activeFrom Block time from which it is in force.
    /// @param stopped Whether it is stopped, for good.
    /// @param codeHash Keccak-256 of the code that was there when the route was proposed, and has to be there ever after.
    struct Route {
        IModelVerifier verifier;
        uint64 activeFrom;
        bool stopped;
        bytes32 codeHash;
    }

    /// @notice The shortest delay that can be chosen: an hour, so that there is a time to look at a verifier.
    uint256 public constant MIN_DELAY = 1 hours;

    /// @notice The longest delay that can be chosen: 90 days.
    uint256 public constant MAX_DELAY = 90 days;

    /// @notice Seconds between the proposal of a route and its coming into force.
    uint256 public immutable DELAY;

    /// @notice Whether no route can be added any more.
    bool public frozen;

    /// @dev All routes that ever came into force, and the pending ones.
    mapping(bytes4 selector => Route) private _routes;

    /// @notice A route was proposed.
    /// @param selector First four bytes of the verifier's `vkDigest`.
    /// @param verifier Where it leads.
    /// @param activeFrom Block time from which it is in force.
    event RouteProposed(bytes4 indexed selector, IModelVerifier indexed verifier, uint256 activeFrom);
    /// @notice A route was withdrawn before it came into force.
    /// @param selector Its selector, which may be proposed again.
    event RouteCancelled(bytes4 indexed selector);
    /// @notice A route was stopped, for good.
    /// @param selector Its selector, which is never used again.
    event RouteStopped(bytes4 indexed selector);
    /// @notice No route will be added any more.
    event RouterFrozen();

    /// @notice There is no route for this selector.
    /// @param selector The selector.
    error UnknownSelector(bytes4 selector);
    /// @notice The route is not in force yet.
    /// @param selector Its selector.
    /// @param activeFrom Block time from which it is.
    error RouteNotActive(bytes4 selector, uint256 activeFrom);
    /// @notice The route was stopped, and its selector is never used again.
    /// @param selector Its selector.
    error SelectorTombstoned(bytes4 selector);
    /// @notice There is a route for this selector, and routes do not move.
    /// @param selector The selector.
    error SelectorTaken(bytes4 selector);
    /// @notice The route is in force, so it can be stopped, but not withdrawn.
    /// @param selector Its selector.
    error RouteInForce(bytes4 selector);
    /// @notice The router is frozen.
    error RouterIsFrozen();
    /// @notice There is no verifier at this address.
    /// @param verifier The address.
    error NotAVerifier(address verifier);
    /// @notice The verifier has other code than when its route was proposed.
    /// @param selector The route's selector.
    /// @param found Keccak-256 of the code that is there now.
    /// @param expected Keccak-256 of the code that was looked at.
    error VerifierChanged(bytes4 selector, bytes32 found, bytes32 expected);
    /// @notice The delay is shorter than {MIN_DELAY}.
    /// @param delay The delay, in seconds.
    error DelayTooShort(uint256 delay);
    /// @notice The delay is longer than {MAX_DELAY}.
    /// @param delay The delay, in seconds.
    error DelayTooLong(uint256 delay);

    /// @notice Makes a router, with routes that are in force at once: nobody relies on it yet.
    /// @param owner_ Who adds and stops routes: a multisig or a timelock.
    /// @param delay Seconds between a later proposal and its coming into force.
    /// @param initial The first verifiers.
    constructor(address owner_, uint256 delay, IModelVerifier[] memory initial) Ownable(owner_) {
        if (delay < MIN_DELAY) revert DelayTooShort(delay);
        if (delay > MAX_DELAY) revert DelayTooLong(delay);
        DELAY = delay;
        for (uint256 i = 0; i < initial.length; ++i) {
            _add(initial[i], block.timestamp);
        }
    }

    /// @notice Proposes a route, which comes into force after the delay.
    /// @param verifier The verifier, or a stop around it.
    /// @return selector Its selector.
    function proposeRoute(IModelVerifier verifier) external onlyOwner returns (bytes4 selector) {
        if (frozen) revert RouterIsFrozen();
        return _add(verifier, block.timestamp + DELAY);
    }

    /// @notice Withdraws a route before it comes into force.
    /// @param selector Its selector, which may be proposed again.
    function cancelRoute(bytes4 selector) external onlyOwner {
        if (block.timestamp >= _live(selector).activeFrom) revert RouteInForce(selector);
        delete _routes[selector];
        emit RouteCancelled(selector);
    }

    /// @notice Stops a route at once and for good, whether it is in force or pending.
    /// @param selector Its selector, which is never used again.
    function stopRoute(bytes4 selector) external onlyOwner {
        _live(selector).stopped = true;
        emit RouteStopped(selector);
    }

    /// @notice Gives up adding routes, for good. Routes that were proposed before come into force as announced; routes
    /// can still be stopped.
    function freeze() external onlyOwner {
        if (frozen) revert RouterIsFrozen();
        frozen = true;
        emit RouterFrozen();
    }

    /// @inheritdoc IZKMLRouter
    function verifierOf(bytes4 selector) external view returns (IModelVerifier verifier) {
        Route storage route = _live(selector);
        uint256 activeFrom = route.activeFrom;
        if (block.timestamp < activeFrom) revert RouteNotActive(selector, activeFrom);
        verifier = route.verifier;
        (bytes32 found, bytes32 expected) = (address(verifier).codehash, route.codeHash);
        if (found != expected) revert VerifierChanged(selector, found, expected);
    }

    /// @notice What is known of a selector, whether its route is in force or not.
    /// @param selector The selector.
    /// @return route All zero if there never was a route.
    function routeOf(bytes4 selector) external view returns (Route memory route) {
        return _routes[selector];
    }

    /// @dev Writes a route that did not exist.
    function _add(IModelVerifier verifier, uint256 activeFrom) private returns (bytes4 selector) {
        if (!ZKMLAddress.isContract(address(verifier))) revert NotAVerifier(address(verifier));
        selector = bytes4(verifier.vkDigest());
        if (selector == 0) revert NotAVerifier(address(verifier));
        Route storage route = _routes[selector];
        if (route.stopped) revert SelectorTombstoned(selector);
        if (address(route.verifier) != address(0)) revert SelectorTaken(selector);
        // Times stay below 2^64: now, plus at most 90 days.
        _routes[selector] = Route(verifier, uint64(activeFrom), false, address(verifier).codehash);
        emit RouteProposed(selector, verifier, activeFrom);
    }

    /// @dev A route that exists and is not stopped.
    function _live(bytes4 selector) private view returns (Route storage route) {
        route = _routes[selector];
        if (address(route.verifier) == address(0)) revert UnknownSelector(selector);
        if (route.stopped) revert SelectorTombstoned(selector);
    }
}
