// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "@zkml-chain/contracts/src/ZKMLConsumer.sol";
import {ZKMLEmergencyStop} from "@zkml-chain/contracts/src/ZKMLEmergencyStop.sol";
import {ZKMLRouter} from "@zkml-chain/contracts/src/ZKMLRouter.sol";
import {ZKMLVerifier} from "@zkml-chain/contracts/src/ZKMLVerifier.sol";
import {IModelVerifier} from "@zkml-chain/contracts/src/interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "@zkml-chain/contracts/src/interfaces/IZKMLRegistry.sol";
import {ZKMLStatement} from "@zkml-chain/contracts/src/libraries/ZKMLStatement.sol";

import {Deployment} from "./Deployment.sol";

/// @title Holds a chain against a record
/// @notice `forge script deploy/script/Check.s.sol --sig 'run(string)' deploy/deployments/<chain id>/<model>.json
/// --rpc-url …`. It sends nothing, and reverts at the first thing that is not as the record says.
/// @dev `zkml-chain check-deployment` checks more: it holds the chain against the artifact folder, and tries proofs.
contract Check is Deployment {
    /// @notice A contract of the record is not there.
    /// @param name The contract.
    /// @param status What the record says of it.
    error NotDeployed(string name, string status);
    /// @notice The record does not have the code of somebody else's contract: `zkml-chain deploy` completes it.
    /// @param name The contract.
    /// @param status What the record says of it.
    error NotRecorded(string name, string status);
    /// @notice The code on the chain is not the recorded one.
    /// @param name The contract.
    /// @param actual Keccak-256 of the code that is there.
    /// @param expected Keccak-256 of the code that was deployed.
    error WrongCode(string name, bytes32 actual, bytes32 expected);
    /// @notice A contract answers with another digest than the record has.
    /// @param what Whose digest, and which.
    /// @param actual The contract's.
    /// @param expected The record's.
    error WrongDigest(string what, bytes32 actual, bytes32 expected);
    /// @notice A contract is tied to another one than the record has.
    /// @param what Which tie.
    /// @param actual Where it leads.
    /// @param expected Where it should.
    error WrongTie(string what, address actual, address expected);
    /// @notice The consumer takes proofs of another model.
    /// @param actual Its model.
    /// @param expected The record's.
    error WrongModel(uint256 actual, uint256 expected);
    /// @notice The emergency stop was pulled, for good.
    /// @param stop The stop.
    error Stopped(address stop);
    /// @notice No proof of the model is accepted any more.
    /// @param modelId The model.
    error Deprecated(uint256 modelId);

    /// @notice Checks code, digests, route, registry entry and consumer.
    /// @param path The record.
    /// @return checks How many things were checked; all are as they should be.
    function run(string calldata path) external view returns (uint256 checks) {
        Recorded memory record = _read(path);
        // One by one: the compiler may evaluate a sum from its end.
        checks = _codes(record);
        checks += _digests(record);
        checks += _ties(record);
        if (record.guarded) checks += _stop(record);
        checks += _entry(record);
    }

    /// @dev Code hashes of all contracts.
    function _codes(Recorded memory record) private view returns (uint256 checks) {
        _code(record, record.verifier);
        _code(record, record.registry);
        _code(record, record.router);
        _code(record, record.zkmlVerifier);
        _code(record, record.consumer);
        return 5;
    }

    /// @dev The code of one contract. Where the record does not have its hash yet, as after `Deploy.s.sol`, its address says
    /// which creation code made it.
    function _code(Recorded memory record, Placed memory placed) private view {
        if (placed.place.code.length == 0) revert NotDeployed(placed.name, placed.status);
        bytes32 status = keccak256(bytes(placed.status));
        if (status != keccak256("deployed") && status != keccak256("reused")) {
            if (!placed.ours) revert NotRecorded(placed.name, placed.status);
            _checkAddress(record, placed);
            return;
        }
        bytes32 actual = placed.place.codehash;
        if (actual != placed.runtimeCodeHash) revert WrongCode(placed.name, actual, placed.runtimeCodeHash);
    }

    /// @dev What the generated verifier was made of.
    function _digests(Recorded memory record) private view returns (uint256 checks) {
        IModelVerifier verifier = IModelVerifier(record.verifier.place);
        _same("vkDigest of the verifier", verifier.vkDigest(), record.vk);
        _same("srsDigest of the verifier", verifier.srsDigest(), record.srs);
        _same("modelCommitment of the verifier", verifier.modelCommitment(), record.modelCommitment);
        return 3;
    }

    /// @dev Who asks whom. Reverts with the router's own error where a route is stopped or not in force yet.
    function _ties(Recorded memory record) private view returns (uint256 checks) {
        ZKMLVerifier verifier = ZKMLVerifier(record.zkmlVerifier.place);
        _tie("registry of ZKMLVerifier", verifier.registry(), record.registry.place);
        _tie("router of ZKMLVerifier", address(verifier.ROUTER()), record.router.place);
        // The selector is the first four bytes of the key's digest.
        // forge-lint: disable-next-line(unsafe-typecast)
        bytes4 selector = bytes4(record.vk);
        _tie("route", address(ZKMLRouter(record.router.place).verifierOf(selector)), _routed(record));
        ZKMLConsumer consumer = ZKMLConsumer(record.consumer.place);
        _tie("verifier of the consumer", address(consumer.ZKML_VERIFIER()), record.zkmlVerifier.place);
        uint256 modelId = consumer.modelId();
        if (modelId != record.modelId) revert WrongModel(modelId, record.modelId);
        return 5;
    }

    /// @dev The emergency stop in front of the verifier.
    function _stop(Recorded memory record) private view returns (uint256 checks) {
        _code(record, record.emergencyStop);
        ZKMLEmergencyStop stop = ZKMLEmergencyStop(record.emergencyStop.place);
        _tie("verifier of the emergency stop", address(stop.VERIFIER()), record.verifier.place);
        if (stop.stopped()) revert Stopped(address(stop));
        return 3;
    }

    /// @dev The registry's entry. Reverts with the registry's own error where there is none.
    function _entry(Recorded memory record) private view returns (uint256 checks) {
        (IZKMLRegistry.Identity memory identity, address owner, bool deprecated) =
            IZKMLRegistry(record.registry.place).identityOf(record.modelId);
        if (deprecated) revert Deprecated(record.modelId);
        _tie("owner of the model", owner, record.modelOwner);
        _same("modelHash in the registry", identity.modelHash, record.modelHash);
        _same("circuitHash in the registry", identity.circuitHash, record.modelCommitment);
        _same("vkHash in the registry", identity.vkHash, record.vk);
        _same("commitment hash in the registry", ZKMLStatement.identityHash(identity), record.commitmentHash);
        return 6;
    }

    /// @dev Compares digests.
    function _same(string memory what, bytes32 actual, bytes32 expected) private pure {
        if (actual != expected) revert WrongDigest(what, actual, expected);
    }

    /// @dev Compares addresses.
    function _tie(string memory what, address actual, address expected) private pure {
        if (actual != expected) revert WrongTie(what, actual, expected);
    }
}
