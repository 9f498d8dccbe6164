// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Records of verified inferences (ERC-7992's optional extension)
/// @notice The ERC-165 id is 0x29c6ba89.
interface IERCZKMLStorageExtension {
    /// @notice A verified inference was recorded.
    /// @param inferenceId `keccak256(abi.encodePacked(modelId, inputCommitment, output))`.
    event InferenceStored(bytes32 indexed inferenceId);

    /// @notice Verifies an inference and records it.
    /// @param modelId The model.
    /// @param inputCommitment Commitment to the input and to the context.
    /// @param output The outputs, encoded.
    /// @param proof The proof.
    /// @return inferenceId Where the record is.
    function verifyAndStoreInference(
        uint256 modelId,
        bytes32 inputCommitment,
        bytes calldata output,
        bytes calldata proof
    ) external returns (bytes32 inferenceId);

    /// @notice Reads a record.
    /// @param inferenceId Its id.
    /// @return modelId The model.
    /// @return inputCommitment Commitment to the input and to the context.
    /// @return output The outputs, encoded.
    function getInference(bytes32 inferenceId)
        external
        view
        returns (uint256 modelId, bytes32 inputCommitment, bytes memory output);
}
