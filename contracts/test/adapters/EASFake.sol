// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Attestation, ISchemaResolver} from "../../src/adapters/interfaces/IEAS.sol";

/// @title The Ethereum Attestation Service and its schema registry, as far as resolvers notice
contract EASFake {
    struct Schema {
        ISchemaResolver resolver;
        bool revocable;
    }

    struct Request {
        address recipient;
        uint64 expirationTime;
        bool revocable;
        bytes32 refUID;
        bytes data;
        uint256 value;
    }

    mapping(bytes32 uid => Schema) private _schemas;
    mapping(bytes32 uid => Attestation) private _attestations;
    uint256 private _count;

    error InvalidAttestation();
    error InvalidRevocation();
    error InvalidSchema();
    error NotPayable();
    error Irrevocable();
    error AccessDenied();

    function register(string calldata schema, ISchemaResolver resolver, bool revocable) external returns (bytes32 uid) {
        uid = keccak256(abi.encodePacked(schema, resolver, revocable));
        _schemas[uid] = Schema(resolver, revocable);
    }

    function attest(bytes32 schema, Request calldata request) external payable returns (bytes32 uid) {
        Attestation memory made = _make(schema, request);
        if (request.value != 0 && !_schemas[schema].resolver.isPayable()) revert NotPayable();
        if (!_schemas[schema].resolver.attest(made)) revert InvalidAttestation();
        return made.uid;
    }

    function multiAttest(bytes32 schema, Request[] calldata all) external payable {
        Attestation[] memory made = new Attestation[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            made[i] = _make(schema, all[i]);
        }
        if (!_schemas[schema].resolver.multiAttest(made, new uint256[](all.length))) revert InvalidAttestation();
    }

    function revoke(bytes32 uid) external {
        Attestation storage made = _revocable(uid);
        if (!_schemas[made.schema].resolver.revoke(made)) revert InvalidRevocation();
    }

    function multiRevoke(bytes32[] calldata uids) external {
        Attestation[] memory all = new Attestation[](uids.length);
        for (uint256 i = 0; i < uids.length; ++i) {
            all[i] = _revocable(uids[i]);
        }
        ISchemaResolver resolver = _schemas[all[0].schema].resolver;
        if (!resolver.multiRevoke(all, new uint256[](all.length))) revert InvalidRevocation();
    }

    function attestation(bytes32 uid) external view returns (Attestation memory) {
        return _attestations[uid];
    }

    function _make(bytes32 schema, Request calldata request) private returns (Attestation memory made) {
        Schema storage s = _schemas[schema];
        if (address(s.resolver) == address(0)) revert InvalidSchema();
        if (request.revocable && !s.revocable) revert Irrevocable();
        made.uid = keccak256(abi.encode(++_count));
        (made.schema, made.time, made.expirationTime) = (schema, uint64(block.timestamp), request.expirationTime);
        (made.refUID, made.recipient, made.attester) = (request.refUID, request.recipient, msg.sender);
        (made.revocable, made.data) = (request.revocable, request.data);
        _attestations[made.uid] = made;
    }

    function _revocable(bytes32 uid) private returns (Attestation storage made) {
        made = _attestations[uid];
        if (made.attester != msg.sender) revert AccessDenied();
        if (!made.revocable) revert Irrevocable();
        made.revocationTime = uint64(block.timestamp);
    }
}
