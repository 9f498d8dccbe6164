// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Several inferences of one model, checked with one pairing
/// @notice All of them hold, or none is taken.
interface IZKMLBatchVerifier {
    /// @notice One inference, with the arguments of {IERCZKMLInference-verifyInference}.
    /// @param inputCommitment Commitment to the input and to the context.
    /// @param output The outputs, encoded: 32 bytes for each word of the output section.
    /// @param proof The proof blob, see {ZKMLStatement}.
    struct Inference {
        bytes32 inputCommitment;
        bytes output;
        bytes proof;
    }

    /// @notice There is nothing in the batch.
    error EmptyBatch();
    /// @notice At least one proof of the batch is not valid; {firstRefused} says which.
    error BatchRejected();
    /// @notice The model's verifier does not leave its pairing to a caller: verify its inferences one by one.
    /// @param verifier What the route leads to.
    error NotBatchable(address verifier);

    /// @notice Verifies inferences of one model, and logs each as {IERCZKMLInference-verifyInference} does. Reverts unless
    /// everything holds of all of them.
    /// @param modelId The model, as the registry knows it.
    /// @param inferences One at least.
    function verifyBatch(uint256 modelId, Inference[] calldata inferences) external;

    /// @notice As {verifyBatch}, without the logs.
    /// @param modelId The model, as the registry knows it.
    /// @param inferences One at least.
    function checkBatch(uint256 modelId, Inference[] calldata inferences) external view;

    /// @notice Checks inferences one by one, up to the first that is refused. Made for looking, with as much gas as they take
    /// singly: with too little, a good one is refused without a reason.
    /// @param modelId The model, as the registry knows it.
    /// @param inferences Those of a batch.
    /// @return index Its place; the number of inferences if none is refused.
    /// @return reason The error, as bytes.
    function firstRefused(uint256 modelId, Inference[] calldata inferences)
        external
        view
        returns (uint256 index, bytes memory reason);
}
