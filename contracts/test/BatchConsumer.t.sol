// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {ZKMLBatchConsumer} from "../src/ZKMLBatchConsumer.sol";
import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLBatchVerifier} from "../src/interfaces/IZKMLBatchVerifier.sol";
import {ZKMLVerifierMock} from "../src/mocks/ZKMLVerifierMock.sol";
import {Hooked} from "./support/Hooked.sol";
import {HookedBatchConsumer} from "./support/HookedBatchConsumer.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";
import {PairingVerifier} from "./support/PairingVerifier.sol";
import {Points} from "./support/Points.sol";
import {Real} from "./support/Real.sol";

/// @title Consumers that take several inferences at once: each as if it came alone, all or none
contract BatchConsumerTest is Hooked, Points {
    HookedBatchConsumer private taker;

    function setUp() external {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.proofLength = 384;
        fake = new PairingVerifier(shape);
        deployStack(fake);
        modelId = publish(commitmentOf(shape));
        taker = new HookedBatchConsumer(zkml, modelId, OWNER);
        consumer = taker;
    }

    function test_SeveralOfSeveralSubjectsAreTaken() external {
        ZKMLBatchConsumer.Claim[] memory claims = batch();
        for (uint256 i = 0; i < 3; ++i) {
            expectHook(
                HookedConsumer.Hook.Provenance, claims[i].subject, abi.encode(DATA, claims[i].inference.provenance)
            );
        }
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory output = claims[i].inference.output;
            expectHook(HookedConsumer.Hook.Validate, claims[i].subject, output);
            vm.expectEmit(true, true, true, true, address(taker));
            emit ZKMLConsumer.InferenceAccepted(claims[i].subject, i == 2 ? 1 : 0, claims[i].action, DATA);
            expectHook(HookedConsumer.Hook.Act, claims[i].subject, abi.encode(claims[i].action, DATA, output));
        }
        taker.takeAll(claims);
        assertEq(taker.nonces(ALICE), 2, "two of one subject");
        assertEq(taker.nonces(BOB), 1, "one of the other");
        assertEq(taker.accepted(), 3, "all of them");
        // Each counts once, alone as well.
        vm.expectRevert(wrongContext(claims[0].inference, ALICE, 2, DEADLINE, ACTION));
        taker.takeAll(claims);
        vm.expectRevert(wrongContext(claims[1].inference, BOB, 1, DEADLINE, keccak256("other")));
        taker.take(BOB, keccak256("other"), claims[1].inference);
    }

    function test_RevertWhen_AnyProofIsWrong() external {
        for (uint256 bad = 0; bad < 3; ++bad) {
            ZKMLBatchConsumer.Claim[] memory claims = batch();
            bytes memory header = claims[bad].inference.proof;
            assembly ("memory-safe") {
                mstore(header, 68)
            }
            claims[bad].inference.proof = bytes.concat(header, equal(generator(), times(generator(), 2)));
            vm.expectRevert(IZKMLBatchVerifier.BatchRejected.selector);
            taker.takeAll(claims);
            assertTrue(taker.nonces(ALICE) == 0 && taker.accepted() == 0, "nothing happened");
        }
    }

    function test_RevertWhen_AnyIsLateOrForSomethingElse() external {
        for (uint256 bad = 0; bad < 3; ++bad) {
            ZKMLBatchConsumer.Claim[] memory claims = batch();
            claims[bad].inference.deadline = NOW - 1;
            vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, NOW - 1));
            taker.takeAll(claims);
            claims = batch();
            claims[bad].action = keccak256("something else");
            (address subject, uint256 nonce) = (claims[bad].subject, bad == 2 ? 1 : 0);
            vm.expectRevert(wrongContext(claims[bad].inference, subject, nonce, DEADLINE, keccak256("something else")));
            taker.takeAll(claims);
            claims = batch();
            claims[bad].subject = OWNER;
            vm.expectRevert(wrongContext(claims[bad].inference, OWNER, 0, DEADLINE, claims[bad].action));
            taker.takeAll(claims);
        }
    }

    function test_RevertWhen_OneComesTwice() external {
        ZKMLBatchConsumer.Claim[] memory claims = batch();
        claims[1] = claims[0];
        vm.expectRevert(wrongContext(claims[0].inference, ALICE, 1, DEADLINE, ACTION));
        taker.takeAll(claims);
    }

    function test_RevertWhen_NoncesAreOutOfOrder() external {
        ZKMLBatchConsumer.Claim[] memory claims = batch();
        (claims[0], claims[2]) = (claims[2], claims[0]);
        vm.expectRevert(wrongContext(claims[0].inference, ALICE, 0, DEADLINE, ACTION));
        taker.takeAll(claims);
    }

    function test_RevertWhen_ThereIsNothing() external {
        vm.expectRevert(IZKMLBatchVerifier.EmptyBatch.selector);
        taker.takeAll(new ZKMLBatchConsumer.Claim[](0));
    }

    function test_RevertWhen_TheContractIsPaused() external {
        vm.prank(OWNER);
        taker.pause();
        ZKMLBatchConsumer.Claim[] memory claims = batch();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        taker.takeAll(claims);
    }

    /// @dev The hook of one is in the way of all.
    function test_RevertWhen_AHookRefuses() external {
        for (uint256 hook = 1; hook <= 3; ++hook) {
            taker.plan(HookedConsumer.Hook(hook), address(0), "no");
            ZKMLBatchConsumer.Claim[] memory claims = batch();
            vm.expectRevert(abi.encodeWithSignature("Error(string)", "no"));
            taker.takeAll(claims);
            assertTrue(taker.nonces(ALICE) == 0 && taker.nonces(BOB) == 0, "nothing happened");
        }
    }

    /// @dev All nonces are used up before the first hook: none of the proofs of the batch is taken inside.
    function test_NoProofOfTheBatchIsTakenInsideAHook() external {
        for (uint256 hook = 1; hook <= 3; ++hook) {
            for (uint256 which = 0; which < 3; ++which) {
                ZKMLBatchConsumer.Claim[] memory claims = batch();
                ZKMLBatchConsumer.Claim memory again = claims[which];
                bytes memory data = abi.encodeCall(taker.take, (again.subject, again.action, again.inference));
                taker.plan(HookedConsumer.Hook(hook), address(taker), data);
                (uint256 before, uint256 accepted) = (taker.nonces(again.subject), taker.accepted());
                taker.takeAll(claims);
                assertTrue(taker.called() && !taker.succeeded(), "refused inside");
                assertEq(taker.nonces(again.subject), before + (which == 1 ? 1 : 2), "used once");
                assertEq(taker.accepted(), accepted + 3, "accepted once");
            }
        }
    }

    function test_DeadlineIsTheLastGoodTime() external {
        ZKMLBatchConsumer.Claim[] memory claims = batch();
        vm.warp(DEADLINE);
        taker.takeAll(claims);
        assertEq(taker.accepted(), 3, "all of them");
    }

    /// @dev The mock believes every proof, and looks at nothing but commitments.
    function test_MockTakesBatchesAsTheVerifierDoes() external {
        ZKMLVerifierMock mock = new ZKMLVerifierMock(address(registry));
        taker = new HookedBatchConsumer(mock, modelId, OWNER);
        taker.takeAll(batch());
        assertEq(taker.accepted(), 3, "all of them");
        IZKMLBatchVerifier.Inference[] memory two = new IZKMLBatchVerifier.Inference[](2);
        for (uint256 i = 0; i < 2; ++i) {
            two[i] = IZKMLBatchVerifier.Inference(commitmentTo(0), "", blobOf(0));
        }
        (uint256 index, bytes memory reason) = mock.firstRefused(modelId, two);
        assertTrue(index == 2 && reason.length == 0, "none is refused");
        two[1].inputCommitment = 0;
        (index, reason) = mock.firstRefused(modelId, two);
        assertEq(index, 1, "the second");
        assertEq(reason, abi.encodeWithSelector(IERCZKMLInference.InputCommitmentMismatch.selector), "why");
        vm.expectRevert(IERCZKMLInference.InputCommitmentMismatch.selector);
        mock.verifyBatch(modelId, two);
        vm.expectRevert(IZKMLBatchVerifier.EmptyBatch.selector);
        mock.checkBatch(modelId, new IZKMLBatchVerifier.Inference[](0));
    }

    /// @dev Two of one subject, and one of another for another action in between.
    function batch() private view returns (ZKMLBatchConsumer.Claim[] memory claims) {
        claims = new ZKMLBatchConsumer.Claim[](3);
        claims[0] = claim(ALICE, taker.nonces(ALICE), ACTION, 1);
        claims[1] = claim(BOB, taker.nonces(BOB), keccak256("other"), 2);
        claims[2] = claim(ALICE, taker.nonces(ALICE) + 1, ACTION, 3);
    }

    function claim(address subject, uint256 nonce, bytes32 action, uint256 factor)
        private
        view
        returns (ZKMLBatchConsumer.Claim memory)
    {
        Point memory p = times(generator(), factor);
        bytes32 context = taker.contextOf(subject, nonce, DEADLINE, action);
        bytes memory blob = blobOf(selectorOf("vk"), DATA, context, equal(p, p), "");
        bytes memory provenance = abi.encode(factor);
        bytes memory output = words(factor, 6);
        return ZKMLBatchConsumer.Claim(subject, action, ZKMLConsumer.Inference(DEADLINE, output, blob, provenance));
    }

    function expectHook(HookedConsumer.Hook hook, address subject, bytes memory data) private {
        vm.expectEmit(true, true, true, true, address(taker));
        emit HookedConsumer.HookCalled(hook, subject, data);
    }
}

/// @title The same with real proofs, which were made for one by one
contract BatchConsumerProofTest is Real {
    function test_ProofsForOneByOneGoTogether() external {
        deployCredit();
        uint256 modelId = register(load("mock_alice_0"));
        vm.prank(deployer("ZKMLConsumerMock"));
        HookedBatchConsumer taker = new HookedBatchConsumer(zkml, modelId, OWNER);
        string[3] memory names = ["mock_alice_0", "mock_bob_0", "mock_alice_1"];
        ZKMLBatchConsumer.Claim[] memory claims = new ZKMLBatchConsumer.Claim[](3);
        for (uint256 i = 0; i < 3; ++i) {
            Proof memory p = load(names[i]);
            claims[i] = ZKMLBatchConsumer.Claim(p.subject, p.action, inference(p, ""));
        }
        taker.takeAll(claims);
        assertEq(taker.accepted(), 3, "all of them");
    }
}
