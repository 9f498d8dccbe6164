// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {FraudFlag} from "../../src/examples/FraudFlag.sol";
import {ExampleChecks, ExampleTest} from "./support/ExampleTest.sol";

/// @title Reporters, an arbiter and a suspect, as both tests use them
abstract contract FraudSetup is ExampleTest {
    uint64 internal constant PAUSE = 3 days;
    uint256 internal constant THRESHOLD = 0.75e18;
    bytes32 internal constant CASE = keccak256("case 1");
    FraudFlag internal flags;
    address internal immutable REPORTER = account("reporter");
    address internal immutable ARBITER = account("arbiter");
    address internal immutable MALLORY = account("mallory");

    function deployFlags() internal {
        deployMock();
        flags = new FraudFlag(mock, mockModel, 2 days, SCALE, issuer(), ARBITER, PAUSE, THRESHOLD);
        flags.setReporter(REPORTER, true);
    }

    function suspects(bytes32 caseId, int256 score) internal view returns (ZKMLConsumer.Inference memory) {
        return believed(address(flags), rootOf(MALLORY, DATA, flags.actionOf(REPORTER, MALLORY, caseId)), score);
    }

    function flagged(bytes32 caseId) internal {
        ZKMLConsumer.Inference memory inference_ = suspects(caseId, 0.875e18);
        vm.prank(REPORTER);
        flags.flag(MALLORY, caseId, inference_);
    }

    function appeals() internal {
        vm.prank(MALLORY);
        flags.appeal();
    }

    function decides(bool uphold) internal {
        vm.prank(ARBITER);
        flags.decide(MALLORY, uphold);
    }
}

