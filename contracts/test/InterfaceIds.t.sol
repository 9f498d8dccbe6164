// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLInferenceStore} from "../src/ZKMLInferenceStore.sol";
import {IERCZKMLVerifier} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLBatchVerifier} from "../src/interfaces/IZKMLBatchVerifier.sol";
import {Stack} from "./support/Stack.sol";

/// @title The ERC-165 ids of the draft, advertised by our contracts
contract InterfaceIdsTest is Stack {
    bytes4 private constant ERC165 = 0x01ffc9a7;
    bytes4 private constant NONE = 0xffffffff;
    bytes4 private constant BATCHES = 0x6ed4e7e3;

    function setUp() external {
        deployStack(new IModelVerifier[](0));
    }

    function test_RegistryAdvertisesErc7992() external view {
        assertTrue(registry.supportsInterface(0xd28519b1), "registry");
        assertTrue(registry.supportsInterface(ERC165), "ERC-165");
        assertTrue(!registry.supportsInterface(NONE), "0xffffffff");
    }

    function test_VerifierAdvertisesBothForms() external view {
        assertTrue(zkml.supportsInterface(0x80b171ef), "verifyInference alone");
        assertTrue(zkml.supportsInterface(0x5df65472), "with the two views");
        assertTrue(zkml.supportsInterface(BATCHES), "batches");
        assertTrue(type(IZKMLBatchVerifier).interfaceId == BATCHES, "the id in the README");
        assertTrue(zkml.supportsInterface(ERC165), "ERC-165");
        assertTrue(!zkml.supportsInterface(NONE), "0xffffffff");
        // Not the id of the two views alone, which is what Solidity computes for the extended interface.
        assertTrue(!zkml.supportsInterface(type(IERCZKMLVerifier).interfaceId), "the views alone");
    }

    function test_StoreAdvertisesTheExtension() external {
        ZKMLInferenceStore store = new ZKMLInferenceStore(zkml);
        assertTrue(store.supportsInterface(0x29c6ba89), "storage");
        assertTrue(store.supportsInterface(ERC165), "ERC-165");
        assertTrue(!store.supportsInterface(NONE), "0xffffffff");
    }
}
