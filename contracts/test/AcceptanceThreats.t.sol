// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLEmergencyStop} from "../src/ZKMLEmergencyStop.sol";
import {IModelVerifier} from "../src/interfaces/IModelVerifier.sol";
import {IZKMLAcceptance} from "../src/interfaces/IZKMLAcceptance.sol";
import {IZKMLLedger} from "../src/interfaces/IZKMLLedger.sol";
import {ZKMLProvable} from "../src/libraries/ZKMLProvable.sol";
import {Accepting} from "./support/Accepting.sol";
import {FakeVerifier} from "./support/FakeVerifier.sol";
import {HookedAcceptance} from "./support/HookedAcceptance.sol";
import {HookedConsumer} from "./support/HookedConsumer.sol";

/// @title Who tries to be paid twice, to escape, or to take an honest poster's bond
contract AcceptanceThreatsTest is Accepting {
    function setUp() external {
        deployAccepting();
    }

    /// @dev A liar that challenges itself, so that nobody else does, still loses a half.
    function test_ChallengingOneselfCostsAHalf() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.prank(POSTER);
        acceptance.challenge{value: DEPOSIT}(r, p);
        vm.warp(NOW + ANSWER_WINDOW + 1);
        acceptance.claim(r, p);
        assertTrue(funds(POSTER) == DEPOSIT + BOND / 2 && funds(BENEFICIARY) == BOND - BOND / 2, "a half");
    }

    /// @dev Whoever copies a proof gets nothing for it.
    function test_CopiedProofPaysThePoster() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        challenge(r, p);
        bytes memory proof = proofOf(r);
        vm.prank(CHALLENGER);
        acceptance.prove(r, p, words(5, 6), proof);
        assertTrue(funds(CHALLENGER) == 0 && funds(POSTER) == BOND + DEPOSIT, "poster");
    }

    /// @dev The verifier says no: nothing moves.
    function test_RevertWhen_ProofIsWrong() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        challenge(r, p);
        fake.setAnswer(FakeVerifier.Answer.No);
        bytes memory proof = proofOf(r);
        vm.expectRevert(abi.encodeWithSignature("InvalidProof()"));
        acceptance.prove(r, p, words(5, 6), proof);
        assertTrue(stateOf(r, p) == IZKMLAcceptance.State.Demanded && funds(POSTER) == 0, "nothing moved");
    }

    /// @dev Another model takes over in between: the poster answers for the one that it ran.
    function test_LaterModelTakesNoBond() external {
        IModelVerifier.Shape memory shape = defaultShape();
        shape.weightsAreCommitted = true;
        deployScripted(shape);
        acceptance = new HookedAcceptance(zkml, modelId, MODEL_DELAY, OWNER);
        consumer = acceptance;
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        p.answerWindow = 10 days;
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.deadline = NOW + 20 days;
        IZKMLAcceptance.Result memory r = resultOf(POSTER);
        r.deadline = posting.deadline;
        vm.prank(POSTER);
        acceptance.post{value: BOND}(ALICE, ACTION, posting, p);
        challenge(r, p);
        uint256 other = publishOther("other weights");
        vm.startPrank(OWNER);
        acceptance.proposeModel(other);
        vm.warp(NOW + MODEL_DELAY);
        acceptance.acceptModel();
        vm.stopPrank();
        prove(r, p);
        assertEq(funds(POSTER), BOND + DEPOSIT, "proven about the model of then");
        accept(r, p);
    }

    function test_DeprecatedModelTakesNoBond() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        IZKMLAcceptance.Result memory silent = post(p);
        challenge(r, p);
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        givesAllBack(r, silent, p);
    }

    function test_StoppedRouteTakesNoBond() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        IZKMLAcceptance.Result memory silent = post(p);
        challenge(r, p);
        vm.prank(ROUTER_OWNER);
        router.stopRoute(selectorOf("vk"));
        givesAllBack(r, silent, p);
    }

    function test_StoppedVerifierTakesNoBond() external {
        ZKMLEmergencyStop stop = new ZKMLEmergencyStop(fake, OWNER);
        deployStack(stop);
        modelId = publish(commitmentOf(defaultShape()));
        acceptance = new HookedAcceptance(zkml, modelId, 0, OWNER);
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        IZKMLAcceptance.Result memory silent = post(p);
        challenge(r, p);
        vm.prank(OWNER);
        stop.stop();
        givesAllBack(r, silent, p);
    }

    /// @dev An attested result of a model that is out of use counts for nothing, too.
    function test_RevertWhen_AttestedModelIsDeprecated() external {
        registerKey("enclave");
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        vm.prank(PUBLISHER);
        registry.deprecateModel(modelId);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NotProvable.selector, modelId));
        vm.prank(POSTER);
        acceptance.post(ALICE, ACTION, posting, policyOf(ATTESTED));
    }

    /// @dev Keys speak for it, and no silence: a stopped verifier says nothing against it. What waits for silence is refused.
    function test_StoppedRouteStopsNoSignature() external {
        registerKey("enclave");
        vm.prank(ROUTER_OWNER);
        router.stopRoute(selectorOf("vk"));
        IZKMLAcceptance.Posting memory posting = postingOf();
        posting.attestations = one(attestationBy("enclave", resultOf(POSTER)));
        post(policyOf(ATTESTED), posting, 0);
        assertEq(acceptance.accepted(), 1, "accepted");
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.NotProvable.selector, modelId));
        accept(r, p);
    }

    /// @dev With little gas, a model does not look stopped: a liar would take its bond back.
    function testFuzz_LittleGasFreesNobody(uint256 gas) external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        challenge(r, p);
        gas = gas % 400_000;
        try acceptance.release{gas: gas}(r, p) {
            assertTrue(false, "released");
        } catch {}
        vm.warp(NOW + ANSWER_WINDOW + 1);
        try acceptance.claim{gas: 150_000}(r, p) {
            assertTrue(false, "claimed");
        } catch (bytes memory reason) {
            assertTrue(bytes4(reason) == ZKMLProvable.TooLittleGas.selector, "too little gas to be sure");
        }
        acceptance.claim(r, p);
    }

    /// @dev Entered again from each hook, nothing happens twice.
    function test_ReentrancyMovesNothing() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = post(p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        bytes memory again = abi.encodeCall(acceptance.accept, (r, p, words(5, 6)));
        acceptance.plan(HookedConsumer.Hook.Act, address(acceptance), again);
        accept(r, p);
        assertTrue(acceptance.called() && !acceptance.succeeded(), "refused");
        assertTrue(acceptance.accepted() == 1 && funds(POSTER) == BOND, "once");
        // While a result is posted, another is: each has its own nonce and bond.
        IZKMLAcceptance.Posting memory posting = postingOf();
        again = abi.encodeCall(acceptance.post, (ALICE, ACTION, posting, p));
        vm.deal(address(acceptance), address(acceptance).balance);
        acceptance.plan(HookedConsumer.Hook.Provenance, address(acceptance), again);
        post(p);
        assertTrue(acceptance.called() && !acceptance.succeeded(), "no coins of its own");
        assertEq(address(acceptance).balance, 2 * BOND, "two bonds: one is back, one is set aside");
    }

    /// @dev A poster that refuses coins hurts itself only.
    function test_RefusingCoinsHoldsNobodyUp() external {
        IZKMLAcceptance.AcceptancePolicy memory p = policyOf(OPTIMISTIC);
        IZKMLAcceptance.Result memory r = resultOf(address(fake));
        vm.deal(address(fake), BOND);
        vm.prank(address(fake));
        acceptance.post{value: BOND}(ALICE, ACTION, postingOf(), p);
        vm.warp(NOW + CHALLENGE_WINDOW + 1);
        accept(r, p);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.WithdrawalFailed.selector, address(fake)));
        vm.prank(address(fake));
        acceptance.withdraw(COIN, BOND, address(fake));
        vm.prank(address(fake));
        acceptance.withdraw(COIN, BOND, BOB);
    }

    function test_RevertWhen_TokenKeepsAFee() external {
        token.setFee(1);
        vm.expectRevert(abi.encodeWithSelector(IZKMLLedger.DepositNotExact.selector, BOND - 1, BOND));
        vm.prank(POSTER);
        acceptance.deposit(address(token), BOND);
    }

    /// @dev Where nothing can be proven any more, nothing is lost, and nothing counts.
    function givesAllBack(
        IZKMLAcceptance.Result memory r,
        IZKMLAcceptance.Result memory silent,
        IZKMLAcceptance.AcceptancePolicy memory p
    ) private {
        bytes memory error_ = abi.encodeWithSelector(IZKMLAcceptance.NotProvable.selector, modelId);
        vm.warp(NOW + ANSWER_WINDOW + 1);
        vm.expectRevert(error_);
        acceptance.claim(r, p);
        vm.expectRevert(error_);
        accept(silent, p);
        vm.startPrank(BOB);
        acceptance.release(r, p);
        acceptance.release(silent, p);
        vm.stopPrank();
        assertTrue(funds(POSTER) == 2 * BOND && funds(CHALLENGER) == DEPOSIT && funds(BENEFICIARY) == 0, "all back");
        assertEq(acceptance.accepted(), 0, "nothing counts");
    }
}
