// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {InsurancePricing} from "../../src/examples/InsurancePricing.sol";
import {ZKMLAddress} from "../../src/libraries/ZKMLAddress.sol";
import {ExampleChecks, ExampleTest} from "./support/ExampleTest.sol";
import {TestToken} from "./support/Tokens.sol";

/// @title An insurer and a buyer with money, as both tests use them
abstract contract InsuranceSetup is ExampleTest {
    uint256 internal constant MIN_RATE = 0.005e18;
    uint256 internal constant MIN_PREMIUM = 10e6;
    InsurancePricing internal insurer;
    TestToken internal token;
    address internal immutable BOB = account("bob");
    address internal immutable TREASURY = account("treasury");

    function deployInsurer() internal {
        deployMock();
        token = new TestToken();
        insurer = new InsurancePricing(
            mock,
            mockModel,
            SCALE,
            issuer(),
            InsurancePricing.Limits(token, TREASURY, 1_000_000e6, 365 days, 1 days, MIN_RATE, MIN_PREMIUM)
        );
        token.mint(BOB, type(uint128).max);
        vm.prank(BOB);
        token.approve(address(insurer), type(uint256).max);
    }

    function policyOf(uint256 cover) internal pure returns (InsurancePricing.Policy memory) {
        return InsurancePricing.Policy(keccak256("vault"), cover, uint64(NOW + 2 days), 90 days);
    }

    function quoted(InsurancePricing.Policy memory policy, int256 rate)
        internal
        view
        returns (ZKMLConsumer.Inference memory)
    {
        return believed(address(insurer), rootOf(BOB, DATA, insurer.actionOf(policy)), rate);
    }
}

