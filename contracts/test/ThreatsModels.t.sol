// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLRouter} from "../src/ZKMLRouter.sol";
import {ZKMLVerifier} from "../src/ZKMLVerifier.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLRegistry} from "../src/interfaces/IZKMLRegistry.sol";
import {ZKMLConsumerMock} from "../src/mocks/ZKMLConsumerMock.sol";
import {CreditOpenVerifier} from "./generated/CreditOpenVerifier.sol";
import {CreditVerifier} from "./generated/CreditVerifier.sol";
import {ScoreAVerifier} from "./generated/ScoreAVerifier.sol";
import {Real} from "./support/Real.sol";

/// @title Threats to which model a proof is about, with real proofs
/// @notice The other rows of the threat table are in Threats.t.sol.
contract ThreatsModelsTest is Real {
    Proof private p;
    uint256 private modelId;
    ZKMLConsumerMock private consumer;

    function setUp() external {
        deployCredit();
        p = load("mock_alice_0");
        modelId = register(p);
        consumer = deployMock("ZKMLConsumerMock", modelId, 0);
    }

    // Model swap: verifying key, weights, registry entry.

    function test_RevertWhen_TheKeyIsAnotherModels() external {
        Proof memory open = load("open_alice_0");
        route(IModelVerifier(address(new CreditOpenVerifier())));
        uint256 openId = register(open);
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        zkml.verifyInference(openId, p.inputCommitment, p.output, p.blob);
        // Selector swap: the same blob, sent to the other model's verifier.
        bytes memory blob = bytes.concat(bytes4(open.blob), withoutSelector(p.blob));
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        zkml.verifyInference(modelId, p.inputCommitment, p.output, blob);
        // Nor does it pass for the other model's.
        expectWrongLength(openId, blob, open.blob.length);
    }

    /// @dev An entry under which this key would stand for another model, or for other scales and names.
    function test_RevertWhen_TheEntryIsAnotherModels() external {
        p.registration.modelHash = ~p.registration.modelHash;
        expectMismatch(register(p));
        p.registration.modelHash = ~p.registration.modelHash;
        p.registration.circuitHash = ~p.registration.circuitHash;
        expectMismatch(register(p));
        p.registration.circuitHash = ~p.registration.circuitHash;
        p.registration.vkHash = bytes32(uint256(p.registration.vkHash) ^ 1);
        expectMismatch(register(p));
    }

    function test_RevertWhen_TheWeightsAreOthers() external {
        (Proof memory a, Proof memory b, uint256 idA) = scores();
        uint256 idB = register(b);
        vm.expectRevert(ScoreAVerifier.ProofRejected.selector);
        zkml.verifyInference(idB, a.inputCommitment, a.output, a.blob);
        vm.expectRevert(ScoreAVerifier.ProofRejected.selector);
        zkml.verifyInference(idA, b.inputCommitment, b.output, b.blob);
        zkml.verifyInference(idA, a.inputCommitment, a.output, a.blob);
        zkml.verifyInference(idB, b.inputCommitment, b.output, b.blob);
    }

    function test_RevertWhen_AConsumerIsHandedOtherWeights() external {
        (Proof memory a, Proof memory b, uint256 idA) = scores();
        uint256 idB = register(b);
        ZKMLConsumerMock scoring = deployMock("ScoreConsumer", idA, 1 days);
        assertEq(address(scoring), b.consumer, "where the proofs expect it");
        vm.prank(b.subject);
        vm.expectRevert(ScoreAVerifier.ProofRejected.selector);
        scoring.verifyInference(b.action, inference(b, ""));
        take(scoring, a);
        // It takes the others from the time on at which its owner has moved there, and the former no more.
        vm.prank(OWNER);
        scoring.proposeModel(idB);
        vm.warp(scoring.proposedModelFrom());
        Proof memory next = load("score_b_alice_1");
        vm.prank(next.subject);
        vm.expectRevert(ScoreAVerifier.ProofRejected.selector);
        scoring.verifyInference(next.action, inference(next, ""));
        vm.prank(OWNER);
        scoring.acceptModel();
        take(scoring, next);
    }

    function test_RevertWhen_TheRegistryLies() external {
        (Proof memory a, Proof memory b, uint256 idA) = scores();
        uint256 idB = register(b);
        (IZKMLRegistry.Identity memory identityB, address owner,) = registry.identityOf(idB);
        // The registry says B where A was pinned: B's proof must not pass for A.
        bytes memory lookUp = abi.encodeCall(registry.identityOf, (idA));
        vm.mockCall(address(registry), lookUp, abi.encode(identityB, owner, false));
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        zkml.verifyInference(idA, b.inputCommitment, b.output, b.blob);
        vm.clearMockedCalls();
        zkml.verifyInference(idA, a.inputCommitment, a.output, a.blob);
    }

    function test_RevertWhen_TheModelIsDeprecated() external {
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        vm.prank(p.subject);
        vm.expectRevert(abi.encodeWithSelector(IERCZKMLInference.VerificationRefused_ModelDeprecated.selector, modelId));
        consumer.verifyInference(p.action, inference(p, ""));
    }

    function test_RevertWhen_TheRouteIsStopped() external {
        vm.prank(ROUTER_OWNER);
        router.stopRoute(bytes4(p.blob));
        vm.prank(p.subject);
        vm.expectRevert(abi.encodeWithSelector(ZKMLRouter.SelectorTombstoned.selector, bytes4(p.blob)));
        consumer.verifyInference(p.action, inference(p, ""));
    }

    // Input aliasing, of the word that names the weights.

    /// @dev The weights' commitment plus r, registered as another model.
    function test_RevertWhen_TheWeightsAreAliased() external {
        (Proof memory a,,) = scores();
        a.registration.modelHash = bytes32(uint256(a.registration.modelHash) + R);
        uint256 alias_ = register(a);
        vm.expectRevert(abi.encodeWithSelector(CreditVerifier.ScalarOutOfRange.selector, 2));
        zkml.verifyInference(alias_, a.inputCommitment, a.output, a.blob);
    }

    /// @dev Two models of one architecture with private weights, the first one registered.
    function scores() private returns (Proof memory a, Proof memory b, uint256 idA) {
        route(IModelVerifier(address(new ScoreAVerifier())));
        (a, b) = (load("score_a_alice_0"), load("score_b_alice_0"));
        idA = register(a);
    }

    function expectMismatch(uint256 id) private {
        vm.expectRevert(IERCZKMLInference.ModelMismatch.selector);
        zkml.verifyInference(id, p.inputCommitment, p.output, p.blob);
    }

    function expectWrongLength(uint256 id, bytes memory blob, uint256 expected) private {
        vm.expectRevert(abi.encodeWithSelector(ZKMLVerifier.WrongBlobLength.selector, blob.length, expected));
        zkml.verifyInference(id, p.inputCommitment, p.output, blob);
    }

    function withoutSelector(bytes memory blob) private pure returns (bytes memory tail) {
        tail = new bytes(blob.length - 4);
        for (uint256 i = 0; i < tail.length; ++i) {
            tail[i] = blob[4 + i];
        }
    }
}
