// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {InsurancePricing} from "../../src/examples/InsurancePricing.sol";
import {PremiumVerifier} from "../generated/PremiumVerifier.sol";
import {ProofChecks} from "./support/ProofChecks.sol";
import {TestToken} from "./support/Tokens.sol";

/// @title Insurance pricing with real proofs, one of them of a rate below zero
contract InsurancePricingProofTest is ProofChecks {
    InsurancePricing private insurer;
    TestToken private token;
    address private immutable BOB = account("bob");

    function setUp() external {
        deployBelow("insurance_bob_0", address(new PremiumVerifier()));
        token = new TestToken();
        InsurancePricing.Limits memory limits =
            InsurancePricing.Limits(token, account("treasury"), 1_000_000e6, 365 days, 1 days, 0.005e18, 10e6);
        vm.prank(deployer("InsurancePricing"));
        insurer = new InsurancePricing(zkml, modelId, 29, issuer(), limits);
        token.mint(BOB, 1_000_000e6);
        vm.prank(BOB);
        token.approve(address(insurer), type(uint256).max);
    }

    function target() internal view override returns (address) {
        return address(insurer);
    }

    function action() internal view override returns (bytes32) {
        return insurer.actionOf(policy(350 days));
    }

    function scale() internal view override returns (int256) {
        return insurer.OUTPUT_SCALE();
    }

    function replayReason() internal view override returns (bytes memory) {
        return wrongContext(BOB, 1, action());
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(BOB);
        insurer.quote(policy(350 days), inference_);
    }

    /// @dev The duration is that of the data, as the issuer checks.
    function policy(uint64 duration) private pure returns (InsurancePricing.Policy memory) {
        return InsurancePricing.Policy(keccak256("vault"), 100_000e6, uint64(NOW + 2 days), duration);
    }

    function test_SellsForTheModelsRate() external {
        act(good());
        (, uint256 premium,) = insurer.quotes(BOB);
        // About 6.33 % of the cover: units of 2^-29, rounded up.
        uint256 units = abi.decode(good_.output, (uint256));
        assertEq(premium, (100_000e6 * units + (1 << 29) - 1) >> 29, "premium");
        assertAtMost(premium, 6_400e6, "premium");
        assertAtMost(6_260e6, premium, "premium");
        vm.prank(BOB);
        insurer.buy(policy(350 days), premium);
        assertEq(token.balanceOf(account("treasury")), premium, "paid");
    }

    function test_ANegativeRatePaysTheFloor() external {
        act(good());
        Proof memory second = load("insurance_bob_1");
        assertEq(second.action, insurer.actionOf(policy(26 days)), "action of the scenario");
        assertTrue(abi.decode(second.output, (uint256)) > 1 << 200, "negative");
        bytes memory provenance =
            signRoot(insurer, "issuer", rootOf(second.subject, second.dataCommitment, second.action));
        vm.prank(BOB);
        assertEq(insurer.quote(policy(26 days), inference(second, provenance)), 500e6, "floor");
    }

    function test_RevertWhen_ThePolicyIsAnother() external {
        InsurancePricing.Policy memory longer = policy(351 days);
        Root memory root = goodRoot();
        root.action = insurer.actionOf(longer);
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(BOB, 0, root.action));
        vm.prank(BOB);
        insurer.quote(longer, inference_);
    }

    function test_RevertWhen_SomebodyElseShowsTheProof() external {
        Root memory root = goodRoot();
        root.subject = account("carol");
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(account("carol"), 0, root.action));
        vm.prank(account("carol"));
        insurer.quote(policy(350 days), inference_);
    }
}
