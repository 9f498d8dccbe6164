// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Vm} from "./Vm.sol";

/// @title Records of deployments
/// @notice Reads what `zkml-chain deploy` writes: `deploy/deployments/<chain id>/<model>.json`.
abstract contract Deployment {
    /// @notice A contract of a record.
    /// @param name Its name.
    /// @param place Its address.
    /// @param ours Whether it is deployed by this record; else somebody else's is used.
    /// @param salt Salt of CREATE2.
    /// @param arguments Its constructor's arguments.
    /// @param initCodeHash Keccak-256 of creation code and arguments.
    /// @param runtimeCodeHash Keccak-256 of the code on the chain, once it is there.
    /// @param status How far it is.
    struct Placed {
        string name;
        address place;
        bool ours;
        bytes32 salt;
        bytes arguments;
        bytes32 initCodeHash;
        bytes32 runtimeCodeHash;
        string status;
    }

    /// @notice A record, as far as scripts need it.
    /// @param verifier The generated verifier.
    /// @param guarded Whether an emergency stop stands in front of it.
    /// @param emergencyStop `ZKMLEmergencyStop`, if so.
    /// @param registry `ZKMLRegistry`.
    /// @param router `ZKMLRouter`.
    /// @param zkmlVerifier `ZKMLVerifier`.
    /// @param consumer The consumer.
    /// @param vk The verifier's `vkDigest()`.
    /// @param srs The verifier's `srsDigest()`.
    /// @param modelCommitment The verifier's `modelCommitment()`.
    /// @param modelHash What the registry has as the model's hash.
    /// @param commitmentHash Hash of all that identifies the model.
    /// @param modelId The model's id in the registry.
    /// @param modelOwner Who registers it.
    /// @param factory Deploys by CREATE2.
    struct Recorded {
        Placed verifier;
        bool guarded;
        Placed emergencyStop;
        Placed registry;
        Placed router;
        Placed zkmlVerifier;
        Placed consumer;
        bytes32 vk;
        bytes32 srs;
        bytes32 modelCommitment;
        bytes32 modelHash;
        bytes32 commitmentHash;
        uint256 modelId;
        address modelOwner;
        address factory;
    }

    /// @dev Where forge has its cheat codes: the last 20 bytes of `keccak256("hevm cheat code")`.
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice The record is of another layout than this script reads.
    /// @param version The layout's version.
    error UnknownLayout(uint256 version);
    /// @notice The record is of another chain than the endpoint.
    /// @param chainId The endpoint's chain.
    /// @param recorded The record's chain.
    error WrongChain(uint256 chainId, uint256 recorded);
    /// @notice The factory would put a contract at another address than the recorded one.
    /// @param name The contract.
    /// @param actual Where the factory puts it.
    /// @param expected The record's.
    error WrongAddress(string name, address actual, address expected);

    /// @dev Reads a record, and refuses one of another chain.
    function _read(string memory path) internal view returns (Recorded memory record) {
        string memory json = VM.readFile(path);
        uint256 version = VM.parseJsonUint(json, ".version");
        if (version != 1) revert UnknownLayout(version);
        uint256 chainId = VM.parseJsonUint(json, ".chainId");
        if (chainId != block.chainid) revert WrongChain(block.chainid, chainId);
        record.verifier = _placed(json, ".contracts.verifier");
        record.guarded = VM.keyExistsJson(json, ".contracts.emergencyStop");
        if (record.guarded) record.emergencyStop = _placed(json, ".contracts.emergencyStop");
        record.registry = _placed(json, ".contracts.registry");
        record.router = _placed(json, ".contracts.router");
        record.zkmlVerifier = _placed(json, ".contracts.zkmlVerifier");
        record.consumer = _placed(json, ".contracts.consumer");
        record.vk = VM.parseJsonBytes32(json, ".digests.vk");
        record.srs = VM.parseJsonBytes32(json, ".digests.srs");
        record.modelCommitment = VM.parseJsonBytes32(json, ".digests.modelCommitment");
        record.modelHash = VM.parseJsonBytes32(json, ".digests.modelHash");
        record.commitmentHash = VM.parseJsonBytes32(json, ".registration.commitmentHash");
        record.modelId = uint256(VM.parseJsonBytes32(json, ".registration.modelId"));
        record.modelOwner = VM.parseJsonAddress(json, ".registration.owner");
        record.factory = VM.parseJsonAddress(json, ".factory");
    }

    /// @dev Reads one contract of a record.
    function _placed(string memory json, string memory key) private view returns (Placed memory placed) {
        placed.name = VM.parseJsonString(json, string.concat(key, ".name"));
        placed.place = VM.parseJsonAddress(json, string.concat(key, ".address"));
        string memory salt = string.concat(key, ".salt");
        placed.ours = VM.keyExistsJson(json, salt);
        if (placed.ours) placed.salt = VM.parseJsonBytes32(json, salt);
        placed.arguments = VM.parseJsonBytes(json, string.concat(key, ".constructorArguments"));
        placed.initCodeHash = VM.parseJsonBytes32(json, string.concat(key, ".initCodeHash"));
        placed.runtimeCodeHash = VM.parseJsonBytes32(json, string.concat(key, ".runtimeCodeHash"));
        placed.status = VM.parseJsonString(json, string.concat(key, ".status"));
    }

    /// @dev Where the route leads: to the emergency stop, or to the verifier itself.
    function _routed(Recorded memory record) internal pure returns (address routed) {
        return record.guarded ? record.emergencyStop.place : record.verifier.place;
    }

    /// @dev Refuses an address that is not the one where the factory puts the recorded creation code.
    function _checkAddress(Recorded memory record, Placed memory placed) internal pure {
        bytes32 made = keccak256(abi.encodePacked(bytes1(0xff), record.factory, placed.salt, placed.initCodeHash));
        address place = address(uint160(uint256(made)));
        if (place != placed.place) revert WrongAddress(placed.name, place, placed.place);
    }
}
