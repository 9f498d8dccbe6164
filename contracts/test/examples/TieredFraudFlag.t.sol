// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {ZKMLTiers} from "../../src/ZKMLTiers.sol";
import {FraudFlag} from "../../src/examples/FraudFlag.sol";
import {TieredFraudFlag} from "../../src/examples/TieredFraudFlag.sol";
import {IZKMLAcceptance} from "../../src/interfaces/IZKMLAcceptance.sol";
import {SignedDataRoot} from "../../src/provenance/SignedDataRoot.sol";
import {TierTest} from "./support/TierTest.sol";

/// @title Pauses by the amount of a transfer, and what may happen between posting and counting
contract TieredFraudFlagTest is TierTest {
    address private constant REPORTER = address(uint160(uint256(keccak256("reporter"))));
    address private constant SUSPECT = address(uint160(uint256(keccak256("suspect"))));
    uint64 private constant PAUSE = 3 days;
    uint256 private constant LONG = 14 days;

    TieredFraudFlag private flag;

    function setUp() external {
        deployMock();
        makePolicies();
        // So that a result may be open for longer than a pause and the time after it.
        medium.answerWindow = uint32(LONG);
        flag = new TieredFraudFlag(mock, mockModel, 3 days, SCALE, issuer(), account("arbiter"), PAUSE, 0.8e18, tiers());
        flag.setReporter(REPORTER, true);
        flag.setReporter(ALICE, true);
        vm.deal(REPORTER, 100 ether);
    }

    function transfer(uint256 amount) private pure returns (TieredFraudFlag.Transfer memory) {
        return TieredFraudFlag.Transfer(keccak256("transfer"), amount);
    }

    function resultBy(address reporter, uint256 amount, int256 score)
        private
        view
        returns (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r)
    {
        bytes32 action = flag.actionOf(reporter, SUSPECT, flag.caseOf(transfer(amount)));
        Root memory root = rootOf(SUSPECT, keccak256(abi.encode(action, block.timestamp)), action);
        return resultAbout(address(flag), reporter, root, word(score), mockModel);
    }

    function postMedium(address reporter) private returns (IZKMLAcceptance.Result memory r, bytes memory output) {
        IZKMLAcceptance.Posting memory p;
        (p, r) = resultBy(reporter, 5_000e18, 0.875e18);
        (p.deadline, r.deadline) = (block.timestamp + LONG + 1 days, block.timestamp + LONG + 1 days);
        vm.prank(reporter);
        flag.postFlag{value: BOND}(SUSPECT, transfer(5_000e18), p, medium);
        return (r, p.output);
    }

    /// @dev A small transfer, which a key has signed for.
    function pauseAtOnce(address reporter) private {
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = resultBy(reporter, 50e18, 0.875e18);
        attested(flag, p, r);
        vm.prank(reporter);
        flag.postFlag(SUSPECT, transfer(50e18), p, small);
    }

    function refuse(uint256 amount, IZKMLAcceptance.AcceptancePolicy memory acceptance, bytes memory error_) private {
        (IZKMLAcceptance.Posting memory p,) = resultBy(REPORTER, amount, 0.875e18);
        vm.expectRevert(error_);
        vm.prank(REPORTER);
        flag.postFlag{value: BOND}(SUSPECT, transfer(amount), p, acceptance);
    }

    function test_SmallTransferIsAttested() external {
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = resultBy(REPORTER, 100e18 - 1, 0.875e18);
        attested(flag, p, r);
        vm.expectEmit(true, true, true, true, address(flag));
        emit FraudFlag.Flagged(SUSPECT, REPORTER, flag.caseOf(transfer(100e18 - 1)), 0.875e18, uint64(NOW) + PAUSE);
        vm.prank(REPORTER);
        flag.postFlag(SUSPECT, transfer(100e18 - 1), p, small);
        assertTrue(flag.isPaused(SUSPECT), "paused");
    }

    function test_MediumTransferWaits() external {
        (IZKMLAcceptance.Result memory r, bytes memory output) = postMedium(REPORTER);
        assertTrue(!flag.isPaused(SUSPECT), "not yet");
        vm.warp(NOW + WINDOW + 1);
        flag.accept(r, medium, output);
        (uint64 flaggedAt, uint64 until,) = flag.flags(SUSPECT);
        assertTrue(flaggedAt == NOW + WINDOW + 1 && until == flaggedAt + PAUSE, "from when it counts");
        assertEq(flag.fundsOf(REPORTER, address(0)), BOND, "bond");
    }

    function test_RevertWhen_AmountIsOfAnotherTier() external {
        bytes32 smallHash = flag.policyHashOf(small);
        bytes32 mediumHash = flag.policyHashOf(medium);
        refuse(100e18, small, abi.encodeWithSelector(ZKMLTiers.WrongPolicy.selector, smallHash, mediumHash));
        refuse(100e18 - 1, medium, abi.encodeWithSelector(ZKMLTiers.WrongPolicy.selector, mediumHash, smallHash));
        refuse(10_000e18, medium, abi.encodeWithSelector(ZKMLTiers.ProofRequired.selector, 10_000e18));
    }

    /// @dev The issuer has signed for the amount: the same transfer is no smaller one.
    function test_RevertWhen_TheAmountIsMadeSmaller() external {
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = resultBy(REPORTER, 20_000e18, 0.875e18);
        attested(flag, p, r);
        bytes32 other = flag.actionOf(REPORTER, SUSPECT, flag.caseOf(transfer(50e18)));
        vm.expectRevert(abi.encodeWithSelector(SignedDataRoot.DataForAnotherAction.selector, r.action, other));
        vm.prank(REPORTER);
        flag.postFlag(SUSPECT, transfer(50e18), p, small);
    }

    function test_RevertWhen_WhoPostsMayNotFlag() external {
        flag.setReporter(REPORTER, false);
        refuse(5_000e18, medium, abi.encodeWithSelector(FraudFlag.NotReporter.selector, REPORTER));
        flag.setReporter(SUSPECT, true);
        (IZKMLAcceptance.Posting memory p,) = resultBy(SUSPECT, 50e18, 0.875e18);
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.SelfReport.selector, SUSPECT));
        vm.prank(SUSPECT);
        flag.postFlag(SUSPECT, transfer(50e18), p, small);
    }

    /// @dev Dismissed within the window, a reporter pauses nobody; its bond is its own.
    function test_RevertWhen_TheReporterIsDismissedMeanwhile() external {
        (IZKMLAcceptance.Result memory r, bytes memory output) = postMedium(REPORTER);
        flag.setReporter(REPORTER, false);
        vm.warp(NOW + WINDOW + 1);
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NotReporter.selector, REPORTER));
        flag.accept(r, medium, output);
        vm.prank(REPORTER);
        flag.release(r, medium);
        assertTrue(!flag.isPaused(SUSPECT) && flag.fundsOf(REPORTER, address(0)) == BOND, "nothing happened");
    }

    function test_RevertWhen_ScoreDoesNotSuffice() external {
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = resultBy(REPORTER, 50e18, 0.5e18);
        attested(flag, p, r);
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NotSuspicious.selector, 0.5e18, 0.8e18));
        vm.prank(REPORTER);
        flag.postFlag(SUSPECT, transfer(50e18), p, small);
    }

    /// @dev Two reporters post in one window: the second does not make the pause longer, nor another one after it.
    function test_RevertWhen_FlaggedMeanwhile() external {
        (IZKMLAcceptance.Result memory first, bytes memory output) = postMedium(REPORTER);
        (IZKMLAcceptance.Result memory second,) = postMedium(ALICE);
        vm.warp(NOW + WINDOW + 1);
        flag.accept(first, medium, output);
        uint256 from = block.timestamp + PAUSE + flag.COOLDOWN();
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.CannotBeFlaggedYet.selector, from));
        flag.accept(second, medium, output);
        vm.warp(from);
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.OldEvidence.selector, NOW, NOW + WINDOW + 1));
        flag.accept(second, medium, output);
        (uint64 flaggedAt,,) = flag.flags(SUSPECT);
        assertEq(flaggedAt, NOW + WINDOW + 1, "the first one");
    }

    /// @dev Flagged after it was posted, in the same second: that flag may be by the same evidence.
    function test_RevertWhen_FlaggedInTheSameSecond() external {
        (IZKMLAcceptance.Result memory waiting, bytes memory output) = postMedium(ALICE);
        pauseAtOnce(REPORTER);
        vm.warp(NOW + PAUSE + flag.COOLDOWN());
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.OldEvidence.selector, NOW, NOW));
        flag.accept(waiting, medium, output);
    }

    /// @dev The same case with newer evidence does not make an older result newer: the older one's evidence is older than the flag.
    function test_RevertWhen_AnOlderResultHidesBehindANewerOne() external {
        (IZKMLAcceptance.Result memory older, bytes memory output) = postMedium(REPORTER);
        pauseAtOnce(ALICE);
        uint256 free = NOW + PAUSE + flag.COOLDOWN();
        vm.warp(free);
        (IZKMLAcceptance.Result memory newer,) = postMedium(REPORTER);
        assertTrue(newer.action == older.action && newer.dataCommitment != older.dataCommitment, "the case");
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.OldEvidence.selector, NOW, NOW));
        flag.accept(older, medium, output);
        vm.warp(free + WINDOW + 1);
        flag.accept(newer, medium, output);
        assertTrue(flag.isPaused(SUSPECT), "by the newer evidence");
    }

    /// @dev The issuer may sign for the same evidence again; whoever has posted it waits for its result, or for other evidence.
    function test_RevertWhen_EvidenceIsPostedTwice() external {
        (IZKMLAcceptance.Result memory r, bytes memory output) = postMedium(REPORTER);
        IZKMLAcceptance.Posting memory p;
        (p,) = resultBy(REPORTER, 5_000e18, 0.875e18);
        bytes memory refused = abi.encodeWithSelector(TieredFraudFlag.AlreadyPosted.selector, p.dataCommitment);
        vm.expectRevert(refused);
        vm.prank(REPORTER);
        flag.postFlag{value: BOND}(SUSPECT, transfer(5_000e18), p, medium);
        // Nor after it has counted, with a signature that is newer than its flag.
        vm.warp(NOW + WINDOW + 1);
        flag.accept(r, medium, output);
        vm.warp(block.timestamp + PAUSE + flag.COOLDOWN());
        Root memory again = rootOf(SUSPECT, p.dataCommitment, r.action);
        (p,) = resultAbout(address(flag), REPORTER, again, output, mockModel);
        vm.expectRevert(refused);
        vm.prank(REPORTER);
        flag.postFlag{value: BOND}(SUSPECT, transfer(5_000e18), p, medium);
    }

    /// @dev A case that was posted and counted is over: it can be proven like any other, also about the same data, once the issuer signs for them anew.
    function test_CountedCaseMayBeProvenLater() external {
        (IZKMLAcceptance.Result memory r, bytes memory output) = postMedium(REPORTER);
        vm.warp(NOW + WINDOW + 1);
        flag.accept(r, medium, output);
        vm.warp(block.timestamp + PAUSE + flag.COOLDOWN());
        bytes32 caseId = flag.caseOf(transfer(5_000e18));
        Root memory root = rootOf(SUSPECT, r.dataCommitment, r.action);
        ZKMLConsumer.Inference memory proven = believed(address(flag), root, 0.875e18);
        vm.prank(REPORTER);
        flag.flag(SUSPECT, caseId, proven);
        assertTrue(flag.isPaused(SUSPECT), "again");
    }

    /// @dev A proof takes any amount.
    function test_LargeTransferIsProven() external {
        bytes32 caseId = flag.caseOf(transfer(20_000e18));
        bytes32 action = flag.actionOf(REPORTER, SUSPECT, caseId);
        ZKMLConsumer.Inference memory proven = believed(address(flag), rootOf(SUSPECT, DATA, action), 0.875e18);
        vm.prank(REPORTER);
        flag.flag(SUSPECT, caseId, proven);
        assertTrue(flag.isPaused(SUSPECT), "paused");
    }
}
