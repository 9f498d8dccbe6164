// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAcceptance} from "./ZKMLAcceptance.sol";
import {ZKMLPolicy} from "./libraries/ZKMLPolicy.sol";

/// @title What a contract inherits whose policy depends on an amount
/// @notice Below the first limit results are taken under one policy, below the second under another, and from there on only with a proof.
/// Both policies and both limits are fixed for good, and {TiersFixed} tells them. A proof is always good enough.
abstract contract ZKMLTiers is ZKMLAcceptance {
    /// @notice Two policies, and up to where they count.
    /// @param smallBelow Amounts below this are small; zero if none are.
    /// @param mediumBelow Amounts below this that are not small are medium.
    /// @param small The policy of small amounts; of no meaning if there are none.
    /// @param medium The policy of medium amounts; of no meaning if there are none.
    struct TierPolicies {
        uint256 smallBelow;
        uint256 mediumBelow;
        AcceptancePolicy small;
        AcceptancePolicy medium;
    }

    /// @notice What is kept of them.
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

    /// @notice Seconds after its policy's windows in which a result may wait to be acted on, at most. Its poster chooses the moment, so a longer
    /// time is a longer option for nothing; a draw that nobody hands in takes 27 hours.
    uint256 public constant MAX_WAIT = 2 days;

    /// @dev See {Tiers}.
    uint256 private immutable _SMALL_BELOW;
    /// @dev See {Tiers}.
    uint256 private immutable _MEDIUM_BELOW;
    /// @dev See {Tiers}.
    bytes32 private immutable _SMALL;
    /// @dev See {Tiers}.
    bytes32 private immutable _MEDIUM;

    /// @notice Policies and limits, for whoever posts.
    /// @param smallBelow Amounts below this are small.
    /// @param mediumBelow Amounts below this that are not small are medium.
    /// @param small The policy of small amounts.
    /// @param medium The policy of medium amounts.
    event TiersFixed(uint256 smallBelow, uint256 mediumBelow, AcceptancePolicy small, AcceptancePolicy medium);

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

    /// @notice The result could be acted on for too long.
    /// @param deadline What was handed in.
    /// @param latest What it may be at most.
    error DeadlineTooLate(uint256 deadline, uint256 latest);

    /// @notice Fixes policies and limits. A policy that promises nothing, or cannot end well, is refused here and not when somebody posts.
    /// @param tiers_ What they are.
    constructor(TierPolicies memory tiers_) {
        (uint256 smallBelow, uint256 mediumBelow) = (tiers_.smallBelow, tiers_.mediumBelow);
        if (smallBelow > mediumBelow) revert TiersOutOfOrder(smallBelow, mediumBelow);
        if (smallBelow != 0) ZKMLPolicy.check(tiers_.small);
        if (mediumBelow != smallBelow) ZKMLPolicy.check(tiers_.medium);
        (_SMALL_BELOW, _MEDIUM_BELOW) = (smallBelow, mediumBelow);
        (_SMALL, _MEDIUM) = (ZKMLPolicy.hash(tiers_.small), ZKMLPolicy.hash(tiers_.medium));
        emit TiersFixed(smallBelow, mediumBelow, tiers_.small, tiers_.medium);
    }

    /// @notice Hashes of the policies, and up to where they count.
    /// @return all What the contract was deployed with.
    function tiers() external view returns (Tiers memory all) {
        return Tiers(_SMALL_BELOW, _MEDIUM_BELOW, _SMALL, _MEDIUM);
    }

    /// @notice The hash that a policy is fixed by.
    /// @param policy The policy.
    /// @return hash Keccak-256 of its ABI encoding.
    function policyHashOf(AcceptancePolicy memory policy) public pure returns (bytes32 hash) {
        return ZKMLPolicy.hash(policy);
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
        AcceptancePolicy memory policy
    ) internal returns (bytes32 resultId) {
        if (amount >= _MEDIUM_BELOW) revert ProofRequired(amount);
        bytes32 expected = amount < _SMALL_BELOW ? _SMALL : _MEDIUM;
        bytes32 actual = policyHashOf(policy);
        if (actual != expected) revert WrongPolicy(actual, expected);
        uint256 latest = block.timestamp + ZKMLPolicy.time(policy) + MAX_WAIT;
        if (posting.deadline > latest) revert DeadlineTooLate(posting.deadline, latest);
        return _postChecked(subject, action, posting, policy);
    }
}