/// @title Insurance pricing, with a verifier that believes everything
contract InsurancePricingTest is ExampleChecks, InsuranceSetup {
    function setUp() external {
        deployInsurer();
    }

    function target() internal view override returns (address) {
        return address(insurer);
    }

    function goodRoot() internal view override returns (Root memory) {
        return rootOf(BOB, DATA, insurer.actionOf(policy()));
    }

    function goodInference() internal view override returns (ZKMLConsumer.Inference memory) {
        return quoted(policy(), 0.03125e18);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(BOB);
        insurer.quote(policy(), inference_);
    }

    function policy() private pure returns (InsurancePricing.Policy memory) {
        return policyOf(100_000e6);
    }

    function buy(uint256 premium) private {
        vm.prank(BOB);
        insurer.buy(policy(), premium);
    }

    function refusedToSell(uint256 premium, bytes memory reason) private {
        vm.expectRevert(reason);
        buy(premium);
    }

    function test_SellsForExactlyTheQuote() external {
        act(good());
        bytes32 hash = insurer.actionOf(policy());
        (bytes32 open, uint256 premium, uint64 validUntil) = insurer.quotes(BOB);
        assertEq(open, hash, "policy");
        assertEq(premium, 3_125e6, "rate times cover");
        uint256 before = token.balanceOf(BOB);
        vm.warp(validUntil);
        buy(premium);
        assertEq(token.balanceOf(TREASURY), premium, "treasury");
        assertEq(token.balanceOf(BOB), before - premium, "buyer");
        assertEq(token.balanceOf(address(insurer)), 0, "nothing stays here");
        assertTrue(insurer.insured(BOB, hash), "insured");
        refusedToSell(premium, abi.encodeWithSelector(InsurancePricing.NotQuoted.selector, hash));
        refused(good(), abi.encodeWithSelector(InsurancePricing.AlreadyInsured.selector, hash));
    }

    function test_SaysWhatIsQuotedAndSold() external {
        // A treasury that has sold before.
        token.mint(TREASURY, 7);
        bytes32 hash = insurer.actionOf(policy());
        ZKMLConsumer.Inference memory inference_ = good();
        vm.expectEmit(true, true, true, true, address(insurer));
        emit InsurancePricing.Quoted(BOB, hash, 3_125e6, uint64(NOW + 1 hours));
        act(inference_);
        vm.expectEmit(true, true, true, true, address(insurer));
        emit InsurancePricing.PolicySold(BOB, hash, policy(), 3_125e6);
        buy(3_125e6);
        assertEq(token.balanceOf(TREASURY), 3_125e6 + 7, "treasury");
    }

    function test_RevertWhen_ThePaymentDiffers() external {
        act(good());
        uint256[3] memory offers = [uint256(3_125e6 - 1), 3_125e6 + 1, 0];
        for (uint256 i = 0; i < 3; ++i) {
            refusedToSell(offers[i], abi.encodeWithSelector(InsurancePricing.WrongPayment.selector, offers[i], 3_125e6));
        }
    }

    function test_RevertWhen_TheTokenKeepsAPart() external {
        act(good());
        token.setFee(1);
        refusedToSell(3_125e6, abi.encodeWithSelector(InsurancePricing.PaymentNotExact.selector, 3_125e6 - 1, 3_125e6));
    }

    function test_RevertWhen_TheQuoteHasExpired() external {
        act(good());
        vm.warp(NOW + 1 hours + 1);
        refusedToSell(3_125e6, abi.encodeWithSelector(InsurancePricing.QuoteExpired.selector, NOW + 1 hours));
    }

    function test_RevertWhen_AnotherPolicyIsBought() external {
        act(good());
        InsurancePricing.Policy memory more = policyOf(100_001e6);
        vm.expectRevert(abi.encodeWithSelector(InsurancePricing.NotQuoted.selector, insurer.actionOf(more)));
        vm.prank(BOB);
        insurer.buy(more, 3_125e6);
    }

    function test_RevertWhen_SomebodyElseBuys() external {
        act(good());
        vm.expectRevert(abi.encodeWithSelector(InsurancePricing.NotQuoted.selector, insurer.actionOf(policy())));
        vm.prank(account("carol"));
        insurer.buy(policy(), 3_125e6);
    }

    /// @dev The data may be of before the event, the money must not be of after it.
    function test_RevertWhen_TheCoverStartsTooSoon() external {
        vm.warp(NOW + 1 days);
        act(good());
        vm.warp(NOW + 1 days + 1);
        refusedToSell(
            3_125e6, abi.encodeWithSelector(InsurancePricing.StartsTooSoon.selector, NOW + 2 days, NOW + 2 days + 1)
        );
    }

    function test_RevertWhen_ThePolicyIsBeyondTheLimits() external {
        InsurancePricing.Policy memory p = policyOf(1_000_000e6 + 1);
        beyond(p, abi.encodeWithSelector(InsurancePricing.CoverOutOfBounds.selector, p.cover, 1_000_000e6));
        p.cover = 0;
        beyond(p, abi.encodeWithSelector(InsurancePricing.CoverOutOfBounds.selector, 0, 1_000_000e6));
        p = policy();
        p.duration = 365 days + 1;
        beyond(p, abi.encodeWithSelector(InsurancePricing.DurationOutOfBounds.selector, p.duration, 365 days));
        p.duration = 0;
        beyond(p, abi.encodeWithSelector(InsurancePricing.DurationOutOfBounds.selector, 0, 365 days));
    }

    /// @dev The last that is allowed of everything at once.
    function test_LimitsAreAllowedThemselves() external {
        InsurancePricing.Policy memory p = policyOf(1_000_000e6);
        p.duration = 365 days;
        ZKMLConsumer.Inference memory inference_ = quoted(p, 1e18);
        vm.startPrank(BOB);
        assertEq(insurer.quote(p, inference_), 1_000_000e6, "a rate of one costs the cover");
        // The cover starts a day after the last moment at which it is bought.
        vm.warp(NOW + 1 hours);
        p.start = uint64(NOW + 1 hours + 1 days);
        inference_ = quoted(p, 1e18);
        insurer.quote(p, inference_);
        insurer.buy(p, 1_000_000e6);
        assertTrue(insurer.insured(BOB, insurer.actionOf(p)), "insured");
    }

    /// @dev One unit of the model's output above one.
    function test_RevertWhen_TheRateIsAUnitAboveOne() external {
        ZKMLConsumer.Inference memory inference_ = quoted(policy(), 1e18);
        inference_.output = abi.encode((uint256(1) << uint256(SCALE)) + 1);
        vm.expectRevert(abi.encodeWithSelector(InsurancePricing.RateOutOfRange.selector, int256(1e18 + 953674316407)));
        act(inference_);
    }

    function test_RevertWhen_MoneyWouldGetLost() external {
        InsurancePricing.Limits memory limits = InsurancePricing.Limits(token, address(0), 1, 1, 1, 1, 1);
        vm.expectRevert(InsurancePricing.NoTreasury.selector);
        new InsurancePricing(mock, mockModel, SCALE, issuer(), limits);
        limits.treasury = TREASURY;
        limits.asset = TestToken(account("no contract"));
        vm.expectRevert(abi.encodeWithSelector(ZKMLAddress.NotAContract.selector, limits.asset));
        new InsurancePricing(mock, mockModel, SCALE, issuer(), limits);
    }

    function beyond(InsurancePricing.Policy memory p, bytes memory reason) private {
        ZKMLConsumer.Inference memory inference_ = quoted(p, 0.03e18);
        vm.expectRevert(reason);
        vm.prank(BOB);
        insurer.quote(p, inference_);
    }

    function test_RevertWhen_TheRateIsAboveOne() external {
        refused(quoted(policy(), 2e18), abi.encodeWithSelector(InsurancePricing.RateOutOfRange.selector, int256(2e18)));
    }

    function test_RoundsTheRateUp() external {
        (, int256 upper) = between();
        refused(
            quoted(policy(), 1e18 + upper),
            abi.encodeWithSelector(InsurancePricing.RateOutOfRange.selector, 1e18 + upper)
        );
    }

    function test_RoundsUp() external {
        InsurancePricing.Policy memory p = policyOf(320_000_000_001);
        ZKMLConsumer.Inference memory inference_ = quoted(p, 0.03125e18);
        vm.prank(BOB);
        assertEq(insurer.quote(p, inference_), 10_000_000_001, "a part of a unit is a unit");
    }

    function test_NegativeRatesPayTheFloor() external {
        ZKMLConsumer.Inference memory inference_ = quoted(policy(), -0.5e18);
        vm.prank(BOB);
        assertEq(insurer.quote(policy(), inference_), 500e6, "lowest rate");
    }

    function testFuzz_NeverBelowTheFloorNorBelowTheModel(uint256 cover, int256 rate) external {
        cover = 1 + cover % 1_000_000e6;
        rate = rate % 1e18;
        InsurancePricing.Policy memory p = policyOf(cover);
        ZKMLConsumer.Inference memory inference_ = quoted(p, rate);
        // What the word says, exactly: `units / 2^SCALE`.
        int256 units = (rate << uint256(SCALE)) / 1e18;
        vm.prank(BOB);
        uint256 premium = insurer.quote(p, inference_);
        assertAtMost(MIN_PREMIUM, premium, "lowest premium");
        assertAtMost(cover * MIN_RATE, premium * 1e18, "lowest rate");
        if (units > 0) assertAtMost(cover * uint256(units), premium << uint256(SCALE), "the model's rate");
    }
}

