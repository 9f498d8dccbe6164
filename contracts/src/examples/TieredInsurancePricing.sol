// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLTiers} from "../ZKMLTiers.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {InsurancePricing} from "./InsurancePricing.sol";

/// @title Example: quotes for small covers for less than a proof
/// @notice {InsurancePricing}, whose small and medium covers are quoted by results under policies; larger ones need a proof. Every check
/// stays: of the policy and the data when a result is posted, of the rate when it counts, and of what is bought when it is bought.
contract TieredInsurancePricing is InsurancePricing, ZKMLTiers {
    /// @dev Covers of results that were posted; they are too large for an action, which is a hash.
    mapping(address holder => mapping(bytes32 action => uint256 cover)) private _covers;

    /// @notice See {InsurancePricing} and {ZKMLTiers}.
    /// @param verifier Checks the proofs.
    /// @param modelId_ The model; it is fixed for good.
    /// @param outputScale Fractional bits of its output.
    /// @param issuer Who signs the data.
    /// @param limits_ What is decided outside the model.
    /// @param tiers_ Policies by cover.
    constructor(
        IZKMLVerifier verifier,
        uint256 modelId_,
        int256 outputScale,
        address issuer,
        Limits memory limits_,
        TierPolicies memory tiers_
    ) InsurancePricing(verifier, modelId_, outputScale, issuer, limits_) ZKMLTiers(tiers_) {}

    /// @notice Posts a result for a policy of the caller. It is quoted once the result is accepted.
    /// @param insurance The policy.
    /// @param posting The result, for the caller and {actionOf} this policy.
    /// @param acceptance What the result has to show, by the policy's cover.
    /// @return resultId The result's id.
    function postQuote(
        InsurancePricing.Policy calldata insurance,
        Posting calldata posting,
        AcceptancePolicy memory acceptance
    ) external payable returns (bytes32 resultId) {
        bytes32 action = _checkPolicy(insurance);
        _covers[msg.sender][action] = insurance.cover;
        return _postAmount(insurance.cover, msg.sender, action, posting, acceptance);
    }

    /// @dev Of an inference that comes with its proof, {quote} makes the quote.
    function _onInference(address subject, bytes32 action, bytes32, bytes calldata output) internal override {
        uint256 cover = _covers[subject][action];
        if (cover == 0) return;
        delete _covers[subject][action];
        // Sold meanwhile: the result only gives its bond back.
        if (insured[subject][action]) return;
        _quote(subject, action, cover, output);
    }
}
