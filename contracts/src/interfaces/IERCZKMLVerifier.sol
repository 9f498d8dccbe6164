// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The part of ERC-7992's verifier that its draft requires
/// @notice The ERC-165 id is 0x80b171ef.
interface IERCZKMLInference {
    /// @notice An inference was verified.
    /// @param modelId The model.
    /// @param inputCommitment Commitment to its input and to what the proof is bound to.
    /// @param output What it said.
    /// @param caller Who asked.
    event InferenceVerified(
        uint256 indexed modelId, bytes32 indexed inputCommitment, bytes output, address indexed caller
    );

    /// @notice The proof is not valid.
    error InvalidProof();
    /// @notice The proof belongs to another model than the one named.
    error ModelMismatch();
    /// @notice The proof is about another input, or bound to something else, than the caller said.
    error InputCommitmentMismatch();
    /// @notice The output does not have the form that this model's outputs have.
    error OutputMismatch();
    /// @notice The model is proven with a proof system that this verifier does not know.
    /// @param proofSystemId Its id in the registry.
    error UnsupportedProofSystem(bytes4 proofSystemId);
    /// @notice The model's owner has taken it out of use.
    /// @param modelId The model.
    error VerificationRefused_ModelDeprecated(uint256 modelId);

    /// @notice Verifies an inference and logs it. Reverts unless everything holds.
    /// @param modelId The model, as the registry knows it.
    /// @param inputCommitment Commitment to the input and to the context.
    /// @param output The outputs, encoded.
    /// @param proof The proof, with all that is needed to check it.
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external;
}

/// @title ERC-7992's verifier with its two optional views
/// @notice The ERC-165 id is 0x5df65472: `verifyInference`, `proofSystemOf` and `registry` together. Solidity's
/// `type(I).interfaceId` leaves inherited functions out; {ZKMLVerifier} adds them.
interface IERCZKMLVerifier is IERCZKMLInference {
    /// @notice The proof system of a model.
    /// @param modelId The model.
    /// @return proofSystemId As the registry has it.
    function proofSystemOf(uint256 modelId) external view returns (bytes4 proofSystemId);

    /// @notice Where models are registered.
    /// @return registryAddress The registry.
    function registry() external view returns (address registryAddress);
}
