// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {ZKMLRegistry} from "../src/ZKMLRegistry.sol";
import {IERCZKMLRegistry} from "../src/interfaces/IERCZKMLRegistry.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IZKMLRegistry} from "../src/interfaces/IZKMLRegistry.sol";
import {IZKMLVerifier} from "../src/interfaces/IZKMLVerifier.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title Takes inferences of its callers
contract Taker is ZKMLConsumer {
    constructor(IZKMLVerifier verifier, uint256 id) ZKMLConsumer(verifier, id, 0, msg.sender) {}

    function take(bytes32 action, Inference calldata inference) external {
        _verifyInference(msg.sender, action, inference);
    }

    function _checkProvenance(address, bytes32, bytes32, bytes calldata) internal override {}

    function _validateOutput(address, bytes calldata) internal override {}
}

/// @title Entries: who may make, change and end them, and what never changes
contract RegistryTest is Scripted {
    address private constant MALLORY = address(0xbad);
    address private constant HEIR = address(0x4e14);

    IERCZKMLRegistry.ModelCommitment private model;

    function setUp() external {
        registry = new ZKMLRegistry();
        model = commitmentOf(defaultShape());
        model.uri = "ipfs://first";
    }

    function test_RegistersUnderTheCallersName() external {
        vm.expectEmit(true, true, true, true, address(registry));
        emit IERCZKMLRegistry.ModelRegistered(expectedId(PUBLISHER, model), PUBLISHER, model);
        uint256 id = publish(model);
        assertEq(id, expectedId(PUBLISHER, model), "id");
        checkEntry(id, model, false);
    }

    function test_IdsDifferByOwnerAndByEveryHash() external {
        uint256 id = publish(model);
        vm.prank(MALLORY);
        assertTrue(registry.registerModel(model) != id, "owner");
        for (uint256 part = 0; part < 4; ++part) {
            assertTrue(publish(changed(part)) != id, "part");
        }
        checkEntry(id, model, false);
    }

    function test_RevertWhen_RegisteredTwice() external {
        uint256 id = publish(model);
        model.uri = "ipfs://second";
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRegistry.ModelAlreadyRegistered.selector, id));
        registry.registerModel(model);
    }

    function test_RevertWhen_RegisteredAgainAfterDeprecation() external {
        uint256 id = publish(model);
        vm.startPrank(PUBLISHER);
        registry.deprecateModel(id);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRegistry.ModelAlreadyRegistered.selector, id));
        registry.registerModel(model);
    }

    function test_RevertWhen_AHashIsZero() external {
        for (uint256 part = 0; part < 4; ++part) {
            IERCZKMLRegistry.ModelCommitment memory c = model;
            if (part == 0) c.modelHash = 0;
            if (part == 1) c.circuitHash = 0;
            if (part == 2) c.vkHash = 0;
            if (part == 3) c.proofSystemId = 0;
            vm.expectRevert(ZKMLRegistry.IncompleteCommitment.selector);
            registry.registerModel(c);
        }
    }

    function test_OwnerChangesTheUri() external {
        uint256 id = publish(model);
        IERCZKMLRegistry.ModelCommitment memory newer = model;
        newer.uri = "ipfs://second, and longer than thirty-two bytes";
        vm.expectEmit(true, true, true, true, address(registry));
        emit IERCZKMLRegistry.ModelUpdated(id, model, newer);
        vm.prank(PUBLISHER);
        registry.updateModel(id, newer);
        checkEntry(id, newer, false);
    }

    function test_RevertWhen_UpdateChangesAHash() external {
        uint256 id = publish(model);
        for (uint256 part = 0; part < 4; ++part) {
            vm.prank(PUBLISHER);
            vm.expectRevert(abi.encodeWithSelector(ZKMLRegistry.CommitmentIsImmutable.selector, id));
            registry.updateModel(id, changed(part));
        }
        checkEntry(id, model, false);
    }

    function test_DeprecationIsForGood() external {
        uint256 id = publish(model);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IERCZKMLRegistry.ModelDeprecated(id);
        vm.startPrank(PUBLISHER);
        registry.deprecateModel(id);
        checkEntry(id, model, true);
        bytes memory expected = abi.encodeWithSelector(IERCZKMLRegistry.ModelAlreadyDeprecated.selector, id);
        vm.expectRevert(expected);
        registry.deprecateModel(id);
        vm.expectRevert(expected);
        registry.updateModel(id, model);
        checkEntry(id, model, true);
    }

    function testFuzz_RevertWhen_CallerIsNotTheOwner(address caller) external {
        vm.assume(caller != PUBLISHER);
        notOwner(publish(model), caller);
    }

    function testFuzz_RevertWhen_ThereIsNoSuchModel(uint256 id) external {
        vm.assume(id != publish(model));
        bytes memory expected = abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, id);
        vm.expectRevert(expected);
        registry.isDeprecated(id);
        vm.expectRevert(expected);
        registry.getModel(id);
        vm.expectRevert(expected);
        registry.identityOf(id);
        vm.expectRevert(expected);
        registry.transferModelOwnership(id, HEIR);
        vm.expectRevert(expected);
        registry.acceptModelOwnership(id);
        vm.expectRevert(expected);
        registry.renounceModelOwnership(id);
        vm.expectRevert(expected);
        registry.pendingModelOwner(id);
        vm.expectRevert(expected);
        registry.updateModel(id, model);
        vm.expectRevert(expected);
        registry.deprecateModel(id);
    }

    /// @dev Two steps; the id, and what it is made of, stay what they were.
    function test_AModelIsHandedOn() external {
        uint256 id = publish(model);
        offer(id, PUBLISHER, HEIR);
        assertEq(registry.pendingModelOwner(id), HEIR, "pending");
        checkEntry(id, model, false);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IZKMLRegistry.ModelOwnershipTransferred(id, PUBLISHER, HEIR);
        vm.prank(HEIR);
        registry.acceptModelOwnership(id);
        checkEntry(id, model, false, HEIR);
        assertEq(registry.pendingModelOwner(id), address(0), "pending");
        // Who had it has it no more; who has it changes it.
        model.uri = "ipfs://second";
        notOwner(id, PUBLISHER);
        vm.startPrank(HEIR);
        registry.updateModel(id, model);
        checkEntry(id, model, false, HEIR);
        registry.deprecateModel(id);
        checkEntry(id, model, true, HEIR);
    }

    function test_AModelIsHandedBack() external {
        uint256 id = publish(model);
        handOn(id, PUBLISHER, HEIR);
        handOn(id, HEIR, PUBLISHER);
        checkEntry(id, model, false, PUBLISHER);
        notOwner(id, HEIR);
        vm.prank(PUBLISHER);
        registry.deprecateModel(id);
    }

    /// @dev The id is taken for good, also by who has handed the entry on.
    function test_RevertWhen_RegisteredAgainAfterItWasHandedOn() external {
        uint256 id = publish(model);
        handOn(id, PUBLISHER, HEIR);
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRegistry.ModelAlreadyRegistered.selector, id));
        registry.registerModel(model);
        // The heir's own registration of the same model is another entry.
        vm.prank(HEIR);
        uint256 other = registry.registerModel(model);
        assertEq(other, expectedId(HEIR, model), "id");
        assertTrue(other != id, "another entry");
    }

    /// @dev The hashes are compared with those of the registrant's id, whoever asks.
    function test_RevertWhen_AnHeirChangesAHash() external {
        uint256 id = publish(model);
        handOn(id, PUBLISHER, HEIR);
        for (uint256 part = 0; part < 4; ++part) {
            vm.prank(HEIR);
            vm.expectRevert(abi.encodeWithSelector(ZKMLRegistry.CommitmentIsImmutable.selector, id));
            registry.updateModel(id, changed(part));
        }
    }

    function testFuzz_RevertWhen_AnotherAccepts(address caller) external {
        vm.assume(caller != HEIR && caller != address(0));
        uint256 id = publish(model);
        notPending(id, caller);
        offer(id, PUBLISHER, HEIR);
        notPending(id, caller);
        // Another offer takes the place of the first one, and zero withdraws it.
        offer(id, PUBLISHER, caller);
        notPending(id, HEIR);
        offer(id, PUBLISHER, address(0));
        notPending(id, caller);
        notPending(id, HEIR);
        checkEntry(id, model, false);
    }

    /// @dev An offer ends with the ownership that it was made from.
    function test_RevertWhen_AnOfferIsAcceptedTwice() external {
        uint256 id = publish(model);
        handOn(id, PUBLISHER, HEIR);
        notPending(id, HEIR);
        offer(id, HEIR, MALLORY);
        vm.prank(HEIR);
        registry.renounceModelOwnership(id);
        notPending(id, MALLORY);
    }

    function test_AModelIsGivenUp() external {
        uint256 id = publish(model);
        offer(id, PUBLISHER, HEIR);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IZKMLRegistry.ModelOwnershipTransferred(id, PUBLISHER, address(0));
        vm.prank(PUBLISHER);
        registry.renounceModelOwnership(id);
        checkEntry(id, model, false, address(0));
        notPending(id, HEIR);
        notOwner(id, PUBLISHER);
        // Not even the account without a key, should it have one.
        notOwner(id, address(0xdead));
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRegistry.ModelAlreadyRegistered.selector, id));
        registry.registerModel(model);
    }

    function test_RevertWhen_ADeprecatedModelIsHandedOn() external {
        uint256 id = publish(model);
        offer(id, PUBLISHER, HEIR);
        bytes memory expected = abi.encodeWithSelector(IERCZKMLRegistry.ModelAlreadyDeprecated.selector, id);
        vm.startPrank(PUBLISHER);
        registry.deprecateModel(id);
        vm.expectRevert(expected);
        registry.transferModelOwnership(id, MALLORY);
        vm.expectRevert(expected);
        registry.renounceModelOwnership(id);
        vm.stopPrank();
        vm.prank(HEIR);
        vm.expectRevert(expected);
        registry.acceptModelOwnership(id);
        checkEntry(id, model, true);
    }

    /// @dev Consumers, and proofs, do not notice: they know the id and who registered it.
    function test_AConsumerGoesOn() external {
        deployScripted();
        Taker consumer = new Taker(zkml, modelId);
        handOn(modelId, PUBLISHER, HEIR);
        bytes32 context = consumer.contextOf(address(this), 0, NOW, "action");
        vm.warp(NOW);
        consumer.take("action", ZKMLConsumer.Inference(NOW, words(5, 6), blobOf(context), ""));
        new Taker(zkml, modelId);
        vm.prank(HEIR);
        registry.deprecateModel(modelId);
        context = consumer.contextOf(address(this), 1, NOW, "action");
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLInference.VerificationRefused_ModelDeprecated.selector, modelId));
        consumer.take("action", ZKMLConsumer.Inference(NOW, words(5, 6), blobOf(context), ""));
    }

    function offer(uint256 id, address owner, address to) private {
        vm.expectEmit(true, true, true, true, address(registry));
        emit IZKMLRegistry.ModelOwnershipTransferStarted(id, owner, to);
        vm.prank(owner);
        registry.transferModelOwnership(id, to);
    }

    function handOn(uint256 id, address owner, address to) private {
        offer(id, owner, to);
        vm.prank(to);
        registry.acceptModelOwnership(id);
    }

    function notPending(uint256 id, address caller) private {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IZKMLRegistry.NotPendingOwner.selector, id, caller));
        registry.acceptModelOwnership(id);
    }

    /// @dev An account that may change nothing.
    function notOwner(uint256 id, address caller) private {
        bytes memory expected = abi.encodeWithSelector(IERCZKMLRegistry.NotModelOwner.selector, id, caller);
        vm.startPrank(caller);
        vm.expectRevert(expected);
        registry.updateModel(id, model);
        vm.expectRevert(expected);
        registry.deprecateModel(id);
        vm.expectRevert(expected);
        registry.transferModelOwnership(id, caller);
        vm.expectRevert(expected);
        registry.renounceModelOwnership(id);
        vm.stopPrank();
    }

    function expectedId(address owner, IERCZKMLRegistry.ModelCommitment memory c) private pure returns (uint256) {
        return ZKMLStatement.modelIdOf(
            owner, ZKMLStatement.commitmentHash(c.modelHash, c.circuitHash, c.vkHash, c.proofSystemId)
        );
    }

    function changed(uint256 part) private view returns (IERCZKMLRegistry.ModelCommitment memory c) {
        c = model;
        if (part == 0) c.modelHash = ~c.modelHash;
        if (part == 1) c.circuitHash = ~c.circuitHash;
        if (part == 2) c.vkHash = ~c.vkHash;
        if (part == 3) c.proofSystemId = ~c.proofSystemId;
    }

    function checkEntry(uint256 id, IERCZKMLRegistry.ModelCommitment memory expected, bool gone) private view {
        checkEntry(id, expected, gone, PUBLISHER);
    }

    function checkEntry(uint256 id, IERCZKMLRegistry.ModelCommitment memory expected, bool gone, address expectedOwner)
        private
        view
    {
        (IERCZKMLRegistry.ModelCommitment memory entry, bool deprecated, address owner) = registry.getModel(id);
        assertEq(abi.encode(entry), abi.encode(expected), "entry");
        assertTrue(deprecated == gone, "deprecated");
        assertEq(owner, expectedOwner, "owner");
        (IZKMLRegistry.Identity memory identity, address registrant, bool deprecated2) = registry.identityOf(id);
        bytes memory hashes =
            abi.encode(expected.modelHash, expected.circuitHash, expected.vkHash, expected.proofSystemId);
        assertEq(abi.encode(identity), hashes, "identity");
        assertTrue(deprecated2 == gone && registrant == PUBLISHER, "the rest of the identity");
        assertTrue(registry.isDeprecated(id) == gone, "deprecated alone");
    }
}
