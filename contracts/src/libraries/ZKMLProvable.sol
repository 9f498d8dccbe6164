// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";
import {IZKMLRouter} from "../interfaces/IZKMLRouter.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";

/// @title Whether anything can still be proven about a model
/// @notice A model is deprecated for good, and a route or a verifier is stopped for good. Whoever owes a proof from then on cannot give it.
library ZKMLProvable {
    /// @dev Gas that the questions below never use up. A question that runs out of gas is not answered with no.
    uint256 private constant _GAS = 150_000;

    /// @dev `ROUTER()` of a {ZKMLVerifier}.
    bytes4 private constant _ROUTER = bytes4(keccak256("ROUTER()"));
    /// @dev `stopped()` of a {ZKMLEmergencyStop}.
    bytes4 private constant _STOPPED = bytes4(keccak256("stopped()"));

    /// @notice There is too little gas to be sure of the answer.
    /// @param available What is left.
    /// @param needed What has to be left.
    error TooLittleGas(uint256 available, uint256 needed);

    /// @notice Whether the model is in use, and its route and verifier are not stopped.
    /// @param verifier Checks the proofs.
    /// @param registry Where it finds its models.
    /// @param modelId The model.
    /// @return provable True also where a verifier has no router to be asked.
    function isProvable(IZKMLVerifier verifier, IZKMLRegistry registry, uint256 modelId)
        internal
        view
        returns (bool provable)
    {
        if (gasleft() < _GAS) revert TooLittleGas(gasleft(), _GAS);
        (IZKMLRegistry.Identity memory identity,, bool deprecated) = registry.identityOf(modelId);
        if (deprecated) return false;
        (bool known, uint256 router) = _ask(uint160(address(verifier)), _ROUTER, 0);
        if (!known) return true;
        // The first four bytes of its verifying key's hash name its route.
        (bool live, uint256 found) = _ask(router, IZKMLRouter.verifierOf.selector, bytes4(identity.vkHash));
        if (!live) return false;
        // Of verifiers, only an emergency stop has this function.
        (bool hasStop, uint256 stopped) = _ask(found, _STOPPED, 0);
        return !hasStop || stopped == 0;
    }

    /// @dev The first word of an answer; no more of it is copied. A function without arguments does not look at the one that it gets.
    function _ask(uint256 target, bytes4 selector, bytes32 argument)
        private
        view
        returns (bool answered, uint256 word)
    {
        assembly ("memory-safe") {
            // In scratch space; what answers with less than a word does not have the function.
            mstore(0x00, selector)
            mstore(0x04, argument)
            answered := staticcall(gas(), target, 0x00, 0x24, 0x00, 0x20)
            answered := and(answered, gt(returndatasize(), 0x1f))
            word := mload(0x00)
        }
    }
}
