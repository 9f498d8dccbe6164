// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLTiers} from "../ZKMLTiers.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {FraudFlag} from "./FraudFlag.sol";

/// @title Example: pauses for small transfers for less than a proof
/// @notice {FraudFlag}, whose cases about small and medium transfers are taken by results under policies, by the transfer's amount; larger
/// ones need a proof. The amount is part of the case, and the issuer signs for the case: nobody makes it smaller.
///
/// Every check stays: of the evidence when a result is posted; of the score when it counts; of reporter, account and cooldown at both
/// times, since a window lies between them. So evidence that was older than a flag by the time when it counts pauses nobody. Nor does the same
/// evidence twice: it is posted once for a case, by its commitment.
contract TieredFraudFlag is FraudFlag, ZKMLTiers {
    /// @notice A transfer that looks like fraud.
    /// @param id The issuer's name for it.
    /// @param amount How much was moved, in the smallest unit.
    struct Transfer {
        bytes32 id;
        uint256 amount;
    }

    /// @dev A case that was posted. One that counts has no reporter any more.
    struct Posted {
        address reporter;
        uint64 postedAt;
        bytes32 caseId;
    }

    /// @notice Type of a case about a transfer.
    bytes32 public constant TRANSFER_TYPEHASH = keccak256("FraudTransfer(bytes32 id,uint256 amount)");

    /// @dev Cases by action, a hash of reporter, account and case, and by their evidence: a case with newer evidence is another one, and makes
    /// no older one newer.
    mapping(bytes32 action => mapping(bytes32 dataCommitment => Posted posted)) private _posted;

    /// @notice The reporter has posted this evidence for this case before.
    /// @param dataCommitment The commitment to it.
    error AlreadyPosted(bytes32 dataCommitment);

    /// @notice See {FraudFlag} and {ZKMLTiers}.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The first model.
    /// @param modelDelay Seconds before another model can take over.
    /// @param outputScale Fractional bits of the output.
    /// @param issuer Who signs the evidence.
    /// @param arbiter Who decides appeals.
    /// @param pause How long a pause is, in seconds.
    /// @param threshold The lowest score that pauses, 18 decimals.
    /// @param tiers_ Policies by the amount of a transfer.
    constructor(
        IZKMLVerifier verifier,
        uint256 modelId_,
        uint256 modelDelay,
        int256 outputScale,
        address issuer,
        address arbiter,
        uint64 pause,
        uint256 threshold,
        TierPolicies memory tiers_
    ) FraudFlag(verifier, modelId_, modelDelay, outputScale, issuer, arbiter, pause, threshold) ZKMLTiers(tiers_) {}

    /// @notice Posts a result about an account. It is paused once the result is accepted.
    /// @param account_ The account: the subject of the inference.
    /// @param transfer What the evidence is about.
    /// @param posting The result, for the account and {actionOf} caller, account and {caseOf} the transfer.
    /// @param acceptance The policy of its amount.
    /// @return resultId The result's id.
    function postFlag(
        address account_,
        Transfer calldata transfer,
        Posting calldata posting,
        AcceptancePolicy memory acceptance
    ) external payable returns (bytes32 resultId) {
        _checkCase(msg.sender, account_);
        bytes32 caseId = caseOf(transfer);
        bytes32 action = actionOf(msg.sender, account_, caseId);
        Posted storage posted = _posted[action][posting.dataCommitment];
        if (posted.postedAt != 0) revert AlreadyPosted(posting.dataCommitment);
        // Block times are far below 2^64.
        (posted.reporter, posted.postedAt, posted.caseId) = (msg.sender, uint64(block.timestamp), caseId);
        return _postAmount(transfer.amount, account_, action, posting, acceptance);
    }

    /// @notice The case of a transfer, also for {flag}.
    /// @param transfer The transfer.
    /// @return caseId Id and amount, hashed.
    function caseOf(Transfer calldata transfer) public pure returns (bytes32 caseId) {
        return keccak256(abi.encode(TRANSFER_TYPEHASH, transfer.id, transfer.amount));
    }

    /// @dev Of an inference that comes with its proof, {flag} pauses the account.
    function _onInference(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
        override
    {
        Posted storage posted = _posted[action][dataCommitment];
        (address reporter, uint256 postedAt) = (posted.reporter, posted.postedAt);
        if (reporter == address(0)) return;
        posted.reporter = address(0);
        _checkCase(reporter, subject);
        // When it was posted, the evidence was newer than the last flag.
        uint256 flaggedAt = flags[subject].flaggedAt;
        if (postedAt <= flaggedAt) revert OldEvidence(postedAt, flaggedAt);
        _flag(reporter, subject, posted.caseId, output);
    }
}