/// @title A buyer who tries everything
contract Buyer is InsuranceSetup {
    uint256 public paid;
    uint256 public owed;
    uint256 public sold;
    InsurancePricing.Policy private _policy;

    constructor() {
        deployInsurer();
    }

    function quote(uint256 cover, int256 rate) external {
        InsurancePricing.Policy memory p = policyOf(1 + cover % 1_000_000e6);
        p.start = uint64(block.timestamp + 1 days + cover % 2 hours);
        ZKMLConsumer.Inference memory inference_ = quoted(p, rate % 1.1e18);
        vm.prank(BOB);
        try insurer.quote(p, inference_) {
            _policy = p;
        } catch {}
    }

    function buy(uint256 offer, bool honest, bool fee) external {
        (, uint256 premium,) = insurer.quotes(BOB);
        uint256 before = token.balanceOf(TREASURY);
        token.setFee(fee ? 1 : 0);
        vm.prank(BOB);
        try insurer.buy(_policy, honest ? premium : offer) {
            ++sold;
            paid += token.balanceOf(TREASURY) - before;
            uint256 floor = (_policy.cover * MIN_RATE + 1e18 - 1) / 1e18;
            owed += floor > MIN_PREMIUM ? floor : MIN_PREMIUM;
        } catch {}
    }

    function wait_(uint256 time) external {
        vm.warp(block.timestamp + time % 2 hours);
    }

    function held() external view returns (uint256) {
        return token.balanceOf(address(insurer));
    }
}

/// @title Whatever a buyer does, what arrives is at least the floor of all that was sold
contract InsuranceInvariants is ExampleTest {
    Buyer private buyer;

    function setUp() external {
        buyer = new Buyer();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(buyer);
    }

    function invariant_TheFloorIsPaid() external view {
        assertAtMost(buyer.owed(), buyer.paid(), "floor");
        assertEq(buyer.held(), 0, "nothing stays");
    }
}
