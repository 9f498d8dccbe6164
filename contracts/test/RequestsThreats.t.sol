// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {Asking} from "./support/Asking.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";
import {HookedRequests} from "./support/HookedRequests.sol";

/// @title Threats to requests: proofs of something else, and hooks that call back
contract RequestsThreatsTest is Asking {
    IZKMLRequests.RequestState private constant NONE = IZKMLRequests.RequestState.None;
    IZKMLRequests.RequestState private constant FULFILLED = IZKMLRequests.RequestState.Fulfilled;

    function setUp() external {
        deployRequests();
    }

    // Proofs of something else.

    function test_RevertWhen_TheProofIsForTheOtherWay() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        // The subject's next nonce, same deadline, same action, same input.
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        refuse(r, i.proof, unlike(r, consumer.contextOf(ALICE, 0, DEADLINE, ACTION)));
        // And the reverse: no nonce ever is the request's id.
        ZKMLConsumer.Inference memory asked = ZKMLConsumer.Inference(DEADLINE, words(5, 6), proofOf(r), "because");
        vm.expectRevert(wrongContext(asked, ALICE, 0, DEADLINE, ACTION));
        requests.take(ALICE, ACTION, asked);
        // Both are good where they belong.
        requests.take(ALICE, ACTION, i);
        fulfil(r);
        assertEq(requests.accepted(), 2, "two");
    }

    function test_RevertWhen_TheProofIsOfAnotherRequest() external {
        (IZKMLRequests.Request memory first, IZKMLRequests.Request memory second) = (ask(ALICE), ask(ALICE));
        refuse(second, proofOf(first), unlike(second, requests.requestContext(first)));
        IZKMLRequests.Request memory bobs = ask(BOB);
        refuse(bobs, proofOf(first), unlike(bobs, requests.requestContext(first)));
        fulfil(first);
        refuse(second, proofOf(first), unlike(second, requests.requestContext(first)));
    }

    function test_RevertWhen_DeadlineOrActionOfTheProofAreOthers() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        bytes32[3] memory contexts = [
            consumer.contextOf(ALICE, idOf(r), DEADLINE + 1, ACTION),
            consumer.contextOf(ALICE, idOf(r), DEADLINE, ~ACTION),
            consumer.contextOf(BOB, idOf(r), DEADLINE, ACTION)
        ];
        for (uint256 i = 0; i < contexts.length; ++i) {
            refuse(r, blobOf(contexts[i]), unlike(r, contexts[i]));
        }
        refuse(r, blobOf(0), unlike(r, 0));
    }

    /// @dev Ids are the same at all contracts and on all chains; what proofs are bound to is not.
    function test_RevertWhen_TheRequestIsOfAnotherContractOrChain() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        bytes memory proof = proofOf(r);
        bytes32 context = requests.requestContext(r);
        HookedRequests first = requests;
        requests = new HookedRequests(zkml, modelId, 0, OWNER);
        // Nobody has asked there.
        refuse(r, proof, notPending(r, NONE));
        ask(r);
        assertEq(requests.requestIdOf(r), first.requestIdOf(r), "the same id");
        refuse(r, proof, unlike(r, context));
        requests = first;
        vm.chainId(31338);
        refuse(r, proof, unlike(r, context));
        vm.chainId(31337);
        fulfil(r, proof);
    }

    /// @dev As after a fork: what was pending is pending on both chains, and takes one proof on each.
    function test_EachSideOfAForkTakesItsOwnProof() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        bytes32 here = requests.requestContext(r);
        vm.chainId(31338);
        assertTrue(requests.requestContext(r) != here, "there");
        fulfil(r);
    }

    // Hooks that call back.

    function test_SameRequestIsRefusedInsideEveryHook() external {
        for (uint8 hook = 2; hook <= 4; ++hook) {
            IZKMLRequests.Request memory r = ask(ALICE);
            bytes memory again = abi.encodeCall(requests.fulfillInference, (r, words(5, 6), proofOf(r)));
            requests.plan(HookedConsumer.Hook(hook), address(requests), again);
            fulfil(r);
            assertTrue(requests.called() && !requests.succeeded(), "called back, and refused");
            assertEq(requests.answer(), notPending(r, FULFILLED), "as used already");
            assertEq(requests.fulfilled(), hook - 1, "one fulfilment");
            assertEq(requests.accepted(), hook - 1, "one inference");
        }
    }

    function test_AnotherRequestInsideAHookIsFulfilledOnceToo() external {
        for (uint8 hook = 2; hook <= 4; ++hook) {
            (IZKMLRequests.Request memory outer, IZKMLRequests.Request memory inner) = (ask(ALICE), ask(BOB));
            bytes memory other = abi.encodeCall(requests.fulfillInference, (inner, words(5, 6), proofOf(inner)));
            requests.plan(HookedConsumer.Hook(hook), address(requests), other);
            fulfil(outer);
            assertTrue(requests.succeeded(), "fulfilled");
            refuse(outer, proofOf(outer), notPending(outer, FULFILLED));
            refuse(inner, proofOf(inner), notPending(inner, FULFILLED));
            assertEq(requests.fulfilled(), 2 * (hook - 1), "two");
        }
    }

    /// @dev The contract itself as a subject, so that its hooks can withdraw.
    function test_NothingIsWithdrawnWhileItIsFulfilled() external {
        for (uint8 hook = 2; hook <= 4; ++hook) {
            IZKMLRequests.Request memory r = ask(address(requests));
            bytes memory withdraw = abi.encodeCall(requests.cancelRequest, (r));
            requests.plan(HookedConsumer.Hook(hook), address(requests), withdraw);
            fulfil(r);
            assertEq(requests.answer(), notPending(r, FULFILLED), "too late");
            assertTrue(stateOf(r) == FULFILLED, "fulfilled");
        }
    }

    function test_ARequestInsideARequestHasItsOwnNumber() external {
        bytes memory inner = abi.encodeCall(requests.ask, (ALICE, ACTION, DEADLINE, DATA, INPUT, ""));
        requests.plan(HookedConsumer.Hook.Provenance, address(requests), inner);
        uint256 outer = requests.ask(ALICE, ACTION, DEADLINE, DATA, INPUT, "");
        assertTrue(requests.succeeded(), "asked");
        assertEq(outer, idOf(requestOf(ALICE, 0)), "the first");
        assertEq(abi.decode(requests.answer(), (uint256)), idOf(requestOf(ALICE, 1)), "the second");
        assertEq(requests.requestCount(), 2, "two");
        fulfil(requestOf(ALICE, 1));
        fulfil(requestOf(ALICE, 0));
    }

    /// @dev What is not believed yet is not there yet.
    function test_RevertWhen_FulfilledBeforeItsInputIsBelieved() external {
        IZKMLRequests.Request memory r = requestOf(ALICE, 0);
        bytes memory early = abi.encodeCall(requests.fulfillInference, (r, words(5, 6), proofOf(r)));
        requests.plan(HookedConsumer.Hook.Provenance, address(requests), early);
        ask(r);
        assertTrue(requests.called() && !requests.succeeded(), "refused");
        assertEq(requests.answer(), notPending(r, NONE), "not there yet");
        fulfil(r);
    }

    /// @dev The other way inside a fulfilment: nonces and requests do not touch each other.
    function test_AnInferenceInsideAFulfilmentIsTakenOnce() external {
        IZKMLRequests.Request memory r = ask(ALICE);
        ZKMLConsumer.Inference memory i = inferenceFor(ALICE, 0);
        requests.plan(
            HookedConsumer.Hook.Fulfilled, address(requests), abi.encodeCall(requests.take, (ALICE, ACTION, i))
        );
        fulfil(r);
        assertTrue(requests.succeeded(), "taken");
        assertTrue(requests.nonces(ALICE) == 1 && requests.accepted() == 2, "one of each");
        vm.expectRevert(wrongContext(i, ALICE, 1, DEADLINE, ACTION));
        requests.take(ALICE, ACTION, i);
    }

    /// @dev A proxy has contexts of its own, as with inferences.
    function test_ProxiesHaveRequestsOfTheirOwn() external {
        // ERC-1167.
        bytes memory code =
            abi.encodePacked(hex"363d3d373d3d3d363d73", address(requests), hex"5af43d82803e903d91602b57fd5bf3");
        address proxy = account("proxy");
        vm.etch(proxy, code);
        IZKMLRequests.Request memory r = ask(ALICE);
        bytes memory proof = proofOf(r);
        bytes32 actual = requests.requestContext(r);
        requests = HookedRequests(proxy);
        vm.expectRevert(ZKMLConsumer.NotInitialized.selector);
        ask(r);
        requests.initialize(OWNER);
        ask(r);
        bytes32 expected =
            ZKMLStatement.contextOf(ZKMLStatement.domainSeparator(proxy), ALICE, idOf(r), DEADLINE, ACTION);
        refuse(r, proof, abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, actual, expected));
    }

    /// @dev The refusal of a proof with this context.
    function unlike(IZKMLRequests.Request memory r, bytes32 actual) private view returns (bytes memory) {
        return abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, actual, requests.requestContext(r));
    }
}
