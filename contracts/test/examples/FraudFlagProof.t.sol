// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLConsumer} from "../../src/ZKMLConsumer.sol";
import {FraudFlag} from "../../src/examples/FraudFlag.sol";
import {FraudAVerifier} from "../generated/FraudAVerifier.sol";
import {ProofChecks} from "./support/ProofChecks.sol";

/// @title The fraud flag with real proofs of two private models, which share a verifier
contract FraudFlagProofTest is ProofChecks {
    bytes32 private constant CASE = keccak256("case 1");
    FraudFlag private flags;
    address private immutable REPORTER = account("reporter");
    address private immutable MALLORY = account("mallory");

    function setUp() external {
        deployBelow("fraud_a_mallory", address(new FraudAVerifier()));
        vm.startPrank(deployer("FraudFlag"));
        flags = new FraudFlag(zkml, modelId, 2 days, 17, issuer(), account("arbiter"), 3 days, 0.75e18);
        flags.setReporter(REPORTER, true);
        vm.stopPrank();
    }

    function target() internal view override returns (address) {
        return address(flags);
    }

    function action() internal view override returns (bytes32) {
        return flags.actionOf(REPORTER, MALLORY, CASE);
    }

    function scale() internal view override returns (int256) {
        return flags.OUTPUT_SCALE();
    }

    function replayReason() internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(FraudFlag.CannotBeFlaggedYet.selector, NOW + 10 days);
    }

    function act(ZKMLConsumer.Inference memory inference_) internal override {
        vm.prank(REPORTER);
        flags.flag(MALLORY, CASE, inference_);
    }

    function test_PausesAndEnds() external {
        act(good());
        assertTrue(flags.isPaused(MALLORY), "paused");
        vm.warp(NOW + 3 days);
        flags.requireNotPaused(MALLORY);
    }

    /// @dev When the account can be flagged again, the old proof is still used up.
    function test_RevertWhen_TheProofIsShownAgainLater() external {
        act(good());
        vm.warp(NOW + 10 days);
        refused(good(), wrongContext(MALLORY, 1, action()));
    }

    function test_RevertWhen_AnotherReporterShowsTheProof() external {
        address other = account("another reporter");
        vm.prank(deployer("FraudFlag"));
        flags.setReporter(other, true);
        Root memory root = goodRoot();
        root.action = flags.actionOf(other, MALLORY, CASE);
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(MALLORY, 0, root.action));
        vm.prank(other);
        flags.flag(MALLORY, CASE, inference_);
    }

    function test_RevertWhen_TheProofIsAboutAnotherAccount() external {
        address victim = account("victim");
        Root memory root = goodRoot();
        (root.subject, root.action) = (victim, flags.actionOf(REPORTER, victim, CASE));
        ZKMLConsumer.Inference memory inference_ = withRoot("issuer", root);
        vm.expectRevert(wrongContext(victim, 0, root.action));
        vm.prank(REPORTER);
        flags.flag(victim, CASE, inference_);
    }

    function test_RevertWhen_TheEvidenceIsOld() external {
        act(good());
        vm.warp(NOW + 10 days);
        Root memory root = goodRoot();
        root.issuedAt = uint64(NOW);
        (bytes32 context, ZKMLConsumer.Inference memory inference_) =
            (flags.contextOf(MALLORY, 1, good_.deadline, action()), withRoot("issuer", root));
        bytes memory blob = inference_.proof;
        assembly ("memory-safe") {
            // Behind the length, the selector and the data commitment.
            mstore(add(blob, 0x44), context)
        }
        refused(inference_, abi.encodeWithSelector(FraudFlag.OldEvidence.selector, NOW, NOW));
    }

    /// @dev The same evidence, judged by the other weights: refused before the owner has moved to them, and the first
    /// model's proof is refused afterwards.
    function test_TheModelMovesAfterADelayInPublic() external {
        Proof memory second = load("fraud_b_mallory");
        assertEq(second.action, action(), "action of the scenario");
        assertEq(second.registration.vkHash, good_.registration.vkHash, "one verifier");
        assertTrue(second.registration.modelHash != good_.registration.modelHash, "two models");
        bytes memory provenance = signRoot(flags, "issuer", rootOf(MALLORY, second.dataCommitment, second.action));
        ZKMLConsumer.Inference memory later = inference(second, provenance);
        bytes memory rejected = abi.encodeWithSignature("ProofRejected()");
        refused(later, rejected);

        uint256 next = register(second);
        vm.startPrank(deployer("FraudFlag"));
        flags.proposeModel(next);
        vm.expectRevert(abi.encodeWithSelector(ZKMLConsumer.ProposalNotActive.selector, NOW + 2 days));
        flags.acceptModel();
        vm.warp(NOW + 2 days);
        flags.acceptModel();
        vm.stopPrank();

        refused(good(), rejected);
        later.provenance = signRoot(flags, "issuer", rootOf(MALLORY, second.dataCommitment, second.action));
        act(later);
        assertTrue(flags.isPaused(MALLORY), "paused");
    }

    function test_RevertWhen_SomebodyElseMovesTheModel() external {
        uint256 next = register(load("fraud_b_mallory"));
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", REPORTER));
        vm.prank(REPORTER);
        flags.proposeModel(next);
    }
}
