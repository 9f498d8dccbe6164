// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLEmergencyStop} from "../src/ZKMLEmergencyStop.sol";
import {ZKMLRouter} from "../src/ZKMLRouter.sol";
import {ZKMLVerifier} from "../src/ZKMLVerifier.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLBatchVerifier} from "../src/interfaces/IZKMLBatchVerifier.sol";
import {ZKMLPairing} from "../src/libraries/ZKMLPairing.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {PairingVerifier} from "./support/PairingVerifier.sol";
import {Points} from "./support/Points.sol";
import {Scripted} from "./support/Scripted.sol";

/// @title Batches of pairings that the test chooses, point by point
contract BatchTest is Scripted, Points {
    bytes private output = abi.encode(uint256(5), uint256(6));

    function setUp() external {
        deployPairing(384);
    }

    function test_PairingsThatHoldAreTaken() external {
        for (uint256 count = 1; count <= 5; ++count) {
            IZKMLBatchVerifier.Inference[] memory batch = good(count);
            for (uint256 i = 0; i < count; ++i) {
                vm.expectEmit(true, true, true, true, address(zkml));
                emit IERCZKMLInference.InferenceVerified(modelId, batch[i].inputCommitment, output, address(this));
            }
            zkml.verifyBatch(modelId, batch);
            zkml.checkBatch(modelId, batch);
        }
    }

    function test_OneThatDoesNotHoldIsFoundWhereverItIs() external {
        for (uint256 count = 1; count <= 4; ++count) {
            for (uint256 bad = 0; bad < count; ++bad) {
                IZKMLBatchVerifier.Inference[] memory batch = good(count);
                batch[bad] = one(bad, equal(generator(), times(generator(), 2)));
                refused(batch, abi.encodeWithSelector(IZKMLBatchVerifier.BatchRejected.selector));
            }
        }
    }

    function test_RevertWhen_TheBatchIsEmpty() external {
        refused(good(0), abi.encodeWithSelector(IZKMLBatchVerifier.EmptyBatch.selector));
    }

    /// @dev Both are wrong by the same, once above and once below: their product is 1, and so is that of their inverses.
    function test_RevertWhen_ErrorsCancel() external {
        Point memory g = generator();
        bytes memory above = equal(plus(g, g), g);
        bytes memory below = equal(g, plus(g, g));
        assertTrue(!holds(above) && !holds(below), "both are wrong");
        assertTrue(holds(bytes.concat(above, below)), "and cancel");
        for (uint256 first = 0; first < 2; ++first) {
            IZKMLBatchVerifier.Inference[] memory batch = good(3);
            (batch[0], batch[2]) = (one(0, first == 0 ? above : below), one(2, first == 0 ? below : above));
            refused(batch, abi.encodeWithSelector(IZKMLBatchVerifier.BatchRejected.selector));
        }
    }

    /// @dev Errors that cancel for a weight which somebody has guessed.
    function testFuzz_RevertWhen_ErrorsCancelForAGuess(uint256 guess) external {
        Point memory g = generator();
        // The first is wrong by g to the power -guess, the second by g.
        IZKMLBatchVerifier.Inference[] memory batch = new IZKMLBatchVerifier.Inference[](2);
        batch[0] = one(0, equal(g, plus(g, times(g, guess))));
        batch[1] = one(1, equal(plus(g, g), g));
        bytes memory weighted =
            equal(plus(g, times(plus(g, g), guess)), plus(plus(g, times(g, guess)), times(g, guess)));
        assertTrue(holds(weighted), "they cancel for the guess");
        refused(batch, abi.encodeWithSelector(IZKMLBatchVerifier.BatchRejected.selector));
    }

    function test_PointsMayBeZeroAndEqual() external {
        Point memory zero;
        IZKMLBatchVerifier.Inference[] memory batch = new IZKMLBatchVerifier.Inference[](4);
        batch[0] = one(0, equal(zero, zero));
        batch[1] = one(1, equal(generator(), generator()));
        batch[2] = one(1, equal(generator(), generator()));
        batch[3] = one(3, equal(zero, zero));
        zkml.verifyBatch(modelId, batch);
        // One that is zero where it must not be.
        batch[3] = one(3, equal(zero, generator()));
        refused(batch, abi.encodeWithSelector(IZKMLBatchVerifier.BatchRejected.selector));
    }

    /// @dev No verifier sends such; were there one, every point would be looked at all the same.
    function test_RevertWhen_APointIsNotOnTheCurve() external {
        for (uint256 count = 1; count <= 3; ++count) {
            for (uint256 bad = 0; bad < count; ++bad) {
                for (uint256 side = 0; side < 2; ++side) {
                    (Point memory p, Point memory q) = (generator(), generator());
                    ++(side == 0 ? p : q).y;
                    IZKMLBatchVerifier.Inference[] memory batch = good(count);
                    batch[bad] = one(bad, equal(p, q));
                    // A precompile that fails takes all gas that it is given.
                    vm.expectRevert(ZKMLPairing.PrecompileFailed.selector);
                    zkml.checkBatch{gas: 10_000_000}(modelId, batch);
                }
            }
        }
    }

    /// @dev The sum would be checked with the second group's points of one of them only.
    function test_RevertWhen_PointsOfTheSecondGroupDiffer() external {
        Point memory g = generator();
        assertTrue(!holds(opposite(g, g)), "wrong with its own points, right with the other's");
        for (uint256 place = 0; place < 2; ++place) {
            IZKMLBatchVerifier.Inference[] memory batch = good(2);
            batch[place] = one(place, opposite(g, g));
            refused(batch, abi.encodeWithSelector(ZKMLPairing.PairingMismatch.selector));
        }
    }

    /// @dev What the shorter one lacks would not be added, or read from somewhere else.
    function test_RevertWhen_OneHasFewerPairs() external {
        bytes memory short = equal(generator(), generator());
        assembly ("memory-safe") {
            mstore(short, 192)
        }
        short = bytes.concat(short, new bytes(192));
        for (uint256 place = 0; place < 2; ++place) {
            IZKMLBatchVerifier.Inference[] memory batch = good(2);
            batch[place] = one(place, short);
            refused(batch, abi.encodeWithSelector(ZKMLPairing.PairingMismatch.selector));
        }
    }

    function test_RevertWhen_ThereAreNoPairs() external {
        bytes memory refusal = abi.encodeWithSelector(IZKMLBatchVerifier.NotBatchable.selector, address(fake));
        bytes memory pairs = equal(generator(), generator());
        for (uint256 length = 0; length < 384; length += length < 160 || length > 200 ? 32 : 160) {
            if (length == 192) continue;
            bytes memory cut = pairs;
            assembly ("memory-safe") {
                mstore(cut, length)
            }
            IModelVerifier.Shape memory shape = defaultShape();
            shape.proofLength = length;
            fake.setShape(shape);
            for (uint256 count = 1; count <= 2; ++count) {
                IZKMLBatchVerifier.Inference[] memory batch = new IZKMLBatchVerifier.Inference[](count);
                for (uint256 i = 0; i < count; ++i) {
                    batch[i] = one(i, cut);
                }
                refused(batch, refusal);
            }
        }
    }

    function test_RevertWhen_TheVerifierKeepsItsPairing() external {
        deployScripted();
        IZKMLBatchVerifier.Inference[] memory batch = new IZKMLBatchVerifier.Inference[](1);
        batch[0] = one(0, PROOF);
        zkml.verifyInference(modelId, batch[0].inputCommitment, output, batch[0].proof);
        refused(batch, abi.encodeWithSelector(IZKMLBatchVerifier.NotBatchable.selector, address(fake)));
    }

    function test_VerifierIsAskedAboutTheStatement() external {
        fake.setAnswer(FakeVerifier.Answer.Tell);
        IZKMLBatchVerifier.Inference[] memory batch = good(1);
        bytes memory proof = equal(times(generator(), 1), times(generator(), 1));
        uint256[] memory asked = list(100, uint256(DATA), 5, 6);
        refused(batch, abi.encodeWithSelector(FakeVerifier.Asked.selector, proof, asked));
    }

    // What a single inference is refused for, one of a batch is refused for, wherever it stands.

    function test_RevertWhen_OneIsOfAnotherForm() external {
        for (uint256 bad = 0; bad < 3; ++bad) {
            IZKMLBatchVerifier.Inference[] memory batch = good(3);
            batch[bad].inputCommitment = bytes32(uint256(batch[bad].inputCommitment) ^ 1);
            refused(batch, abi.encodeWithSelector(IERCZKMLInference.InputCommitmentMismatch.selector));
            batch = good(3);
            batch[bad].output = abi.encode(uint256(5));
            refused(batch, abi.encodeWithSelector(IERCZKMLInference.OutputMismatch.selector));
            batch = good(3);
            batch[bad].proof = bytes.concat(batch[bad].proof, "1");
            refused(batch, abi.encodeWithSelector(ZKMLVerifier.WrongBlobLength.selector, 453, 452));
            batch = good(3);
            batch[bad].proof = "short";
            refused(batch, abi.encodeWithSelector(ZKMLStatement.BlobTooShort.selector, 5));
            batch = good(3);
            batch[bad].proof[3] ^= 0x01;
            refused(batch, abi.encodeWithSelector(IERCZKMLInference.ModelMismatch.selector));
        }
    }

    function test_RevertWhen_TheModelIsOutOfUse() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        bytes4 refusal = IERCZKMLInference.VerificationRefused_ModelDeprecated.selector;
        refused(good(2), abi.encodeWithSelector(refusal, modelId));
    }

    function test_RevertWhen_TheRouteIsStopped() external {
        vm.prank(ROUTER_OWNER);
        router.stopRoute(selectorOf("vk"));
        refused(good(2), abi.encodeWithSelector(ZKMLRouter.SelectorTombstoned.selector, selectorOf("vk")));
    }

    function test_RevertWhen_TheVerifierIsAnothers() external {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.proofLength = 384;
        shape.modelHash = keccak256("another");
        fake.setShape(shape);
        refused(good(2), abi.encodeWithSelector(IERCZKMLInference.ModelMismatch.selector));
    }

    function test_EmergencyStopStopsBatches() external {
        ZKMLEmergencyStop stop = new ZKMLEmergencyStop(fake, address(this));
        deployStack(stop);
        modelId = publish(commitmentOf(defaultShape()));
        zkml.verifyBatch(modelId, good(2));
        IZKMLBatchVerifier.Inference[] memory wrong = good(2);
        wrong[1] = one(1, equal(generator(), times(generator(), 2)));
        refused(wrong, abi.encodeWithSelector(IZKMLBatchVerifier.BatchRejected.selector));
        stop.stop();
        refused(good(2), abi.encodeWithSelector(ZKMLEmergencyStop.VerifierStopped.selector));
    }

    /// @dev A stop in front of a verifier that keeps its pairing.
    function test_RevertWhen_AStopHasNoPairingToPassOn() external {
        fake = new FakeVerifier(defaultShape());
        ZKMLEmergencyStop stop = new ZKMLEmergencyStop(fake, address(this));
        deployStack(stop);
        modelId = publish(commitmentOf(defaultShape()));
        IZKMLBatchVerifier.Inference[] memory batch = new IZKMLBatchVerifier.Inference[](1);
        batch[0] = one(0, PROOF);
        refused(batch, abi.encodeWithSelector(IZKMLBatchVerifier.NotBatchable.selector, address(stop)));
    }

    /// @dev One by one, without a pairing: what the verifier says of each.
    function test_TheFirstThatIsRefusedIsNamed() external {
        IZKMLBatchVerifier.Inference[] memory batch = good(4);
        (uint256 index, bytes memory reason) = zkml.firstRefused(modelId, batch);
        assertEq(index, 4, "none");
        assertEq(reason, "", "and no reason");
        batch[2].output = "";
        (batch[3].output, batch[3].proof) = ("", "");
        (index, reason) = zkml.firstRefused(modelId, batch);
        assertEq(index, 2, "the first");
        assertEq(reason, abi.encodeWithSelector(IERCZKMLInference.OutputMismatch.selector), "its reason");
        fake.setAnswer(FakeVerifier.Answer.No);
        (index, reason) = zkml.firstRefused(modelId, batch);
        assertEq(index, 0, "all are wrong now");
        assertEq(reason, abi.encodeWithSelector(IERCZKMLInference.InvalidProof.selector), "as a proof");
        (index,) = zkml.firstRefused(modelId, good(0));
        assertEq(index, 0, "nothing in it");
    }

    function deployPairing(uint256 proofLength) private {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.proofLength = proofLength;
        fake = new PairingVerifier(shape);
        deployStack(fake);
        modelId = publish(commitmentOf(shape));
    }

    /// @dev An inference in the context of its place, with a proof.
    function one(uint256 place, bytes memory proof) private view returns (IZKMLBatchVerifier.Inference memory) {
        bytes32 context = bytes32(100 + place);
        return
            IZKMLBatchVerifier.Inference(
                commitmentTo(context), output, blobOf(selectorOf("vk"), DATA, context, proof, "")
            );
    }

    function good(uint256 count) private view returns (IZKMLBatchVerifier.Inference[] memory batch) {
        batch = new IZKMLBatchVerifier.Inference[](count);
        for (uint256 i = 0; i < count; ++i) {
            Point memory p = times(generator(), 1 + i);
            batch[i] = one(i, equal(p, p));
        }
    }

    function refused(IZKMLBatchVerifier.Inference[] memory batch, bytes memory refusal) private {
        vm.expectRevert(refusal);
        zkml.verifyBatch(modelId, batch);
        vm.expectRevert(refusal);
        zkml.checkBatch(modelId, batch);
    }
}
