// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERCZKMLVerifier} from "./IERCZKMLVerifier.sol";

/// @title ERC-7992's verifier, and the same check as a view
interface IZKMLVerifier is IERCZKMLVerifier {
    /// @notice As {verifyInference}, without the log.
    /// @param modelId The model, as the registry knows it.
    /// @param inputCommitment Commitment to the input and to the context.
    /// @param output The outputs, encoded: 32 bytes for each word of the output section.
    /// @param proof The proof blob, see {ZKMLStatement}.
    function checkInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external
        view;
}
