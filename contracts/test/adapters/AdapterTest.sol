// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERCZKMLRegistry} from "../../src/interfaces/IERCZKMLRegistry.sol";
import {IModelVerifier} from "../../src/interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "../../src/interfaces/IZKMLRegistry.sol";
import {ZKMLStatement} from "../../src/libraries/ZKMLStatement.sol";
import {Stack} from "../support/Stack.sol";
import {FakeModel} from "./FakeModel.sol";

/// @title What tests of adapters share: registry, router and verifier, and two models that a test can prove anything about
abstract contract AdapterTest is Stack {
    /// @dev One inference, as its adapter wants it.
    struct Made {
        bytes32 dataCommitment;
        bytes32 inputCommitment;
        bytes output;
        bytes blob;
    }

    bytes internal constant OUTPUT = abi.encode(uint256(7), uint256(9));
    bytes32 internal constant DATA = bytes32(uint256(123456789));

    /// With one committed input.
    FakeModel internal committed;
    /// With two public inputs.
    FakeModel internal open;
    uint256 internal committedId;
    uint256 internal openId;

    function setUp() public virtual {
        committed = new FakeModel("committed", true);
        open = new FakeModel("open", false);
        IModelVerifier[] memory verifiers = new IModelVerifier[](2);
        (verifiers[0], verifiers[1]) = (committed, open);
        deployStack(verifiers);
        committedId = publish(committed);
        openId = publish(open);
    }

    function publish(FakeModel model) internal returns (uint256 modelId) {
        IERCZKMLRegistry.ModelCommitment memory registration;
        registration.modelHash = model.modelHash();
        registration.circuitHash = model.modelCommitment();
        registration.vkHash = model.vkDigest();
        registration.proofSystemId = ZKMLStatement.PROOF_SYSTEM_ID;
        vm.prank(PUBLISHER);
        return registry.registerModel(registration);
    }

    /// @dev A proof that the model with a committed input gave {OUTPUT}.
    function prove(bytes32 dataCommitment, bytes32 context) internal view returns (Made memory made) {
        return make(committed, dataCommitment, context, abi.encode(dataCommitment), "");
    }

    /// @dev A proof that the model with public inputs gave {OUTPUT}.
    function proveOpen(bytes memory inputs, bytes32 context) internal view returns (Made memory made) {
        return make(open, keccak256(inputs), context, inputs, inputs);
    }

    function make(FakeModel model, bytes32 data, bytes32 context, bytes memory words, bytes memory appended)
        private
        view
        returns (Made memory made)
    {
        bytes memory instances = abi.encodePacked(context, words, OUTPUT);
        bytes32 proof = model.proofOf(abi.decode(withLength(instances), (uint256[])));
        bytes memory blob = abi.encodePacked(bytes4(model.vkDigest()), data, context, proof, appended);
        return Made(data, ZKMLStatement.inputCommitment(data, context), OUTPUT, blob);
    }

    function withLength(bytes memory words) private pure returns (bytes memory) {
        return abi.encodePacked(uint256(32), words.length / 32, words);
    }

    /// @dev From now on the registry answers with another identity for this model.
    function swapEntry(uint256 modelId) internal {
        (IZKMLRegistry.Identity memory identity, address owner,) = registry.identityOf(modelId);
        identity.modelHash ^= bytes32(uint256(1));
        bytes memory answer = abi.encode(identity, owner, false);
        vm.mockCall(address(registry), abi.encodeCall(IZKMLRegistry.identityOf, (modelId)), answer);
    }

    function contextFor(address consumer, address subject, uint256 nonce, uint256 deadline, bytes32 action)
        internal
        view
        returns (bytes32)
    {
        bytes32 separator = ZKMLStatement.domainSeparator(consumer);
        return ZKMLStatement.contextOf(separator, subject, nonce, deadline, action);
    }
}
