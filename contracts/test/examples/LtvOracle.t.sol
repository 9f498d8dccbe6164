// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {LtvOracle} from "../../src/examples/LtvOracle.sol";
import {ExampleChecks, ExampleTest} from "./support/ExampleTest.sol";

/// @title An oracle with its keeper, as both tests use it
abstract contract LtvOracleSetup is ExampleTest {
    uint256 internal constant EPOCH = 1 hours;
    LtvOracle internal oracle;
    address internal immutable KEEPER = account("keeper");

    function deployOracle() internal {
        deployMock();
        LtvOracle.Policy memory policy = LtvOracle.Policy({
            lowest: 0.3e18,
            highest: 0.8e18,
            maxStep: 0.02e18,
            epoch: uint64(EPOCH),
            delay: 2 hours,
            maxAge: 30 minutes,
            staleAfter: 1 days
        });
        oracle = new LtvOracle(mock, mockModel, SCALE, issuer(), account("collateral"), policy, 0.6e18);
        oracle.setKeeper(KEEPER);
    }

    function epochNow() internal view returns (uint256) {
        return block.timestamp / EPOCH;
    }

    function says(uint256 epoch, int256 model) internal view returns (ZKMLConsumer.Inference memory) {
        Root memory root = rootOf(account("collateral"), keccak256(abi.encode(epoch)), oracle.actionOf(epoch));
        return believed(address(oracle), root, model);
    }

    function submit(uint256 epoch, int256 model) internal {
        ZKMLConsumer.Inference memory inference_ = says(epoch, model);
        vm.prank(KEEPER);
        oracle.submit(epoch, inference_);
    }

    function value() internal view returns (uint256 ltv) {
        (ltv,) = oracle.ltv();
    }
}

