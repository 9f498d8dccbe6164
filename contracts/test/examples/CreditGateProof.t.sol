// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {CreditGate} from "../../src/examples/CreditGate.sol";
import {CreditVerifier} from "../generated/CreditVerifier.sol";
import {ProofChecks} from "./support/ProofChecks.sol";

/// @title The credit gate with real proofs of the credit model
contract CreditGateProofTest is ProofChecks {
    CreditGate private gate;
    address private immutable ALICE = account("alice");

    function setUp() external {
        deployBelow("credit_gate_alice", address(new CreditVerifier()));
        CreditGate.Policy memory policy =
            CreditGate.Policy(account("pool"), account("asset"), 10_000e18, 0.05e18, 730 days, 0.2e18, 7 days);
        vm.prank(deployer("CreditGate"));
        gate = new CreditGate(zkml, modelId, 18, issuer(), policy);
    }

    function target() internal view override returns (address) {
        return address(gate);
    }

    function action() internal view override returns (bytes32) {
        return gate.actionOf(loan(1_185e18, 365 days));
    }

    function scale() internal view override returns (int256) {
        return gate.OUTPUT_SCALE();
    }

    function replayReason() internal view override returns (bytes memory) {
        return wrongContext(ALICE, 1, action());
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(ALICE);
        gate.approve(loan(1_185e18, 365 days), inference_);
    }

    /// @dev Amount and duration are those of the applicant's data, as the issuer checks.
    function loan(uint256 principal, uint64 duration) private pure returns (CreditGate.Terms memory) {
        return CreditGate.Terms(account("asset"), principal, 0.08e18, duration);
    }

    function test_TheLoanIsPaidOutOnce() external {
        act(good());
        vm.prank(account("pool"));
        gate.useApproval(ALICE, loan(1_185e18, 365 days));
        assertTrue(gate.dataUsed(good_.dataCommitment), "data used");
    }

    /// @dev The issuer goes along with better terms, the proof does not.
    function test_RevertWhen_TheTermsAreOthers() external {
        CreditGate.Terms memory more = loan(10_000e18, 365 days);
        Root memory root = goodRoot();
        root.action = gate.actionOf(more);
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(ALICE, 0, root.action));
        vm.prank(ALICE);
        gate.approve(more, inference_);
    }

    function test_RevertWhen_SomebodyElseShowsTheProof() external {
        Root memory root = goodRoot();
        root.subject = account("carol");
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(account("carol"), 0, root.action));
        vm.prank(account("carol"));
        gate.approve(loan(1_185e18, 365 days), inference_);
    }

    function test_RevertWhen_TheDataAreStale() external {
        Root memory root = goodRoot();
        root.issuedAt -= 7 days + 1;
        refused(withRoot("issuer", root), abi.encodeWithSelector(CreditGate.StaleData.selector, root.issuedAt, 7 days));
    }

    function test_RevertWhen_TheModelFindsTheRiskTooHigh() external {
        Proof memory bob = load("credit_gate_bob");
        CreditGate.Terms memory terms = loan(3_552e18, 730 days);
        assertEq(bob.action, gate.actionOf(terms), "action of the scenario");
        bytes memory provenance = signRoot(gate, "issuer", rootOf(bob.subject, bob.dataCommitment, bob.action));
        // About 0.603.
        uint256 risk = (abi.decode(bob.output, (uint256)) * 1e18 + (1 << 18) - 1) >> 18;
        vm.expectRevert(abi.encodeWithSelector(CreditGate.RiskTooHigh.selector, risk, 0.2e18));
        vm.prank(bob.subject);
        gate.approve(terms, inference(bob, provenance));
    }
}
