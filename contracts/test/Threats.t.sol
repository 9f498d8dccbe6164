// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {ZKMLEmergencyStop} from "../src/ZKMLEmergencyStop.sol";
import {ZKMLInferenceStore} from "../src/ZKMLInferenceStore.sol";
import {ZKMLVerifier} from "../src/ZKMLVerifier.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {ZKMLConsumerMock} from "../src/mocks/ZKMLConsumerMock.sol";
import {CreditOpenVerifier} from "./generated/CreditOpenVerifier.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {Real} from "./support/Real.sol";

/// @title The threat table, row by row, with real proofs through registry, router, verifier and consumer
/// @notice Rows that are tested elsewhere, all under `crates/` unless it says otherwise:
/// - model swap, deprecated models, stopped routes: contracts/test/ThreatsModels.t.sol
/// - malleability, off-curve and identity points of the proof itself: contracts/test/ThreatsProof.t.sol;
///   zkml-harness/tests/evm/verifier.rs `every_tampering_is_refused_for_its_reason`, `no_number_has_two_spellings`
/// - missing or failing precompile: the same file, `a_chain_without_the_precompiles_accepts_nothing`
/// - weak Fiat-Shamir: the same file, `without_any_one_absorbed_value_the_proof_is_refused`
/// - x on the domain, zero denominators: the same file, `challenges_on_the_domain_are_refused`
/// - wrong constants in the generated contract: the same file, `a_wrong_constant_fails_the_self_check`
/// - multiplicities, sign of zero, ranges, lookup tags: zkml-halo2/tests/circuits/operators.rs
/// - settings swap: zkml-chain/tests/end_to_end/bad_input.rs `edited_settings_stop_every_command`
/// - inputs that nobody vouches for: contracts/test/examples
contract ThreatsTest is Real {
    address private constant MALLORY = address(0xbad);

    Proof private p;
    uint256 private modelId;
    ZKMLConsumerMock private consumer;

    function setUp() external {
        deployCredit();
        p = load("mock_alice_0");
        modelId = register(p);
        consumer = deployMock("ZKMLConsumerMock", modelId, 0);
        assertEq(address(consumer), p.consumer, "where the proofs expect it");
    }

    function test_RealProofsGoAllTheWay() external {
        zkml.verifyInference(modelId, p.inputCommitment, p.output, p.blob);
        Proof memory unbound = load("unbound");
        zkml.verifyInference(modelId, unbound.inputCommitment, unbound.output, unbound.blob);
        string[3] memory names = ["mock_alice_0", "mock_alice_1", "mock_bob_0"];
        for (uint256 i = 0; i < names.length; ++i) {
            Proof memory each = load(names[i]);
            take(consumer, each);
            assertEq(consumer.lastOutput(each.subject), each.output, names[i]);
        }
        Proof memory open = load("open_alice_0");
        route(IModelVerifier(address(new CreditOpenVerifier())));
        take(deployMock("OpenConsumer", register(open), 0), open);
    }

    // Input aliasing x + k·r, in the words that ZKMLVerifier passes on.

    function test_RevertWhen_TheOutputIsAliased() external {
        uint256[] memory aliases = aliasesOf(wordAt(p.output, 0));
        for (uint256 i = 0; i < aliases.length; ++i) {
            expectScalarOutOfRange(2);
            zkml.verifyInference(modelId, p.inputCommitment, abi.encode(aliases[i]), p.blob);
        }
    }

    function test_RevertWhen_TheHeaderIsAliased() external {
        uint256[] memory aliases = aliasesOf(uint256(p.dataCommitment));
        for (uint256 i = 0; i < aliases.length; ++i) {
            (bytes memory blob, bytes32 commitment) = withHeader(p, bytes32(aliases[i]), p.context);
            expectScalarOutOfRange(1);
            zkml.verifyInference(modelId, commitment, p.output, blob);
        }
        aliases = aliasesOf(uint256(p.context));
        for (uint256 i = 0; i < aliases.length; ++i) {
            (bytes memory blob, bytes32 commitment) = withHeader(p, p.dataCommitment, bytes32(aliases[i]));
            expectScalarOutOfRange(0);
            zkml.verifyInference(modelId, commitment, p.output, blob);
        }
    }

    function test_RevertWhen_APublicInputIsAliased() external {
        Proof memory open = load("open_alice_0");
        route(IModelVerifier(address(new CreditOpenVerifier())));
        uint256 id = register(open);
        uint256 count = open.instances.length - 2;
        for (uint256 i = 0; i < count; ++i) {
            uint256[] memory aliases = aliasesOf(open.instances[1 + i]);
            for (uint256 k = 0; k < aliases.length; ++k) {
                bytes memory blob = withWord(open.blob, open.blob.length - 32 * (count - i), aliases[k]);
                uint256[] memory inputs = new uint256[](count);
                for (uint256 j = 0; j < count; ++j) {
                    inputs[j] = j == i ? aliases[k] : open.instances[1 + j];
                }
                bytes32 data = keccak256(abi.encodePacked(inputs));
                blob = withWord(blob, 4, uint256(data));
                expectScalarOutOfRange(1 + i);
                zkml.verifyInference(id, ZKMLStatement.inputCommitment(data, open.context), open.output, blob);
            }
        }
    }

    // Proof malleability, through the blob: nothing before, between or behind its parts.

    function test_RevertWhen_TheBlobIsLongerOrShorter() external {
        uint256 length = p.blob.length;
        expectWrongLength(modelId, bytes.concat(p.blob, hex"00"), length);
        expectWrongLength(modelId, bytes.concat(p.blob, bytes32(0)), length);
        bytes memory shorter = bytes.concat(p.blob);
        assembly ("memory-safe") {
            mstore(shorter, sub(length, 1))
        }
        expectWrongLength(modelId, shorter, length);
        bytes4 mismatch = IERCZKMLInference.OutputMismatch.selector;
        vm.expectRevert(mismatch);
        zkml.verifyInference(modelId, p.inputCommitment, bytes.concat(p.output, bytes32(0)), p.blob);
        vm.expectRevert(mismatch);
        zkml.verifyInference(modelId, p.inputCommitment, "", p.blob);
    }

    /// @dev Every bit of the blob's header is bound by the caller's input commitment, or by the registered key.
    function test_RevertWhen_TheHeaderIsEdited() external {
        for (uint256 i = 0; i < 68; ++i) {
            bytes4 expected =
                i < 4 ? IERCZKMLInference.ModelMismatch.selector : IERCZKMLInference.InputCommitmentMismatch.selector;
            vm.expectRevert(expected);
            zkml.verifyInference(modelId, p.inputCommitment, p.output, withFlip(p.blob, i, i % 8));
        }
        // Also where the commitment goes along with the edit: then the proof is about something else.
        bytes32 zero;
        (bytes memory blob, bytes32 commitment) = withHeader(p, p.dataCommitment, zero);
        vm.expectRevert(CreditVerifier.ProofRejected.selector);
        zkml.verifyInference(modelId, commitment, p.output, blob);
        (blob, commitment) = withHeader(p, load("mock_bob_0").dataCommitment, p.context);
        vm.expectRevert(CreditVerifier.ProofRejected.selector);
        zkml.verifyInference(modelId, commitment, p.output, blob);
    }

    function test_RevertWhen_TheOutputIsAnother() external {
        vm.expectRevert(CreditVerifier.ProofRejected.selector);
        zkml.verifyInference(modelId, p.inputCommitment, abi.encode(wordAt(p.output, 0) + 1), p.blob);
    }

    // Toxic setup: a verifier with the development setup exists on test chains only.

    function test_RevertWhen_ADevelopmentSetupIsUsedOnMainnet() external {
        assertTrue(credit.UNSAFE_DEV_SETUP(), "a development setup");
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(CreditVerifier.UnsafeSetup.selector, 1));
        new CreditVerifier();
    }

    // Replay and front-running.

    function test_RevertWhen_AnotherSenderHandsItIn() external {
        expectWrongContext(MALLORY, p.action, p.deadline, 0);
        // The subject's own nonce and proof are untouched.
        take(consumer, p);
    }

    function test_RevertWhen_OnAnotherChain() external {
        vm.chainId(1);
        expectWrongContext(p.subject, p.action, p.deadline, 0);
    }

    function test_RevertWhen_AtAnotherConsumer() external {
        consumer = deployMock("somebody else", modelId, 0);
        expectWrongContext(p.subject, p.action, p.deadline, 0);
    }

    function test_RevertWhen_Late() external {
        vm.warp(p.deadline + 1);
        vm.prank(p.subject);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, p.deadline));
        consumer.verifyInference(p.action, inference(p, ""));
        // Nor does it help to hand in a later deadline.
        expectWrongContext(p.subject, p.action, p.deadline + 1, 0);
    }

    function test_RevertWhen_Twice() external {
        take(consumer, p);
        expectWrongContext(p.subject, p.action, p.deadline, 1);
        take(consumer, load("mock_alice_1"));
        expectWrongContext(p.subject, p.action, p.deadline, 2);
    }

    function test_RevertWhen_ForAnotherAction() external {
        expectWrongContext(p.subject, "another action", p.deadline, 0);
    }

    function test_RevertWhen_ItIsBoundToNobody() external {
        Proof memory unbound = load("unbound");
        (p.blob, p.output, p.context) = (unbound.blob, unbound.output, unbound.context);
        expectWrongContext(p.subject, p.action, p.deadline, 0);
    }

    // A broken proof system: the stop takes no good proof for an exploit.

    function test_RevertWhen_AGoodProofIsShownAsAnExploit() external {
        ZKMLEmergencyStop stop = new ZKMLEmergencyStop(credit, OWNER);
        assertTrue(stop.verifyProof(p.proof, p.instances), "as the verifier");
        vm.expectRevert(ZKMLEmergencyStop.NoExploit.selector);
        stop.stopWithExploit(p.proof, p.instances);
        // An impossible output without a proof of it is refused as it is everywhere.
        (, int256 highest) = credit.outputBounds(0);
        vm.expectRevert(CreditVerifier.ProofRejected.selector);
        stop.stopWithExploit(p.proof, withInstance(p.instances, 2, uint256(highest) + 1));
        vm.expectRevert(abi.encodeWithSelector(CreditVerifier.NoSuchOutput.selector, 1));
        credit.outputBounds(1);
    }

    function test_RecordsAreMadeOnce() external {
        ZKMLInferenceStore store = new ZKMLInferenceStore(zkml);
        bytes32 id = store.verifyAndStoreInference(modelId, p.inputCommitment, p.output, p.blob);
        vm.recordLogs();
        assertEq(store.verifyAndStoreInference(modelId, p.inputCommitment, p.output, p.blob), id, "the same");
        assertEq(vm.getRecordedLogs().length, 0, "made once");
    }

    function expectScalarOutOfRange(uint256 index) private {
        vm.expectRevert(abi.encodeWithSelector(CreditVerifier.ScalarOutOfRange.selector, index));
    }

    function expectWrongLength(uint256 id, bytes memory blob, uint256 expected) private {
        vm.expectRevert(abi.encodeWithSelector(ZKMLVerifier.WrongBlobLength.selector, blob.length, expected));
        zkml.verifyInference(id, p.inputCommitment, p.output, blob);
    }

    /// @dev The proof is handed in by a sender, for an action and a deadline, where this is the sender's next nonce.
    function expectWrongContext(address sender, bytes32 action, uint256 deadline, uint256 nonce) private {
        bytes32 expected = consumer.contextOf(sender, nonce, deadline, action);
        vm.prank(sender);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, p.context, expected));
        consumer.verifyInference(action, ZKMLConsumer.Inference(deadline, p.output, p.blob, ""));
    }
}
