// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {ZKMLTiers} from "../../src/ZKMLTiers.sol";
import {CreditGate} from "../../src/examples/CreditGate.sol";
import {InsurancePricing} from "../../src/examples/InsurancePricing.sol";
import {TieredCreditGate} from "../../src/examples/TieredCreditGate.sol";
import {TieredInsurancePricing} from "../../src/examples/TieredInsurancePricing.sol";
import {IZKMLAcceptance} from "../../src/interfaces/IZKMLAcceptance.sol";
import {TierTest} from "./support/TierTest.sol";
import {TestToken} from "./support/Tokens.sol";

/// @title Loans and quotes by amount: attested below 100, optimistic below 10,000, proven above
contract TieredTest is TierTest {
    TieredCreditGate private gate;
    TieredInsurancePricing private pricing;

    function setUp() external {
        deployMock();
        makePolicies();
        gate = new TieredCreditGate(mock, mockModel, SCALE, issuer(), limits(), tiers());
        pricing = new TieredInsurancePricing(
            mock,
            mockModel,
            SCALE,
            issuer(),
            InsurancePricing.Limits(new TestToken(), account("treasury"), 50_000e18, 365 days, 1 hours, 0.01e18, 1e18),
            tiers()
        );
    }

    function limits() private pure returns (CreditGate.Policy memory) {
        return CreditGate.Policy(account("pool"), account("asset"), 50_000e18, 0.05e18, 730 days, 0.2e18, 7 days);
    }

    function loan(uint256 principal) private pure returns (CreditGate.Terms memory) {
        return CreditGate.Terms(account("asset"), principal, 0.08e18, 365 days);
    }

    function insurance(uint256 cover) private pure returns (InsurancePricing.Policy memory) {
        return InsurancePricing.Policy(keccak256("object"), cover, uint64(NOW + 10 days), 30 days);
    }

    function posting(address where, bytes32 action, int256 output)
        private
        view
        returns (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r)
    {
        Root memory root = rootOf(ALICE, keccak256(abi.encode(action)), action);
        return resultAbout(where, ALICE, root, word(output), mockModel);
    }

    function test_SmallLoanIsAttested() external {
        CreditGate.Terms memory t = loan(100e18 - 1);
        bytes32 action = gate.actionOf(t);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = posting(address(gate), action, 0.15e18);
        attested(gate, p, r);
        vm.prank(ALICE);
        gate.postLoan(t, p, small);
        (bytes32 terms,) = gate.approvals(ALICE);
        assertEq(terms, action, "approved");
    }

    function test_MediumLoanWaits() external {
        CreditGate.Terms memory t = loan(10_000e18 - 1);
        bytes32 action = gate.actionOf(t);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = posting(address(gate), action, 0.15e18);
        vm.prank(ALICE);
        gate.postLoan{value: BOND}(t, p, medium);
        (bytes32 terms,) = gate.approvals(ALICE);
        assertEq(terms, 0, "not yet");
        vm.warp(NOW + 1 hours + 1);
        gate.accept(r, medium, p.output);
        (terms,) = gate.approvals(ALICE);
        assertTrue(terms == action && gate.fundsOf(ALICE, address(0)) == BOND, "approved");
    }

    /// @dev The model's limit holds on this path, too; the poster has its bond back.
    function test_RiskIsCheckedWhenItCounts() external {
        CreditGate.Terms memory t = loan(5_000e18);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) =
            posting(address(gate), gate.actionOf(t), 0.25e18);
        vm.prank(ALICE);
        gate.postLoan{value: BOND}(t, p, medium);
        vm.warp(NOW + 1 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(CreditGate.RiskTooHigh.selector, 0.25e18, 0.2e18));
        gate.accept(r, medium, p.output);
        vm.prank(ALICE);
        gate.release(r, medium);
        assertEq(gate.fundsOf(ALICE, address(0)), BOND, "bond");
    }

    function test_RevertWhen_AmountIsOfAnotherTier() external {
        refuse(100e18, small, abi.encodeWithSelector(ZKMLTiers.WrongPolicy.selector, hashOf(small), hashOf(medium)));
        refuse(
            100e18 - 1, medium, abi.encodeWithSelector(ZKMLTiers.WrongPolicy.selector, hashOf(medium), hashOf(small))
        );
        refuse(10_000e18, medium, abi.encodeWithSelector(ZKMLTiers.ProofRequired.selector, 10_000e18));
        uint256 tooMuch = 50_000e18 + 1;
        refuse(tooMuch, medium, abi.encodeWithSelector(CreditGate.PrincipalOutOfBounds.selector, tooMuch, 50_000e18));
        IZKMLAcceptance.AcceptancePolicy memory cheap = medium;
        cheap.bond = 1;
        refuse(5_000e18, cheap, abi.encodeWithSelector(ZKMLTiers.WrongPolicy.selector, hashOf(cheap), hashOf(medium)));
    }

    function test_RevertWhen_DataAreNotSigned() external {
        CreditGate.Terms memory t = loan(5_000e18);
        (IZKMLAcceptance.Posting memory p,) = posting(address(gate), keccak256("another action"), 0.15e18);
        vm.expectRevert();
        vm.prank(ALICE);
        gate.postLoan{value: BOND}(t, p, medium);
    }

    function test_LargeLoanIsProven() external {
        CreditGate.Terms memory t = loan(20_000e18);
        bytes32 action = gate.actionOf(t);
        ZKMLConsumer.Inference memory proven = believed(address(gate), rootOf(ALICE, DATA, action), 0.15e18);
        vm.prank(ALICE);
        gate.approve(t, proven);
        (bytes32 terms,) = gate.approvals(ALICE);
        assertEq(terms, action, "approved");
    }

    function test_MediumCoverIsQuotedWhenItCounts() external {
        InsurancePricing.Policy memory i = insurance(1_000e18);
        bytes32 action = pricing.actionOf(i);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = posting(address(pricing), action, 0.5e18);
        vm.prank(ALICE);
        pricing.postQuote{value: BOND}(i, p, medium);
        (bytes32 quoted,,) = pricing.quotes(ALICE);
        assertEq(quoted, 0, "not yet");
        vm.warp(NOW + 1 hours + 1);
        pricing.accept(r, medium, p.output);
        uint256 premium;
        uint64 validUntil;
        (quoted, premium, validUntil) = pricing.quotes(ALICE);
        assertTrue(quoted == action && premium == 500e18, "quote");
        assertEq(validUntil, NOW + 1 hours + 1 + 1 hours, "until");
    }

    /// @dev Posted twice, a policy is quoted once: the second result only gives its bond back.
    function test_CoverIsQuotedOnceHoweverOftenItIsPosted() external {
        InsurancePricing.Policy memory i = insurance(1_000e18);
        bytes32 action = pricing.actionOf(i);
        IZKMLAcceptance.Result[2] memory results;
        bytes memory output;
        for (uint256 k = 0; k < 2; ++k) {
            IZKMLAcceptance.Posting memory p;
            (p, results[k]) = posting(address(pricing), action, 0.5e18);
            vm.prank(ALICE);
            pricing.postQuote{value: BOND}(i, p, medium);
            output = p.output;
        }
        vm.warp(NOW + 1 hours + 1);
        pricing.accept(results[0], medium, output);
        vm.warp(NOW + 1 hours + 60);
        pricing.accept(results[1], medium, output);
        (,, uint64 validUntil) = pricing.quotes(ALICE);
        assertEq(validUntil, NOW + 1 hours + 1 + 1 hours, "of the first");
        assertEq(pricing.fundsOf(ALICE, address(0)), 2 * BOND, "bonds");
    }

    /// @dev Posted again before it is sold, a policy is not sold a second time when that result counts.
    function test_CoverThatIsSoldIsNotQuotedAgain() external {
        InsurancePricing.Policy memory i = insurance(1_000e18);
        bytes32 action = pricing.actionOf(i);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = posting(address(pricing), action, 0.5e18);
        vm.prank(ALICE);
        pricing.postQuote{value: BOND}(i, p, medium);
        // As a sale leaves it.
        bytes32 holder = keccak256(abi.encode(ALICE, uint256(9)));
        vm.store(address(pricing), keccak256(abi.encode(action, holder)), bytes32(uint256(1)));
        assertTrue(pricing.insured(ALICE, action), "sold");
        vm.warp(NOW + 1 hours + 1);
        pricing.accept(r, medium, p.output);
        (bytes32 quoted,,) = pricing.quotes(ALICE);
        assertEq(quoted, bytes32(0), "nothing to buy");
        assertEq(pricing.fundsOf(ALICE, address(0)), BOND, "bond");
    }

    function test_TiersAreToldOnce() external {
        TieredCreditGate other = make(tiers());
        ZKMLTiers.Tiers memory kept = other.tiers();
        assertTrue(kept.smallBelow == 100e18 && kept.mediumBelow == 10_000e18, "limits");
        assertTrue(kept.small == hashOf(small) && kept.medium == hashOf(medium), "hashes");
        assertEq(other.policyHashOf(medium), hashOf(medium), "as its encoding");
        vm.expectEmit(true, true, true, true, vm.computeCreateAddress(address(this), vm.getNonce(address(this))));
        emit ZKMLTiers.TiersFixed(100e18, 10_000e18, small, medium);
        make(tiers());
    }

    function test_RevertWhen_TiersAreOutOfOrder() external {
        ZKMLTiers.TierPolicies memory wrong = tiers();
        (wrong.smallBelow, wrong.mediumBelow) = (2, 1);
        vm.expectRevert(abi.encodeWithSelector(ZKMLTiers.TiersOutOfOrder.selector, 2, 1));
        make(wrong);
    }

    /// @dev A policy that nobody could post under is found when the contract is deployed; one that is never used is not looked at.
    function test_RevertWhen_APolicyPromisesNothing() external {
        ZKMLTiers.TierPolicies memory wrong = tiers();
        wrong.medium.bond = 0;
        vm.expectRevert(IZKMLAcceptance.ZeroBond.selector);
        make(wrong);
        wrong.mediumBelow = wrong.smallBelow;
        make(wrong);
        wrong = tiers();
        wrong.small.signatures = 0;
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.SignaturesOutOfBounds.selector, 0, 16));
        make(wrong);
        wrong.smallBelow = 0;
        make(wrong);
    }

    /// @dev A result that counts late is an option that its poster has for nothing: on a loan, and on a quote.
    function test_RevertWhen_TheDeadlineIsTooFar() external {
        CreditGate.Terms memory t = loan(5_000e18);
        InsurancePricing.Policy memory i = insurance(50e18);
        (IZKMLAcceptance.Posting memory forLoan,) = posting(address(gate), gate.actionOf(t), 0.15e18);
        (IZKMLAcceptance.Posting memory forQuote, IZKMLAcceptance.Result memory r) =
            posting(address(pricing), pricing.actionOf(i), 0.5e18);
        // Windows of an hour and of two; a signature has none.
        (uint256 latest, uint256 latestOfSmall) = (NOW + 3 hours + 2 days, NOW + 2 days);
        forLoan.deadline = latest + 1;
        vm.expectRevert(abi.encodeWithSelector(ZKMLTiers.DeadlineTooLate.selector, latest + 1, latest));
        vm.prank(ALICE);
        gate.postLoan{value: BOND}(t, forLoan, medium);
        (forQuote.deadline, r.deadline) = (latestOfSmall + 1, latestOfSmall + 1);
        attested(pricing, forQuote, r);
        vm.expectRevert(abi.encodeWithSelector(ZKMLTiers.DeadlineTooLate.selector, latestOfSmall + 1, latestOfSmall));
        vm.prank(ALICE);
        pricing.postQuote(i, forQuote, small);
        forLoan.deadline = latest;
        vm.prank(ALICE);
        gate.postLoan{value: BOND}(t, forLoan, medium);
        assertEq(gate.nonces(ALICE), 1, "the last second counts");
    }

    /// @dev The policy was checked when it was fixed; who posts is known only now.
    function test_RevertWhen_TheBeneficiaryPosts() external {
        CreditGate.Terms memory t = loan(5_000e18);
        (IZKMLAcceptance.Posting memory p,) = posting(address(gate), gate.actionOf(t), 0.15e18);
        address treasury = account("treasury");
        vm.deal(treasury, BOND);
        vm.expectRevert(abi.encodeWithSelector(IZKMLAcceptance.BadBeneficiary.selector, treasury));
        vm.prank(treasury);
        gate.postLoan{value: BOND}(t, p, medium);
    }

    function make(ZKMLTiers.TierPolicies memory tiers_) private returns (TieredCreditGate) {
        return new TieredCreditGate(mock, mockModel, SCALE, issuer(), limits(), tiers_);
    }

    function hashOf(IZKMLAcceptance.AcceptancePolicy memory p) private pure returns (bytes32) {
        return keccak256(abi.encode(p));
    }

    function refuse(uint256 principal, IZKMLAcceptance.AcceptancePolicy memory acceptance, bytes memory error_)
        private
    {
        CreditGate.Terms memory t = loan(principal);
        (IZKMLAcceptance.Posting memory p,) = posting(address(gate), gate.actionOf(t), 0.15e18);
        vm.expectRevert(error_);
        vm.prank(ALICE);
        gate.postLoan{value: BOND}(t, p, acceptance);
    }
}