/// @title The fraud flag, with a verifier that believes everything
contract FraudFlagTest is ExampleChecks, FraudSetup {
    function setUp() external {
        deployFlags();
    }

    function target() internal view override returns (address) {
        return address(flags);
    }

    function goodRoot() internal view override returns (Root memory) {
        return rootOf(MALLORY, DATA, flags.actionOf(REPORTER, MALLORY, CASE));
    }

    function goodInference() internal view override returns (ZKMLConsumer.Inference memory) {
        return suspects(CASE, 0.875e18);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(REPORTER);
        flags.flag(MALLORY, CASE, inference_);
    }

    function test_PausesForAWhile() external {
        flags.requireNotPaused(MALLORY);
        flagged(CASE);
        vm.warp(NOW + PAUSE - 1);
        assertTrue(flags.isPaused(MALLORY), "paused");
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.AccountPaused.selector, MALLORY, NOW + PAUSE));
        flags.requireNotPaused(MALLORY);
        vm.warp(NOW + PAUSE);
        flags.requireNotPaused(MALLORY);
        assertTrue(!flags.isPaused(REPORTER), "nobody else");
    }

    function test_SaysWhatHappensToAnAccount() external {
        expected();
        emit FraudFlag.ReporterChanged(account("bystander"), true);
        flags.setReporter(account("bystander"), true);
        ZKMLConsumer.Inference memory inference_ = suspects(CASE, 0.875e18);
        expected();
        emit FraudFlag.Flagged(MALLORY, REPORTER, CASE, 0.875e18, uint64(NOW) + PAUSE);
        act(inference_);
        expected();
        emit FraudFlag.Appealed(MALLORY, uint64(NOW + 1 days));
        appeals();
        expected();
        emit FraudFlag.AppealDecided(MALLORY, true, uint64(NOW) + PAUSE);
        decides(true);
    }

    function expected() private {
        vm.expectEmit(true, true, true, true, address(flags));
    }

    function test_LimitsAreAllowedThemselves() external {
        FraudFlag strict = new FraudFlag(mock, mockModel, 2 days, SCALE, issuer(), ARBITER, 7 days, 1e18);
        assertEq(strict.PAUSE(), 7 days, "pause");
        assertEq(strict.THRESHOLD(), 1e18, "threshold");
    }

    function test_AScoreOfZeroIsAScore() external {
        refused(suspects(CASE, 0), abi.encodeWithSelector(FraudFlag.NotSuspicious.selector, 0, THRESHOLD));
    }

    function test_RevertWhen_AStrangerFlags() external {
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NotReporter.selector, MALLORY));
        vm.prank(MALLORY);
        flags.flag(REPORTER, CASE, inference_);
    }

    function test_RevertWhen_TheReporterWasDismissed() external {
        flags.setReporter(REPORTER, false);
        refused(good(), abi.encodeWithSelector(FraudFlag.NotReporter.selector, REPORTER));
    }

    function test_RevertWhen_AStrangerChoosesReporters() external {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", REPORTER));
        vm.prank(REPORTER);
        flags.setReporter(MALLORY, true);
    }

    function test_RevertWhen_AReporterFlagsItself() external {
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.SelfReport.selector, REPORTER));
        vm.prank(REPORTER);
        flags.flag(REPORTER, CASE, inference_);
    }

    /// @dev A proof that one reporter paid for is of no use to another, nor for another case.
    function test_RevertWhen_AnotherReporterOrCase() external {
        address other = account("another reporter");
        flags.setReporter(other, true);
        ZKMLConsumer.Inference memory inference_ = good();
        bytes memory reason = wrongContext(inference_, MALLORY, flags.actionOf(other, MALLORY, CASE));
        vm.expectRevert(reason);
        vm.prank(other);
        flags.flag(MALLORY, CASE, inference_);
        reason = wrongContext(inference_, MALLORY, flags.actionOf(REPORTER, MALLORY, "case 2"));
        vm.expectRevert(reason);
        vm.prank(REPORTER);
        flags.flag(MALLORY, "case 2", inference_);
    }

    function test_RevertWhen_FlaggedAgainTooSoon() external {
        flagged(CASE);
        uint256 from = NOW + PAUSE + 7 days;
        vm.warp(from - 1);
        refused(suspects(CASE, 1e18), abi.encodeWithSelector(FraudFlag.CannotBeFlaggedYet.selector, from));
        vm.warp(from);
        act(suspects(CASE, 1e18));
    }

    function test_RevertWhen_TheEvidenceIsOld() external {
        flagged(CASE);
        vm.warp(NOW + 30 days);
        Root memory root = goodRoot();
        root.issuedAt = uint64(NOW);
        refused(withRoot("issuer", root), abi.encodeWithSelector(FraudFlag.OldEvidence.selector, NOW, NOW));
        root.issuedAt += 1;
        act(withRoot("issuer", root));
    }

    function test_RevertWhen_TheScoreIsTooLow() external {
        refused(suspects(CASE, 0.5e18), abi.encodeWithSelector(FraudFlag.NotSuspicious.selector, 0.5e18, THRESHOLD));
        act(suspects(CASE, 0.75e18));
    }

    function test_RoundsForTheAccount() external {
        (int256 lower, int256 upper) = between();
        refused(suspects(CASE, upper), abi.encodeWithSelector(FraudFlag.NotSuspicious.selector, lower, THRESHOLD));
    }

    function test_RevertWhen_TheScoreIsNone() external {
        refused(suspects(CASE, 2e18), abi.encodeWithSelector(FraudFlag.ScoreOutOfRange.selector, int256(2e18)));
        refused(suspects(CASE, -1e18), abi.encodeWithSelector(FraudFlag.ScoreOutOfRange.selector, -int256(1e18)));
    }

    function test_AnAppealThatNobodyAnswersSucceeds() external {
        flagged(CASE);
        vm.warp(NOW + 1 hours);
        appeals();
        vm.warp(NOW + 25 hours - 1);
        assertTrue(flags.isPaused(MALLORY), "the arbiter still has time");
        vm.warp(NOW + 25 hours);
        assertTrue(!flags.isPaused(MALLORY), "silence");
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NoOpenAppeal.selector, MALLORY));
        decides(true);
    }

    function test_ALateAppealProlongsNothing() external {
        flagged(CASE);
        vm.warp(NOW + PAUSE - 1);
        appeals();
        vm.warp(NOW + PAUSE);
        assertTrue(!flags.isPaused(MALLORY), "over");
    }

    function test_TheArbiterEndsAPause() external {
        flagged(CASE);
        appeals();
        decides(false);
        flags.requireNotPaused(MALLORY);
    }

    function test_TheArbiterUpholdsAPauseToItsEndAndNoLonger() external {
        flagged(CASE);
        appeals();
        vm.warp(NOW + 1 days - 1);
        decides(true);
        vm.warp(NOW + PAUSE - 1);
        assertTrue(flags.isPaused(MALLORY), "upheld");
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NoOpenAppeal.selector, MALLORY));
        decides(false);
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NothingToAppeal.selector, MALLORY));
        appeals();
        vm.warp(NOW + PAUSE);
        assertTrue(!flags.isPaused(MALLORY), "over");
    }

    function test_RevertWhen_ThereIsNothingToAppealOrDecide() external {
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NothingToAppeal.selector, MALLORY));
        appeals();
        flagged(CASE);
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NoOpenAppeal.selector, MALLORY));
        decides(false);
        appeals();
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NothingToAppeal.selector, MALLORY));
        appeals();
        decides(false);
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NoOpenAppeal.selector, MALLORY));
        decides(true);
    }

    function test_RevertWhen_SomebodyElseDecides() external {
        flagged(CASE);
        appeals();
        vm.expectRevert(abi.encodeWithSelector(FraudFlag.NotArbiter.selector, MALLORY));
        vm.prank(MALLORY);
        flags.decide(MALLORY, false);
    }

    function test_RevertWhen_ThePolicyIsBad() external {
        uint64[2] memory pauses = [uint64(0), 7 days + 1];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(FraudFlag.BadPolicy.selector);
            new FraudFlag(mock, mockModel, 2 days, SCALE, issuer(), ARBITER, pauses[i], THRESHOLD);
        }
        uint256[2] memory thresholds = [uint256(0), 1e18 + 1];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(FraudFlag.BadPolicy.selector);
            new FraudFlag(mock, mockModel, 2 days, SCALE, issuer(), ARBITER, PAUSE, thresholds[i]);
        }
    }

    function testFuzz_NobodyIsPausedBelowTheThreshold(uint256 score) external {
        int256 s = int256(score % 1e18);
        ZKMLConsumer.Inference memory inference_ = suspects(CASE, s);
        vm.prank(REPORTER);
        try flags.flag(MALLORY, CASE, inference_) {
            assertTrue(s >= int256(THRESHOLD), "below");
        } catch {
            assertTrue(s < int256(THRESHOLD), "above");
        }
    }
}

