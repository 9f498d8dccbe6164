// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {IZKMLVerifier} from "@zkml-chain/contracts/src/interfaces/IZKMLVerifier.sol";
import {CreditConsumer} from "generated/CreditConsumer.sol";

/// @title A desk that approves applicants whom the model gives a low risk
/// @notice The chain sees the risk and a commitment to the applicant's data, never the data.
contract CreditDesk is CreditConsumer {
    /// @notice The highest probability of default that is approved, with 18 decimals.
    int256 public constant MAX_RISK = 0.5e18;
    /// @notice What a proof is bound to: `action-text` in zkml.toml is this text.
    bytes32 public constant APPROVE = keccak256("approve");

    /// @notice Whose data the desk has looked at, by the commitment to the data.
    mapping(bytes32 dataCommitment => address applicant) public vouchedFor;
    /// @notice Who was approved.
    mapping(address applicant => bool) public approved;

    /// @notice Nobody has looked at the data behind this commitment, or they are somebody else's.
    error NotVouchedFor(bytes32 dataCommitment);
    /// @notice The model sees too high a risk.
    error TooRisky(int256 risk);

    constructor(IZKMLVerifier verifier, uint256 modelId, address owner_) CreditConsumer(verifier, modelId, owner_) {}

    /// @notice Says that the data behind a commitment are this applicant's, and true.
    function vouch(address applicant, bytes32 dataCommitment) external onlyOwner {
        vouchedFor[dataCommitment] = applicant;
    }

    /// @notice Approves the caller. The proof was made for the caller, this contract and this chain, and counts once.
    function approve(Inference calldata inference) external {
        Outputs memory outputs = _acceptInference(msg.sender, APPROVE, inference);
        if (outputs.probabilityOfDefault > MAX_RISK) revert TooRisky(outputs.probabilityOfDefault);
        approved[msg.sender] = true;
    }

    /// @dev Without this, applicants would choose the data that the model judges them by.
    function _checkProvenance(address subject, bytes32, bytes32 dataCommitment, bytes calldata) internal view override {
        if (vouchedFor[dataCommitment] != subject) revert NotVouchedFor(dataCommitment);
    }
}
