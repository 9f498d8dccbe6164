// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLAttestors} from "../../src/ZKMLAttestors.sol";
import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {ZKMLTiers} from "../../src/ZKMLTiers.sol";
import {CreditGate} from "../../src/examples/CreditGate.sol";
import {InsurancePricing} from "../../src/examples/InsurancePricing.sol";
import {TieredCreditGate} from "./support/TieredCreditGate.sol";
import {TieredInsurancePricing} from "./support/TieredInsurancePricing.sol";
import {IZKMLAcceptance} from "../../src/interfaces/IZKMLAcceptance.sol";
import {ExampleTest} from "./support/ExampleTest.sol";
import {TestToken} from "./support/Tokens.sol";

/// @title Loans and quotes by amount: attested below 100, optimistic below 10,000, proven above
contract TieredTest is ExampleTest {
    address private constant ALICE = address(uint160(uint256(keccak256("alice"))));
    uint256 private constant BOND = 2 ether;

    TieredCreditGate private gate;
    TieredInsurancePricing private pricing;
    IZKMLAcceptance.AcceptancePolicy private small;
    IZKMLAcceptance.AcceptancePolicy private medium;
    bytes32 private keyId;

    function setUp() external {
        deployMock();
        ZKMLAttestors attestors = new ZKMLAttestors(address(this));
        bytes32 x = bytes32(uint256(uint160(vm.addr(key("enclave")))));
        keyId = attestors.register(
            ZKMLAttestors.Kind.Secp256k1, x, 0, keccak256("quote"), keccak256("code"), uint40(NOW + 1 days)
        );
        (small.paths, small.required, small.signatures, small.attestors) = (4, 1, 1, attestors);
        (medium.paths, medium.required, medium.bond, medium.deposit) = (1, 1, BOND, 1 ether);
        (medium.challengeWindow, medium.answerWindow) = (1 hours, 2 hours);
        medium.beneficiary = account("treasury");
        ZKMLTiers.Tiers memory tiers =
            ZKMLTiers.Tiers(100e18, 10_000e18, keccak256(abi.encode(small)), keccak256(abi.encode(medium)));
        gate = new TieredCreditGate(
            mock,
            mockModel,
            SCALE,
            issuer(),
            CreditGate.Policy(account("pool"), account("asset"), 50_000e18, 0.05e18, 730 days, 0.2e18, 7 days),
            tiers
        );
        pricing = new TieredInsurancePricing(
            mock,
            mockModel,
            SCALE,
            issuer(),
            InsurancePricing.Limits(new TestToken(), account("treasury"), 50_000e18, 365 days, 1 hours, 0.01e18, 1e18),
            tiers
        );
        vm.deal(ALICE, 100 ether);
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
        (p.deadline, p.dataCommitment, p.output) = (DEADLINE, root.dataCommitment, word(output));
        p.provenance = signRoot(gate, "issuer", root);
        if (where == address(pricing)) p.provenance = signRoot(pricing, "issuer", root);
        r = IZKMLAcceptance.Result(
            ALICE, ALICE, gate.nonces(ALICE), DEADLINE, action, root.dataCommitment, keccak256(p.output), mockModel
        );
        if (where == address(pricing)) r.nonce = pricing.nonces(ALICE);
    }

    function sign(IZKMLAcceptance where, IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r)
        private
        view
    {
        p.attestations = new IZKMLAcceptance.Attestation[](1);
        bytes32 digest = where.attestationDigest(r, uint64(NOW), uint64(NOW + 60));
        p.attestations[0] = IZKMLAcceptance.Attestation(keyId, uint64(NOW), uint64(NOW + 60), signed("enclave", digest));
    }

    function test_SmallLoanIsAttested() external {
        CreditGate.Terms memory t = loan(100e18 - 1);
        bytes32 action = gate.actionOf(t);
        (IZKMLAcceptance.Posting memory p, IZKMLAcceptance.Result memory r) = posting(address(gate), action, 0.15e18);
        sign(gate, p, r);
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

    function test_RevertWhen_TiersAreOutOfOrder() external {
        ZKMLTiers.Tiers memory wrong = ZKMLTiers.Tiers(2, 1, 0, 0);
        CreditGate.Policy memory policy;
        vm.expectRevert(abi.encodeWithSelector(ZKMLTiers.TiersOutOfOrder.selector, 2, 1));
        new TieredCreditGate(mock, mockModel, SCALE, issuer(), policy, wrong);
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
