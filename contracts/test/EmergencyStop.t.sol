// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {ZKMLEmergencyStop} from "../src/ZKMLEmergencyStop.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {ZKMLCodec} from "../src/libraries/ZKMLCodec.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title The stop in front of a verifier: who can press it, with what, and that it stays pressed
contract EmergencyStopTest is Scripted {
    uint256 private constant R = ZKMLCodec.R;
    address private constant GUARDIAN = address(0x60a2d);
    address private constant STRANGER = address(0x57a4);

    ZKMLEmergencyStop private stop;

    function setUp() external {
        fake = new FakeVerifier(defaultShape());
        // The first output is between -10 and 1000, the second a commitment.
        fake.setBounds(0, -10, 1000);
        stop = new ZKMLEmergencyStop(fake, GUARDIAN);
        deployStack(stop);
        modelId = publish(commitmentOf(defaultShape()));
    }

    function test_AnswersAsTheVerifierDoes() external {
        assertEq(address(stop.VERIFIER()), address(fake), "VERIFIER");
        assertEq(stop.owner(), GUARDIAN, "owner");
        assertTrue(stop.verifyProof(PROOF, list(1, 2, 3, 4)), "true");
        assertEq(abi.encode(stop.statementShape()), abi.encode(defaultShape()), "statementShape");
        (int256 lowest, int256 highest) = stop.outputBounds(0);
        assertTrue(lowest == -10 && highest == 1000, "outputBounds");
        assertEq(stop.vkDigest(), fake.vkDigest(), "vkDigest");
        assertEq(stop.modelCommitment(), fake.modelCommitment(), "modelCommitment");
        assertEq(stop.srsDigest(), fake.srsDigest(), "srsDigest");
        assertEq(stop.PROOF_LENGTH(), PROOF.length, "PROOF_LENGTH");
        assertEq(stop.NUM_INSTANCES(), 4, "NUM_INSTANCES");
        assertEq(stop.OUTPUT_SCALE(), fake.OUTPUT_SCALE(), "OUTPUT_SCALE");
        assertEq(bytes(stop.VERSION()), "fake", "VERSION");
        assertTrue(stop.UNSAFE_DEV_SETUP(), "UNSAFE_DEV_SETUP");
        fake.setAnswer(FakeVerifier.Answer.No);
        assertTrue(!stop.verifyProof(PROOF, list(1, 2, 3, 4)), "false");
        fake.setAnswer(FakeVerifier.Answer.Tell);
        vm.expectRevert(abi.encodeWithSelector(FakeVerifier.Asked.selector, PROOF, list(1, 2, 3, 4)));
        stop.verifyProof(PROOF, list(1, 2, 3, 4));
    }

    function test_OwnerStopsForGood() external {
        zkml.verifyInference(modelId, commitmentTo(0), words(3, 4), blobOf(0));
        vm.expectEmit(true, true, true, true, address(stop));
        emit ZKMLEmergencyStop.EmergencyStop(GUARDIAN, false);
        vm.prank(GUARDIAN);
        stop.stop();
        checkStopped();
    }

    function testFuzz_RevertWhen_AStrangerStops(address caller) external {
        vm.assume(caller != GUARDIAN);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        stop.stop();
        assertTrue(!stop.stopped(), "still running");
    }

    function test_AnybodyStopsWithAProofOfExploit() external {
        vm.expectEmit(true, true, true, true, address(stop));
        emit ZKMLEmergencyStop.EmergencyStop(STRANGER, true);
        vm.prank(STRANGER);
        stop.stopWithExploit(PROOF, list(1, 2, 1001, 4));
        checkStopped();
    }

    function test_EveryImpossibleOutputCounts() external {
        uint256[8] memory impossible =
            [uint256(1001), R - 11, 1 << 160, R - (1 << 160), R / 2, R / 2 + 1, 1 << 253, R - 1001];
        for (uint256 i = 0; i < impossible.length; ++i) {
            uint256 before = vm.snapshotState();
            stop.stopWithExploit(PROOF, list(1, 2, impossible[i], 4));
            assertTrue(stop.stopped(), "stopped");
            vm.revertToState(before);
        }
        // The last output counts as the first does.
        fake.setBounds(1, -1, 1);
        stop.stopWithExploit(PROOF, list(1, 2, 0, R - 2));
    }

    function test_RevertWhen_AllOutputsArePossible() external {
        uint256[5] memory possible = [uint256(0), 1000, R - 10, R - 1, 1];
        for (uint256 i = 0; i < possible.length; ++i) {
            expectNoExploit(list(1, 2, possible[i], 4));
        }
        // A commitment may be anything; so may context and input, which are not outputs.
        expectNoExploit(list(R - 1, R - 2, 0, R - 1));
        expectNoExploit(list(5000, 5000, 0, R / 2));
    }

    function test_BoundsMayLieOnOneSideOfZero() external {
        fake.setBounds(0, -20, -10);
        expectNoExploit(list(1, 2, R - 15, 4));
        uint256 before = vm.snapshotState();
        stop.stopWithExploit(PROOF, list(1, 2, 15, 4));
        vm.revertToState(before);
        stop.stopWithExploit(PROOF, list(1, 2, R - 9, 4));
    }

    function test_RevertWhen_TheProofOfExploitIsInvalid() external {
        fake.setAnswer(FakeVerifier.Answer.No);
        expectNoExploit(list(1, 2, 1001, 4));
        fake.setAnswer(FakeVerifier.Answer.Tell);
        vm.expectRevert(abi.encodeWithSelector(FakeVerifier.Asked.selector, PROOF, list(1, 2, 1001, 4)));
        stop.stopWithExploit(PROOF, list(1, 2, 1001, 4));
    }

    /// @dev A verifier that accepts a word beside the field accepts two words for one number; also for a commitment.
    function test_WordsBesideTheFieldAreImpossible() external {
        uint256 before = vm.snapshotState();
        stop.stopWithExploit(PROOF, list(1, 2, R, 4));
        assertTrue(stop.stopped(), "stopped");
        vm.revertToState(before);
        stop.stopWithExploit(PROOF, list(1, 2, 3, type(uint256).max));
        assertTrue(stop.stopped(), "stopped");
    }

    function test_RevertWhen_StoppedTwice() external {
        stop.stopWithExploit(PROOF, list(1, 2, 1001, 4));
        vm.expectRevert(ZKMLEmergencyStop.VerifierStopped.selector);
        stop.stopWithExploit(PROOF, list(1, 2, 1001, 4));
        vm.prank(GUARDIAN);
        vm.expectRevert(ZKMLEmergencyStop.VerifierStopped.selector);
        stop.stop();
    }

    function testFuzz_ExploitIsWhatLiesOutsideOfTheBounds(int64 a, int64 b, int64 value) external {
        (int256 lowest, int256 highest) = a < b ? (int256(a), int256(b)) : (int256(b), int256(a));
        fake.setBounds(0, lowest, highest);
        uint256[] memory instances = list(1, 2, ZKMLCodec.fromInt(value), 4);
        if (lowest <= value && value <= highest) return expectNoExploit(instances);
        stop.stopWithExploit(PROOF, instances);
        assertTrue(stop.stopped(), "stopped");
    }

    function expectNoExploit(uint256[] memory instances) private {
        vm.expectRevert(ZKMLEmergencyStop.NoExploit.selector);
        stop.stopWithExploit(PROOF, instances);
        assertTrue(!stop.stopped(), "still running");
    }

    function checkStopped() private {
        assertTrue(stop.stopped(), "stopped");
        vm.expectRevert(ZKMLEmergencyStop.VerifierStopped.selector);
        stop.verifyProof(PROOF, list(1, 2, 3, 4));
        vm.expectRevert(ZKMLEmergencyStop.VerifierStopped.selector);
        zkml.verifyInference(modelId, commitmentTo(0), words(3, 4), blobOf(0));
        // What it says of itself stays readable, and so does the verifier behind it.
        assertEq(abi.encode(IModelVerifier(stop).statementShape()), abi.encode(defaultShape()), "shape");
        assertTrue(fake.verifyProof(PROOF, list(1, 2, 3, 4)), "behind");
    }
}