/// @title Reporters, arbiter and suspect doing whatever comes to mind
/// @notice `longest` is the longest time without a free second; `shortest` the shortest between two pauses.
contract Quarrel is FraudSetup {
    uint256 public longest;
    uint256 public shortest = type(uint256).max;
    uint256 public flagCount;
    uint256 private _pausedSince;
    uint256 private _freeSince;

    constructor() {
        deployFlags();
    }

    function flag(uint256 caseId, uint256 score) external {
        ZKMLConsumer.Inference memory inference_ = suspects(bytes32(caseId), int256(score % 1.2e18));
        vm.prank(REPORTER);
        try flags.flag(MALLORY, bytes32(caseId), inference_) {
            ++flagCount;
        } catch {}
        _look();
    }

    function appeal() external {
        vm.prank(MALLORY);
        try flags.appeal() {} catch {}
        _look();
    }

    function decide(bool uphold) external {
        vm.prank(ARBITER);
        try flags.decide(MALLORY, uphold) {} catch {}
        _look();
    }

    function wait_(uint256 time) external {
        for (uint256 left = time % 6 days; left > 0;) {
            uint256 step = left > 4 hours ? 4 hours : left;
            vm.warp(block.timestamp + step);
            left -= step;
            _look();
        }
    }

    /// @dev What an account sees of its state, at most four hours late.
    function _look() private {
        if (flags.isPaused(MALLORY)) {
            if (_pausedSince == 0) {
                _pausedSince = block.timestamp;
                uint256 free = block.timestamp - _freeSince;
                if (_freeSince != 0 && free < shortest) shortest = free;
            }
            uint256 held = block.timestamp - _pausedSince;
            if (held > longest) longest = held;
        } else if (_pausedSince != 0) {
            (_pausedSince, _freeSince) = (0, block.timestamp);
        }
    }
}

/// @title Whatever anybody does, pauses are bounded, with a free time between them
contract FraudFlagInvariants is ExampleTest {
    Quarrel private quarrel;

    function setUp() external {
        quarrel = new Quarrel();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(quarrel);
    }

    function invariant_PausesAreBounded() external view {
        assertAtMost(quarrel.longest(), 3 days, "longest pause");
        assertAtMost(7 days - 4 hours, quarrel.shortest(), "shortest free time");
    }
}
