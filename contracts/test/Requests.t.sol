// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {Asking} from "./support/Asking.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";
import {Vm} from "./support/Vm.sol";

/// @title What becomes of a request: asked for, fulfilled once or withdrawn, by whom, until when
contract RequestsTest is Asking {
    IZKMLRequests.RequestState private constant NONE = IZKMLRequests.RequestState.None;
    IZKMLRequests.RequestState private constant PENDING = IZKMLRequests.RequestState.Pending;
    IZKMLRequests.RequestState private constant FULFILLED = IZKMLRequests.RequestState.Fulfilled;
    IZKMLRequests.RequestState private constant CANCELLED = IZKMLRequests.RequestState.Cancelled;

    function setUp() external {
        deployRequests();
    }

    function test_TakesARequestAndSaysSo() external {
        IZKMLRequests.Request memory r = requestOf(ALICE, 0);
        uint256 id = idOf(r);
        assertTrue(requests.requestState(id) == NONE, "not yet");
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Provenance, ALICE, abi.encode(DATA, "because"));
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRequests.InferenceRequested(id, ALICE, 0, DEADLINE, ACTION, DATA, INPUT);
        assertEq(requests.ask(ALICE, ACTION, DEADLINE, DATA, INPUT, "because"), id, "id");
        assertTrue(requests.requestState(id) == PENDING, "pending");
        assertEq(requests.requestCount(), 1, "count");
        assertEq(requests.requestIdOf(r), id, "the same id for everybody");
    }

    function test_FulfilsARequestAndSaysSo() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        (uint256 id, bytes memory proof, bytes memory output) = (idOf(r), proofOf(r), words(5, 6));
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(
            modelId, commitmentTo(requests.requestContext(r)), output, address(requests)
        );
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Validate, ALICE, output);
        vm.expectEmit(true, true, true, true, address(requests));
        emit ZKMLConsumer.InferenceAccepted(ALICE, id, ACTION, DATA);
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Act, ALICE, abi.encode(ACTION, DATA, output));
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRequests.InferenceFulfilled(id, ALICE, SERVICE);
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Fulfilled, ALICE, abi.encode(id, output));
        fulfil(r, proof);
        assertTrue(stateOf(r) == FULFILLED, "fulfilled");
        assertEq(requests.nonces(ALICE), 0, "the subject's nonce is for the other way");
    }

    /// @dev Why the input is true was asked when the request was made: whoever proves has nothing to say about it.
    function test_ProvenanceIsAskedOnce() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        requests.plan(HookedConsumer.Hook.Provenance, address(0), "not to be believed");
        fulfil(r);
        assertTrue(stateOf(r) == FULFILLED, "fulfilled");
        vm.expectRevert(abi.encodeWithSignature("Error(string)", "not to be believed"));
        requests.ask(ALICE, ACTION, DEADLINE, DATA, INPUT, "because");
        assertEq(requests.requestCount(), 1, "count");
    }

    function test_RequestsAreNumbered() external {
        IZKMLRequests.Request memory first = ask(ALICE);
        IZKMLRequests.Request memory second = ask(BOB);
        IZKMLRequests.Request memory third = ask(ALICE);
        assertTrue(first.sequence == 0 && second.sequence == 1 && third.sequence == 2, "sequence");
        assertTrue(idOf(first) != idOf(third), "the same thing twice is two requests");
        // In any order.
        fulfil(third);
        fulfil(first);
        assertTrue(stateOf(first) == FULFILLED && stateOf(second) == PENDING && stateOf(third) == FULFILLED, "states");
    }

    function test_RevertWhen_FulfilledTwice() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        fulfil(r);
        refuse(r, proofOf(r), notPending(r, FULFILLED));
        // Another proof of the same statement is no other statement.
        bytes memory other =
            blobOf(selectorOf("vk"), DATA, requests.requestContext(r), "the same proof, re-blinded", "");
        refuse(r, other, notPending(r, FULFILLED));
        assertEq(requests.fulfilled(), 1, "once");
    }

    function test_RevertWhen_NobodyHasAskedForIt() external {
        IZKMLRequests.Request memory r = requestOf(ALICE, 0);
        refuse(r, proofOf(r), notPending(r, NONE));
        ask(r);
        // Each part of it makes another request, which nobody has made.
        IZKMLRequests.Request[5] memory others = [r, r, r, r, r];
        others[0] = IZKMLRequests.Request(BOB, 0, DEADLINE, ACTION, DATA);
        others[1] = IZKMLRequests.Request(ALICE, 1, DEADLINE, ACTION, DATA);
        others[2] = IZKMLRequests.Request(ALICE, 0, DEADLINE + 1, ACTION, DATA);
        others[3] = IZKMLRequests.Request(ALICE, 0, DEADLINE, ~ACTION, DATA);
        others[4] = IZKMLRequests.Request(ALICE, 0, DEADLINE, ACTION, ~DATA);
        for (uint256 i = 0; i < others.length; ++i) {
            refuse(others[i], proofOf(others[i]), notPending(others[i], NONE));
        }
        fulfil(r);
    }

    function test_RevertWhen_TheInputIsAnother() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        refuse(r, proofOf(r, ~DATA), abi.encodeWithSelector(IZKMLRequests.WrongInput.selector, ~DATA, DATA));
        fulfil(r);
    }

    /// @dev The verifier behind this test accepts everything: the comparisons alone refuse.
    function test_RevertWhen_AnyBitDiffers() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        bytes32 context = requests.requestContext(r);
        for (uint256 bit = 0; bit < 256; ++bit) {
            bytes32 other = context ^ bytes32(1 << bit);
            bytes memory proof = blobOf(selectorOf("vk"), DATA, other, PROOF, "");
            refuse(r, proof, abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, other, context));
            other = DATA ^ bytes32(1 << bit);
            refuse(r, proofOf(r, other), abi.encodeWithSelector(IZKMLRequests.WrongInput.selector, other, DATA));
        }
        fulfil(r);
    }

    function test_DeadlineIsTheLastGoodTime() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        bytes memory expired = abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, DEADLINE);
        vm.warp(DEADLINE + 1);
        refuse(r, proofOf(r), expired);
        vm.expectRevert(expired);
        requests.ask(ALICE, ACTION, DEADLINE, DATA, INPUT, "");
        vm.warp(DEADLINE);
        fulfil(ask(ALICE));
        fulfil(r);
    }

    function test_CancelsForGoodAndSaysSo() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRequests.RequestCancelled(idOf(r));
        cancel(r);
        assertTrue(stateOf(r) == CANCELLED, "cancelled");
        refuse(r, proofOf(r), notPending(r, CANCELLED));
        vm.prank(ALICE);
        vm.expectRevert(notPending(r, CANCELLED));
        requests.cancelRequest(r);
        // To ask again is another request.
        fulfil(ask(ALICE));
        assertTrue(stateOf(r) == CANCELLED, "still");
    }

    function test_RevertWhen_SomebodyElseCancels() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        address[4] memory others = [BOB, SERVICE, OWNER, address(this)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IZKMLRequests.NotRequester.selector, idOf(r), others[i]));
            requests.cancelRequest(r);
        }
        fulfil(r);
    }

    function test_RevertWhen_NothingIsThereToCancel() external {
        IZKMLRequests.Request memory r = requestOf(ALICE, 0);
        vm.prank(ALICE);
        vm.expectRevert(notPending(r, NONE));
        requests.cancelRequest(r);
        ask(r);
        fulfil(r);
        vm.prank(ALICE);
        vm.expectRevert(notPending(r, FULFILLED));
        requests.cancelRequest(r);
        assertTrue(stateOf(r) == FULFILLED, "fulfilled");
    }

    function test_RequestsCanBeCancelledAfterTheirDeadlineAndWhilePaused() external {
        (IZKMLRequests.Request memory late, IZKMLRequests.Request memory paused) = (ask(ALICE), ask(BOB));
        vm.prank(OWNER);
        requests.pause();
        cancel(paused);
        vm.warp(DEADLINE + 1);
        cancel(late);
        assertTrue(stateOf(late) == CANCELLED && stateOf(paused) == CANCELLED, "cancelled");
    }

    function test_RevertWhen_Paused() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        vm.prank(OWNER);
        requests.pause();
        refuse(r, proofOf(r), abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        vm.expectRevert(Pausable.EnforcedPause.selector);
        requests.ask(ALICE, ACTION, DEADLINE, DATA, INPUT, "");
        ZKMLConsumer.Inference memory i = inferenceFor(BOB, 0);
        vm.expectRevert(Pausable.EnforcedPause.selector);
        requests.take(BOB, ACTION, i);
        vm.prank(OWNER);
        requests.unpause();
        fulfil(r);
        fulfil(ask(ALICE));
        take(BOB, 0);
    }

    /// @dev All that a pause can do to a request.
    function test_APauseCanOutlastADeadline() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        vm.prank(OWNER);
        requests.pause();
        vm.warp(DEADLINE + 1);
        vm.prank(OWNER);
        requests.unpause();
        refuse(r, proofOf(r), abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, DEADLINE));
    }

    function test_RevertWhen_SomebodyElsePauses() external {
        address[3] memory others = [ALICE, SERVICE, address(this)];
        bytes[2] memory calls = [abi.encodeCall(requests.pause, ()), abi.encodeCall(requests.unpause, ())];
        for (uint256 i = 0; i < others.length; ++i) {
            for (uint256 call = 0; call < calls.length; ++call) {
                vm.prank(others[i]);
                (bool done, bytes memory answer) = address(requests).call(calls[call]);
                assertTrue(!done, "refused");
                bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[i]);
                assertEq(answer, expected, "by name");
            }
        }
    }

    function test_RevertWhen_TheProofIsRefused() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        fake.setAnswer(FakeVerifier.Answer.No);
        refuse(r, proofOf(r), abi.encodeWithSelector(IERCZKMLInference.InvalidProof.selector));
        // Somebody else's bad proof does no harm.
        fake.setAnswer(FakeVerifier.Answer.Yes);
        fulfil(r);
    }

    function test_RevertWhen_AHookRefuses() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        for (uint8 hook = 2; hook <= 4; ++hook) {
            requests.plan(HookedConsumer.Hook(hook), address(0), "no");
            refuse(r, proofOf(r), abi.encodeWithSignature("Error(string)", "no"));
        }
        requests.plan(HookedConsumer.Hook.None, address(0), "");
        fulfil(r);
    }

    function test_RevertWhen_TheModelIsDeprecated() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        refuse(
            r,
            proofOf(r),
            abi.encodeWithSelector(IERCZKMLInference.VerificationRefused_ModelDeprecated.selector, modelId)
        );
    }

    function test_RevertWhen_TheBlobHasNoHeader() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        refuse(r, new bytes(67), abi.encodeWithSelector(ZKMLStatement.BlobTooShort.selector, 67));
    }

    /// @dev An address with other bits set is none, so that a request has one spelling.
    function test_RevertWhen_TheSubjectIsNoAddress() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        bytes memory data = abi.encodeCall(requests.fulfillInference, (r, words(5, 6), proofOf(r)));
        assertEq(uint8(data[15]), 0, "above the address");
        data[15] = 0x01;
        (bool done, bytes memory answer) = address(requests).call(data);
        assertTrue(!done && answer.length == 0, "refused by the decoder");
        fulfil(r);
    }

    function testFuzz_RequestsAreWhatTheirIdSays(
        address subject,
        uint32 early,
        bytes32 action,
        bytes32 data,
        uint8 before
    ) external {
        for (uint256 i = 0; i < before % 4; ++i) {
            ask(BOB);
        }
        IZKMLRequests.Request memory r = IZKMLRequests.Request(subject, before % 4, NOW + early, action, data);
        ask(r);
        assertEq(requests.requestIdOf(r), idOf(r), "id");
        assertTrue(stateOf(r) == PENDING, "pending");
        assertEq(requests.requestContext(r), requests.contextOf(subject, idOf(r), NOW + early, action), "context");
        fulfil(r);
        assertTrue(stateOf(r) == FULFILLED, "fulfilled");
        refuse(r, proofOf(r), notPending(r, FULFILLED));
    }

    /// @dev Another request in one part is another id, and another context.
    function testFuzz_EveryPartCounts(IZKMLRequests.Request memory r, uint8 part, bytes32 other) external view {
        IZKMLRequests.Request memory changed =
            IZKMLRequests.Request(r.subject, r.sequence, r.deadline, r.action, r.dataCommitment);
        if (part % 5 == 0) changed.subject = address(uint160(uint256(other)));
        if (part % 5 == 1) changed.sequence = uint256(other);
        if (part % 5 == 2) changed.deadline = uint256(other);
        if (part % 5 == 3) changed.action = other;
        if (part % 5 == 4) changed.dataCommitment = other;
        vm.assume(keccak256(abi.encode(r)) != keccak256(abi.encode(changed)));
        assertTrue(requests.requestIdOf(r) != requests.requestIdOf(changed), "id");
        assertTrue(requests.requestContext(r) != requests.requestContext(changed), "context");
    }

    /// @dev The log as it lies on the chain: what services read.
    function test_LogsAreWhatServicesDecode() external {
        vm.recordLogs();
        IZKMLRequests.Request memory r = ask(ALICE);
        Vm.Log memory log = vm.getRecordedLogs()[1];
        assertEq(log.topics.length, 3, "topics");
        assertEq(
            log.topics[0],
            keccak256("InferenceRequested(uint256,address,uint256,uint256,bytes32,bytes32,bytes)"),
            "event"
        );
        assertEq(log.topics[1], bytes32(idOf(r)), "id");
        assertEq(log.topics[2], bytes32(uint256(uint160(ALICE))), "subject");
        assertEq(log.data, abi.encode(uint256(0), DEADLINE, ACTION, DATA, INPUT), "data");
    }
}
