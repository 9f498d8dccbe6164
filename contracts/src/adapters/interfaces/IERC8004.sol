// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title What a validator asks of ERC-8004's validation registry
/// @notice Signatures as in the draft's revision of 2026-01-25, where tags are strings; they were 32-byte words before.
interface IValidationRegistry {
    /// @notice Answers a request; only the validator that the request names may.
    /// @param requestHash Keccak-256 of what is to be validated; it identifies the request.
    /// @param response From 0, failed, to 100, passed.
    /// @param responseURI Where evidence lies, or nothing.
    /// @param responseHash Commitment to the evidence, or zero.
    /// @param tag Sorts answers, or nothing.
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external;

    /// @notice What is known of a request.
    /// @param requestHash Identifies it.
    /// @return validatorAddress Who is to answer it.
    /// @return agentId The agent whose work it is about, as the identity registry knows it.
    /// @return response The last answer, or zero.
    /// @return responseHash See {validationResponse}.
    /// @return tag See {validationResponse}.
    /// @return lastUpdate Block time of the request or of the last answer.
    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (
            address validatorAddress,
            uint256 agentId,
            uint8 response,
            bytes32 responseHash,
            string memory tag,
            uint256 lastUpdate
        );
}
