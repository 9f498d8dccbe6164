// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {TestChains} from "../src/libraries/TestChains.sol";
import {ZKMLConsumerMock} from "../src/mocks/ZKMLConsumerMock.sol";
import {ZKMLVerifierMock} from "../src/mocks/ZKMLVerifierMock.sol";
import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title What is not safe for real use exists on test chains only
contract TestChainsTest is Scripted {
    uint256[9] private known = [31337, 1337, 11155111, 17000, 560048, 84532, 421614, 11155420, 534351];

    function setUp() external {
        deployScripted();
    }

    function test_MocksExistOnTestChains() external {
        for (uint256 i = 0; i < known.length; ++i) {
            vm.chainId(known[i]);
            assertTrue(TestChains.contains(known[i]), "known");
            ZKMLVerifierMock verifier = new ZKMLVerifierMock(address(registry));
            new ZKMLConsumerMock(verifier, modelId, 0, address(this));
        }
    }

    function test_RevertWhen_MocksAreDeployedElsewhere() external {
        ZKMLVerifierMock verifier = new ZKMLVerifierMock(address(registry));
        uint256[6] memory live = [uint256(1), 10, 8453, 42161, 534352, 137];
        for (uint256 i = 0; i < live.length; ++i) {
            vm.chainId(live[i]);
            bytes memory expected = abi.encodeWithSelector(TestChains.TestChainsOnly.selector, live[i]);
            vm.expectRevert(expected);
            new ZKMLVerifierMock(address(registry));
            vm.expectRevert(expected);
            new ZKMLConsumerMock(verifier, modelId, 0, address(this));
        }
    }

    function testFuzz_UnknownChainsAreLive(uint64 id) external view {
        for (uint256 i = 0; i < known.length; ++i) {
            vm.assume(id != known[i]);
        }
        assertTrue(!TestChains.contains(id), "unknown");
    }

    function test_VerifierMockLooksAtTheInputCommitmentOnly() external {
        ZKMLVerifierMock mock = new ZKMLVerifierMock(address(registry));
        assertEq(mock.registry(), address(registry), "registry");
        assertTrue(mock.proofSystemOf(1) == bytes4(0xcf71bca1), "proof system");
        vm.expectEmit(true, true, true, true, address(mock));
        emit IERCZKMLInference.InferenceVerified(modelId, commitmentTo(0), "out", address(this));
        mock.verifyInference(modelId, commitmentTo(0), "out", blobOf(0));
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        mock.verifyInference(modelId, commitmentTo(0), "out", blobOf(bytes32(uint256(1))));
    }

    function test_ConsumerMockTakesAnInferenceAboutTheCaller() external {
        ZKMLConsumerMock mock = new ZKMLConsumerMock(zkml, modelId, 0, address(this));
        bytes32 context = mock.contextOf(address(this), 0, NOW, "action");
        mock.verifyInference("action", ZKMLConsumer.Inference(NOW, words(5, 6), blobOf(context), ""));
        assertEq(mock.lastOutput(address(this)), words(5, 6), "output");
        mock.checkInference(words(5, 6), blobOf(context));
    }
}
