// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {CreditGate} from "../../src/examples/CreditGate.sol";
import {ExampleChecks} from "./support/ExampleTest.sol";

/// @title The credit gate, with a verifier that believes everything
contract CreditGateTest is ExampleChecks {
    CreditGate private gate;
    address private immutable ALICE = account("alice");
    address private immutable POOL = account("pool");

    function setUp() external {
        deployMock();
        gate = new CreditGate(
            mock,
            mockModel,
            SCALE,
            issuer(),
            CreditGate.Policy(POOL, account("asset"), 10_000e18, 0.05e18, 730 days, 0.2e18, 7 days)
        );
    }

    function target() internal view override returns (address) {
        return address(gate);
    }

    function goodRoot() internal view override returns (Root memory) {
        return rootOf(ALICE, DATA, gate.actionOf(loan()));
    }

    function goodInference() internal view override returns (ZKMLConsumer.Inference memory) {
        return believed(address(gate), goodRoot(), 0.15e18);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(ALICE);
        gate.approve(loan(), inference_);
    }

    function loan() private pure returns (CreditGate.Terms memory) {
        return CreditGate.Terms(account("asset"), 5_000e18, 0.08e18, 365 days);
    }

    function scored(int256 risk) private view returns (ZKMLConsumer.Inference memory) {
        return believed(address(gate), goodRoot(), risk);
    }

    function test_PoolUsesAnApprovalOnce() external {
        act(good());
        bytes32 hash = gate.actionOf(loan());
        (bytes32 approved, uint64 validUntil) = gate.approvals(ALICE);
        assertEq(approved, hash, "terms");
        assertEq(validUntil, NOW + 1 days, "until");
        vm.warp(validUntil);
        vm.prank(POOL);
        gate.useApproval(ALICE, loan());
        vm.expectRevert(abi.encodeWithSelector(CreditGate.NotApproved.selector, ALICE, hash));
        vm.prank(POOL);
        gate.useApproval(ALICE, loan());
    }

    function test_SaysWhatIsApprovedAndUsed() external {
        bytes32 hash = gate.actionOf(loan());
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectEmit(true, true, true, true, address(gate));
        emit CreditGate.LoanApproved(ALICE, hash, uint64(NOW + 1 days));
        act(inference_);
        vm.expectEmit(true, true, true, true, address(gate));
        emit CreditGate.ApprovalUsed(ALICE, hash);
        vm.prank(POOL);
        gate.useApproval(ALICE, loan());
    }

    /// @dev The last that is allowed of everything at once.
    function test_LimitsAreAllowedThemselves() external {
        CreditGate.Policy memory limits =
            CreditGate.Policy(POOL, account("asset"), 10_000e18, 0.05e18, 730 days, 0.25e18, 7 days);
        gate = new CreditGate(mock, mockModel, SCALE, issuer(), limits);
        CreditGate.Terms memory t = CreditGate.Terms(account("asset"), 10_000e18, 0.05e18, 730 days);
        ZKMLConsumer.Inference memory inference_ =
            believed(address(gate), rootOf(ALICE, DATA, gate.actionOf(t)), 0.25e18);
        vm.prank(ALICE);
        gate.approve(t, inference_);
        (bytes32 approved,) = gate.approvals(ALICE);
        assertEq(approved, gate.actionOf(t), "approved");
    }

    function test_ARiskOfOneIsARisk() external {
        refused(scored(1e18), abi.encodeWithSelector(CreditGate.RiskTooHigh.selector, 1e18, 0.2e18));
    }

    function test_RevertWhen_SomebodyElseUsesAnApproval() external {
        act(good());
        vm.expectRevert(abi.encodeWithSelector(CreditGate.NotPool.selector, ALICE));
        vm.prank(ALICE);
        gate.useApproval(ALICE, loan());
    }

    function test_RevertWhen_PoolPaysOutOtherTerms() external {
        act(good());
        CreditGate.Terms memory more = loan();
        more.principal += 1;
        vm.expectRevert(abi.encodeWithSelector(CreditGate.NotApproved.selector, ALICE, gate.actionOf(more)));
        vm.prank(POOL);
        gate.useApproval(ALICE, more);
    }

    function test_RevertWhen_ApprovalHasExpired() external {
        act(good());
        vm.warp(NOW + 1 days + 1);
        vm.expectRevert(abi.encodeWithSelector(CreditGate.ApprovalExpired.selector, NOW + 1 days));
        vm.prank(POOL);
        gate.useApproval(ALICE, loan());
    }

    /// @dev One signature is good for one loan: a second proof from the same data is refused.
    function test_RevertWhen_DataAreUsedAgain() external {
        act(good());
        refused(good(), abi.encodeWithSelector(CreditGate.DataAlreadyUsed.selector, DATA));
    }

    function test_RevertWhen_DataAreStale() external {
        Root memory root = goodRoot();
        (root.issuedAt, root.validUntil) = (uint64(NOW - 7 days - 1), uint64(NOW + 1));
        refused(withRoot("issuer", root), abi.encodeWithSelector(CreditGate.StaleData.selector, root.issuedAt, 7 days));
        root.issuedAt += 1;
        act(withRoot("issuer", root));
    }

    function test_RevertWhen_RiskIsTooHigh() external {
        refused(scored(0.25e18), abi.encodeWithSelector(CreditGate.RiskTooHigh.selector, 0.25e18, 0.2e18));
    }

    function test_RoundsAgainstTheBorrower() external {
        (, int256 upper) = between();
        refused(scored(upper), abi.encodeWithSelector(CreditGate.RiskTooHigh.selector, upper, 0.2e18));
    }

    function test_RevertWhen_RiskIsNoProbability() external {
        refused(scored(2e18), abi.encodeWithSelector(CreditGate.RiskOutOfRange.selector, int256(2e18)));
        refused(scored(-1e18), abi.encodeWithSelector(CreditGate.RiskOutOfRange.selector, -int256(1e18)));
    }

    function testFuzz_PassesUpToTheLimitAndNotAbove(uint256 risk) external {
        ZKMLConsumer.Inference memory inference_ = scored(int256(risk % 1e18));
        // What the word says, exactly: `units / 2^SCALE`.
        uint256 units = abi.decode(inference_.output, (uint256));
        bool low = units * 1e18 <= 0.2e18 << uint256(SCALE);
        vm.prank(ALICE);
        try gate.approve(loan(), inference_) {
            assertTrue(low, "too risky");
        } catch {
            assertTrue(!low, "good enough");
        }
    }

    /// @dev Limits hold whatever the model says; the best score moves none of them.
    function test_RevertWhen_TermsAreBeyondTheLimits() external {
        CreditGate.Terms memory t = loan();
        t.asset = account("another asset");
        beyond(t, abi.encodeWithSelector(CreditGate.WrongAsset.selector, t.asset));
        t = loan();
        t.principal = 10_000e18 + 1;
        beyond(t, abi.encodeWithSelector(CreditGate.PrincipalOutOfBounds.selector, t.principal, 10_000e18));
        t.principal = 0;
        beyond(t, abi.encodeWithSelector(CreditGate.PrincipalOutOfBounds.selector, 0, 10_000e18));
        t = loan();
        t.ratePerYear = 0.05e18 - 1;
        beyond(t, abi.encodeWithSelector(CreditGate.RateTooLow.selector, t.ratePerYear, 0.05e18));
        t = loan();
        t.duration = 730 days + 1;
        beyond(t, abi.encodeWithSelector(CreditGate.DurationOutOfBounds.selector, t.duration, 730 days));
        t.duration = 0;
        beyond(t, abi.encodeWithSelector(CreditGate.DurationOutOfBounds.selector, 0, 730 days));
    }

    function beyond(CreditGate.Terms memory terms, bytes memory reason) private {
        ZKMLConsumer.Inference memory inference_ = believed(address(gate), rootOf(ALICE, DATA, gate.actionOf(terms)), 0);
        vm.expectRevert(reason);
        vm.prank(ALICE);
        gate.approve(terms, inference_);
    }

    /// @dev Every field of the terms is in the action.
    function test_ActionCoversEveryTerm() external view {
        bytes32 action = gate.actionOf(loan());
        CreditGate.Terms memory t = loan();
        t.asset = account("another asset");
        assertTrue(gate.actionOf(t) != action, "asset");
        t = loan();
        t.principal += 1;
        assertTrue(gate.actionOf(t) != action, "principal");
        t = loan();
        t.ratePerYear -= 1;
        assertTrue(gate.actionOf(t) != action, "rate");
        t = loan();
        t.duration += 1;
        assertTrue(gate.actionOf(t) != action, "duration");
    }
}
