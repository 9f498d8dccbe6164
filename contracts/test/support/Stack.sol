// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {ZKMLRegistry} from "../../src/ZKMLRegistry.sol";
import {ZKMLRouter} from "../../src/ZKMLRouter.sol";
import {ZKMLVerifier} from "../../src/ZKMLVerifier.sol";
import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {Test} from "./Test.sol";

/// @title Registry, router and verifier as they are deployed, and the committed proofs
/// @notice Proofs are made for a consumer's address, so consumers of fixtures are deployed by an account of their own with
/// {deployer}: `vm.prank(deployer("CreditGate")); new CreditGate(…)` lands where the proof expects it, whatever the code is.
abstract contract Stack is Test {
    /// @dev A proof of `contracts/test/fixtures/proofs`.
    struct Proof {
        string model;
        address consumer;
        address subject;
        uint256 nonce;
        uint256 deadline;
        bytes32 action;
        bytes32 context;
        bytes32 dataCommitment;
        bytes32 inputCommitment;
        bytes output;
        bytes blob;
        /// The bare proof and its instances, for the model's verifier.
        bytes proof;
        uint256[] instances;
        IERCZKMLRegistry.ModelCommitment registration;
    }

    /// @dev How long a route takes to come into force.
    uint256 internal constant ROUTE_DELAY = 2 days;

    address internal constant ROUTER_OWNER = address(uint160(uint256(keccak256("router owner"))));
    address internal constant PUBLISHER = address(uint160(uint256(keccak256("publisher"))));

    ZKMLRegistry internal registry;
    ZKMLRouter internal router;
    ZKMLVerifier internal zkml;

    /// @dev Deploys the contracts that all consumers share, with routes to these verifiers.
    function deployStack(IModelVerifier[] memory verifiers) internal {
        vm.warp(NOW);
        registry = new ZKMLRegistry();
        router = new ZKMLRouter(ROUTER_OWNER, ROUTE_DELAY, verifiers);
        zkml = new ZKMLVerifier(registry, router);
    }

    function deployStack(IModelVerifier verifier) internal {
        IModelVerifier[] memory verifiers = new IModelVerifier[](1);
        verifiers[0] = verifier;
        deployStack(verifiers);
    }

    /// @dev Registers the model of a proof, under the publisher's name.
    function register(Proof memory proof) internal returns (uint256 modelId) {
        vm.prank(PUBLISHER);
        return registry.registerModel(proof.registration);
    }

    /// @dev The account that deploys a consumer of fixtures, with its first transaction.
    function deployer(string memory consumer) internal pure returns (address) {
        return account(consumer);
    }

    /// @dev A committed proof by name.
    function load(string memory name) internal view returns (Proof memory p) {
        string memory json = vm.readFile(string.concat("contracts/test/fixtures/proofs/", name, ".json"));
        p.model = vm.parseJsonString(json, ".model");
        p.consumer = vm.parseJsonAddress(json, ".consumer");
        p.subject = vm.parseJsonAddress(json, ".subject");
        p.nonce = vm.parseJsonUint(json, ".nonce");
        p.deadline = vm.parseJsonUint(json, ".deadline");
        p.action = vm.parseJsonBytes32(json, ".action");
        p.context = vm.parseJsonBytes32(json, ".context");
        p.dataCommitment = vm.parseJsonBytes32(json, ".dataCommitment");
        p.inputCommitment = vm.parseJsonBytes32(json, ".inputCommitment");
        p.output = vm.parseJsonBytes(json, ".output");
        p.blob = vm.parseJsonBytes(json, ".blob");
        p.proof = vm.parseJsonBytes(json, ".proof");
        p.instances = vm.parseJsonUintArray(json, ".instances");
        p.registration.modelHash = vm.parseJsonBytes32(json, ".registration.modelHash");
        p.registration.circuitHash = vm.parseJsonBytes32(json, ".registration.circuitHash");
        p.registration.vkHash = vm.parseJsonBytes32(json, ".registration.vkHash");
        p.registration.proofSystemId = bytes4(vm.parseJsonBytes(json, ".registration.proofSystemId"));
    }

    /// @dev What a caller hands in with a proof.
    function inference(Proof memory p, bytes memory provenance) internal pure returns (ZKMLConsumer.Inference memory) {
        return ZKMLConsumer.Inference(p.deadline, p.output, p.blob, provenance);
    }
}
