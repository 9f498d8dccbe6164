// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {ZKMLConsumer} from "../src/ZKMLConsumer.sol";
import {IERCZKMLInference} from "../src/interfaces/IERCZKMLVerifier.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {IZKMLRequests} from "../src/interfaces/IZKMLRequests.sol";
import {IZKMLRewards} from "../src/interfaces/IZKMLRewards.sol";
import {ZKMLStatement} from "../src/libraries/ZKMLStatement.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";
import {Paying} from "./support/Paying.sol";

/// @title What becomes of a reward: set aside, earned by who proves, or returned; whoever hands the proof in
contract RewardsTest is Paying {
    IZKMLRequests.RequestState private constant NONE = IZKMLRequests.RequestState.None;
    IZKMLRequests.RequestState private constant PENDING = IZKMLRequests.RequestState.Pending;
    IZKMLRequests.RequestState private constant FULFILLED = IZKMLRequests.RequestState.Fulfilled;
    IZKMLRequests.RequestState private constant CANCELLED = IZKMLRequests.RequestState.Cancelled;

    function setUp() external {
        deployPaying();
    }

    function test_TakesARequestAndSaysSo() external {
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(ALICE, COIN, 3 ether, CALLBACK_GAS, 5);
        IZKMLRequests.Request memory r = requestOf(ALICE, 0);
        uint256 id = idOf(r, w);
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Provenance, ALICE, abi.encode(DATA, "because"));
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRewards.RewardedInferenceRequested(id, ALICE, r, w, INPUT);
        vm.prank(ALICE);
        assertEq(requests.askRewarded{value: 3 ether}(ALICE, ACTION, DEADLINE, DATA, w, INPUT, "because"), id, "id");
        assertTrue(requests.requestState(id) == PENDING && requests.requestState(idOf(r)) == NONE, "states");
        assertEq(requests.requestCount(), 1, "count");
        assertEq(requests.fulfillableFrom(id), block.number + 5, "from");
        assertEq(requests.rewardedIdOf(r, w), id, "the same id for everybody");
        assertTrue(requests.fundsOf(ALICE, COIN) == 0 && address(requests).balance == 3 ether, "set aside");
    }

    function test_PaysTheProverAndSaysSo() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 3 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 3 ether);
        (uint256 id, bytes memory output) = (idOf(r, w), words(5, 6));
        bytes memory proof = proofBy(PROVER, r, w);
        bytes32 commitment = commitmentTo(requests.rewardedContext(r, w, PROVER));
        vm.expectEmit(true, true, true, true, address(zkml));
        emit IERCZKMLInference.InferenceVerified(modelId, commitment, output, address(requests));
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRequests.InferenceFulfilled(id, ALICE, PROVER);
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRewards.RewardEarned(id, PROVER, COIN, 3 ether);
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Validate, ALICE, output);
        vm.expectEmit(true, true, true, true, address(requests));
        emit ZKMLConsumer.InferenceAccepted(ALICE, id, ACTION, DATA);
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Act, ALICE, abi.encode(ACTION, DATA, output));
        vm.expectEmit(true, true, true, true, address(requests));
        emit HookedConsumer.HookCalled(HookedConsumer.Hook.Fulfilled, ALICE, abi.encode(id, output));
        // Somebody has copied it: the prover is paid.
        vm.prank(BOB);
        requests.fulfillRewarded(r, w, PROVER, output, proof);
        assertTrue(stateOf(r, w) == FULFILLED, "fulfilled");
        assertTrue(requests.fundsOf(PROVER, COIN) == 3 ether && requests.fundsOf(BOB, COIN) == 0, "earned");
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLLedger.Withdrawn(PROVER, COIN, BOB, 1 ether);
        vm.startPrank(PROVER);
        requests.withdraw(COIN, 1 ether, BOB);
        requests.withdraw(COIN, 2 ether, PROVER);
        assertTrue(PROVER.balance == 2 ether && BOB.balance == 1001 ether, "paid out");
        assertEq(address(requests).balance, 0, "nothing stays");
    }

    function test_RevertWhen_SomebodyElseClaimsTheProof() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory proof = proofBy(PROVER, r, w);
        bytes32 context = requests.rewardedContext(r, w, PROVER);
        for (uint256 bit = 0; bit < 160; ++bit) {
            address thief = address(uint160(PROVER) ^ uint160(1 << bit));
            bytes32 expected = requests.rewardedContext(r, w, thief);
            vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, context, expected));
            requests.fulfillRewarded(r, w, thief, words(5, 6), proof);
        }
        vm.expectRevert(IZKMLLedger.NoRecipient.selector);
        requests.fulfillRewarded(r, w, address(0), words(5, 6), proof);
        earn(PROVER, r, w);
    }

    /// @dev A proof that names no prover is worth nothing here, and one that names one is worth nothing elsewhere.
    function test_RevertWhen_TheProofIsForTheOtherWay() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory plain = proofOf(r);
        bytes32 actual = requests.requestContext(r);
        bytes32 expected = requests.rewardedContext(r, w, PROVER);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, actual, expected));
        requests.fulfillRewarded(r, w, PROVER, words(5, 6), plain);
        refuse(r, plain, notPending(r, NONE));
        vm.prank(ALICE);
        vm.expectRevert(notPending(r, NONE));
        requests.cancelRequest(r);
        IZKMLRequests.Request memory unpaid = ask(ALICE);
        bytes memory other = proofBy(PROVER, unpaid, w);
        vm.expectRevert(abi.encodeWithSelector(IZKMLRequests.RequestNotPending.selector, idOf(unpaid, w), NONE));
        requests.fulfillRewarded(unpaid, w, PROVER, words(5, 6), other);
    }

    function test_RevertWhen_EarnedTwice() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        earn(PROVER, r, w);
        bytes memory again = notPending(r, w, FULFILLED);
        address[2] memory provers = [PROVER, BOB];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory proof = proofBy(provers[i], r, w);
            vm.expectRevert(again);
            requests.fulfillRewarded(r, w, provers[i], words(5, 6), proof);
        }
        vm.warp(DEADLINE + 1);
        vm.expectRevert(again);
        requests.reclaimReward(r, w);
        assertEq(requests.fundsOf(PROVER, COIN) + requests.fundsOf(ALICE, COIN), 1 ether, "once");
    }

    function test_RevertWhen_AnyPartOfTheRewardDiffers() external {
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(ALICE, COIN, 1 ether, CALLBACK_GAS, 0);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        IZKMLRewards.Reward[5] memory others;
        others[0] = IZKMLRewards.Reward(BOB, COIN, 1 ether, CALLBACK_GAS, 0);
        others[1] = IZKMLRewards.Reward(ALICE, address(token), 1 ether, CALLBACK_GAS, 0);
        others[2] = IZKMLRewards.Reward(ALICE, COIN, 2 ether, CALLBACK_GAS, 0);
        others[3] = IZKMLRewards.Reward(ALICE, COIN, 1 ether, CALLBACK_GAS - 1, 0);
        others[4] = IZKMLRewards.Reward(ALICE, COIN, 1 ether, CALLBACK_GAS, 1);
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory proof = proofBy(PROVER, r, others[i]);
            vm.expectRevert(notPending(r, others[i], NONE));
            requests.fulfillRewarded(r, others[i], PROVER, words(5, 6), proof);
            uint256 before = vm.snapshotState();
            vm.warp(DEADLINE + 1);
            vm.expectRevert(notPending(r, others[i], NONE));
            requests.reclaimReward(r, others[i]);
            vm.revertToState(before);
        }
        earn(PROVER, r, w);
    }

    function test_RevertWhen_TheProofIsOfAnotherInputOrRefused() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes32 context = requests.rewardedContext(r, w, PROVER);
        bytes memory other = blobOf(selectorOf("vk"), ~DATA, context, PROOF, "");
        vm.expectRevert(abi.encodeWithSelector(IZKMLRequests.WrongInput.selector, ~DATA, DATA));
        requests.fulfillRewarded(r, w, PROVER, words(5, 6), other);
        fake.setAnswer(FakeVerifier.Answer.No);
        bytes memory proof = proofBy(PROVER, r, w);
        vm.expectRevert(IERCZKMLInference.InvalidProof.selector);
        requests.fulfillRewarded(r, w, PROVER, words(5, 6), proof);
        assertTrue(requests.fundsOf(PROVER, COIN) == 0 && stateOf(r, w) == PENDING, "nothing happened");
        fake.setAnswer(FakeVerifier.Answer.Yes);
        earn(PROVER, r, w);
    }

    function test_TheDeadlineIsTheLastTimeForProversAndNotForThePayer() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        (IZKMLRequests.Request memory r, IZKMLRequests.Request memory s) =
            (askFor(ALICE, w, 1 ether), askFor(ALICE, w, 1 ether));
        bytes memory early = abi.encodeWithSelector(IZKMLRewards.NotExpired.selector, DEADLINE);
        vm.expectRevert(early);
        vm.prank(ALICE);
        requests.reclaimReward(r, w);
        vm.warp(DEADLINE);
        vm.expectRevert(early);
        requests.reclaimReward(r, w);
        earn(PROVER, r, w);
        vm.warp(DEADLINE + 1);
        bytes memory proof = proofBy(PROVER, s, w);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, DEADLINE));
        requests.fulfillRewarded(s, w, PROVER, words(5, 6), proof);
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRequests.RequestCancelled(idOf(s, w));
        vm.expectEmit(true, true, true, true, address(requests));
        emit IZKMLRewards.RewardReturned(idOf(s, w), ALICE, COIN, 1 ether);
        vm.prank(BOB);
        requests.reclaimReward(s, w);
        assertTrue(stateOf(s, w) == CANCELLED && requests.fundsOf(ALICE, COIN) == 1 ether, "returned");
        vm.expectRevert(notPending(s, w, CANCELLED));
        requests.reclaimReward(s, w);
        // It may pay for the next one.
        vm.warp(NOW);
        earn(PROVER, askFor(ALICE, w, 0), w);
        assertTrue(requests.fundsOf(ALICE, COIN) == 0 && requests.fundsOf(PROVER, COIN) == 2 ether, "spent");
    }

    function test_RevertWhen_AskedTooLate() external {
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.InferenceExpired.selector, DEADLINE));
        vm.prank(ALICE);
        requests.askRewarded{value: 1}(ALICE, ACTION, DEADLINE, DATA, coins(ALICE, 1), INPUT, "");
    }

    function test_ConfirmationsAreWaitedFor() external {
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(ALICE, COIN, 1 ether, CALLBACK_GAS, 3);
        vm.roll(100);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory proof = proofBy(PROVER, r, w);
        for (uint256 number = 100; number < 103; ++number) {
            vm.roll(number);
            vm.expectRevert(abi.encodeWithSelector(IZKMLRewards.TooFewConfirmations.selector, number, 103));
            requests.fulfillRewarded(r, w, PROVER, words(5, 6), proof);
        }
        vm.roll(103);
        earn(PROVER, r, w);
        // The longest wait there is.
        w.confirmations = type(uint32).max;
        r = askFor(ALICE, w, 1 ether);
        assertEq(requests.fulfillableFrom(idOf(r, w)), 103 + uint256(type(uint32).max), "from");
    }

    function test_TheSameRequestTwiceIsTwoRequests() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        (IZKMLRequests.Request memory r, IZKMLRequests.Request memory s) =
            (askFor(ALICE, w, 1 ether), askFor(ALICE, w, 1 ether));
        bytes memory proof = proofBy(PROVER, r, w);
        bytes32 expected = requests.rewardedContext(s, w, PROVER);
        vm.expectRevert(
            abi.encodeWithSelector(ZKMLConsumer.WrongContext.selector, requests.rewardedContext(r, w, PROVER), expected)
        );
        requests.fulfillRewarded(s, w, PROVER, words(5, 6), proof);
        earn(PROVER, r, w);
        earn(BOB, s, w);
        assertTrue(requests.fundsOf(PROVER, COIN) == 1 ether && requests.fundsOf(BOB, COIN) == 1 ether, "each");
    }

    /// @dev Whoever asked has the output; whoever proved has the money.
    function test_AHookThatRefusesTakesNothingBack() external {
        for (uint8 hook = 2; hook <= 4; ++hook) {
            IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
            IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
            requests.plan(HookedConsumer.Hook(hook), address(0), "no");
            uint256 done = requests.accepted();
            bytes memory proof = proofBy(PROVER, r, w);
            vm.expectEmit(true, true, true, true, address(requests));
            emit IZKMLRewards.RewardEarned(idOf(r, w), PROVER, COIN, 1 ether);
            vm.expectEmit(true, true, true, true, address(requests));
            emit IZKMLRewards.CallbackFailed(idOf(r, w));
            requests.fulfillRewarded(r, w, PROVER, words(5, 6), proof);
            assertTrue(stateOf(r, w) == FULFILLED && requests.accepted() == done, "paid, and not acted upon");
            requests.plan(HookedConsumer.Hook.None, address(0), "");
        }
        assertEq(requests.fundsOf(PROVER, COIN), 3 ether, "earned");
    }

    function test_APauseTakesNothingBack() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        vm.prank(OWNER);
        requests.pause();
        vm.expectRevert(Pausable.EnforcedPause.selector);
        vm.prank(ALICE);
        requests.askRewarded{value: 1 ether}(ALICE, ACTION, DEADLINE, DATA, w, INPUT, "");
        vm.recordLogs();
        earn(PROVER, r, w);
        assertEq(vm.getRecordedLogs().length, 4, "verified, fulfilled, earned, failed");
        assertTrue(requests.fundsOf(PROVER, COIN) == 1 ether && requests.accepted() == 0, "paid, and not acted upon");
        vm.prank(PROVER);
        requests.withdraw(COIN, 1 ether, PROVER);
    }

    /// @dev All gas that the request allows is burnt, and no more.
    function test_ACallbackThatEatsGasIsCutOff() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        requests.plan(HookedConsumer.Hook.Act, address(new Glutton()), abi.encodeCall(Glutton.eat, ()));
        bytes memory proof = proofBy(PROVER, r, w);
        uint256 before = gasleft();
        requests.fulfillRewarded(r, w, PROVER, words(5, 6), proof);
        assertAtMost(before - gasleft(), CALLBACK_GAS + 150_000, "gas");
        assertEq(requests.fundsOf(PROVER, COIN), 1 ether, "earned");
    }

    /// @dev Whatever gas a transaction comes with: the callback has what the request allows, or nothing happens at all.
    function test_NobodyCanStarveTheCallback() external {
        // So much that a part in 64 is more than what is kept for after the call.
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(ALICE, COIN, 1 ether, 3_000_000, 0);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory call = abi.encodeCall(requests.fulfillRewarded, (r, w, PROVER, words(5, 6), proofBy(PROVER, r, w)));
        address glutton = address(new Glutton());
        // As much as it can do with what the request allows.
        uint256 most;
        for (uint256 step = 2_048_000; step > 200; step /= 2) {
            (, bool acted_) = tried(call, glutton, most + step, gasleft() / 2);
            if (acted_) most += step;
        }
        uint256 refused;
        uint256 acted;
        for (uint256 gas = 3_000_000; gas < 3_200_000; gas += 2_000) {
            (bool done, bool acted_) = tried(call, glutton, most, gas);
            assertTrue(done == acted_, "with all of its gas, or not at all");
            if (done) ++acted;
            else ++refused;
        }
        assertTrue(most > 2_000_000 && refused > 20 && acted > 20, "both sides of the border");
    }

    /// @dev Whether a fulfilment passes, and whether its callback did work of this size.
    function tried(bytes memory call, address glutton, uint256 work, uint256 gas)
        private
        returns (bool done, bool acted)
    {
        uint256 snapshot = vm.snapshotState();
        requests.plan(HookedConsumer.Hook.Fulfilled, glutton, abi.encodeCall(Glutton.bite, (work)));
        (done,) = address(requests).call{gas: gas}(call);
        acted = requests.succeeded() && requests.fulfilled() == 1;
        vm.revertToState(snapshot);
    }

    function test_RevertWhen_TheGasIsTooLittleByName() external {
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(ALICE, COIN, 1 ether, type(uint64).max, 0);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory call = abi.encodeCall(requests.fulfillRewarded, (r, w, PROVER, words(5, 6), proofBy(PROVER, r, w)));
        (bool done, bytes memory answer) = address(requests).call(call);
        assertTrue(!done && bytes4(answer) == IZKMLRewards.NotEnoughGas.selector, "by name");
        assertTrue(stateOf(r, w) == PENDING, "pending");
        vm.warp(DEADLINE + 1);
        requests.reclaimReward(r, w);
        assertEq(requests.fundsOf(ALICE, COIN), 1 ether, "returned");
    }

    /// @dev One unit of gas less than what the request allows is too little, and the error has the number.
    function test_RevertWhen_TheGasIsAUnitShort() external {
        IZKMLRewards.Reward memory w = IZKMLRewards.Reward(ALICE, COIN, 1 ether, 3_000_000, 0);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory call = abi.encodeCall(requests.fulfillRewarded, (r, w, PROVER, words(5, 6), proofBy(PROVER, r, w)));
        (uint256 short, uint256 enough) = (3_000_000, 3_300_000);
        while (enough - short > 1) {
            uint256 gas = (short + enough) / 2;
            (bool done,) = with(call, gas);
            if (done) enough = gas;
            else short = gas;
        }
        (bool passed,) = with(call, enough);
        (bool refused, bytes memory answer) = with(call, short);
        assertTrue(passed && !refused, "the border");
        assertEq(answer, abi.encodeWithSelector(IZKMLRewards.NotEnoughGas.selector, 3_000_000 - 1, 3_000_000), "why");
    }

    function with(bytes memory call, uint256 gas) private returns (bool done, bytes memory answer) {
        uint256 snapshot = vm.snapshotState();
        (done, answer) = address(requests).call{gas: gas}(call);
        vm.revertToState(snapshot);
    }

    function test_RevertWhen_SomebodyElseApplies() external {
        IZKMLRequests.Request memory r = requestOf(ALICE, 0);
        vm.expectRevert(abi.encodeWithSelector(IZKMLRewards.NotSelf.selector, BOB));
        vm.prank(BOB);
        requests.applyRewarded(5, r, words(5, 6));
    }

    /// @dev A callback that enters again finds the request used and the money where it belongs.
    function test_ACallbackThatEntersAgainGetsNothing() external {
        IZKMLRewards.Reward memory w = coins(ALICE, 1 ether);
        IZKMLRequests.Request memory r = askFor(ALICE, w, 1 ether);
        bytes memory call = abi.encodeCall(requests.fulfillRewarded, (r, w, PROVER, words(5, 6), proofBy(PROVER, r, w)));
        requests.plan(HookedConsumer.Hook.Act, address(requests), call);
        earn(PROVER, r, w);
        assertTrue(requests.called() && !requests.succeeded(), "refused");
        assertEq(requests.answer(), notPending(r, w, FULFILLED), "used");
        assertEq(requests.fundsOf(PROVER, COIN), 1 ether, "once");
    }

    function test_ContextsAndIdsAreTheLibrarys() external view {
        IZKMLRewards.Reward memory w = tokens(BOB, 7);
        IZKMLRequests.Request memory r = requestOf(ALICE, 3);
        uint256 nonce = ZKMLStatement.fulfilmentNonceOf(idOf(r, w), PROVER);
        bytes32 expected = requests.contextOf(ALICE, nonce, DEADLINE, ACTION);
        assertEq(requests.rewardedContext(r, w, PROVER), expected, "context");
    }

    function testFuzz_EveryPartOfARewardCounts(IZKMLRewards.Reward memory w, uint8 part, bytes32 other) external view {
        IZKMLRewards.Reward memory changed =
            IZKMLRewards.Reward(w.payer, w.asset, w.amount, w.callbackGas, w.confirmations);
        if (part % 5 == 0) changed.payer = address(uint160(uint256(other)));
        if (part % 5 == 1) changed.asset = address(uint160(uint256(other)));
        if (part % 5 == 2) changed.amount = uint256(other);
        if (part % 5 == 3) changed.callbackGas = uint64(uint256(other));
        if (part % 5 == 4) changed.confirmations = uint32(uint256(other));
        vm.assume(keccak256(abi.encode(w)) != keccak256(abi.encode(changed)));
        IZKMLRequests.Request memory r = requestOf(ALICE, 0);
        assertTrue(requests.rewardedIdOf(r, w) != requests.rewardedIdOf(r, changed), "id");
        assertTrue(requests.rewardedContext(r, w, BOB) != requests.rewardedContext(r, changed, BOB), "context");
    }

    function notPending(IZKMLRequests.Request memory r, IZKMLRewards.Reward memory w, IZKMLRequests.RequestState state)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IZKMLRequests.RequestNotPending.selector, idOf(r, w), state);
    }
}

/// @title Eats gas
contract Glutton {
    /// @dev All of it, and answers with a lot.
    function eat() external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    /// @dev So much.
    function bite(uint256 gas) external view {
        uint256 start = gasleft();
        while (start - gasleft() < gas) {}
    }
}
