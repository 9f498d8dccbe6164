// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../ZKMLConsumer.sol";
import {ZKMLTiers} from "../ZKMLTiers.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {CreditGate} from "./CreditGate.sol";

/// @title Example: small loans for less than a proof
/// @notice {CreditGate}, whose small and medium loans are approved by results under policies, by their principal; larger ones need a proof.
/// Every check of the gate stays: of the terms and the data when a result is posted, of the risk when it counts.
///
/// The bond of a policy has to be worth more than the largest loan of its tier divided by what is lost of it: see the book's page on
/// acceptance.
contract TieredCreditGate is CreditGate, ZKMLTiers {
    /// @notice See {CreditGate} and {ZKMLTiers}.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The credit model; it is fixed for good.
    /// @param outputScale Fractional bits of its output.
    /// @param issuer Who signs the data.
    /// @param policy_ What is decided outside the model.
    /// @param tiers_ Policies by principal.
    constructor(
        IZKMLVerifier verifier,
        uint256 modelId_,
        int256 outputScale,
        address issuer,
        CreditGate.Policy memory policy_,
        TierPolicies memory tiers_
    ) CreditGate(verifier, modelId_, outputScale, issuer, policy_) ZKMLTiers(tiers_) {}

    /// @notice Posts a result for a loan to the caller. It is approved once the result is accepted.
    /// @param terms The loan.
    /// @param posting The result, for the caller and {actionOf} these terms.
    /// @param acceptance The policy of its principal.
    /// @return resultId The result's id.
    function postLoan(Terms calldata terms, Posting calldata posting, AcceptancePolicy memory acceptance)
        external
        payable
        returns (bytes32 resultId)
    {
        _checkTerms(terms);
        return _postAmount(terms.principal, msg.sender, actionOf(terms), posting, acceptance);
    }

    function _onInference(address subject, bytes32 action, bytes32 dataCommitment, bytes calldata output)
        internal
        override(CreditGate, ZKMLConsumer)
    {
        CreditGate._onInference(subject, action, dataCommitment, output);
    }
}