/// @title The LTV oracle, with a verifier that believes everything
contract LtvOracleTest is ExampleChecks, LtvOracleSetup {
    function setUp() external {
        deployOracle();
    }

    function target() internal view override returns (address) {
        return address(oracle);
    }

    function goodRoot() internal view override returns (Root memory) {
        return rootOf(account("collateral"), keccak256(abi.encode(epochNow())), oracle.actionOf(epochNow()));
    }

    function goodInference() internal view override returns (ZKMLConsumer.Inference memory) {
        return says(epochNow(), 0.61e18);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        uint256 epoch = epochNow();
        vm.prank(KEEPER);
        oracle.submit(epoch, inference_);
    }

    function test_AnUpdateTakesEffectAfterTheDelay() external {
        submit(epochNow(), 0.5e18);
        (uint256 next, uint256 from) = oracle.pending();
        assertEq(next, 0.58e18, "next");
        assertEq(from, NOW + 2 hours, "from");
        vm.warp(from - 1);
        assertEq(value(), 0.6e18, "before");
        vm.warp(from);
        assertEq(value(), 0.58e18, "after");
    }

    function test_SaysWhatIsSubmittedAndWithdrawn() external {
        vm.expectEmit(true, true, true, true, address(oracle));
        emit LtvOracle.KeeperChanged(KEEPER);
        oracle.setKeeper(KEEPER);
        uint256 epoch = epochNow();
        ZKMLConsumer.Inference memory inference_ = says(epoch, 0.5e18);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit LtvOracle.LtvUpdated(epoch, 0.5e18, 0.58e18, NOW + 2 hours);
        act(inference_);
        vm.expectEmit(true, true, true, true, address(oracle));
        emit LtvOracle.UpdateCancelled(0.58e18);
        oracle.cancelUpdate();
    }

    function test_LimitsAreAllowedThemselves() external {
        LtvOracle.Policy memory p = LtvOracle.Policy(0.3e18, 1e18, 0.02e18, uint64(EPOCH), 2 hours, 30 minutes, 1 days);
        uint64[2] memory firsts = [uint64(0.3e18), 1e18];
        for (uint256 i = 0; i < 2; ++i) {
            oracle = new LtvOracle(mock, mockModel, SCALE, issuer(), account("collateral"), p, firsts[i]);
            assertEq(value(), firsts[i], "first");
        }
        deployOracle();
        // Data of just the highest age.
        Root memory root = goodRoot();
        root.issuedAt = uint64(NOW - 30 minutes);
        act(withRoot("issuer", root));
        (uint256 next,) = oracle.pending();
        assertTrue(next != 0.6e18, "taken");
    }

    function test_TakesASmallMoveAsItIs() external {
        submit(epochNow(), 0.609375e18);
        (uint256 next,) = oracle.pending();
        assertEq(next, 0.609375e18, "next");
    }

    function test_RoundsDown() external {
        (int256 lower, int256 upper) = between();
        // From 0.6 to a bit more than a half, in five steps and a last one that stays.
        for (uint256 i = 0; i < 6; ++i) {
            submit(epochNow(), 0.25e18 + upper);
            vm.warp(block.timestamp + 2 hours);
        }
        assertEq(value(), 0.25e18 + uint256(lower), "down");
    }

    function test_StaysBetweenTheBounds() external {
        for (uint256 i = 0; i < 30; ++i) {
            submit(epochNow(), 1e18);
            vm.warp(block.timestamp + 2 hours);
        }
        assertEq(value(), 0.8e18, "highest");
        for (uint256 i = 0; i < 30; ++i) {
            submit(epochNow(), 0);
            vm.warp(block.timestamp + 2 hours);
        }
        assertEq(value(), 0.3e18, "lowest");
    }

    function test_KeepsTheLastGoodValueAndSaysThatItIsStale() external {
        submit(epochNow(), 0.62e18);
        vm.warp(NOW + 1 days);
        (uint256 ltv, bool stale) = oracle.ltv();
        assertTrue(!stale, "still fresh");
        vm.warp(NOW + 1 days + 1);
        (uint256 later, bool staleLater) = oracle.ltv();
        assertEq(later, ltv, "last good value");
        assertTrue(staleLater, "stale");
    }

    function test_RevertWhen_EpochIsNotNew() external {
        uint256 epoch = epochNow();
        submit(epoch, 0.61e18);
        vm.warp(NOW + 2 hours);
        for (uint256 old = epoch - 1; old <= epoch; ++old) {
            ZKMLConsumer.Inference memory inference_ = says(old, 0.61e18);
            vm.expectRevert(abi.encodeWithSelector(LtvOracle.EpochNotNew.selector, old, epoch));
            vm.prank(KEEPER);
            oracle.submit(old, inference_);
        }
    }

    function test_RevertWhen_EpochHasNotBegun() external {
        uint256 epoch = epochNow() + 1;
        ZKMLConsumer.Inference memory inference_ = says(epoch, 0.61e18);
        vm.expectRevert(abi.encodeWithSelector(LtvOracle.EpochNotBegun.selector, epoch, epoch - 1));
        vm.prank(KEEPER);
        oracle.submit(epoch, inference_);
    }

    /// @dev Many epochs in one block would be many steps at once.
    function test_RevertWhen_AnUpdateIsPending() external {
        submit(epochNow() - 1, 0.7e18);
        ZKMLConsumer.Inference memory inference_ = says(epochNow(), 0.7e18);
        refused(inference_, abi.encodeWithSelector(LtvOracle.UpdatePending.selector, NOW + 2 hours));
    }

    function test_RevertWhen_SomebodyElseSubmits() external {
        ZKMLConsumer.Inference memory inference_ = good();
        uint256 epoch = epochNow();
        vm.expectRevert(abi.encodeWithSelector(LtvOracle.NotKeeper.selector, account("collateral")));
        vm.prank(account("collateral"));
        oracle.submit(epoch, inference_);
    }

    function test_RevertWhen_DataAreStale() external {
        Root memory root = goodRoot();
        root.issuedAt = uint64(NOW - 30 minutes - 1);
        refused(
            withRoot("issuer", root), abi.encodeWithSelector(LtvOracle.StaleData.selector, root.issuedAt, 30 minutes)
        );
    }

    function test_RevertWhen_ModelGivesNoRatio() external {
        refused(says(epochNow(), 1.5e18), abi.encodeWithSelector(LtvOracle.LtvOutOfRange.selector, int256(1.5e18)));
        refused(says(epochNow(), -1e18), abi.encodeWithSelector(LtvOracle.LtvOutOfRange.selector, -int256(1e18)));
        assertEq(value(), 0.6e18, "last good value");
    }

    function test_OwnerWithdrawsAnUpdateBeforeItTakesEffect() external {
        submit(epochNow(), 0.7e18);
        oracle.cancelUpdate();
        vm.warp(NOW + 2 hours);
        (uint256 ltv, bool stale) = oracle.ltv();
        assertEq(ltv, 0.6e18, "value");
        assertTrue(stale, "nothing good came");
        submit(epochNow(), 0.61e18);
        vm.warp(block.timestamp + 2 hours);
        vm.expectRevert(LtvOracle.NothingPending.selector);
        oracle.cancelUpdate();
    }

    function test_RevertWhen_AStrangerDoesWhatIsTheOwners() external {
        submit(epochNow(), 0.7e18);
        bytes memory reason = abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", KEEPER);
        vm.expectRevert(reason);
        vm.prank(KEEPER);
        oracle.cancelUpdate();
        vm.expectRevert(reason);
        vm.prank(KEEPER);
        oracle.setKeeper(account("somebody"));
    }

    function test_RevertWhen_PolicyContradictsItself() external {
        LtvOracle.Policy memory good_ =
            LtvOracle.Policy(0.3e18, 0.8e18, 0.02e18, uint64(EPOCH), 2 hours, 30 minutes, 1 days);
        address collateral = account("collateral");
        uint64[2] memory outside = [uint64(0.3e18 - 1), 0.8e18 + 1];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(LtvOracle.BadPolicy.selector);
            new LtvOracle(mock, mockModel, SCALE, issuer(), collateral, good_, outside[i]);
        }
        for (uint256 i = 0; i < 4; ++i) {
            LtvOracle.Policy memory p = abi.decode(abi.encode(good_), (LtvOracle.Policy));
            if (i == 0) p.highest = 1e18 + 1;
            if (i == 1) p.maxStep = 0;
            if (i == 2) p.epoch = 0;
            if (i == 3) p.delay = 0;
            vm.expectRevert(LtvOracle.BadPolicy.selector);
            new LtvOracle(mock, mockModel, SCALE, issuer(), collateral, p, 0.6e18);
        }
    }
}

