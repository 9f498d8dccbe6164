// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IZKMLAcceptance} from "../interfaces/IZKMLAcceptance.sol";
import {ZKMLAddress} from "./ZKMLAddress.sol";

/// @title What a policy may say
library ZKMLPolicy {
    /// @notice The path on which silence accepts.
    uint256 internal constant OPTIMISTIC = 1;
    /// @notice The path on which randomness spares.
    uint256 internal constant SAMPLED = 2;
    /// @notice The path on which keys sign.
    uint256 internal constant ATTESTED = 4;
    /// @notice Not a path: what a proof adds to those that hold.
    uint256 internal constant PROVEN = 8;

    /// @notice The shortest window, in seconds. Who keeps transactions out of blocks for longer than a window has won.
    uint256 internal constant MIN_WINDOW = 5 minutes;
    /// @notice The longest window, in seconds.
    uint256 internal constant MAX_WINDOW = 30 days;
    /// @notice The most signatures.
    uint256 internal constant MAX_SIGNATURES = 16;
    /// @notice One, with 18 decimals.
    uint256 internal constant WAD = 1e18;

    /// @notice Refuses a policy that promises nothing, or cannot end well.
    /// @param policy The policy.
    function check(IZKMLAcceptance.AcceptancePolicy memory policy) internal view {
        uint256 paths = policy.paths;
        if (paths == 0 || paths > (OPTIMISTIC | SAMPLED | ATTESTED)) revert IZKMLAcceptance.UnknownPaths(paths);
        uint256 number = count(paths);
        if (policy.required == 0 || policy.required > number) {
            revert IZKMLAcceptance.RequiredOutOfBounds(policy.required, number);
        }
        if (paths & ATTESTED != 0) {
            if (policy.signatures == 0 || policy.signatures > MAX_SIGNATURES) {
                revert IZKMLAcceptance.SignaturesOutOfBounds(policy.signatures, MAX_SIGNATURES);
            }
            ZKMLAddress.check(address(policy.attestors));
        }
        if (paths == ATTESTED) return;
        if (policy.bond == 0) revert IZKMLAcceptance.ZeroBond();
        if (policy.beneficiary == address(0)) revert IZKMLAcceptance.BadBeneficiary(address(0));
        _checkWindow(policy.answerWindow);
        if (paths & OPTIMISTIC != 0) {
            if (policy.deposit == 0) revert IZKMLAcceptance.ZeroDeposit();
            _checkWindow(policy.challengeWindow);
        }
        if (paths & SAMPLED != 0) {
            if (policy.rate == 0 || policy.rate > WAD) revert IZKMLAcceptance.RateOutOfBounds(policy.rate);
            ZKMLAddress.check(address(policy.beacon));
        }
    }

    /// @notice Time that a result may need.
    /// @param policy The policy.
    /// @return seconds_ From posting: for a challenge and its answer, or for an answer to being drawn.
    function time(IZKMLAcceptance.AcceptancePolicy memory policy) internal pure returns (uint256 seconds_) {
        uint256 paths = policy.paths;
        if (paths == ATTESTED) return 0;
        seconds_ = policy.answerWindow;
        if (paths & OPTIMISTIC != 0) seconds_ += policy.challengeWindow;
    }

    /// @notice The hash that a policy is fixed by.
    /// @param policy The policy.
    /// @return policyHash Keccak-256 of its ABI encoding.
    function hash(IZKMLAcceptance.AcceptancePolicy memory policy) internal pure returns (bytes32 policyHash) {
        assembly ("memory-safe") {
            // Twelve members, each a word: in memory as in its encoding.
            policyHash := keccak256(policy, 0x180)
        }
    }

    /// @notice How many of the three paths are in a set.
    /// @param paths The set.
    /// @return number Between 0 and 3.
    function count(uint256 paths) internal pure returns (uint256 number) {
        return (paths & 1) + (paths >> 1 & 1) + (paths >> 2 & 1);
    }

    /// @notice Whether a result is drawn.
    /// @param resultId The result.
    /// @param value The round's randomness.
    /// @param rate The probability, 18 decimals.
    /// @return due True with this probability, up to 2^-128, for each result on its own.
    function isDrawn(bytes32 resultId, bytes32 value, uint256 rate) internal pure returns (bool due) {
        return (uint256(keccak256(abi.encode(value, resultId))) >> 128) * WAD >> 128 < rate;
    }

    /// @dev Refuses a window that is too short or too long.
    function _checkWindow(uint256 window) private pure {
        if (window < MIN_WINDOW || window > MAX_WINDOW) {
            revert IZKMLAcceptance.WindowOutOfBounds(window, MIN_WINDOW, MAX_WINDOW);
        }
    }
}
