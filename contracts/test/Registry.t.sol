// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLRegistry} from "../src/ZKMLRegistry.sol";
import {IERCZKMLRegistry} from "../src/interfaces/IERCZKMLRegistry.sol";
import {IZKMLRegistry} from "../src/interfaces/IZKMLRegistry.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title Entries: who may make, change and end them, and what never changes
contract RegistryTest is Scripted {
    address private constant MALLORY = address(0xbad);

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
        uint256 id = publish(model);
        bytes memory expected = abi.encodeWithSelector(IERCZKMLRegistry.NotModelOwner.selector, id, caller);
        vm.startPrank(caller);
        vm.expectRevert(expected);
        registry.updateModel(id, model);
        vm.expectRevert(expected);
        registry.deprecateModel(id);
    }

    function testFuzz_RevertWhen_ThereIsNoSuchModel(uint256 id) external {
        vm.assume(id != publish(model));
        bytes memory expected = abi.encodeWithSelector(IERCZKMLRegistry.ModelNotFound.selector, id);
        vm.expectRevert(expected);
        registry.getModel(id);
        vm.expectRevert(expected);
        registry.identityOf(id);
        vm.expectRevert(expected);
        registry.updateModel(id, model);
        vm.expectRevert(expected);
        registry.deprecateModel(id);
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
        (IERCZKMLRegistry.ModelCommitment memory entry, bool deprecated, address owner) = registry.getModel(id);
        assertEq(abi.encode(entry), abi.encode(expected), "entry");
        assertTrue(deprecated == gone, "deprecated");
        assertEq(owner, PUBLISHER, "owner");
        (IZKMLRegistry.Identity memory identity, address owner2, bool deprecated2) = registry.identityOf(id);
        bytes memory hashes =
            abi.encode(expected.modelHash, expected.circuitHash, expected.vkHash, expected.proofSystemId);
        assertEq(abi.encode(identity), hashes, "identity");
        assertTrue(deprecated2 == gone && owner2 == PUBLISHER, "the rest of the identity");
    }
}
