// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The function of ERC-7007 that checks content
/// @notice Signature as in the final text of 2024-10-01. The token itself, which is ERC-721 with `addAigcData`, is for
/// applications; its `verify` asks a contract like this one.
interface IERC7007Verify {
    /// @notice Whether a model made this content from this prompt.
    /// @param prompt What the model was asked.
    /// @param aigcData What it answered.
    /// @param proof Why that is so.
    /// @return success True if it did.
    function verify(bytes calldata prompt, bytes calldata aigcData, bytes calldata proof)
        external
        view
        returns (bool success);
}
