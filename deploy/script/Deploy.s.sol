// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLEmergencyStop} from "@zkml-chain/contracts/src/ZKMLEmergencyStop.sol";
import {ZKMLRegistry} from "@zkml-chain/contracts/src/ZKMLRegistry.sol";
import {ZKMLRouter} from "@zkml-chain/contracts/src/ZKMLRouter.sol";
import {ZKMLVerifier} from "@zkml-chain/contracts/src/ZKMLVerifier.sol";
import {IERCZKMLRegistry} from "@zkml-chain/contracts/src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "@zkml-chain/contracts/src/interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "@zkml-chain/contracts/src/interfaces/IZKMLRegistry.sol";
import {ZKMLStatement} from "@zkml-chain/contracts/src/libraries/ZKMLStatement.sol";

import {Deployment} from "./Deployment.sol";

/// @title Brings a record onto its chain
/// @notice `zkml-chain deploy --save-plan` writes the record; then `forge script deploy/script/Deploy.s.sol
/// --sig 'run(string,string)' deploy/deployments/<chain id>/<model>.json artifacts/<model> --rpc-url … --broadcast`.
/// What is there already is left alone, so the same command goes on after an interruption.
/// @dev It does not write the record: `zkml-chain deploy --broadcast` finds everything there and completes it. That
/// command also looks at the chain before it sends: precompiles, limits, balance, and the setup's safety.
contract Deploy is Deployment {
    /// @notice The code at hand is not the recorded one: another compiler, other settings, or another version.
    /// @param name The contract.
    /// @param actual Keccak-256 of creation code and arguments at hand.
    /// @param expected The record's.
    error WrongInitCode(string name, bytes32 actual, bytes32 expected);
    /// @notice The record counts on a contract of somebody else, and there is none.
    /// @param name The contract.
    /// @param place Where it should be.
    error Missing(string name, address place);
    /// @notice Only the model's owner can register it.
    /// @param sender Who would send.
    /// @param modelOwner Whom the record names.
    error NotTheModelOwner(address sender, address modelOwner);
    /// @notice The record's digests are not those of one model.
    /// @param actual Hash of the digests.
    /// @param expected The record's commitment hash.
    error WrongCommitment(bytes32 actual, bytes32 expected);
    /// @notice The factory did not put a contract where it should be.
    /// @param name The contract.
    /// @param place Where it should be.
    error NotCreated(string name, address place);

    /// @notice Checks all code against the record, then sends what is missing.
    /// @param path The record.
    /// @param folder The model's artifact folder: its `solidity` has the verifier and the consumer.
    /// @return sent How many transactions that takes.
    function run(string calldata path, string calldata folder) external returns (uint256 sent) {
        Recorded memory record = _read(path);
        bytes memory verifier = _initCode(record, record.verifier, _artifact(folder, record.verifier.name));
        bytes memory stop;
        if (record.guarded) stop = _initCode(record, record.emergencyStop, type(ZKMLEmergencyStop).creationCode);
        bytes memory registry = _initCode(record, record.registry, type(ZKMLRegistry).creationCode);
        bytes memory router = _initCode(record, record.router, type(ZKMLRouter).creationCode);
        bytes memory zkml = _initCode(record, record.zkmlVerifier, type(ZKMLVerifier).creationCode);
        bytes memory consumer = _initCode(record, record.consumer, _artifact(folder, record.consumer.name));
        if (record.factory.code.length == 0) revert Missing("the CREATE2 factory", record.factory);
        bool registers = !_registered(record);
        if (registers) _checkRegistration(record);

        VM.startBroadcast();
        sent = _create(record, record.verifier, verifier);
        if (record.guarded) sent += _create(record, record.emergencyStop, stop);
        sent += _create(record, record.registry, registry);
        sent += _create(record, record.router, router);
        sent += _create(record, record.zkmlVerifier, zkml);
        sent += _route(record);
        if (registers) sent += _register(record);
        sent += _create(record, record.consumer, consumer);
        VM.stopBroadcast();
    }

    /// @dev Creation code of a contract that `gen-verifier` wrote.
    function _artifact(string memory folder, string memory name) private view returns (bytes memory code) {
        string memory json = VM.readFile(string.concat(folder, "/solidity/", name, ".json"));
        return VM.parseJsonBytes(json, ".bytecode");
    }

    /// @dev Creation code with arguments, which must be what the record says; of somebody else's contract, nothing.
    function _initCode(Recorded memory record, Placed memory placed, bytes memory code)
        private
        view
        returns (bytes memory initCode)
    {
        if (!placed.ours) {
            if (placed.place.code.length == 0) revert Missing(placed.name, placed.place);
            return "";
        }
        initCode = bytes.concat(code, placed.arguments);
        bytes32 hash = keccak256(initCode);
        if (hash != placed.initCodeHash) revert WrongInitCode(placed.name, hash, placed.initCodeHash);
        _checkAddress(record, placed);
    }

    /// @dev Has the factory create what is not there. The address is a hash of the code, so what is there is right.
    function _create(Recorded memory record, Placed memory placed, bytes memory initCode)
        private
        returns (uint256 sent)
    {
        if (placed.place.code.length != 0) return 0;
        (bool done,) = record.factory.call(bytes.concat(placed.salt, initCode));
        if (!done || placed.place.code.length == 0) revert NotCreated(placed.name, placed.place);
        return 1;
    }

    /// @dev Proposes the route to a router that was there before; one of this record is deployed with it.
    function _route(Recorded memory record) private returns (uint256 sent) {
        ZKMLRouter router = ZKMLRouter(record.router.place);
        // The selector is the first four bytes of the key's digest.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (address(router.routeOf(bytes4(record.vk)).verifier) == _routed(record)) return 0;
        router.proposeRoute(IModelVerifier(_routed(record)));
        return 1;
    }

    /// @dev Whether the registry has the model.
    function _registered(Recorded memory record) private view returns (bool registered) {
        if (record.registry.place.code.length == 0) return false;
        try IZKMLRegistry(record.registry.place).identityOf(record.modelId) returns (
            IZKMLRegistry.Identity memory, address, bool
        ) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Only the owner's registration gives the recorded id, and only of the recorded digests.
    function _checkRegistration(Recorded memory record) private view {
        if (msg.sender != record.modelOwner) revert NotTheModelOwner(msg.sender, record.modelOwner);
        bytes32 hash = _commitment(record, _proofSystem(record));
        if (hash != record.commitmentHash) revert WrongCommitment(hash, record.commitmentHash);
    }

    /// @dev The record's commitment says which proof system the model has.
    function _proofSystem(Recorded memory record) private pure returns (bytes4 id) {
        id = ZKMLStatement.SUMCHECK_PROOF_SYSTEM_ID;
        if (_commitment(record, id) != record.commitmentHash) id = ZKMLStatement.PROOF_SYSTEM_ID;
    }

    /// @dev What the registry has of a model with this proof system.
    function _commitment(Recorded memory record, bytes4 id) private pure returns (bytes32 hash) {
        return ZKMLStatement.commitmentHash(record.modelHash, record.modelCommitment, record.vk, id);
    }

    /// @dev Registers the model.
    function _register(Recorded memory record) private returns (uint256 sent) {
        IERCZKMLRegistry(record.registry.place)
            .registerModel(
                IERCZKMLRegistry.ModelCommitment({
                modelHash: record.modelHash,
                circuitHash: record.modelCommitment,
                vkHash: record.vk,
                proofSystemId: _proofSystem(record),
                uri: ""
            })
            );
        return 1;
    }
}
