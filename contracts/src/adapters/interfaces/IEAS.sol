// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @notice An attestation of the Ethereum Attestation Service, as resolvers get to see it.
/// @param uid Its id.
/// @param schema The id of its schema.
/// @param time When it was made.
/// @param expirationTime When it ends, or zero.
/// @param revocationTime When it was revoked, or zero.
/// @param refUID Another attestation that it refers to, or zero.
/// @param recipient Whom it is about.
/// @param attester Who makes it.
/// @param revocable Whether the attester may revoke it.
/// @param data What it says, encoded as the schema has it.
struct Attestation {
    bytes32 uid;
    bytes32 schema;
    uint64 time;
    uint64 expirationTime;
    uint64 revocationTime;
    bytes32 refUID;
    address recipient;
    address attester;
    bool revocable;
    bytes data;
}

/// @title What EAS asks of a schema's resolver
/// @notice Signatures as in version 1.4.0 of the contracts (1.9.0 of their npm package, of 2026-05-18). There the four
/// functions are payable; EAS sends nothing where {isPayable} says no, so here they are not.
interface ISchemaResolver {
    /// @notice The version of EAS that the resolver is made for.
    /// @return text As `major.minor.patch`.
    function version() external view returns (string memory text);

    /// @notice Whether attesting costs ether.
    /// @return payable_ True if the resolver takes any.
    function isPayable() external pure returns (bool payable_);

    /// @notice An attestation is being made.
    /// @param attestation The attestation.
    /// @return valid Whether it may be.
    function attest(Attestation calldata attestation) external returns (bool valid);

    /// @notice Several attestations are being made.
    /// @param attestations The attestations.
    /// @param values Ether sent with each.
    /// @return valid Whether all of them may be.
    function multiAttest(Attestation[] calldata attestations, uint256[] calldata values) external returns (bool valid);

    /// @notice An attestation is being revoked.
    /// @param attestation The attestation.
    /// @return valid Whether it may be.
    function revoke(Attestation calldata attestation) external returns (bool valid);

    /// @notice Several attestations are being revoked.
    /// @param attestations The attestations.
    /// @param values Ether sent with each.
    /// @return valid Whether all of them may be.
    function multiRevoke(Attestation[] calldata attestations, uint256[] calldata values) external returns (bool valid);
}
