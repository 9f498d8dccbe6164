// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLEmergencyStop} from "../src/ZKMLEmergencyStop.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IModelPairing} from "../src/interfaces/IModelPairing.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLBatchVerifier} from "../src/interfaces/IZKMLBatchVerifier.sol";
import {ZKMLPairing} from "../src/libraries/ZKMLPairing.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {LtvVerifier} from "./generated/LtvVerifier.sol";
import {Points} from "./support/Points.sol";
import {Real} from "./support/Real.sol";

/// @title Batches of real proofs
contract BatchProofTest is Real, Points {
    uint256 private modelId;

    function setUp() external {
        deployCredit();
        modelId = register(load("mock_alice_0"));
    }

    function test_AllProofsOfAModelGoAtOnce() external {
        IZKMLBatchVerifier.Inference[] memory batch = all();
        assertEq(batch.length, 11, "proofs");
        for (uint256 i = 0; i < batch.length; ++i) {
            vm.expectEmit(true, true, true, true, address(zkml));
            emit IERCZKMLInference.InferenceVerified(modelId, batch[i].inputCommitment, batch[i].output, address(this));
        }
        zkml.verifyBatch(modelId, batch);
        (uint256 index, bytes memory reason) = zkml.firstRefused(modelId, batch);
        assertEq(index, 11, "none is refused");
        assertEq(reason, "", "for no reason");
    }

    function test_RevertWhen_OneOutputIsWrong() external {
        for (uint256 bad = 0; bad < 11; bad += 5) {
            IZKMLBatchVerifier.Inference[] memory batch = all();
            batch[bad].output = withWord(batch[bad].output, 0, wordAt(batch[bad].output, 0) + 1);
            vm.expectRevert(IZKMLBatchVerifier.BatchRejected.selector);
            zkml.verifyBatch(modelId, batch);
            (uint256 index, bytes memory reason) = zkml.firstRefused(modelId, batch);
            assertEq(index, bad, "which");
            assertEq(reason, abi.encodeWithSelector(CreditVerifier.ProofRejected.selector), "why");
        }
    }

    /// @dev The pairing's input decides as the verifier does.
    function test_PairingsHoldWhereProofsDo() external view {
        Proof memory p = load("mock_alice_0");
        assertTrue(holds(pairing(p)), "a proof");
        p.instances[0] ^= 1;
        assertTrue(!holds(pairing(p)), "of another statement");
    }

    function test_RevertWhen_AProofIsMalformed() external {
        Proof memory p = load("mock_alice_0");
        Parts memory parts = partsOf(credit, p);
        uint256[2] memory offsets = [parts.scalars, p.proof.length - 64];
        bytes4[2] memory errors = [CreditVerifier.EvaluationOutOfRange.selector, CreditVerifier.InvalidPoint.selector];
        for (uint256 i = 0; i < 2; ++i) {
            IZKMLBatchVerifier.Inference[] memory batch = all();
            batch[4].proof = withWord(batch[4].proof, 68 + offsets[i], Q);
            vm.expectRevert(abi.encodeWithSelector(errors[i], offsets[i]));
            zkml.verifyBatch(modelId, batch);
        }
    }

    /// @dev The last point of a proof is followed by no challenge: moved by the same, to either side, it gives two wrong proofs whose
    /// errors cancel.
    function test_RevertWhen_TwoWrongProofsCancel() external {
        Proof memory p = load("mock_alice_0");
        (Proof memory above, Proof memory below) = (moved(p, 12_345, false), moved(p, 12_345, true));
        assertTrue(!holds(pairing(above)) && !holds(pairing(below)), "both are wrong");
        assertTrue(holds(sum(pairing(above), pairing(below))), "and cancel");
        IZKMLBatchVerifier.Inference[] memory batch = all();
        (batch[1], batch[7]) = (item(above), item(below));
        vm.expectRevert(IZKMLBatchVerifier.BatchRejected.selector);
        zkml.verifyBatch(modelId, batch);
        (batch[1], batch[7]) = (item(below), item(above));
        vm.expectRevert(IZKMLBatchVerifier.BatchRejected.selector);
        zkml.verifyBatch(modelId, batch);
    }

    /// @dev Errors that cancel under the weight which a forger would know if it came from the key and the number of proofs alone.
    function test_RevertWhen_TheWeightWasForeseen() external {
        Proof memory p = load("mock_alice_0");
        uint256 weight = uint256(ZKMLPairing.start(address(credit), modelId, credit.vkDigest(), 2)) % R;
        (Proof memory first, Proof memory second) = (moved(p, mulmod(12_345, weight, R), false), moved(p, 12_345, true));
        assertTrue(!holds(pairing(first)) && !holds(pairing(second)), "both are wrong");
        assertTrue(holds(sum(pairing(first), weighted(pairing(second), weight))), "and cancel under this weight");
        IZKMLBatchVerifier.Inference[] memory batch = new IZKMLBatchVerifier.Inference[](2);
        (batch[0], batch[1]) = (item(first), item(second));
        vm.expectRevert(IZKMLBatchVerifier.BatchRejected.selector);
        zkml.verifyBatch(modelId, batch);
    }

    function test_RevertWhen_AProofIsAnotherModels() external {
        route(IModelVerifier(address(new LtvVerifier())));
        IZKMLBatchVerifier.Inference[] memory batch = all();
        Proof memory other = load("ltv_epoch_1");
        register(other);
        batch[3] = item(other);
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        zkml.verifyBatch(modelId, batch);
        batch[0] = item(other);
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        zkml.verifyBatch(modelId, batch);
    }

    function test_BehindAnEmergencyStop() external {
        ZKMLEmergencyStop stop = new ZKMLEmergencyStop(credit, address(this));
        deployStack(stop);
        modelId = register(load("mock_alice_0"));
        zkml.verifyBatch(modelId, all());
        stop.stop();
        vm.expectRevert(ZKMLEmergencyStop.VerifierStopped.selector);
        zkml.verifyBatch(modelId, all());
    }

    /// @dev Every committed proof about the credit model with committed inputs, whatever it is bound to.
    function all() private view returns (IZKMLBatchVerifier.Inference[] memory batch) {
        string[11] memory names = [
            "mock_alice_0",
            "mock_alice_1",
            "mock_bob_0",
            "loan_desk_alice_0",
            "unbound",
            "request_alice_0",
            "reward_alice_2",
            "request_alice_0_other_input",
            "credit_gate_alice",
            "credit_gate_bob",
            "eas_alice_0"
        ];
        batch = new IZKMLBatchVerifier.Inference[](names.length);
        for (uint256 i = 0; i < names.length; ++i) {
            batch[i] = item(load(names[i]));
        }
    }

    function item(Proof memory p) private pure returns (IZKMLBatchVerifier.Inference memory) {
        return IZKMLBatchVerifier.Inference(p.inputCommitment, p.output, p.blob);
    }

    function pairing(Proof memory p) private view returns (bytes memory) {
        return abi.encodePacked(IModelPairing(address(credit)).pairingInput(p.proof, p.instances));
    }

    /// @dev The proof with another last point, and the blob with that proof.
    function moved(Proof memory p, uint256 by, bool back) private view returns (Proof memory other) {
        other = load("mock_alice_0");
        uint256 last = p.proof.length - 64;
        Point memory step = times(generator(), by);
        Point memory point = plus(Point(wordAt(p.proof, last), wordAt(p.proof, last + 32)), back ? negated(step) : step);
        other.proof = withWord(withWord(p.proof, last, point.x), last + 32, point.y);
        other.blob = withWord(withWord(p.blob, 68 + last, point.x), 68 + last + 32, point.y);
    }

    /// @dev A pairing to a power.
    function weighted(bytes memory pairs, uint256 weight) private view returns (bytes memory power) {
        power = pairs;
        for (uint256 offset = 0; offset < pairs.length; offset += 192) {
            Point memory p = times(Point(wordAt(pairs, offset), wordAt(pairs, offset + 32)), weight);
            power = withWord(withWord(power, offset, p.x), offset + 32, p.y);
        }
    }

    /// @dev Two pairings as a sum without weights has them.
    function sum(bytes memory a, bytes memory b) private view returns (bytes memory both) {
        both = a;
        for (uint256 offset = 0; offset < a.length; offset += 192) {
            Point memory p = plus(
                Point(wordAt(a, offset), wordAt(a, offset + 32)), Point(wordAt(b, offset), wordAt(b, offset + 32))
            );
            both = withWord(withWord(both, offset, p.x), offset + 32, p.y);
        }
    }
}