/// @title A keeper who submits whatever comes to mind, and what never happens
/// @notice It remembers the value at each step of the clock; `worst` is the largest move within one delay.
contract LtvKeeper is LtvOracleSetup {
    uint256 public worst;
    uint256 public lowest = 1e18;
    uint256 public highest;
    uint256 public updates;
    bool public epochFell;
    uint256 private _lastEpoch;

    constructor() {
        deployOracle();
    }

    function update(uint256 back, uint256 model) external {
        uint256 epoch = epochNow() - back % 4;
        ZKMLConsumer.Inference memory inference_ = says(epoch, int256(model % 1.2e18));
        vm.prank(KEEPER);
        try oracle.submit(epoch, inference_) {
            ++updates;
            if (epoch <= _lastEpoch) epochFell = true;
            _lastEpoch = epoch;
        } catch {}
    }

    function cancel() external {
        try oracle.cancelUpdate() {} catch {}
    }

    function wait_(uint256 time) external {
        uint256 before = value();
        vm.warp(block.timestamp + 1 + time % 2 hours);
        uint256 now_ = value();
        uint256 move = now_ > before ? now_ - before : before - now_;
        if (move > worst) worst = move;
        if (now_ < lowest) lowest = now_;
        if (now_ > highest) highest = now_;
    }
}

/// @title Whatever a keeper does, the value moves by at most a step per delay and stays inside
contract LtvOracleInvariants is ExampleTest {
    LtvKeeper private keeper;

    function setUp() external {
        keeper = new LtvKeeper();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(keeper);
    }

    function invariant_MovesByAtMostAStepAndStaysInside() external view {
        assertAtMost(keeper.worst(), 0.02e18, "step");
        assertAtMost(keeper.highest(), 0.8e18, "highest");
        assertAtMost(0.3e18, keeper.lowest(), "lowest");
        assertTrue(!keeper.epochFell(), "epochs rise");
    }
}
