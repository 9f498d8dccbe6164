// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAcceptance} from "./ZKMLAcceptance.sol";

/// @title What a contract inherits whose policy depends on an amount
/// @notice Below the first limit results are taken under one policy, below the second under another, and from there on only with a proof.
/// Both policies and both limits are fixed for good. A proof is always good enough.
abstract contract ZKMLTiers is ZKMLAcceptance {
    /// @notice Two policies, and up to where they count.
    /// @param smallBelow Amounts below this are small; zero if none are.
    /// @param mediumBelow Amounts below this that are not small are medium.
    /// @param small Hash of the policy of small amounts, see {policyHashOf}.
    /// @param medium Hash of the policy of medium amounts.
    struct Tiers {
        uint256 smallBelow;
        uint256 mediumBelow;
        bytes32 small;
        bytes32 medium;
    }

    /// @dev See {Tiers}.
    uint256 private immutable _SMALL_BELOW;
    /// @dev See {Tiers}.
    uint256 private immutable _MEDIUM_BELOW;
    /// @dev See {Tiers}.
    bytes32 private immutable _SMALL;
    /// @dev See {Tiers}.
    bytes32 private immutable _MEDIUM;

    /// @notice The first limit is not above the second.
    /// @param smallBelow The first.
    /// @param mediumBelow The second.
    error TiersOutOfOrder(uint256 smallBelow, uint256 mediumBelow);
    /// @notice This amount needs a proof.
    /// @param amount The amount.
    error ProofRequired(uint256 amount);
    /// @notice This is not the policy of the amount.
    /// @param actual Its hash.
    /// @param expected The hash that it must have.
    error WrongPolicy(bytes32 actual, bytes32 expected);

    /// @notice Fixes policies and limits.
    /// @param tiers_ What they are.
    constructor(Tiers memory tiers_) {
        if (tiers_.smallBelow > tiers_.mediumBelow) {
            revert TiersOutOfOrder(tiers_.smallBelow, tiers_.mediumBelow);
        }
        (_SMALL_BELOW, _MEDIUM_BELOW) = (tiers_.smallBelow, tiers_.mediumBelow);
        (_SMALL, _MEDIUM) = (tiers_.small, tiers_.medium);
    }

    /// @notice The policies, and up to where they count.
    /// @return all What the contract was deployed with.
    function tiers() external view returns (Tiers memory all) {
        return Tiers(_SMALL_BELOW, _MEDIUM_BELOW, _SMALL, _MEDIUM);
    }

    /// @notice The hash that a policy is fixed by.
    /// @param policy The policy.
    /// @return hash Keccak-256 of its ABI encoding.
    function policyHashOf(AcceptancePolicy calldata policy) public pure returns (bytes32 hash) {
        return keccak256(abi.encode(policy));
    }

    /// @dev Posts a result under the policy of an amount, see {ZKMLAcceptance-_postResult}.
    /// @param amount The amount at stake; bound by the action.
    /// @param subject Whom the inference is about.
    /// @param action What will be done, hashed with the amount.
    /// @param posting What was handed in.
    /// @param policy The policy that was handed in.
    /// @return resultId The result's id.
    function _postAmount(
        uint256 amount,
        address subject,
        bytes32 action,
        Posting calldata posting,
        AcceptancePolicy calldata policy
    ) internal returns (bytes32 resultId) {
        if (amount >= _MEDIUM_BELOW) revert ProofRequired(amount);
        bytes32 expected = amount < _SMALL_BELOW ? _SMALL : _MEDIUM;
        bytes32 actual = policyHashOf(policy);
        if (actual != expected) revert WrongPolicy(actual, expected);
        return _postResult(subject, action, posting, policy);
    }
}
