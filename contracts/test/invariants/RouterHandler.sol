// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLRouter} from "../../src/ZKMLRouter.sol";
import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {FakeVerifier} from "../support/FakeVerifier.sol";
import {Scripted} from "../support/Scripted.sol";

/// @title Owners and strangers at a router, in any order; what each call should do is kept beside it
contract RouterHandler is Scripted {
    /// @dev What should be known of a selector.
    struct Ghost {
        address verifier;
        uint256 activeFrom;
        bool stopped;
    }

    uint256 public constant SELECTORS = 4;
    uint256 private constant VERIFIERS = 8;

    FakeVerifier[VERIFIERS] private _verifiers;
    mapping(uint256 => Ghost) private _ghosts;
    bool public frozen;
    uint256 private _now = NOW;

    /// @dev Calls that did what they should not have, or did not do what they should have.
    uint256 public surprises;
    /// @dev How often something really happened, so that a run that does nothing can be told.
    mapping(string what => uint256 count) public happened;

    constructor() {
        for (uint256 i = 0; i < VERIFIERS; ++i) {
            IModelVerifier.Shape memory shape = defaultShape();
            // Two verifiers for each selector.
            shape.vkDigest = bytes32(selectorAt(i % SELECTORS)) | bytes32(i);
            _verifiers[i] = new FakeVerifier(shape);
        }
        deployStack(_verifiers[0]);
        _ghosts[0] = Ghost(address(_verifiers[0]), NOW, false);
    }

    function selectorAt(uint256 index) public pure returns (bytes4) {
        return bytes4(keccak256(abi.encode(index)));
    }

    function ghostAt(uint256 index) external view returns (Ghost memory) {
        return _ghosts[index];
    }

    function theRouter() external view returns (ZKMLRouter) {
        return router;
    }

    function propose(uint256 which, bool asOwner) external {
        which %= VERIFIERS;
        Ghost storage ghost = _ghosts[which % SELECTORS];
        bool expected = asOwner && !frozen && ghost.verifier == address(0);
        if (attempt("proposed", asOwner, abi.encodeCall(router.proposeRoute, (_verifiers[which])), expected)) {
            (ghost.verifier, ghost.activeFrom) = (address(_verifiers[which]), _now + ROUTE_DELAY);
        }
    }

    function cancel(uint256 which, bool asOwner) external {
        which %= SELECTORS;
        Ghost storage ghost = _ghosts[which];
        bool expected = asOwner && ghost.verifier != address(0) && !ghost.stopped && _now < ghost.activeFrom;
        if (attempt("cancelled", asOwner, abi.encodeCall(router.cancelRoute, (selectorAt(which))), expected)) {
            delete _ghosts[which];
        }
    }

    function stop(uint256 which, bool asOwner, uint8 rarely) external {
        if (rarely % 4 != 0) return;
        which %= SELECTORS;
        Ghost storage ghost = _ghosts[which];
        bool expected = asOwner && ghost.verifier != address(0) && !ghost.stopped;
        if (attempt("stopped", asOwner, abi.encodeCall(router.stopRoute, (selectorAt(which))), expected)) {
            ghost.stopped = true;
        }
    }

    function freeze(bool asOwner, uint8 rarely) external {
        if (asOwner && rarely % 16 != 0) return;
        if (attempt("frozen", asOwner, abi.encodeCall(router.freeze, ()), asOwner && !frozen)) frozen = true;
    }

    function wait(uint24 seconds_) external {
        _now += seconds_ % ROUTE_DELAY;
        vm.warp(_now);
    }

    /// @dev The present time; what the fuzzer warps to by itself does not count.
    function time() external view returns (uint256) {
        return _now;
    }

    function attempt(string memory what, bool asOwner, bytes memory data, bool expected) private returns (bool done) {
        vm.warp(_now);
        vm.prank(asOwner ? ROUTER_OWNER : account("stranger"));
        (done,) = address(router).call(data);
        if (done != expected) ++surprises;
        if (done) ++happened[what];
    }
}
