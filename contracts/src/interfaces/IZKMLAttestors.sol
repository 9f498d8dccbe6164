// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Keys that may attest results: of enclaves and of auditors
interface IZKMLAttestors {
    /// @notice Refuses a signature unless it is of a registered key that has neither expired nor been revoked.
    /// @param keyId The key.
    /// @param digest What was signed.
    /// @param signature The signature; its form depends on the key.
    function check(bytes32 keyId, bytes32 digest, bytes calldata signature) external view;
}
