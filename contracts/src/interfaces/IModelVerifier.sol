// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title What every generated verifier offers
/// @notice Stateless and immutable. An accepted proof means: the committed model, on the committed or public input,
/// gave this output. It does not mean that the model is right or fair, nor that the input is true.
interface IModelVerifier {
    /// @notice Returns true if the proof is valid for these instances, and reverts with a typed error otherwise.
    /// @param proof Exactly `PROOF_LENGTH` bytes.
    /// @param instances Exactly `NUM_INSTANCES` numbers below the order of BN254's scalar field: context, inputs,
    /// model, outputs.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool);

    /// @notice Names constraints, commitments, setup and schema.
    function vkDigest() external view returns (bytes32);

    /// @notice Names the model: what a consumer pins.
    function modelCommitment() external view returns (bytes32);

    /// @notice Names the trusted setup.
    function srsDigest() external view returns (bytes32);

    /// @notice Bytes of a proof.
    function PROOF_LENGTH() external view returns (uint256);

    /// @notice Numbers in the public statement.
    function NUM_INSTANCES() external view returns (uint256);

    /// @notice Fractional bits of the first output: its real value is the signed integer over 2^OUTPUT_SCALE.
    function OUTPUT_SCALE() external view returns (int256);

    /// @notice Version of the toolkit that generated the contract.
    function VERSION() external view returns (string memory);

    /// @notice Whether the setup's secret is public, so that anybody can forge proofs. Such a verifier exists on test
    /// chains only.
    function UNSAFE_DEV_SETUP() external view returns (bool);
}
