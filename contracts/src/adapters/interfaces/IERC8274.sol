// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The proof-system side of ERC-8274
/// @notice Signatures as in the draft: pull request 1771 of ethereum/ERCs, revision 10ed575, created 2026-05-26. The
/// interfaces of the application's side (`IAgentVerifier`, `IAgentVerifiable`) are for applications to implement.
interface IProofVerifier {
    /// @notice Whether a proof is valid for an input and an output.
    /// @param inputHash Commitment to the input.
    /// @param outputHash Commitment to the output.
    /// @param metadata What stays the same from call to call, such as the model.
    /// @param proof The proof, and what else belongs to one inference.
    /// @return valid True if it is.
    function verify(bytes32 inputHash, bytes32 outputHash, bytes calldata metadata, bytes calldata proof)
        external
        returns (bool valid);

    /// @notice What kind of proofs these are.
    /// @return name In the form `paradigm/variant`.
    function proofSystem() external view returns (string memory name);

    /// @notice Tells one deployment from another.
    /// @return profile Keccak-256 of the proof system's name and of something that only this deployment has.
    function proofProfile() external view returns (bytes32 profile);
}
