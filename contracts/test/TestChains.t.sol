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

    /// @dev Generated verifiers have the list of the Rust sources; this library has it once more.
    function test_ListIsTheOneThatGeneratedVerifiersHave() external view {
        uint256[] memory generated = numbersAfter("contracts/test/generated/CreditVerifier.sol", "id != ");
        uint256[] memory ours = numbersAfter("contracts/src/libraries/TestChains.sol", "id == ");
        assertEq(ours.length, generated.length, "as many");
        assertEq(ours.length, known.length, "as many as in this test");
        uint256 found;
        for (uint256 i = 0; i < ours.length; ++i) {
            assertTrue(TestChains.contains(generated[i]), "generated verifiers know it");
            for (uint256 j = 0; j < ours.length; ++j) {
                if (ours[i] == generated[j]) ++found;
            }
        }
        assertEq(found, ours.length, "the same");
    }

    /// @dev The decimal numbers in a file that come after these words.
    function numbersAfter(string memory file, string memory before) private view returns (uint256[] memory numbers) {
        bytes memory text = bytes(vm.readFile(file));
        bytes memory mark = bytes(before);
        numbers = new uint256[](64);
        uint256 count;
        for (uint256 i = mark.length; i < text.length; ++i) {
            uint256 same = 0;
            while (same < mark.length && text[i - mark.length + same] == mark[same]) ++same;
            if (same < mark.length) continue;
            uint256 number = 0;
            for (; uint8(text[i]) >= 0x30 && uint8(text[i]) <= 0x39; ++i) {
                number = 10 * number + uint8(text[i]) - 0x30;
            }
            numbers[count++] = number;
        }
        assembly ("memory-safe") {
            mstore(numbers, count)
        }
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
